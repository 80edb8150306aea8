"""The combined backtrader feed: a coin's bars with everything known at their end as lines."""

import array
from typing import Any, Final

import backtrader as bt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

EPOCH_AS_NUMBER: Final = bt.date2num(pd.Timestamp("1970-01-01").to_pydatetime())
DAY_IN_SECONDS: Final = 86_400.0

INDEX_LINES: Final = ("bar_end", "session", "index_close", "lost_session")
SIGNAL_LINES: Final = ("trigger_session", "trigger_kind", "weight")
PRICE_LINES: Final = ("open", "high", "low", "close", "volume")


class CombinedFeed(bt.feeds.DataBase):  # type: ignore[misc]
    """A coin's bars plus index and signal lines, loaded in one go from numpy arrays.

    One feed instead of two: backtrader calls `next` on every timestamp of any feed, so an
    index beside a coin would fire Friday's event again on Saturday. Here each line holds
    what is known when the coin's bar ends, and an event stands on exactly one bar.

    `dataname` is a mapping of line name to float64 array; all have the same length and
    none is missing. `time` holds the bars' opening instants in seconds since 1970, UTC.
    """

    lines = (*INDEX_LINES, *SIGNAL_LINES)
    params = (("openinterest", None),)

    def preload(self) -> None:
        """Fill every line buffer at once; backtrader's own way reads cell by cell."""
        columns: dict[str, NDArray[np.float64]] = self.p.dataname
        seconds = columns["time"]
        self._fill("datetime", EPOCH_AS_NUMBER + seconds / DAY_IN_SECONDS)
        for name in (*PRICE_LINES, *INDEX_LINES, *SIGNAL_LINES):
            self._fill(name, columns[name])
        self._fill("openinterest", np.zeros_like(seconds))
        self.home()

    def _tick_fill(self, force: bool = False) -> None:
        """Skip the ticks of a bar: nothing reads them, and they cost a third of a run."""

    def _tick_nullify(self) -> None:
        """Skip the ticks of a bar."""

    def _fill(self, name: str, values: NDArray[np.float64]) -> None:
        line: Any = getattr(self.lines, name)
        line.array = array.array("d", np.ascontiguousarray(values, dtype=np.float64).tobytes())
