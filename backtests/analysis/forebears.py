"""The present episode beside all earlier ones: what the coin did since each began."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from feeds.arrays import Floats

AHEAD_DAYS: Final = 60
LONGEST_DAYS: Final = 365
SECONDS_PER_DAY: Final = 86_400.0


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
