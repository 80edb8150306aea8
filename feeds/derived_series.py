"""Series that nobody publishes as such: net liquidity of three, a share from press figures."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from feeds.errors import DataError
from feeds.message_text import share_text
from feeds.series import Series, release_frame, terms

NET_LIQUIDITY: Final = "NET_LIQUIDITY"
LIQUIDITY_PARTS: Final = ("WALCL", "WTREGEN", "RRPONTSYD")
MILLIONS_PER_BILLION: Final = 1_000.0
# The newest reverse repo at or before a Wednesday counts for it, if it is no older.
OLDEST_PART: Final = pd.Timedelta(days=7)
UNPROFITABLE_SHARE: Final = "UNPROFITABLE_SHARE"
NEGATIVE_EARNINGS: Final = "negative earnings"
NEGATIVE_INCOME: Final = "negative net income"


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
            f"{NET_LIQUIDITY}: {assets.origin}, {treasury.origin} and {reverse_repo.origin} have "
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
        NET_LIQUIDITY,
        "USD billion",
        frame,
        assets.source,
        " - ".join(part.origin for part in parts),
        tuple(note for part in parts for note in part.notes),
        tuple(note for part in parts for note in part.readings),
    )


def _part(series: Series, name: str) -> pd.DataFrame:
    return series.frame.set_axis([name, f"{name}_known"], axis=1)


@dataclass(frozen=True, slots=True)
class PublishedShare:
    """One figure: the share (a fraction) of companies, of when, how measured, by whom.

    `published` is the day it could be known. A figure `of` a time long before was counted in
    hindsight: it is no part of what was known then, and no news when it came out.
    """

    published: str
    share: float
    measure: str
    source: str
    of: str = ""

    @property
    def is_hindsight(self) -> bool:
        """Whether the figure tells of a time long before it was published."""
        return bool(self.of)


PUBLISHED: Final = (
    PublishedShare("2018-08-22", 0.25, NEGATIVE_EARNINGS, "Merrill Lynch: above 25 %"),
    PublishedShare("2020-06-23", 0.42, "break-even or loss", "Financial Times, Strategas"),
    PublishedShare("2020-06-23", 0.44, "break-even or loss", "Financial Times", of="January 2010"),
    PublishedShare("2023-08-05", 0.40, NEGATIVE_INCOME, "press: over 40 %"),
    PublishedShare("2024-07-31", 0.41, NEGATIVE_EARNINGS, "Apollo, Bloomberg"),
    PublishedShare("2024-09-30", 0.42, NEGATIVE_EARNINGS, "Apollo, Bloomberg"),
    PublishedShare("2024-10-15", 0.43, NEGATIVE_EARNINGS, "The Kobeissi Letter"),
    PublishedShare("2024-10-15", 0.41, NEGATIVE_EARNINGS, "The Kobeissi Letter", of="end of 2008"),
    PublishedShare("2024-11-15", 0.14, NEGATIVE_EARNINGS, "FS Investments, Bloomberg", of="1994"),
    PublishedShare("2025-03-31", 0.36, NEGATIVE_INCOME, "Goldman Sachs, FactSet: Q4 2024"),
    PublishedShare("2025-10-31", 0.40, "negative 12-month EPS", "Apollo"),
    PublishedShare("2025-10-31", 0.15, "negative 12-month EPS", "Apollo", of="the 1990s"),
    PublishedShare("2025-11-30", 0.44, NEGATIVE_EARNINGS, "press"),
    PublishedShare("2025-12-31", 0.40, NEGATIVE_EARNINGS, "The Kobeissi Letter"),
)


def unprofitable_share(*, lag_days: float | None = None) -> Series:
    """Return the figures as they came out, each standing until the next one.

    Dated by publication and known at that day's end, or `lag_days` later. Figures about a
    time long before are left out: they were not known then.
    """
    figures = [figure for figure in PUBLISHED if not figure.is_hindsight]
    values = pd.Series(
        [figure.share for figure in figures],
        index=pd.DatetimeIndex([figure.published for figure in figures]),
    )
    units, release = terms(UNPROFITABLE_SHARE, lag_days)
    measures = sorted({figure.measure for figure in figures})
    early = ", ".join(
        f"{share_text(each.share)} {each.of}" for each in PUBLISHED if each.is_hindsight
    )
    note = (
        f"{UNPROFITABLE_SHARE}: {len(figures)} published figures from {figures[0].published} on, "
        f"by different measures ({', '.join(measures)}), so that a step may be a change of "
        f"measure; figures counted in hindsight are not used ({early})"
    )
    return Series(
        UNPROFITABLE_SHARE,
        units,
        release_frame(values, release),
        "published",
        "press figures",
        (note,),
    )
