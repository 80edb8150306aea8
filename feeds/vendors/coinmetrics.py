"""Closes and market caps of coins from CoinMetrics' community data: the longest history there is.

No key is needed; the data are free for non-commercial use (CC BY-NC 4.0), ten requests in six
seconds per address. A day's price is the one at its end, midnight UTC, of all markets CoinMetrics
trusts: so bars are made of closes alone, and there is no volume.
docs.coinmetrics.io/api-reference/api-conventions
"""

import json
import logging
import re
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import pandas as pd

from feeds.bars import MARKET_CAP, Bars
from feeds.errors import DataError, NotServed
from feeds.instruments import Instrument
from feeds.raw_table import RawTable, with_prices
from feeds.sessions import Clock, utc_now
from feeds.vendors.registry import one_line, reading, tidy
from feeds.vendors.request_policy import ADDRESSES, Patience, address_of

if TYPE_CHECKING:
    import requests

log = logging.getLogger(__name__)

PATH: Final = "/v4/timeseries/asset-metrics"
PRICE: Final = "PriceUSD"
CAPITALISATION: Final = "CapMrktCurUSD"
PAGE_SIZE: Final = 10_000
# Ten requests in six seconds are allowed.
SPACING_SECONDS: Final = 0.65
# A bar opens where the last one closed, and a day or two may be missing before `since`.
DAYS_BEFORE: Final = pd.Timedelta(days=7)
# The newest day is out some hours after its end; a week is another matter.
MOST_LATE: Final = pd.Timedelta(days=7)
MIDNIGHT: Final = re.compile(r"(\d{4}-\d{2}-\d{2})T00:00:00(\.0+)?Z")
NUMBER: Final = re.compile(r"\d{1,30}(\.\d{1,40})?([eE][+-]?\d{1,2})?")
REMEDY: Final = "Try later, use another source, or put a file into --data-dir."


class CoinMetrics:
    """CoinMetrics' community data as a vendor of daily coin bars made of closes alone.

    A bar's open is the last bar's close, high and low are the larger and the smaller of the
    two; `market_cap` is that at its end.

    Parameters
    ----------
    address
        Where it is; by default as `feeds.vendors.request_policy` says when asked.
    patience, clock
        Timeouts and retries, and the present instant.
    spacing_seconds
        The least time between two requests.
    """

    name = "coinmetrics"

    def __init__(
        self,
        *,
        address: str = "",
        patience: Patience | None = None,
        clock: Clock = utc_now,
        spacing_seconds: float = SPACING_SECONDS,
    ) -> None:
        self._address = address
        self._patience = patience or Patience()
        self._clock = clock
        self._spacing = spacing_seconds
        self._next = 0.0

    def fetch(
        self, instrument: Instrument, *, timeframe: str, since: pd.Timestamp | None = None
    ) -> Bars:
        """Return the bars as `feeds.vendors.registry.Vendor.fetch` promises."""
        base, _, quote = instrument.symbol.partition("-")
        origin = f"coinmetrics {instrument.symbol}"
        if instrument.kind != "coin" or quote != "USD" or timeframe != "1d":
            raise NotServed(
                f"{origin}: only daily bars of coins in USD are there, asked for {timeframe}. "
                "Use another source."
            )
        now = self._clock()
        rows = self._rows(base.lower(), since, origin)
        with reading(origin, REMEDY):
            bars = tidy(
                _bars(_table(rows, origin), since, origin),
                instrument=instrument,
                timeframe=timeframe,
                source=self.name,
                origin=origin,
                now=now,
                is_close_only=True,
            )
        _require_end(bars, now)
        return bars

    def _rows(self, asset: str, since: pd.Timestamp | None, origin: str) -> list[dict[str, Any]]:
        """Return the rows of all pages, each of the asset asked for."""
        from feeds.vendors.http_client import is_json, open_session

        until = self._patience.fetch_end()
        query = {
            "assets": asset,
            "metrics": f"{PRICE},{CAPITALISATION}",
            "frequency": "1d",
            "page_size": str(PAGE_SIZE),
            "paging_from": "start",
        }
        if since is not None:
            query["start_time"] = f"{since - DAYS_BEFORE:%Y-%m-%d}"
        rows: list[dict[str, Any]] = []
        tokens: set[str] = set()
        with open_session(self._patience, is_data=is_json) as session:
            while query:
                body = self._page(session, query, origin, until)
                with reading(origin, REMEDY):
                    page = json.loads(body)
                    rows += _rows_of(page, asset, origin)
                    query = _next_query(page, origin, base=self._base())
                token = query.get("next_page_token", "")
                if token in tokens:
                    raise DataError(f"{origin}: the same page came twice. {REMEDY}")
                tokens.add(token)
                log.debug("%s: %d rows", origin, len(rows))
        return rows

    def _page(
        self, session: "requests.Session", query: dict[str, str], origin: str, until: float
    ) -> bytes:
        from feeds.vendors.http_client import answer

        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._spacing
        return answer(
            session,
            self._base() + PATH,
            params=query,
            subject=origin,
            remedy=REMEDY,
            patience=self._patience,
            until=until,
        )

    def _base(self) -> str:
        return self._address or address_of(self.name)


