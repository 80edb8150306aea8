"""Bars of live vendors, through the cache: what is missing is fetched, what is held is kept.

Each vendor keeps its own table; a history of several vendors is joined when it is read.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import pandas as pd

from feeds.bars import QUOTE_VOLUME, Bars
from feeds.cache.store import Damaged, Key, StoredTable
from feeds.cache.updates import Cache, Fetched
from feeds.errors import DataError, NotCached, NotServed
from feeds.history import join
from feeds.instruments import Instrument
from feeds.sessions import (
    BAR_LENGTHS,
    NEW_YORK,
    Clock,
    bar_ends,
    session_hours,
    sessions_between,
    utc_now,
)
from feeds.vendors.registry import OpenVendor, Vendor, open_vendor
from feeds.vendors.request_policy import PROCESS_REACH, Reach

log = logging.getLogger(__name__)

LoadFrom = Callable[[str, Instrument, str], Bars]

# Who is asked for a coin's time before the first vendor's bars, in this order, and from when
# on each has it; of other coins CoinMetrics may know more, or nothing.
OLDER: Final[Mapping[str, Mapping[str, str]]] = {
    "BTC-USD": {"bitstamp": "2011-08-18", "coinmetrics": "2010-07-18"},
    "ETH-USD": {"coinbase": "2016-05-18", "coinmetrics": "2015-08-08"},
}
OLDER_OF_ANY_COIN: Final[Mapping[str, str]] = {"coinmetrics": ""}
# Who counts a coin's volume in dollars; exchanges count coins, and joined bars have both.
COUNTS_DOLLARS: Final = "yahoo"
# Of an older vendor's bars only the old ones count, so it is asked again once a month.
OLDER_MAY_LAG: Final = pd.Timedelta(days=30)


class Live:
    """Bars of one vendor, or of the first in the best order that has them.

    With `history` "longest" and no `vendor` named, older vendors' daily bars of a coin are
    joined on before the first one's; one that cannot be had is named in a note.

    Bars held in the cache are used when the vendor cannot bring newer ones: that is logged,
    and the check for stale bars says so in the notes.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        vendor: str | None = None,
        offline: bool = False,
        history: str = "longest",
        open_vendor: OpenVendor = open_vendor,
        reach: Reach = PROCESS_REACH,
        clock: Clock = utc_now,
    ) -> None:
        self.name = vendor or "auto"
        self._cache = cache
        self._vendor = vendor
        self._offline = offline
        self._history = history
        self._open_vendor = open_vendor
        self._reach = reach
        self._clock = clock
        self._vendors: dict[str, Vendor] = {}
        self._opening = threading.Lock()
        # yfinance and a ccxt client serve one caller at a time; while the first one waits
        # for a dead network the others should not queue up to wait as long again
        self._turns: dict[str, threading.Lock] = {}

    def order(self, instrument: Instrument, *, timeframe: str) -> Sequence[str]:
        """Return the vendors to ask, best first: who has the longer history comes first.

        An index is always Yahoo's: no exchange trades one.
        """
        if instrument.kind == "index":
            return ("yahoo",)
        if self._vendor is not None:
            return (self._vendor,)
        return ("yahoo", "exchange") if timeframe == "1d" else ("exchange", "yahoo")

    def older(self, instrument: Instrument, *, timeframe: str) -> Mapping[str, str]:
        """Return the vendors to ask for the time before, each with its first day, "" unknown."""
        is_joined = self._history == "longest" and self._vendor is None
        if not is_joined or instrument.kind == "index" or timeframe != "1d":
            return {}
        return OLDER.get(instrument.symbol, OLDER_OF_ANY_COIN)

    def load(self, instrument: Instrument, *, timeframe: str) -> Bars:
        """Return all bars of the first vendor that has them, the cache brought up to date.

        Raises
        ------
        Unreachable
            If no vendor answered and none of their bars are held.
        DataError
            If the vendors do not have the bars, or offline the cache does not.
        """
        return self._longest(instrument, timeframe, self._load_from)

    def refresh(self, instrument: Instrument, *, timeframe: str, anew: bool = False) -> Bars:
        """Ask the vendor now, even if nothing is due; failing is an error though bars are held."""
        return self._longest(instrument, timeframe, partial(self._refresh_from, anew=anew))

    def _longest(self, instrument: Instrument, timeframe: str, load: LoadFrom) -> Bars:
        """Return the first vendor's bars with the older ones' before them, as far as they come."""
        older = self.older(instrument, timeframe=timeframe)
        sources: dict[str, Bars] = {}
        failures: dict[str, DataError] = {}
        try:
            sources["first"] = self._first(instrument, timeframe, load)
        except DataError as error:
            failures["first"] = error
        for name in older:
            try:
                sources[name] = self._older_bars(name, instrument, timeframe, load)
            except DataError as error:
                failures[name] = error
                log.info("%s %s: %s", name, instrument.symbol, error)
        if not sources:
            raise failures["first"]
        bars = join(sources, order=("first", *older))
        notes = _shortfalls(bars, failures, older)
        for note in notes:
            log.info("%s", note)
        return replace(bars, notes=(*bars.notes, *notes))

    def _older_bars(
        self, name: str, instrument: Instrument, timeframe: str, load: LoadFrom
    ) -> Bars:
        """Return an older vendor's bars, as they are held where it brings no newer ones."""
        key = Key(name, instrument.symbol, timeframe)
        try:
            return load(name, instrument, timeframe)
        except DataError as error:
            if not self._cache.holds(key):
                raise
            log.warning("%s: the cached bars are used as they are, because: %s", key, error)
            return self._load_held(key, instrument)

    def _first(self, instrument: Instrument, timeframe: str, load: LoadFrom) -> Bars:
        failures: dict[str, DataError] = {}
        for name in self.order(instrument, timeframe=timeframe):
            try:
                return load(name, instrument, timeframe)
            except DataError as error:
                failures[name] = error
                log.info("%s %s: %s", name, instrument.symbol, error)
        raise _combine(failures, instrument)

    def _load_from(self, name: str, instrument: Instrument, timeframe: str) -> Bars:
        key = Key(name, instrument.symbol, timeframe)
        if self._offline:
            return self._load_held(key, instrument)
        try:
            self._update(key, instrument)
        except DataError as error:
            if not self._cache.holds(key):
                raise
            log.warning("%s: the cached bars are used as they are, because: %s", key, error)
        return self._mend(key, instrument)

    def _refresh_from(self, name: str, instrument: Instrument, timeframe: str, anew: bool) -> Bars:
        key = Key(name, instrument.symbol, timeframe)
        if anew:
            self._cache.reload(key, self._fetch(key, instrument), reason="asked for anew")
        else:
            self._update(key, instrument, force=True)
        return self._mend(key, instrument)

    def _mend(self, key: Key, instrument: Instrument) -> Bars:
        try:
            return self._load_held(key, instrument)
        except Damaged as damage:
            self._cache.reload(key, self._fetch(key, instrument), reason=str(damage))
            return self._load_held(key, instrument)

    def _update(self, key: Key, instrument: Instrument, *, force: bool = False) -> None:
        is_older = key.vendor in self.older(instrument, timeframe=key.timeframe)
        late = OLDER_MAY_LAG if is_older else pd.Timedelta(0)
        self._cache.update(
            key,
            self._fetch(key, instrument),
            is_due=lambda last: next_bar_is_over(
                last + late, instrument, timeframe=key.timeframe, now=self._clock()
            ),
            force=force,
        )

    def _load_held(self, key: Key, instrument: Instrument) -> Bars:
        table = self._cache.store.read(key)
        if table is None:
            raise NotCached(
                f"`{instrument.parameter}` {instrument.label} has no {key.timeframe} bars of "
                f"{key.vendor} in the cache {self._cache.store.folder}, and --offline uses nothing "
                "else. Fetch them first with `python -m feeds.download`, or drop --offline."
            )
        return bars_of(table, instrument, timeframe=key.timeframe)

    def _fetch(self, key: Key, instrument: Instrument) -> Callable[[pd.Timestamp | None], Fetched]:
        def fetch(since: pd.Timestamp | None) -> Fetched:
            with self._turn(key.vendor), self._reach.asking(key.vendor):
                vendor = self._vendor_named(key.vendor)
                bars = vendor.fetch(instrument, timeframe=key.timeframe, since=since)
            return Fetched(bars.frame, bars.source, bars.origin, bars.notes, bars.is_close_only)

        return fetch

    def _turn(self, name: str) -> threading.Lock:
        with self._opening:
            return self._turns.setdefault(name, threading.Lock())

    def _vendor_named(self, name: str) -> Vendor:
        with self._opening:
            if name not in self._vendors:
                self._vendors[name] = self._open_vendor(name)
            return self._vendors[name]


