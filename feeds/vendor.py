"""What every live vendor of bars offers."""

from typing import Protocol

import pandas as pd

from feeds.bars import Bars
from feeds.instruments import Instrument


class Vendor(Protocol):
    """A network place that serves bars: Yahoo, an exchange, a row of exchanges."""

    name: str  # "yahoo", "binance", ...

    def fetch(
        self, instrument: Instrument, *, timeframe: str, since: pd.Timestamp | None = None
    ) -> Bars:
        """Return complete, validated bars from `since` to the last finished bar.

        Parameters
        ----------
        since
            UTC instant of the first bar wanted (midnight for a session); None = full history.

        Raises
        ------
        Unreachable
            Network failures, timeouts and server errors that outlasted the retries.
        NotServed
            The symbol is unknown, delisted or blocked here.
        DataError
            The answer is malformed or incomplete.
        """
        ...
