"""Drawdown spells: when equity left a peak, where it bottomed, when it was back."""

import numpy as np
import pandas as pd

from backtests.analysis.metrics import underwater

COLUMNS = ("depth", "peak", "trough", "recovery", "days")


def drawdowns(returns: pd.Series) -> pd.DataFrame:
    """Return every drawdown, deepest first.

    Parameters
    ----------
    returns
        Simple returns, index = the bars' times (UTC).

    Returns
    -------
    A row a spell: `depth` (< 0), times of `peak`, `trough` and `recovery` (NaT if equity
    never came back), and `days` from peak to recovery, or to the last bar. The initial cash
    counts as a peak at the first bar.
    """
    times = pd.DatetimeIndex(returns.index)
    below = underwater(returns.to_numpy())
    under = np.concatenate(([False], below < 0, [False])).astype(np.int8)
    starts = np.flatnonzero(np.diff(under) == 1)
    stops = np.flatnonzero(np.diff(under) == -1)
    rows = [
        _spell(times, below, int(start), int(stop))
        for start, stop in zip(starts, stops, strict=True)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for name in ("peak", "trough", "recovery"):
        table[name] = pd.to_datetime(table[name], utc=True)
    return table.sort_values("depth", kind="stable", ignore_index=True)


def _spell(times: pd.DatetimeIndex, below: np.ndarray, start: int, stop: int) -> tuple[object, ...]:
    trough = start + int(below[start:stop].argmin())
    peak = times[max(start - 1, 0)]
    recovered = stop < len(times)
    end = times[stop] if recovered else times[-1]
    recovery = end if recovered else pd.NaT
    return float(below[trough]), peak, times[trough], recovery, (end - peak) / pd.Timedelta(days=1)
