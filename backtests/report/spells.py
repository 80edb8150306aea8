"""When the signal was on: from the buys of a trigger to the sale that ended it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.typing import NaTType

from backtests.analysis.decisions import signal_on
from backtests.backtest import Result


@dataclass(frozen=True, slots=True)
class Spell:
    """One stretch with the signal on; `end` is NaT while it lasts, `exit_reason` then empty."""

    start: pd.Timestamp
    end: pd.Timestamp | NaTType
    entry_reason: str
    exit_reason: str


def spells(result: Result) -> list[Spell]:
    """Return the stretches with the signal on, in order."""
    on = signal_on(result)
    times = result.strategy.bars.index
    fills = result.strategy.fills
    reasons = dict(zip(fills["time"], fills["reason"], strict=True))
    edges = np.diff(np.concatenate(([0], on.astype(np.int8), [0])))
    starts = times[np.flatnonzero(edges == 1)]
    stops = [
        times[stop] if stop < len(times) else pd.NaT
        for stop in np.flatnonzero(edges == -1).tolist()
    ]
    return [
        Spell(start, stop, reasons.get(start, ""), reasons.get(stop, ""))
        for start, stop in zip(starts, stops, strict=True)
    ]


def is_plain(result: Result) -> bool:
    """Whether one coin was traded against cash, so that every trade is a spell."""
    return result.strategy.positions.shape[1] == 1 and not result.config.idle.asset
