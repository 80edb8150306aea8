"""What every vendor of bars offers over the network, and how far it has got."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from feeds.bars import Bars
from feeds.instruments import Instrument


class Vendor(Protocol):
    """A company's servers. `fetch` returns complete, validated bars or raises."""

    name: str

    def fetch(
        self, instrument: Instrument, *, timeframe: str, since: pd.Timestamp | None = None
    ) -> Bars:
        """Return the bars from `since` to the last finished one.

        Parameters
        ----------
        timeframe
            "1d", "1h" or what else the vendor has.
        since
            An instant in UTC, None for the full history. Bars dated by session are taken
            from the session of that day on.

        Returns
        -------
        Bars whose `source` is the vendor that served them and whose `origin` names it and its
        symbol, split-adjusted and never dividend-adjusted. `notes` names every row left out
        or altered inside the range, and what will still be true tomorrow; what is true only
        now, such as a bar in progress, is logged. Gaps are found by `feeds.checks`.

        Raises
        ------
        Unreachable
            The network or the vendor failed, after retries.
        NotServed
            The vendor does not have the symbol, the region, the timeframe or the history.
        DataError
            What arrived contradicts itself or is incomplete.
        """
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download has got: bars so far, the last one's opening, and where it ends."""

    vendor: str
    symbol: str
    bars: int
    reached: pd.Timestamp
    until: pd.Timestamp


Watcher = Callable[[Progress], None]
