"""A loopback Yahoo: cookie, crumb and the v8 chart, and the session that goes to it."""

from typing import Any

import pandas as pd

from feeds.vendors.request_policy import Patience
from feeds.vendors.yahoo_session import WatchedSession
from tests.feeds.vendors.loopback import Answer, Request, Server, as_json

NEW_YORK = "America/New_York"


def chart_request(request: Request) -> bool:
    """Whether a request is for bars, not for a symbol's time zone."""
    return "/v8/finance/chart/" in request.path and "period1" in request.query


def any_chart(request: Request) -> bool:
    return "/v8/finance/chart/" in request.path


def session_rows(first: str, last: str) -> list[dict[str, Any]]:
    """Return one row per XNYS session, stamped at its opening as Yahoo does."""
    from feeds.sessions import sessions_between

    sessions = sessions_between(pd.Timestamp(first), pd.Timestamp(last))
    opens = (sessions + pd.Timedelta(hours=9, minutes=30)).tz_localize(NEW_YORK)
    return rows_at(opens)


def rows_at(opens: pd.DatetimeIndex) -> list[dict[str, Any]]:
    rows = []
    for number, instant in enumerate(opens):
        base = 100.0 + number
        rows.append(
            {
                "timestamp": int(instant.timestamp()),
                "open": base,
                "high": base + 2.0,
                "low": base - 2.0,
                "close": base + 1.0,
                "volume": 5,
                "adjclose": base / 2,
            }
        )
    return rows


def yahoo_server(symbols: dict[str, list[dict[str, Any]]], **meta: Any) -> Server:
    """Return a Yahoo that knows `symbols`, each with its rows of the interval asked for."""

    def route(request: Request) -> Answer:
        if request.path.endswith("/getcrumb"):
            return Answer(b"crumb", content_type="text/plain")
        if not any_chart(request):
            return Answer(b"<html></html>", status=404, content_type="text/html")
        symbol = request.path.rsplit("/", 1)[1].replace("%5E", "^")
        if symbol not in symbols:
            return as_json(_error("Not Found", "No data found, symbol may be delisted"), status=404)
        return as_json(_chart(symbol, symbols[symbol], request, meta))

    return Server(route)


def _error(code: str, description: str) -> dict[str, Any]:
    return {"chart": {"result": None, "error": {"code": code, "description": description}}}


def _chart(
    symbol: str, rows: list[dict[str, Any]], request: Request, meta: dict[str, Any]
) -> dict[str, Any]:
    start = int(request.query.get("period1", 0))
    end = int(request.query.get("period2", 2**40))
    inside = [row for row in rows if start <= row["timestamp"] <= end]
    quote = {name: [row[name] for row in inside] for name in ("open", "high", "low", "close")}
    quote["volume"] = [row["volume"] for row in inside]
    zone = "UTC" if symbol.endswith("-USD") else NEW_YORK
    about = {
        "currency": "USD",
        "symbol": symbol,
        "exchangeTimezoneName": zone,
        "instrumentType": "CRYPTOCURRENCY" if zone == "UTC" else "INDEX",
        "firstTradeDate": rows[0]["timestamp"] if rows else None,
        "dataGranularity": request.query["interval"],
        "validRanges": ["1d", "5d", "max"],
        "priceHint": 2,
        **_periods(request.query["interval"], [row["timestamp"] for row in inside]),
        **meta,
    }
    adjusted = [{"adjclose": [row["adjclose"] for row in inside]}]
    result = {
        "meta": about,
        "timestamp": [row["timestamp"] for row in inside],
        "indicators": {"quote": [quote], "adjclose": adjusted},
    }
    return {"chart": {"result": [result], "error": None}}


def _periods(interval: str, instants: list[int]) -> dict[str, Any]:
    if interval == "1d":
        return {}
    opens = pd.to_datetime(instants, unit="s", utc=True).tz_convert(NEW_YORK)
    days = opens.normalize().unique()
    return {"tradingPeriods": [[_period(day)] for day in days]}


def _period(day: pd.Timestamp) -> dict[str, Any]:
    start = int((day + pd.Timedelta(hours=9, minutes=30)).timestamp())
    end = int((day + pd.Timedelta(hours=16)).timestamp())
    return {"timezone": "EST", "start": start, "end": end, "gmtoffset": -18000}


class LoopbackSession(WatchedSession):
    """yfinance's session with every Yahoo host at `address`."""

    def __init__(self, patience: Patience, address: str) -> None:
        super().__init__(patience)
        self._address = address

    def address_for(self, url: str) -> str:
        return self._address + "/" + url.split("://", 1)[1].partition("/")[2]
