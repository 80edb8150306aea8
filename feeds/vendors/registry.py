"""Every vendor of bars by name, what each promises, and how its answer becomes bars."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import numpy as np
import pandas as pd

from feeds.bars import Bars
from feeds.errors import DataError, InputError, Unreachable
from feeds.instruments import Instrument
from feeds.raw_table import RawTable
from feeds.validation import validate_bars
from feeds.vendors.request_policy import PassingError

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


def tidy(
    raw: pd.DataFrame,
    *,
    instrument: Instrument,
    timeframe: str,
    source: str,
    origin: str,
    now: pd.Timestamp,
    notes: Iterable[str] = (),
    is_close_only: bool = False,
) -> Bars:
    """Return the vendor's finished bars, validated; every row left out is in the notes.

    `raw` has parsed dates; its other columns may be numbers, text or nothing. With
    `is_close_only` it needs no open, high and low.

    Raises
    ------
    NotServed
        If no finished bar is among them.
    DataError
        If a cell is no number, or the bars contradict each other or are not what was asked.
    """
    columns = {
        name: column if name == "date" else _numbers(column, origin)
        for name, column in raw.reset_index(drop=True).items()
    }
    return validate_bars(
        RawTable(pd.DataFrame(columns), origin, notes=tuple(notes), is_close_only=is_close_only),
        instrument=instrument,
        timeframe=timeframe,
        source=source,
        now=now,
        is_live=True,
    )


def _numbers(column: pd.Series, origin: str) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    wrong = np.asarray(numbers.isna() & column.notna())
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{origin}: row {row + 1}, column `{column.name}`: {str(column.iloc[row])[:40]!r} is "
            "not a number. Try again; if it stays, use another source."
        )
    return numbers


OpenVendor = Callable[[str], Vendor]
Opening = Callable[[str, Watcher | None], Vendor]


def open_vendor(name: str, *, watch: Watcher | None = None) -> Vendor:
    """Return the vendor called `name`; its client library is imported only here.

    `watch` is told how far a history of several pages has got.

    Raises
    ------
    Unreachable
        If that library is not installed.
    """
    try:
        return VENDORS[name](name, watch)
    except ImportError as error:
        raise Unreachable(f"{name}: its client cannot be imported ({error}).") from error


def _yahoo(_name: str, _watch: Watcher | None) -> Vendor:
    from feeds.vendors.yahoo import Yahoo

    return Yahoo()


def _exchanges(_name: str, watch: Watcher | None) -> Vendor:
    from feeds.vendors.exchange import Exchange
    from feeds.vendors.exchanges import Exchanges

    return Exchanges(open_exchange=partial(Exchange, watch=watch))


def _exchange(name: str, watch: Watcher | None) -> Vendor:
    from feeds.vendors.exchange import Exchange

    return Exchange(name, watch=watch)


def _coinmetrics(_name: str, _watch: Watcher | None) -> Vendor:
    from feeds.vendors.coinmetrics import CoinMetrics

    return CoinMetrics()


VENDORS: Final[dict[str, Opening]] = {
    "yahoo": _yahoo,
    "exchange": _exchanges,
    "binance": _exchange,
    "coinbase": _exchange,
    "kraken": _exchange,
    "bitstamp": _exchange,
    "coinmetrics": _coinmetrics,
}
