"""Net liquidity: what the Fed holds, less what the Treasury and the reverse repo tie up."""

from typing import Final

import numpy as np
import pandas as pd

from feeds.errors import DataError
from feeds.series import Series

NAME: Final = "NET_LIQUIDITY"
PARTS: Final = ("WALCL", "WTREGEN", "RRPONTSYD")
MILLIONS_PER_BILLION: Final = 1_000.0
# The newest reverse repo at or before a Wednesday counts for it, if it is no older.
OLDEST_PART: Final = pd.Timedelta(days=7)


def net_liquidity(assets: Series, treasury: Series, reverse_repo: Series) -> Series:
    """Return WALCL - WTREGEN - RRPONTSYD in USD billion, one value a Wednesday.

    WALCL and WTREGEN come in USD million, RRPONTSYD in USD billion. Each value is known once
    all three parts are. Of the reverse repo, the last one at or before the Wednesday counts;
    before it began, or where it is over a week old, there is no value.

    Raises
    ------
    DataError
        If the three do not overlap.
    """
    weekly = pd.concat([_part(assets, "assets"), _part(treasury, "treasury")], axis=1, join="inner")
    joined = pd.merge_asof(
        weekly.rename_axis("date").reset_index(),
        _part(reverse_repo, "repo").rename_axis("date").reset_index(),
        on="date",
        tolerance=OLDEST_PART,
    ).dropna(subset=["repo"])
    if joined.empty:
        raise DataError(
            f"{NAME}: {assets.origin}, {treasury.origin} and {reverse_repo.origin} have "
            "no Wednesday in common. Use longer series."
        )
    value = (joined["assets"] - joined["treasury"]) / MILLIONS_PER_BILLION - joined["repo"]
    known = joined[["assets_known", "treasury_known", "repo_known"]].max(axis=1)
    frame = pd.DataFrame(
        {
            "value": value.to_numpy(np.float64),
            "available_at": pd.DatetimeIndex(known).as_unit("ns"),
        },
        index=pd.DatetimeIndex(joined["date"]).rename(None),
    )
    parts = (assets, treasury, reverse_repo)
    return Series(
        NAME,
        "USD billion",
        frame,
        assets.source,
        " - ".join(part.origin for part in parts),
        tuple(note for part in parts for note in part.notes),
        tuple(note for part in parts for note in part.readings),
    )


def _part(series: Series, name: str) -> pd.DataFrame:
    return series.frame.set_axis([name, f"{name}_known"], axis=1)
