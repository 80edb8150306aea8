"""What every vendor of bars offers over the network, and how far it has got."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from feeds.bars import Bars
from feeds.errors import DataError, InputError
from feeds.instruments import Instrument
from feeds.vendors.patience import PassingError

log = logging.getLogger(__name__)


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
class DownloadStep:
    """How far a download has got: bars so far, the last one's opening, and where it ends."""

    vendor: str
    symbol: str
    bars: int
    reached: pd.Timestamp
    until: pd.Timestamp


Watcher = Callable[[DownloadStep], None]


@contextmanager
def reading(origin: str, remedy: str) -> Iterator[None]:
    """Read an answer inside: whatever is in it that nobody foresaw becomes a `DataError`.

    So the cache or the next vendor serves, and a run never ends in a traceback because of
    what a server sent. The cause is in the log.
    """
    try:
        yield
    except (InputError, PassingError):
        raise
    except Exception as error:
        log.info("%s: %s: %s", origin, type(error).__name__, one_line(error), exc_info=True)
        raise DataError(f"{origin}: the answer is not in the form expected. {remedy}") from error


def one_line(text: object, most: int = 160) -> str:
    """Return what a vendor says as one line that is safe to print, cut at `most` characters."""
    words = "".join(mark if mark.isprintable() else " " for mark in str(text)[: 4 * most]).split()
    return " ".join(words)[:most]
