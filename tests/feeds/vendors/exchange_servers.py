"""Loopback exchanges in the formats of Binance, Coinbase, Kraken and Bitstamp."""

from typing import Any

import ccxt

from tests.feeds.vendors.loopback import Answer, Request, Server, as_json

Rows = list[list[float]]
PAGES = {"binance": "klines", "coinbase": "candles", "kraken": "OHLC", "bitstamp": "ohlc/"}
KRAKEN_PAGE = 300  # smaller than the 720 it keeps, so that a history takes several pages
STEPS = {
    "binance": {"1d": 86_400_000, "1h": 3_600_000},
    "coinbase": {"ONE_DAY": 86_400_000, "ONE_HOUR": 3_600_000},
    "kraken": {"1440": 86_400_000, "60": 3_600_000},
    "bitstamp": {"86400": 86_400_000, "3600": 3_600_000},
}


def is_page(request: Request) -> bool:
    """Whether a request is for candles, on any of the exchanges."""
    return any(page in request.path for page in PAGES.values())


def exchange_server(name: str, rows: Rows, *, hourly: Rows | None = None, active: bool = True):
    """Return the server of exchange `name` with daily `rows` of BTC and `hourly` ones."""
    tape = {86_400_000: rows, 3_600_000: hourly or []}
    return Server(_ROUTES[name](tape, active))


def client_for(name: str, address: str) -> ccxt.Exchange:
    """Return ccxt's real client of `name`, sent to `address`."""
    client = getattr(ccxt, name)({"rateLimit": 0.01})
    client.urls["api"] = redirected(client.urls["api"], address)
    client.urls["hostname"] = address
    return client


def redirected(urls: Any, address: str) -> Any:
    """Return ccxt's addresses, however nested, sent to `address`."""
    if isinstance(urls, dict):
        return {key: redirected(value, address) for key, value in urls.items()}
    return address + "/" + urls.split("://", 1)[1].partition("/")[2]


def _binance(tape: dict[int, Rows], active: bool):
    def route(request: Request) -> Answer:
        if request.path.endswith("exchangeInfo"):
            return as_json({"symbols": [_binance_market(active)]})
        if not request.path.endswith("klines"):
            return as_json({})
        step = STEPS["binance"][request.query["interval"]]
        start = int(request.query.get("startTime", 0))
        end = int(request.query.get("endTime", 10**15))
        page = [row for row in tape[step] if start <= row[0] <= end]
        limit = min(int(request.query.get("limit", 500)), 1000)
        return as_json([_binance_row(row, step) for row in page[:limit]])

    return route


def _binance_row(row: list[float], step: int) -> list[Any]:
    return [row[0], *(str(value) for value in row[1:]), row[0] + step - 1, "0", 1, "0", "0", "0"]


def _binance_market(active: bool) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "status": "TRADING" if active else "BREAK",
        "baseAsset": "BTC",
        "quoteAsset": "USDT",
        "baseAssetPrecision": 8,
        "quoteAssetPrecision": 8,
        "isSpotTradingAllowed": True,
        "permissions": ["SPOT"],
        "filters": [],
        "orderTypes": [],
    }


def _coinbase(tape: dict[int, Rows], active: bool):
    def route(request: Request) -> Answer:
        if request.path.endswith("candles"):
            step = STEPS["coinbase"][request.query["granularity"]]
            start, end = (int(request.query[name]) * 1000 for name in ("start", "end"))
            page = [row for row in tape[step] if start <= row[0] <= end]
            return as_json({"candles": [_coinbase_row(row) for row in page[:300]][::-1]})
        if request.path.endswith("market/products"):
            return as_json({"products": [_coinbase_market(active)], "num_products": 1})
        return as_json({"data": []})

    return route


def _coinbase_row(row: list[float]) -> dict[str, str]:
    names = ("open", "high", "low", "close", "volume")
    values = {name: str(value) for name, value in zip(names, row[1:], strict=True)}
    return {"start": str(int(row[0]) // 1000), **values}


def _coinbase_market(active: bool) -> dict[str, Any]:
    return {
        "product_id": "BTC-USD",
        "base_currency_id": "BTC",
        "quote_currency_id": "USD",
        "base_increment": "0.00000001",
        "quote_increment": "0.01",
        "price_increment": "0.01",
        "base_min_size": "0.00001",
        "base_max_size": "3400",
        "quote_min_size": "1",
        "quote_max_size": "1",
        "is_disabled": not active,
        "trading_disabled": not active,
        "status": "online" if active else "delisted",
        "product_type": "SPOT",
    }


def _kraken(tape: dict[int, Rows], active: bool):
    def route(request: Request) -> Answer:
        if request.path.endswith("OHLC"):
            rows = tape[STEPS["kraken"][request.query["interval"]]][-720:]
            after = int(request.query.get("since", 0)) * 1000
            page = [_kraken_row(row) for row in rows if row[0] > after]
            return as_json({"error": [], "result": {"XXBTZUSD": page[:KRAKEN_PAGE], "last": 0}})
        if request.path.endswith("AssetPairs"):
            return as_json({"error": [], "result": {"XXBTZUSD": _kraken_market(active)}})
        return as_json({"error": [], "result": {}})

    return route


def _kraken_row(row: list[float]) -> list[Any]:
    seconds = int(row[0]) // 1000
    return [seconds, *(str(value) for value in row[1:5]), "0.0", str(row[5]), 3]


def _kraken_market(active: bool) -> dict[str, Any]:
    return {
        "altname": "XBTUSD",
        "wsname": "XBT/USD",
        "aclass_base": "currency",
        "base": "XXBT",
        "aclass_quote": "currency",
        "quote": "ZUSD",
        "pair_decimals": 1,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.26]],
        "fees_maker": [[0, 0.16]],
        "ordermin": "0.0001",
        "tick_size": "0.1",
        "status": "online" if active else "cancel_only",
    }


def _bitstamp(tape: dict[int, Rows], active: bool):
    def route(request: Request) -> Answer:
        if "/ohlc/" in request.path:
            step = STEPS["bitstamp"][request.query["step"]]
            start, end = (int(request.query[name]) * 1000 for name in ("start", "end"))
            page = [row for row in tape[step] if start <= row[0] <= end]
            rows = [{**_coinbase_row(r), "timestamp": str(int(r[0]) // 1000)} for r in page[:1000]]
            return as_json({"data": {"pair": "BTC/USD", "ohlc": rows}})
        return as_json([_bitstamp_market(active)])

    return route


def _bitstamp_market(active: bool) -> dict[str, Any]:
    return {
        "name": "BTC/USD",
        "market_symbol": "btcusd",
        "base_currency": "BTC",
        "base_decimals": 8,
        "counter_currency": "USD",
        "counter_decimals": 0,
        "minimum_order_value": "10",
        "trading": "Enabled" if active else "Disabled",
        "instant_order_counter_decimals": 2,
        "market_type": "SPOT",
        "description": "Bitcoin / U.S. dollar",
    }


_ROUTES = {
    "binance": _binance,
    "coinbase": _coinbase,
    "kraken": _kraken,
    "bitstamp": _bitstamp,
}
