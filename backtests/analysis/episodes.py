"""Episodes: clusters of events that count as one, and the present one beside all earlier ones."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.typing import NaTType

from backtests.analysis import metrics
from backtests.analysis.exposure import Exposure
from backtests.analysis.filter_effects import signal_on
from backtests.engines.backtest import Run
from feeds.arrays import Floats, Integers

EPISODE_GAP_SESSIONS: Final = 60
# Below the first nothing is said of chance; below the second only a very large effect can show.
FEWEST_EPISODES: Final = 3
FEW_EPISODES: Final = 20
AHEAD_DAYS: Final = 60
LONGEST_DAYS: Final = 365
SECONDS_PER_DAY: Final = 86_400.0


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


class CoinBars(NamedTuple):
    """A coin's bars, shape (bars,): open and end in seconds since 1970 (UTC), prices at both.

    `index_close` is the index's close known at each end, NaN before the first.
    """

    start: Floats
    end: Floats
    open: Floats
    close: Floats
    index_close: Floats


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode: its first session, its first tradable open, and the growth since by day.

    `coin` and `index` are simple growth at the end of each day since the open, from day 1 on.
    """

    session: pd.Timestamp
    entry: pd.Timestamp
    coin: Floats
    index: Floats


@dataclass(frozen=True, slots=True)
class Forebears:
    """The latest episode and those before it, `day` days after its first tradable open.

    On day 0 that open is the next one.
    """

    present: Episode
    earlier: tuple[Episode, ...]
    day: int

    @property
    def then(self) -> Floats:
        """The growth of each earlier episode on the same day, NaN where there is none."""
        return np.array([_at(each.coin, self.day) for each in self.earlier])

    @property
    def ahead(self) -> Floats:
        """What the coin did in the `AHEAD_DAYS` after the same day of each earlier episode."""
        return np.array(
            [
                (1 + _at(each.coin, self.day + AHEAD_DAYS)) / (1 + _at(each.coin, self.day)) - 1
                for each in self.earlier
            ]
        )

    @property
    def is_running(self) -> bool:
        """Whether the latest episode is young enough to be called the present one."""
        return self.day <= LONGEST_DAYS

    @property
    def growth(self) -> float:
        """The growth of the present episode so far."""
        return _at(self.present.coin, self.day)

    @property
    def rank(self) -> int:
        """The place of the present episode among all of them on that day, the best is 1."""
        return 1 + int((self.then > self.growth).sum())


def forebears(sessions: pd.DatetimeIndex, known: Floats, bars: CoinBars) -> Forebears | None:
    """Return the latest of some episodes beside those before it; None where there is none.

    Parameters
    ----------
    sessions, known
        The first session of each episode, ascending, and the second at which it was known (or
        took effect). Those before the coin's first bar, or after its last, are left out.
    """
    found = [
        _episode(session, float(second), bars)
        for session, second in zip(sessions, known, strict=True)
        if bars.start[0] <= second <= bars.end[-1]
    ]
    if not found:
        return None
    present = found[-1]
    day = int((bars.end[-1] - present.entry.timestamp()) // SECONDS_PER_DAY)
    return Forebears(present, tuple(found[:-1]), day)


def _episode(session: pd.Timestamp, known: float, bars: CoinBars) -> Episode:
    place = int(np.searchsorted(bars.start, known, side="left"))
    if place >= bars.start.size:  # its first open is the next one
        entry = pd.Timestamp(int(bars.end[-1] * 1e9), tz="UTC")
        return Episode(session, entry, np.empty(0), np.empty(0))
    start, ends = bars.start[place], bars.end[place:]
    days = int(min(LONGEST_DAYS + AHEAD_DAYS, (ends[-1] - start) // SECONDS_PER_DAY))
    rows = np.searchsorted(ends, start + SECONDS_PER_DAY * np.arange(1, days + 1), side="right") - 1
    rows = np.maximum(rows, 0)
    coin = bars.close[place:][rows] / bars.open[place] - 1
    index = bars.index_close[place:][rows] / bars.index_close[max(place - 1, 0)] - 1
    entry = pd.Timestamp(int(start * 1e9), tz="UTC")
    return Episode(session, entry, coin, index)


def _at(growth: Floats, day: int) -> float:
    if day == 0:
        return 0.0
    return float(growth[day - 1]) if 1 <= day <= growth.size else float("nan")
