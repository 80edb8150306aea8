"""Episodes: clusters of events that count as one, because days of a cluster are no sample."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from pandas.api.typing import NaTType

from backtests.analysis import metrics
from backtests.analysis.decisions import signal_on
from backtests.analysis.exposure import Exposure
from backtests.engines.backtest import Run
from feeds.arrays import Integers

EPISODE_GAP_SESSIONS: Final = 60
# Below the first nothing is said of chance; below the second only a very large effect can show.
FEWEST_EPISODES: Final = 3
FEW_EPISODES: Final = 20


@dataclass(frozen=True, slots=True)
class Episodes:
    """First and last event and number of events of each episode, shape (episodes,) each."""

    starts: Integers
    ends: Integers
    events: Integers

    def __len__(self) -> int:
        return self.starts.size


def episode_starts(sessions: Integers, *, gap: int = EPISODE_GAP_SESSIONS) -> Integers:
    """Return the first session of each cluster: events more than `gap` sessions apart split.

    `sessions` are the ascending session numbers of the events, shape (events,).
    """
    return episodes(sessions, gap=gap).starts


def episodes(sessions: Integers, *, gap: int = EPISODE_GAP_SESSIONS) -> Episodes:
    """Return the clusters of events: events more than `gap` sessions apart split."""
    if sessions.size == 0:
        return Episodes(sessions, sessions, sessions)
    firsts = np.flatnonzero(np.concatenate(([True], np.diff(sessions) > gap)))
    lasts = np.append(firsts[1:], sessions.size) - 1
    return Episodes(sessions[firsts], sessions[lasts], lasts - firsts + 1)


def episodes_entered(known: pd.DatetimeIndex, entries: pd.Series) -> int:
    """Count the episodes during which (until the next begins) something was bought.

    `known` are the ascending instants at which each episode's first event was known, `entries`
    the times of the purchases. One at that very instant is of the new episode: hourly bars are
    bought at the open at which the trigger is known.
    """
    if known.empty or entries.empty:
        return 0
    begun = known.as_unit("ns").asi8
    bought = pd.DatetimeIndex(entries).as_unit("ns").asi8
    belongs = np.searchsorted(begun, bought, side="right")
    return int(np.unique(belongs[belongs > 0]).size)


def trigger_sessions(result: Run) -> Integers:
    """Return the session of each trigger that became known in a run, ascending."""
    sessions = result.market.traded.lines["trigger_session"]
    return sessions[sessions >= 0].astype(np.int64)


@dataclass(frozen=True, slots=True)
class Spell:
    """One stretch with the signal on; `end` is NaT while it lasts, `exit_reason` then empty."""

    start: pd.Timestamp
    end: pd.Timestamp | NaTType
    entry_reason: str
    exit_reason: str


def spells(result: Run) -> list[Spell]:
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


@dataclass(frozen=True, slots=True)
class BestSpell:
    """The spell that multiplied a run's money most, and what the run made without it.

    `gain` is what the money made from its first bar to its last, costs included; `end` is NaT
    while it lasts. `total_return` and `cagr` are the run's if on these bars it had earned what
    it earns outside the signal. NaN and NaT where nothing was ever bought. `spells` is how many
    there are.
    """

    start: pd.Timestamp | NaTType
    end: pd.Timestamp | NaTType
    gain: float
    total_return: float
    cagr: float
    spells: int


def best_spell(result: Run, exposure: Exposure) -> BestSpell:
    """Return the run's best spell; `exposure` is that of its strategy."""
    returns, idle = result.strategy.returns.to_numpy(), exposure.idle_returns
    times, every, best = pd.DatetimeIndex(result.strategy.bars.index), spells(result), None
    for spell in every:
        rows = rows_of(spell, times)
        gain = metrics.total_return(returns[rows])
        edge = (1 + gain) / (1 + metrics.total_return(idle[rows]))
        if best is None or edge > best[0]:
            best = edge, gain, spell, rows
    if best is None:
        return BestSpell(pd.NaT, pd.NaT, np.nan, np.nan, np.nan, 0)
    _, gain, spell, rows = best
    without = returns.copy()
    without[rows] = idle[rows]
    return BestSpell(
        spell.start,
        spell.end,
        gain,
        metrics.total_return(without),
        metrics.cagr(without, years=result.years),
        len(every),
    )


def rows_of(spell: Spell, times: pd.DatetimeIndex) -> slice:
    """Return the rows of a spell: on the bar of its sale it still earns to the open."""
    start, end = int(times.searchsorted(spell.start)), spell.end
    if isinstance(end, NaTType):
        return slice(start, len(times))
    return slice(start, int(times.searchsorted(end)) + 1)


def is_plain(result: Run) -> bool:
    """Whether one coin was traded against cash, so that every trade is a spell."""
    return result.strategy.positions.shape[1] == 1 and not result.config.idle.asset
