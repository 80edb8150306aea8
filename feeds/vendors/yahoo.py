"""Bars from Yahoo Finance through yfinance: indices, funds and coins, daily and hourly."""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from feeds.bars import PRICES, Bars
from feeds.errors import DataError, NotServed
from feeds.instruments import Instrument, yahoo_symbol
from feeds.sessions import NEW_YORK, Clock, utc_now
from feeds.vendors.registry import one_line, reading, tidy
from feeds.vendors.request_policy import Patience
from feeds.vendors.yahoo_checks import (
    Chart,
    chart_of,
    require_agreement,
    require_beginning,
    require_end,
    require_few_gaps,
    require_subject,
)

if TYPE_CHECKING:
    from feeds.vendors.yahoo_session import WatchedSession

log = logging.getLogger(__name__)

TIMEFRAMES: Final = ("1d", "1h")
# Yahoo refuses hourly bars older than 730 days; a day is kept for clocks that differ.
HOURLY_DAYS: Final = 729
FIRST_INDEX: Final = "1970-01-02"
FIRST_COIN: Final = pd.Timestamp("2010-01-01", tz="UTC")
# The official close of an index comes minutes after the bell.
SETTLING: Final = pd.Timedelta(minutes=30)
REMEDY: Final = "Check the network, try later, or use --offline or --source files."
# Yahoo's plain close has splits in it and dividends not; rows without prices stay visible.
PLAIN: Final[dict[str, Any]] = {
    "auto_adjust": False,
    "back_adjust": False,
    "repair": False,
    "actions": False,
    "prepost": False,
    "keepna": True,
}

# yfinance has one session, one cookie and one cache for the whole process.
_ONE_AT_A_TIME = threading.Lock()


class Yahoo:
    """Yahoo Finance as a vendor.

    Daily bars of an index or fund are dated by session, those of a coin by their opening in
    UTC. Hourly bars go back 730 days at most: that is all Yahoo has, and an earlier `since`
    is refused. Prices are split-adjusted and never dividend-adjusted.

    Parameters
    ----------
    patience
        Timeouts and retries.
    session, clock
        The HTTP session and the present instant; tests give their own.
    """

    name = "yahoo"

    def __init__(
        self,
        *,
        patience: Patience | None = None,
        session: "WatchedSession | None" = None,
        clock: Clock = utc_now,
    ) -> None:
        self._patience = patience or Patience()
        self._session = session
        self._clock = clock

    def fetch(
        self, instrument: Instrument, *, timeframe: str, since: pd.Timestamp | None = None
    ) -> Bars:
        """Return the bars as `feeds.vendors.registry.Vendor.fetch` promises.

        An index Yahoo does not serve is replaced by the fund that tracks it, where there is
        one: `origin` names the fund and a note says so. Its price level is another one, so
        bars of the two must not be joined.
        """
        try:
            return self._fetch(instrument, timeframe=timeframe, since=since)
        except NotServed as refusal:
            fund = instrument.stand_in
            if fund is None:
                raise
            bars = self._fetch(fund, timeframe=timeframe, since=since)
            note = f"{instrument.symbol}: {fund.symbol} stands in for it ({refusal})"
            log.warning("%s", note)
            return replace(bars, instrument=instrument, notes=(note, *bars.notes))

    def _fetch(self, instrument: Instrument, *, timeframe: str, since: pd.Timestamp | None) -> Bars:
        now, symbol = self._clock(), yahoo_symbol(instrument)
        settled = now - SETTLING if instrument.kind == "index" else now
        origin = f"yahoo {symbol}"
        start = _start(instrument, timeframe=timeframe, since=since, now=now, origin=origin)
        chart, frame = self._patience.call(
            lambda: self._ask(symbol, timeframe, start, origin),
            subject=origin,
            remedy=REMEDY,
            until=self._patience.fetch_end(),
        )
        with reading(origin, REMEDY):
            require_subject(chart, symbol=symbol, kind=instrument.kind, origin=origin)
            repeats = require_agreement(chart, timeframe=timeframe, origin=origin)
            require_beginning(chart, frame, start=start, timeframe=timeframe, origin=origin)
            table = _table(frame, chart, instrument, timeframe)
            bars = tidy(
                table[table["date"] >= _first_date(instrument, timeframe, start)],
                instrument=instrument,
                timeframe=timeframe,
                source=self.name,
                origin=origin,
                now=settled,
                notes=[*_notes(timeframe, since, origin), *repeats],
            )
            require_end(bars, settled)
            require_few_gaps(bars)
        return bars

    def _ask(
        self, symbol: str, timeframe: str, start: pd.Timestamp, origin: str
    ) -> tuple[Chart, pd.DataFrame]:
        failure: Exception | None = None
        frame = pd.DataFrame()
        with _ONE_AT_A_TIME, warnings.catch_warnings(), _without_files() as yfinance:
            warnings.simplefilter("ignore")  # its own about pandas, and about what Yahoo sent
            session = self._opened_session()
            session.begin()
            ticker = yfinance.Ticker(symbol, session=session)
            try:
                frame = ticker.history(start=int(start.timestamp()), interval=timeframe, **PLAIN)
            except Exception as error:  # noqa: BLE001 - the answer itself says what happened
                failure = error
            answer = session.judge(origin)
        with reading(origin, REMEDY):
            chart = chart_of(answer, origin)
        if frame.empty:
            log.info("%s: yfinance: %s", origin, one_line(failure or "an empty table"))
            raise DataError(
                f"{origin}: yfinance cannot read Yahoo's answer. Update it, or use --source files."
            )
        return chart, frame

    def _opened_session(self) -> "WatchedSession":
        if self._session is None:
            from feeds.vendors.yahoo_session import WatchedSession

            self._session = WatchedSession(self._patience)
        return self._session


