"""Bars from one crypto exchange through ccxt.

ccxt retries nothing, pages wrongly on some exchanges and takes a proxy's HTML page for
"no bars"; so requests, retries and pages are ours, and ccxt speaks each exchange's format.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from feeds.bars import Bars
from feeds.errors import DataError, NotServed
from feeds.instruments import Instrument
from feeds.sessions import BAR_LENGTHS, Clock, utc_now
from feeds.vendors.exchange_client import (
    ELSEWHERE,
    TradingPair,
    configure,
    market_of,
    new_client,
    require_market,
    translate,
)
from feeds.vendors.paging import AskPage, PageSpan, Row, checked_rows, opening, whole_history
from feeds.vendors.registry import DownloadStep, Watcher, reading, tidy
from feeds.vendors.request_policy import Patience

if TYPE_CHECKING:
    import ccxt

log = logging.getLogger(__name__)

# No exchange of today had bars before: Bitstamp, the oldest, opened in August 2011.
BEGINNING: Final = pd.Timestamp("2011-01-01", tz="UTC")
DAY: Final = "1d"
REMEDY: Final = (
    "Check the network, try later, or use another exchange, --offline or --source files."
)


class Ended(NotServed):
    """The coin was traded on this exchange once, and is no longer."""


class Exchange:
    """One exchange as a vendor.

    Parameters
    ----------
    name
        ccxt's id, such as "binance".
    patience
        Timeouts and retries; only network failures are retried, never a refusal.
    watch
        Told after every page how far a download has got.
    client, clock
        A ccxt client already made, and the present instant; tests give their own.

    Where the history begins is looked for with daily bars (see `feeds.vendors.paging`), also for
    hourly ones: the answer is a few pages away, hourly it would be hundreds.

    Raises
    ------
    ConfigError
        If ccxt knows no exchange of that name.
    """

    def __init__(
        self,
        name: str,
        *,
        patience: Patience | None = None,
        watch: Watcher | None = None,
        client: "ccxt.Exchange | None" = None,
        clock: Clock = utc_now,
    ) -> None:
        self.name = name
        self._patience = patience or Patience()
        self._watch = watch
        self._client = configure(client or new_client(name), self._patience)
        self._clock = clock
        self._lock = threading.Lock()
        self._begins: dict[tuple[str, str, int], int] = {}

    def fetch(
        self, instrument: Instrument, *, timeframe: str, since: pd.Timestamp | None = None
    ) -> Bars:
        """Return the bars as `feeds.vendors.registry.Vendor.fetch` promises.

        Of a coin that is no longer traded there, what was traded is returned, and said.
        """
        until = self._patience.fetch_end()
        with reading(f"{self.name} {instrument.symbol}", REMEDY):
            now = self._clock()
            market = self._market(instrument, timeframe, until)
            span = self._span(market, timeframe, since=since, now=now)
            ask = self._asker(market, timeframe, until)
            span = replace(span, since=self._begin(market, timeframe, span, until))
            rows = whole_history(ask, span, watch=self._reporter(instrument, span))
            return tidy(
                _table(rows),
                instrument=instrument,
                timeframe=timeframe,
                source=self.name,
                origin=market.origin,
                now=now,
                notes=_notes(rows, market, span, since, quote=instrument.symbol.partition("-")[2]),
            )

    def begins(
        self, instrument: Instrument, *, timeframe: str, since: pd.Timestamp | None = None
    ) -> pd.Timestamp:
        """Return when the first bar at or after `since` opens, at the cost of a few pages.

        Raises
        ------
        Ended
            If the coin is no longer traded there.
        """
        until = self._patience.fetch_end()
        with reading(f"{self.name} {instrument.symbol}", REMEDY):
            market = self._market(instrument, timeframe, until)
            if not market.is_active:
                raise Ended(f"{market.origin}: no longer traded there. {ELSEWHERE}")
            span = self._span(market, timeframe, since=since, now=self._clock())
            first = self._begin(market, timeframe, span, until)
            return pd.Timestamp(first, unit="ms", tz="UTC")

    def _begin(self, market: TradingPair, timeframe: str, span: PageSpan, until: float) -> int:
        key = (market.symbol, timeframe, span.since)
        if key not in self._begins:
            ask = self._asker(market, timeframe, until)
            page = [row for row in ask(span.since) if row[0] >= span.since]
            if page and min(row[0] for row in page) < span.since + span.step:
                return span.since
            if timeframe != DAY:
                day = _milliseconds(BAR_LENGTHS[DAY])
                daily = replace(span, since=span.since // day * day, step=day)
                listed = opening(self._asker(market, DAY, until), daily)
                span = replace(span, since=max(listed, span.since))
            self._begins[key] = opening(ask, span)
        return self._begins[key]

    def _span(
        self, market: TradingPair, timeframe: str, *, since: pd.Timestamp | None, now: pd.Timestamp
    ) -> PageSpan:
        length = BAR_LENGTHS[timeframe]
        first = (BEGINNING if since is None else since).ceil(length)
        last = now.floor(length) - length
        if first > last:
            raise NotServed(
                f"{market.origin}: no {timeframe} bar is over since {first:%Y-%m-%d %H:%M}. "
                "Ask for an earlier start."
            )
        return PageSpan(
            _milliseconds(first - pd.Timestamp(0, tz="UTC")),
            _milliseconds(last - pd.Timestamp(0, tz="UTC")),
            _milliseconds(length),
            market.page_bars,
            market.origin,
            has_ended=not market.is_active,
        )

    def _market(self, instrument: Instrument, timeframe: str, until: float) -> TradingPair:
        if instrument.kind != "coin":
            raise NotServed(
                f"{self.name} {instrument.symbol}: an index is not traded on a crypto exchange. "
                "Use --source yahoo or --source files."
            )
        self._call(self._client.load_markets, f"{self.name} {instrument.symbol}", until)
        return market_of(self._client, instrument, timeframe=timeframe, exchange=self.name)

    def _asker(self, market: TradingPair, timeframe: str, until: float) -> AskPage:
        def ask(since: int, end: int | None = None) -> list[Row]:
            def page() -> Any:
                rows = self._client.fetch_ohlcv(
                    market.symbol,
                    timeframe,
                    since=since,
                    limit=market.page_bars,
                    params={} if end is None else {"until": end},
                )
                require_market(self._client, market)
                return rows

            return checked_rows(self._call(page, market.origin, until), market.origin)

        return ask

    def _call(self, request: Callable[[], Any], subject: str, until: float) -> Any:
        def once() -> Any:
            with self._lock:
                try:
                    return request()
                except DataError:
                    raise
                except Exception as error:
                    raise translate(error, subject) from error

        return self._patience.call(once, subject=subject, remedy=REMEDY, until=until)

    def _reporter(self, instrument: Instrument, span: PageSpan) -> Callable[[int, int], None]:
        until = pd.Timestamp(span.end, unit="ms", tz="UTC")

        def report(bars: int, reached: int) -> None:
            log.debug("%s: %d bars", span.origin, bars)
            if self._watch is not None:
                at = pd.Timestamp(reached, unit="ms", tz="UTC")
                self._watch(DownloadStep(self.name, instrument.symbol, bars, at, until))

        return report


def _milliseconds(length: pd.Timedelta) -> int:
    return int(length / pd.Timedelta(milliseconds=1))


def _table(rows: list[Row]) -> pd.DataFrame:
    names = ["date", "open", "high", "low", "close", "volume"]
    table = pd.DataFrame(np.array(rows, dtype=np.float64), columns=pd.Index(names))
    return table.assign(date=pd.to_datetime(table["date"].astype("int64"), unit="ms", utc=True))


def _notes(
    rows: list[Row], market: TradingPair, span: PageSpan, since: pd.Timestamp | None, *, quote: str
) -> list[str]:
    notes = []
    if market.quote != quote:
        notes.append(f"{market.origin}: priced in {market.quote}, taken as {quote}")
    if rows:
        first, last = (pd.Timestamp(rows[end][0], unit="ms", tz="UTC") for end in (0, -1))
        if since is not None and first > since.ceil(pd.Timedelta(span.step, unit="ms")):
            notes.append(f"{market.origin}: begins {first:%Y-%m-%d %H:%M}, there is none before")
        if not market.is_active:
            notes.append(
                f"{market.origin}: no longer traded there, the last bar is {last:%Y-%m-%d}"
            )
        elif rows[-1][0] < span.end:
            log.info("%s: ends %s, newer bars are not out yet", market.origin, last)
    return notes
