"""Answers the vendors really gave, recorded by others, through the real clients on loopback."""

import gzip
import json
from contextlib import contextmanager
from urllib.parse import urlsplit

import ccxt
import numpy as np
import pandas as pd
import pytest

from feeds.checks import findings
from feeds.errors import DataError, NotServed
from feeds.instruments import Instrument, coin
from feeds.sessions import BAR_LENGTHS
from feeds.vendors.exchange import Exchange
from feeds.vendors.exchange_client import configure, market_of
from feeds.vendors.request_policy import Patience
from feeds.vendors.yahoo import Yahoo
from tests.feeds.vendors.exchange_servers import client_for, exchange_server, is_page, redirected
from tests.feeds.vendors.loopback import Answer, Request, Server, as_json, serving
from tests.feeds.vendors.yahoo_server import LoopbackSession, any_chart

ONCE = Patience(
    connect_timeout=0.5, read_timeout=2.0, attempts=1, connect_attempts=1, first_wait=0.0
)
COLUMNS = ("open", "high", "low", "close", "volume")
NEW_YORK = "America/New_York"


class RecordedYahoo:
    """The real yfinance against whatever body is set."""

    def __init__(self) -> None:
        self.body, self.status = {}, 200

    def route(self, request: Request) -> Answer:
        return as_json(self.body, status=self.status) if any_chart(request) else Answer(b"crumb")

    def fetch(self, body, instrument, *, since, now, status=200):
        self.body, self.status = body, status
        vendor = Yahoo(patience=ONCE, session=self.session, clock=lambda: now)
        return vendor.fetch(instrument, timeframe="1d", since=since)


@pytest.fixture(scope="module")
def yahoo():
    vendor = RecordedYahoo()
    with serving(Server(vendor.route)) as address:
        vendor.session = LoopbackSession(ONCE, address)
        yield vendor
        vendor.session.close()


def charts(folder):
    """Return every recorded chart: symbol, status, body, and the instant asked from."""
    for path in sorted((folder / "yahoo_chart").glob("*.json")):
        told = json.loads(path.read_text())
        url = told["request"]["url"]
        symbol = urlsplit(url).path.rsplit("/", 1)[1].replace("%5E", "^")
        start = int(url.partition("period1=")[2].partition("&")[0])
        response = told["response"]
        yield path.name, symbol, response["status"], response["bodyJson"], start


def test_yahoo_charts_are_their_own_numbers_or_refused_for_what_they_are(recorded, yahoo):
    served, refused = {}, {}
    for name, symbol, status, body, start in charts(recorded):
        result = (body["chart"]["result"] or [{}])[0]
        times = result.get("timestamp") or [start]
        kind = "coin" if symbol.endswith("-USD") else "index"
        now = pd.Timestamp(times[-1], unit="s", tz="UTC") + pd.Timedelta(days=1, hours=1)
        since = pd.Timestamp(min(start, times[0]), unit="s", tz="UTC")
        try:
            bars = yahoo.fetch(body, Instrument(symbol, kind), since=since, now=now, status=status)
        except DataError as error:
            refused[name] = error
            continue
        quote = result["indicators"]["quote"][0]
        expected = np.array([quote[column] for column in COLUMNS], dtype=float).T
        np.testing.assert_array_equal(bars.frame[list(COLUMNS)].to_numpy(), expected)
        served[name] = bars
    _require_reasons(refused)
    assert len(served) >= 20
    assert not set(served) & {name for name in refused if "fake" in name}


def _require_reasons(refused):
    """What each was refused for, read from the recording by hand."""
    reasons = {
        "2021.chart-ADH": "must be priced in USD, received None",
        "2021.chart-APS.AX": "no bars in this range (HTTP 200)",
        "2021.chart-BEKE": "Data doesn't exist for startDate = 1577836800, endDate = 1578009600",
        "2021.chart-^VXAPL": "no bars in this range",
        "chart-0P000071W8.TO": "must be priced in USD, received 'CAD'",
        "chart-AAPL-2025-02-01": "no bars in this range",
        "chart-AZT.OL": "must be priced in USD, received 'NOK'",
        "chart-EURUSD=X": "must be dated in America/New_York, received 'Europe/London'",
        "chart-OCDO.L": "must be priced in USD, received 'GBp'",
        "chart-ORSTED.CO": "received 'DKK'",
        "chart-TSLA-2025": "no bars in this range",
        "chart-WSKT.JK": "received 'IDR'",
        "chart-WSU.DE": "received 'EUR'",
        "chart-notimestamp-quotes-length": "not a table of times and prices",
        "chart-notimestamp-weird-quote": "not a table of times and prices",
    }
    for name, error in refused.items():
        reason = next(text for begin, text in reasons.items() if name.startswith(begin))
        assert reason in str(error), name
        assert isinstance(error, NotServed) == ("HTTP" in str(error)), name
    assert len(refused) == len(reasons)


