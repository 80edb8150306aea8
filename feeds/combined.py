"""The combined backtrader feeds: a coin's bars with everything known at their end as lines."""

import array
import math
from typing import TYPE_CHECKING, Any, Final

import backtrader as bt
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feeds.arrays import Floats


EPOCH_AS_NUMBER: Final = bt.date2num(pd.Timestamp("1970-01-01").to_pydatetime())
DAY_IN_SECONDS: Final = 86_400.0

UNREAD: Final = ("volume", "openinterest")  # by broker and strategy: they stand still
COIN_LINES: Final = ("alive", "on_weight", "idle_weight", "impact")
INDEX_LINES: Final = ("bar_end", "session", "index_close", "lost_session", "gap_interest")
SIGNAL_LINES: Final = (
    "trigger_session",
    "trigger_kind",
    "weight",
    "gate",
    "leave",
    "rebalance",
)


class CoinFeed(bt.feeds.DataBase):  # type: ignore[misc]
    """One coin's bars and target weights, loaded in one go from numpy arrays.

    `dataname` maps line names to float64 arrays of one length; none may be missing. `time`
    holds the bars' opening instants in seconds since 1970, UTC.
    """

    lines = COIN_LINES
    params = (("openinterest", None),)

    def preload(self) -> None:
        """Fill every line buffer at once; backtrader's own way reads cell by cell."""
        columns: Mapping[str, Floats] = self.p.dataname
        seconds = columns["time"]
        special = {
            "datetime": EPOCH_AS_NUMBER + seconds / DAY_IN_SECONDS,
            "openinterest": np.zeros_like(seconds),
        }
        for name in self.getlinealiases():
            line: Any = getattr(self.lines, name)
            values = special[name] if name in special else columns[name]
            line.array = array.array("d", np.ascontiguousarray(values, np.float64).tobytes())
        self.home()
        names = dict(zip(self.getlinealiases(), self.lines, strict=True))
        self._buffers: list[Any] = [line for name, line in names.items() if name not in UNREAD]
        self._clock: Any = names["datetime"]
        self._last = len(seconds) - 1

    def advance_peek(self) -> float:
        """Return the next bar's time, infinity after the last one.

        backtrader's own way asks for lengths and lines by name, which costs a basket of a
        hundred coins as much as the trading.
        """
        clock = self._clock
        return clock.array[clock._idx + 1] if clock._idx < self._last else math.inf

    def advance(self, size: int = 1, datamaster: Any = None, ticks: bool = True) -> None:
        """Move on by one bar.

        backtrader's own way sets tick attributes nobody reads and moves each line through
        two property calls; together that is half of a run's time.
        """
        del datamaster, ticks
        for line in self._buffers:
            line._idx += size
            line.lencount += size


class CombinedFeed(CoinFeed):
    """A coin's feed that also carries the index, its signals and the schedule.

    One feed instead of two: backtrader calls `next` on every timestamp of any feed, so an
    index beside a coin would fire Friday's event again on Saturday. Here each line holds
    what is known when the coin's bar ends, and an event stands on exactly one bar.
    """

    lines = (*INDEX_LINES, *SIGNAL_LINES)  # type: ignore[assignment]  # backtrader adds them
