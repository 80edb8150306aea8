"""The present episode beside all earlier ones: what the coin did since each began."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.episodes import episode_starts
from backtests.config.config import Config
from backtests.market.market import Market, market_schedule
from feeds.arrays import Floats

AHEAD_DAYS: Final = 60
LONGEST_DAYS: Final = 365
SECONDS_PER_DAY: Final = 86_400.0


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


def forebears_of(market: Market, config: Config) -> Forebears | None:
    """Return the latest episode of the config's trigger beside those before it.

    Episodes are triggers more than 60 sessions apart; those that began before the coin's first
    bar are left out. None where there is none.
    """
    schedule = market_schedule(market, config)
    lines = market.tape.lines
    found = []
    for session in episode_starts(np.flatnonzero(schedule.kinds > 0)):
        known = (schedule.known_at[session] + schedule.delay) / 1e9
        place = int(np.searchsorted(lines["time"], known, side="left"))
        last = min(market.tradable.stop, lines["time"].size)
        if known < lines["time"][0] or known > lines["bar_end"][last - 1]:
            continue
        date = pd.Timestamp(market.index.frame.index[session])
        found.append(_episode(market, date, place, last))
    if not found:
        return None
    present = found[-1]
    now = lines["bar_end"][last - 1]
    day = int((now - present.entry.timestamp()) // SECONDS_PER_DAY)
    return Forebears(present, tuple(found[:-1]), day)


def _episode(market: Market, session: pd.Timestamp, place: int, last: int) -> Episode:
    lines = market.tape.lines
    if place >= last:  # its first open is the next one
        entry = pd.Timestamp(int(lines["bar_end"][last - 1] * 1e9), tz="UTC")
        return Episode(session, entry, np.empty(0), np.empty(0))
    start = lines["time"][place]
    ends = lines["bar_end"][place:last]
    days = int(min(LONGEST_DAYS + AHEAD_DAYS, (ends[-1] - start) // SECONDS_PER_DAY))
    rows = np.searchsorted(ends, start + SECONDS_PER_DAY * np.arange(1, days + 1), side="right") - 1
    coin = lines["close"][place:last][rows] / lines["open"][place] - 1
    index = lines["index_close"][place:last][rows] / lines["index_close"][max(place - 1, 0)] - 1
    entry = pd.Timestamp(int(start * 1e9), tz="UTC")
    return Episode(session, entry, coin, index)


def _at(growth: Floats, day: int) -> float:
    if day == 0:
        return 0.0
    return float(growth[day - 1]) if 1 <= day <= growth.size else float("nan")
