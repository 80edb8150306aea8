"""Record closes of indices, to know when a file begins too late to tell a record by itself.

An "all-time" high is one of the file. Where the file begins below a record that was set
before, its first highs are none. The few facts below are closes from which an index fell by
a tenth or more, so that a file can begin below them; more are not needed.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from feeds.bars import Bars

# On the scale the indices have today; published by FTSE Russell, S&P and Nasdaq.
RECORDS: Final[dict[str, dict[str, float]]] = {
    "RUT": {
        "1980-02-08": 61.61, "1981-06-15": 84.74, "1983-06-24": 126.35, "1986-07-03": 154.53,
        "1987-08-21": 174.24, "1989-10-09": 180.78, "1992-02-12": 212.61, "1994-03-18": 271.08,
        "1996-05-22": 364.61, "1998-04-21": 491.41, "2000-03-09": 606.05, "2006-05-05": 781.83,
        "2007-07-13": 855.77, "2011-04-29": 865.29, "2014-03-04": 1208.65, "2015-06-23": 1295.80,
        "2018-08-31": 1740.75, "2021-11-08": 2442.74,
    },
    "SPX": {
        "1973-01-11": 120.24, "1980-11-28": 140.52, "1983-10-10": 172.65, "1987-08-25": 336.77,
        "1990-07-16": 368.95, "1998-07-17": 1186.75, "2000-03-24": 1527.46, "2007-10-09": 1565.15,
        "2015-05-21": 2130.82, "2018-09-20": 2930.75, "2020-02-19": 3386.15, "2022-01-03": 4796.56,
        "2025-02-19": 6144.15,
    },
    "NDX": {
        "1987-10-05": 213.81, "1990-07-16": 246.18, "1994-03-17": 418.45, "1998-07-20": 1465.89,
        "2000-03-27": 4704.73, "2018-08-29": 7660.18, "2020-02-19": 9718.73,
        "2021-11-19": 16573.34, "2025-02-19": 22175.60,
    },
}  # fmt: skip
SAME_SCALE: Final = 0.01
# A file without a later record to check its scale by is believed down to a fall this deep.
DEEPEST_FALL: Final = 0.8


@dataclass(frozen=True, slots=True)
class FalseHighs:
    """Closes that are the highest of a file and yet below a record set before it begins."""

    symbol: str
    begins: pd.Timestamp
    record: float
    record_on: pd.Timestamp
    sessions: pd.DatetimeIndex

    @property
    def text(self) -> str:
        """The warning, with what to do about it."""
        first, last = self.sessions[0], self.sessions[-1]
        one = len(self.sessions) == 1
        which = f"{first:%Y-%m-%d}" if one else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
        are = "high of these bars is none" if one else "highs of these bars are none"
        return (
            f"{self.symbol}: the bars begin {self.begins:%Y-%m-%d}, after the record close of "
            f"{self.record:,.2f} on {self.record_on:%Y-%m-%d}: {len(self.sessions)} all-time "
            f"{are} ({which}). Put older closes beside them as {self.symbol}_1d_<source>.csv, or "
            "use a `signal.lookback` in sessions"
        )


def false_highs(bars: Bars, *, min_history: int) -> FalseHighs | None:
    """Return the new highs of daily index bars that an earlier, known record belies.

    None where there is none, or where no record before the bars is known. `min_history` is
    the number of sessions before the first high a rule can see.
    """
    known = RECORDS.get(bars.instrument.symbol)
    if known is None or not bars.instrument.has_sessions(bars.timeframe):
        return None
    close = bars.frame["close"]
    records = pd.Series(list(known.values()), index=pd.DatetimeIndex(list(known)))
    before = records[records.index < close.index[0]]
    if before.empty or not _is_on_scale(close, records[records.index >= close.index[0]], before):
        return None
    record_on = before.idxmax()
    highest = np.maximum.accumulate(close.to_numpy())
    is_high = np.append(False, close.to_numpy()[1:] > highest[:-1])
    is_high[:min_history] = False
    belied = close.index[is_high & (close.to_numpy() <= before.max())]
    if belied.empty:
        return None
    sessions = pd.DatetimeIndex(belied)
    return FalseHighs(
        bars.instrument.symbol, close.index[0], float(before.max()), record_on, sessions
    )


def _is_on_scale(close: pd.Series, later: pd.Series, before: pd.Series) -> bool:
    """Return whether the closes are on the records' scale, by the records inside the bars."""
    common = later.index.intersection(close.index)
    if len(common):
        return bool((close[common] / later[common] - 1).abs().median() <= SAME_SCALE)
    return bool(1 - DEEPEST_FALL <= close.iloc[0] / before.max() <= 1)