class _Nowhere:
    """Stands in for the tables yfinance holds on disk, whose cookies it unpickles.

    Whoever can write such a file could run code here, and a home that cannot be written
    would stop a run. The zone is needed for a start given as a date; ours is an instant.
    """

    def __init__(self, held: str | None = None) -> None:
        self._held = held

    def lookup(self, _key: str) -> str | None:
        return self._held

    def store(self, _key: str, _value: object) -> None:
        return


@contextmanager
def _without_files() -> Iterator[Any]:
    """Give yfinance as long as nothing of it is read from disk or written there."""
    import yfinance
    from yfinance import cache

    # Its log lines guess at a delisting whatever happened.
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    places = (
        (cache._TzCacheManager, "_tz_cache", _Nowhere("UTC")),
        (cache._CookieCacheManager, "_Cookie_cache", _Nowhere()),
        (cache._ISINCacheManager, "_isin_cache", _Nowhere()),
    )
    before = [getattr(manager, name) for manager, name, _ in places]
    for manager, name, nothing in places:
        setattr(manager, name, nothing)
    try:
        yield yfinance
    finally:
        for (manager, name, _), earlier in zip(places, before, strict=True):
            setattr(manager, name, earlier)


def _start(
    instrument: Instrument,
    *,
    timeframe: str,
    since: pd.Timestamp | None,
    now: pd.Timestamp,
    origin: str,
) -> pd.Timestamp:
    if timeframe not in TIMEFRAMES:
        raise NotServed(
            f"{origin}: {timeframe} bars are not fetched from Yahoo, only "
            f"{' and '.join(TIMEFRAMES)}. Use --source exchange for coins, or --source files."
        )
    earliest = now - pd.Timedelta(days=HOURLY_DAYS)
    if timeframe == "1h":
        if since is not None and since < earliest:
            raise NotServed(
                f"{origin}: Yahoo has hourly bars of the last 730 days only, asked for from "
                f"{since:%Y-%m-%d}. Start on {earliest.ceil('D'):%Y-%m-%d} or later, or use "
                "--source exchange for coins, --source files for an index."
            )
        return earliest.ceil("h") if since is None else since
    if since is not None:
        return since.floor("D") if instrument.kind == "index" else since
    if instrument.kind == "coin":
        return FIRST_COIN
    return pd.Timestamp(FIRST_INDEX, tz=NEW_YORK).tz_convert("UTC")


def _first_date(instrument: Instrument, timeframe: str, start: pd.Timestamp) -> pd.Timestamp:
    if instrument.has_sessions(timeframe):
        return start.tz_localize(None).normalize()
    return start


def _table(
    frame: pd.DataFrame, chart: Chart, instrument: Instrument, timeframe: str
) -> pd.DataFrame:
    opens = pd.DatetimeIndex(frame.index)
    if instrument.has_sessions(timeframe):
        dates = opens.tz_localize(None).normalize()
    else:
        dates = opens.tz_convert("UTC")
    columns = {name: frame[name.capitalize()].to_numpy(np.float64) for name in PRICES}
    # from Yahoo itself: yfinance makes 0 of a volume that is not known
    volume = chart.label_rows(timeframe)["volume"].groupby(level=0).last(skipna=False)
    columns["volume"] = volume.reindex(opens).to_numpy(np.float64)
    return pd.DataFrame({"date": dates.as_unit("ns"), **columns})


def _notes(timeframe: str, since: pd.Timestamp | None, origin: str) -> list[str]:
    if timeframe == "1h" and since is None:
        return [f"{origin}: Yahoo has hourly bars of the last 730 days only"]
    return []
