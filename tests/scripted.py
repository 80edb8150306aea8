"""A vendor in memory that says what a test tells it to say, and counts what it is asked."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from feeds.bars import COLUMNS, Bars
from feeds.errors import NotServed
from feeds.sessions import bar_ends, sessions_between


def frame_of(times: pd.DatetimeIndex, *, seed: int = 0) -> pd.DataFrame:
    """A seeded random walk with sound highs and lows."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, len(times))))
    opens = np.concatenate(([100.0], close[:-1]))
    values = np.column_stack(
        [
            opens,
            np.maximum(opens, close) * 1.001,
            np.minimum(opens, close) * 0.999,
            close,
            random.uniform(1, 2, len(times)),
        ]
    )
    return pd.DataFrame(values, columns=list(COLUMNS), index=times.as_unit("ns"))


def days(first: str, last: str) -> pd.DatetimeIndex:
    return pd.date_range(first, last, tz="UTC", freq="D")


def hours(first: str, count: int) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=count, tz="UTC", freq="h")


def sessions(first: str, last: str) -> pd.DatetimeIndex:
    return sessions_between(pd.Timestamp(first), pd.Timestamp(last))


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: str) -> None:
        self.now = pd.Timestamp(now, tz="UTC")

    def __call__(self) -> pd.Timestamp:
        return self.now

    def set(self, now: str) -> None:
        self.now = pd.Timestamp(now, tz="UTC")


@dataclass
class Scripted:
    """Serves the finished bars of `frames` by symbol and timeframe; fails with `error` if set."""

    frames: dict[tuple[str, str], pd.DataFrame]
    clock: Clock
    name: str = "scripted"
    source: str = "scripted"
    error: Exception | None = None
    notes: tuple[str, ...] = ()
    asked: list[tuple[str, pd.Timestamp | None]] = field(default_factory=list)

    def fetch(self, instrument, *, timeframe, since=None):
        self.asked.append((instrument.symbol, since))
        if self.error is not None:
            raise self.error
        frame = self.frames.get((instrument.symbol, timeframe))
        if frame is None:
            raise NotServed(f"{self.name}: no {instrument.symbol}")
        ends = bar_ends(frame.index, kind=instrument.kind, timeframe=timeframe)
        frame = frame[np.asarray(ends <= self.clock())]
        if since is not None:
            start = since.tz_localize(None) if frame.index.tz is None else since
            frame = frame[frame.index >= start]
        origin = f"{self.name} {instrument.symbol}"
        return Bars(instrument, timeframe, frame, self.source, origin, self.notes)