def _shortfalls(
    bars: Bars, failures: Mapping[str, DataError], older: Mapping[str, str]
) -> tuple[str, ...]:
    """Return a note for each vendor that could not be had, and what that does to the history."""
    symbol, begins = bars.instrument.symbol, bars.frame.index[0]
    notes = []
    for name, error in failures.items():
        known = older.get(name, "")
        if name == "first":
            notes.append(f"{symbol}: the bars are of {bars.source}, because {error}")
        elif known and begins > pd.Timestamp(known, tz="UTC"):
            notes.append(
                f"{symbol}: the history is cut short, it begins {begins:%Y-%m-%d}, because "
                f"{name}, which goes back to {known}, could not be had: {error}"
            )
        elif known or not isinstance(error, (NotServed, NotCached)):
            notes.append(f"{symbol}: the history was made without {name}: {error}")
    return tuple(notes)


def bars_of(table: StoredTable, instrument: Instrument, *, timeframe: str) -> Bars:
    """Return a stored table as the bars it was made of."""
    about, frame = table.manifest.about, table.frame
    if instrument.kind == "coin" and about.source == COUNTS_DOLLARS:
        frame = frame.assign(**{QUOTE_VOLUME: frame["volume"]})
    return Bars(
        instrument,
        timeframe,
        frame,
        about.source,
        about.origin,
        about.notes,
        is_close_only=about.is_close_only,
    )


def next_bar_is_over(
    last: pd.Timestamp, instrument: Instrument, *, timeframe: str, now: pd.Timestamp
) -> bool:
    """Return whether a bar after `last` can have ended by `now`."""
    if instrument.has_sessions(timeframe):
        today = now.tz_convert(NEW_YORK).tz_localize(None).normalize()
        _, closes = session_hours(sessions_between(last + pd.Timedelta(days=1), today))
        return bool((closes <= now).any())
    end = bar_ends(pd.DatetimeIndex([last]), kind=instrument.kind, timeframe=timeframe)[0]
    return bool(end + BAR_LENGTHS[timeframe] <= now)


def _combine(failures: Mapping[str, DataError], instrument: Instrument) -> DataError:
    if len(failures) == 1:
        return next(iter(failures.values()))
    kinds = {type(error) for error in failures.values()}
    kind = kinds.pop() if len(kinds) == 1 else DataError
    reasons = " ".join(str(error) for error in failures.values())
    return kind(f"{instrument.label}: no vendor has its bars. {reasons}")