def _rows_of(page: Any, asset: str, origin: str) -> list[dict[str, Any]]:
    rows = page["data"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{origin}: the answer is no table. {REMEDY}")
    other = next((row.get("asset") for row in rows if row.get("asset") != asset), asset)
    if other != asset:
        raise DataError(
            f"{origin}: asked for {asset}, a row is of {one_line(repr(other), 30)}. {REMEDY}"
        )
    return rows


def _next_query(page: dict[str, Any], origin: str, *, base: str) -> dict[str, str]:
    """Return what to ask the next page with, nothing after the last one.

    Only its query is taken over, so that no answer sends us to another host.
    """
    address = page.get("next_page_url")
    if not address:
        return {}
    parts = urlsplit(address)
    hosts = {urlsplit(base).netloc, urlsplit(ADDRESSES["coinmetrics"]).netloc}
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.netloc not in hosts or not query.get("next_page_token"):
        raise DataError(
            f"{origin}: the next page is said to be at {one_line(address, 60)!r}. {REMEDY}"
        )
    return query


def _table(rows: list[dict[str, Any]], origin: str) -> pd.DataFrame:
    if not rows:
        raise NotServed(f"{origin}: no price. {REMEDY}")
    days = [MIDNIGHT.fullmatch(str(row.get("time"))) for row in rows]
    wrong = next((row.get("time") for row, day in zip(rows, days, strict=True) if not day), None)
    if wrong is not None or None in days:
        raise DataError(
            f"{origin}: {one_line(repr(wrong), 40)} is not the start of a day. {REMEDY}"
        )
    dates = pd.to_datetime([day[1] for day in days if day], format="%Y-%m-%d", utc=True)
    return pd.DataFrame(
        {
            "date": dates.as_unit("ns"),
            "close": [_number(row.get(PRICE), PRICE, origin) for row in rows],
            MARKET_CAP: [_number(row.get(CAPITALISATION), CAPITALISATION, origin) for row in rows],
        }
    )


def _number(value: object, name: str, origin: str) -> float:
    """Return a value, text as all are there; NaN where there is none."""
    if value is None:
        return float("nan")
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        raise DataError(
            f"{origin}: column `{name}`: {one_line(repr(value), 40)} is no number. {REMEDY}"
        )
    return float(value)


def _bars(closes: pd.DataFrame, since: pd.Timestamp | None, origin: str) -> pd.DataFrame:
    """Return what bars are made of where there are closes alone, without a volume."""
    frame = with_prices(RawTable(closes, origin), kind="coin").frame
    frame = frame.sort_values("date", kind="stable")
    return frame if since is None else frame[frame["date"] >= since]


def _require_end(bars: Bars, now: pd.Timestamp) -> None:
    last = pd.Timestamp(bars.frame.index[-1])
    if now - last > MOST_LATE:
        raise NotServed(f"{bars.origin}: prices end {last:%Y-%m-%d}. {REMEDY}")