@pytest.mark.parametrize("name", ["MSFT-dividends", "NVDA-split"])
def test_yahoo_year_with_dividends_or_a_split_has_the_close_that_was_traded(recorded, yahoo, name):
    _, symbol, _, body, start = next(c for c in charts(recorded) if name in c[0])
    result = body["chart"]["result"][0]
    assert result["events"]
    now = pd.Timestamp(result["timestamp"][-1], unit="s", tz="UTC") + pd.Timedelta(hours=8)
    since = pd.Timestamp(start, unit="s", tz="UTC")
    bars = yahoo.fetch(body, Instrument(symbol, "index"), since=since, now=now)
    closes = result["indicators"]["quote"][0]["close"]
    assert bars.frame["close"].tolist() == closes
    assert closes != result["indicators"]["adjclose"][0]["adjclose"]
    assert findings(bars) == ()


BAD = {
    "4063-T-1d-bad-stock-split": "2023-03-29",
    "AET-L-1d-100x-error": "2022-05-09",
    "ALPHA-PA-1d-bad-stock-split": "2023-05-08",
    "CNE-L-1d-bad-stock-split": "2023-05-09",
    "LA-V-1d-bad-stock-split": "2020-08-26",
    "SSW-JO-1d-100x-error": "2023-06-01",
}


@pytest.mark.parametrize("name", BAD)
def test_yahoo_bars_in_another_unit_or_split_are_served_with_a_warning_and_its_date(
    recorded, yahoo, name
):
    table = pd.read_csv(recorded / "yfinance_bad" / f"{name}.csv").iloc[::-1]
    days = pd.to_datetime(table["Date"].str[:10]).sort_values()
    table = table.loc[days.index]
    body = _chart_of(table, days)
    now = days.iloc[-1].tz_localize("UTC") + pd.Timedelta(days=1, hours=1)
    since = days.iloc[0].tz_localize("UTC")
    bars = yahoo.fetch(body, Instrument("BAD", "index"), since=since, now=now)
    jumps = [finding for finding in findings(bars) if finding.check == "jump"]
    assert len(jumps) == 1
    assert BAD[name] in jumps[0].text
    assert "a split or a redenomination may not be adjusted for" in jumps[0].text


def _chart_of(table, days):
    opens = (days + pd.Timedelta(hours=9, minutes=30)).dt.tz_localize(NEW_YORK)
    times = [int(instant.timestamp()) for instant in opens]
    meta = {
        "currency": "USD",
        "symbol": "BAD",
        "exchangeTimezoneName": NEW_YORK,
        "instrumentType": "EQUITY",
        "firstTradeDate": times[0],
        "dataGranularity": "1d",
    }
    quote = {column: table[column.capitalize()].tolist() for column in COLUMNS}
    indicators = {"quote": [quote], "adjclose": [{"adjclose": table["Adj Close"].tolist()}]}
    result = {"meta": meta, "timestamp": times, "indicators": indicators}
    return {"chart": {"result": [result], "error": None}}


def listing(folder, name):
    """Return a recorded list of markets, from the line of URL, instant and body."""
    path = next(folder.glob(f"exchanges/cryptofeed_{name}_*"))
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as file:
        return file.readline().partition(" -> ")[2].partition(": ")[2].strip()


@contextmanager
def exchange_that_answers(name, *, markets, candles, now, client=None):
    def route(request: Request) -> Answer:
        if "OHLC" in request.path or "candles" in request.path or "klines" in request.path:
            return Answer(candles.encode())
        is_list = any(part in request.path for part in ("AssetPairs", "products", "exchangeInfo"))
        return Answer(markets.encode() if is_list else b'{"error": [], "result": {}}')

    server = Server(route)
    with serving(server) as address:
        made = getattr(ccxt, name)({"rateLimit": 0.01})
        made.urls["api"] = redirected(made.urls["api"], address)
        yield Exchange(name, client=made, clock=lambda: now, patience=ONCE), made


def kraken_markets(folder):
    """Return Kraken's pairs of 2021 as of today: with a status, and without dark pools."""
    told = json.loads(listing(folder, "KRAKEN"))
    told["result"] = {
        name: {**pair, "status": "online"}
        for name, pair in told["result"].items()
        if not name.endswith(".d")
    }
    return json.dumps(told)


@pytest.fixture
def minutes(monkeypatch):
    """Minute bars, which nobody trades on here but recordings are of."""
    monkeypatch.setitem(BAR_LENGTHS, "1m", pd.Timedelta(minutes=1))


