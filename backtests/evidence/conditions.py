"""Macro series as conditions: read from files, and known only after their publication lag."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from feeds.errors import DataError

CHANGE_DAYS: Final = 91
STALE_DAYS: Final = 45

# Wednesday's Fed balance sheet comes out on Thursday after the close; two full days are safe.
# M2 of a month comes out in the fourth week of the next: its date is the month's first day.
LIQUIDITY_LAG_DAYS: Final = 2
M2_LAG_DAYS: Final = 60
MILLIONS_PER_BILLION: Final = 1_000.0


def rising(name: str, *, at: NDArray[np.int64], folder: Path | None) -> NDArray[np.float64]:
    """Return 1 where the series has risen over `CHANGE_DAYS` as known at each instant, else 0.

    NaN where it is not known: before the first value, or with none in `STALE_DAYS`.
    """
    if folder is None:
        raise DataError(f"`claim.series` {name}: series are read with --source files only.")
    values = SERIES[name](folder)
    now = _known(values, at)
    before = _known(values, at - CHANGE_DAYS * 86_400_000_000_000)
    return np.where(np.isnan(now) | np.isnan(before), np.nan, now > before)


def net_liquidity(folder: Path) -> pd.Series:
    """Return Fed balance sheet - Treasury account - reverse repo, USD millions, by day known."""
    assets = _read(folder, "WALCL")
    parts = pd.DataFrame(
        {
            "treasury": _read(folder, "WTREGEN"),
            "reverse_repo": _read(folder, "RRPONTSYD") * MILLIONS_PER_BILLION,
        }
    )
    # reverse repo began in 2013; a day without an operation keeps the one before
    taken = parts.sort_index().ffill().fillna(0.0).reindex(assets.index, method="ffill")
    return _lagged(assets - taken.sum(axis=1), LIQUIDITY_LAG_DAYS)


def m2(folder: Path) -> pd.Series:
    """Return the money stock M2, USD billions, by day known."""
    return _lagged(_read(folder, "M2SL"), M2_LAG_DAYS)


SERIES: Final = {"net_liquidity": net_liquidity, "m2": m2}


def _read(folder: Path, name: str) -> pd.Series:
    path = folder / f"{name}_series.csv"
    if not path.is_file():
        raise DataError(f"`claim.series`: {path.name} is not in {folder}. Add it: date,value.")
    table = pd.read_csv(path)
    dates = pd.DatetimeIndex(pd.to_datetime(table["date"], utc=True)).as_unit("ns")
    values = pd.to_numeric(table["value"], errors="coerce").to_numpy(np.float64)
    return pd.Series(values, index=dates).dropna().sort_index()


def _lagged(values: pd.Series, days: int) -> pd.Series:
    return values.set_axis(pd.DatetimeIndex(values.index) + pd.Timedelta(days=days))


def _known(values: pd.Series, at: NDArray[np.int64]) -> NDArray[np.float64]:
    known_at = pd.DatetimeIndex(values.index).as_unit("ns").asi8
    rows = np.searchsorted(known_at, at, side="right") - 1
    taken = np.where(rows >= 0, values.to_numpy()[np.maximum(rows, 0)], np.nan)
    age = at - known_at[np.maximum(rows, 0)]
    return np.where(age > STALE_DAYS * 86_400_000_000_000, np.nan, taken)