@pytest.mark.parametrize(
    ("file", "pair", "instrument"),
    [
        ("kraken_ohlc_xchange.json", "XXBTZUSD", coin("BTC")),
        ("nautilus_kraken_http_ohlc.json", "XBTUSDT", coin("BTC-USDT")),
    ],
)
def test_kraken_candles_are_all_but_the_one_in_progress(recorded, minutes, file, pair, instrument):
    text = (recorded / "exchanges" / file).read_text()
    rows, last = (json.loads(text)["result"][key] for key in (pair, "last"))
    assert rows[-1][0] == last + 60  # Kraken itself calls the one before it the last
    now = pd.Timestamp(rows[-1][0] + 30, unit="s", tz="UTC")
    markets = kraken_markets(recorded)
    with exchange_that_answers("kraken", markets=markets, candles=text, now=now) as (vendor, _):
        since = pd.Timestamp(rows[0][0], unit="s", tz="UTC")
        bars = vendor.fetch(instrument, timeframe="1m", since=since)
    expected = np.array([[*row[1:5], row[6]] for row in rows[:-1]], dtype=float)
    np.testing.assert_array_equal(bars.frame.to_numpy(), expected)
    assert bars.frame.index[-1] == pd.Timestamp(last, unit="s", tz="UTC")
    assert bars.notes == ()


def test_kraken_candles_of_another_pair_are_none(recorded, minutes):
    text = (recorded / "exchanges" / "nautilus_kraken_http_ohlc.json").read_text()
    now = pd.Timestamp("2025-11-11", tz="UTC")
    markets = kraken_markets(recorded)
    with (
        exchange_that_answers("kraken", markets=markets, candles=text, now=now) as (vendor, _),
        pytest.raises(NotServed, match="kraken BTC/USD: no bars from"),
    ):
        vendor.fetch(coin("BTC"), timeframe="1m", since=now - pd.Timedelta(hours=1))


def test_coinbase_exchange_candles_are_sorted_and_in_our_order(recorded, minutes):
    text = (recorded / "exchanges" / "coinbaseexchange_candles_xchange.json").read_text()
    rows = json.loads(text)[::-1]
    now = pd.Timestamp(rows[-1][0] + 60, unit="s", tz="UTC")
    markets = listing(recorded, "COINBASE")
    with exchange_that_answers("coinbaseexchange", markets=markets, candles=text, now=now) as (
        vendor,
        _,
    ):
        since = pd.Timestamp(rows[0][0], unit="s", tz="UTC")
        bars = vendor.fetch(coin("BTC"), timeframe="1m", since=since)
    low, high, opens, close, volume = (
        np.array([row[at] for row in rows], dtype=float) for at in range(1, 6)
    )
    expected = np.column_stack([opens, high, low, close, volume])
    np.testing.assert_array_equal(bars.frame.to_numpy(), expected)


@pytest.mark.parametrize(
    ("name", "file", "key"),
    [
        ("coinbase", "nautilus_coinbase_http_candles.json", "start"),
        ("bitstamp", "bitstamp_ohlc_real_2026-09-27.json", "timestamp"),
    ],
)
def test_hourly_candles_in_text_are_read_whatever_their_order(recorded, name, file, key):
    body = json.loads((recorded / "exchanges" / file).read_text())
    rows = sorted(
        body["candles"] if name == "coinbase" else body["data"]["ohlc"], key=lambda r: r[key]
    )
    since = pd.Timestamp(int(rows[0][key]), unit="s", tz="UTC")
    server = exchange_server(name, [])
    server.fault(as_json(body), when=is_page, times=10**9)
    with serving(server) as address:
        vendor = Exchange(
            name,
            client=client_for(name, address),
            clock=lambda: since + pd.Timedelta(hours=2),
            patience=ONCE,
        )
        bars = vendor.fetch(coin("BTC"), timeframe="1h", since=since)
    expected = [[float(row[column]) for column in COLUMNS] for row in rows]
    np.testing.assert_array_equal(bars.frame.to_numpy(), expected)


def test_binance_market_list_tells_what_is_traded_and_what_was(recorded):
    candles = (recorded / "exchanges" / "nautilus_binance_klines_response.json").read_text()
    markets = listing(recorded, "BINANCE")
    now = pd.Timestamp("2021-10-12", tz="UTC")
    with exchange_that_answers("binance", markets=markets, candles=candles, now=now) as (_, client):
        configure(client, ONCE).load_markets()
        found = {
            name: market_of(client, coin(name), timeframe="1d", exchange="binance")
            for name in ("BTC", "LEND", "HC")
        }
        rows = client.fetch_ohlcv("BTC/USDT", "1w")
    assert {name: market.is_active for name, market in found.items()} == {
        "BTC": True,
        "LEND": False,
        "HC": False,
    }
    assert found["BTC"].page_bars == 1_000
    # the example of Binance's own documentation
    assert rows == [[1499040000000, 0.0163479, 0.8, 0.015758, 0.015771, 148976.11427815]]


def test_bitstamp_market_list_of_before_is_one_error(recorded):
    """Its list of 2022 lacks what ccxt reads today: an error, no market of nothing."""
    markets, server = listing(recorded, "BITSTAMP"), exchange_server("bitstamp", [])
    server.fault(Answer(markets.encode()), when=lambda _: True, times=10**9)
    with serving(server) as address:
        vendor = Exchange("bitstamp", client=client_for("bitstamp", address), patience=ONCE)
        with pytest.raises(DataError, match="bitstamp BTC-USD: the answer cannot be used"):
            vendor.fetch(coin("BTC"), timeframe="1d")
