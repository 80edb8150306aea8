"""The cache in front of the real yfinance and ccxt clients, against loopback servers."""

from contextlib import contextmanager

import pandas as pd
import pytest

from feeds.cache.store import Key, TableStore
from feeds.cache.updates import Cache
from feeds.errors import Unreachable
from feeds.instruments import coin, index
from feeds.live import Live
from feeds.vendors.exchange import Exchange
from feeds.vendors.exchanges import Exchanges
from feeds.vendors.request_policy import Patience, Reach
from feeds.vendors.yahoo import Yahoo
from tests.feeds.vendors.exchange_servers import client_for, exchange_server, is_page
from tests.feeds.vendors.loopback import HOUR_MS, Answer, candles, serving
from tests.feeds.vendors.yahoo_server import (
    LoopbackSession,
    chart_request,
    session_rows,
    yahoo_server,
)
from tests.scripted import Clock

RUT, BTC = index("RUT"), coin("BTC")
IMPATIENT = Patience(
    connect_timeout=0.5,
    read_timeout=0.5,
    request_seconds=0.5,
    attempts=2,
    first_wait=0.0,
    longest_wait=0.0,
)


def live(folder, clock, vendor, name):
    return Live(
        Cache(folder, clock=clock),
        vendor=name,
        open_vendor=lambda _: vendor,
        reach=Reach(),
        clock=clock,
    )


@contextmanager
def yahoo(folder, clock, symbols=None):
    server = yahoo_server(symbols or {"^RUT": session_rows("2022-01-03", "2024-06-28")})
    with serving(server) as address:
        session = LoopbackSession(IMPATIENT, address)
        vendor = Yahoo(patience=IMPATIENT, session=session, clock=clock)
        yield vendor, server
        session.close()


@contextmanager
def binance(clock):
    first = int(pd.Timestamp("2024-01-01", tz="UTC").timestamp() * 1000)
    hourly = candles(first=first, count=4_000, step=HOUR_MS)
    daily = candles(first=first, count=180, step=24 * HOUR_MS)
    server = exchange_server("binance", daily, hourly=hourly)
    with serving(server) as address:

        def opened(name):
            client = client_for("binance", address)
            return Exchange(name, client=client, clock=clock, patience=IMPATIENT)

        yield Exchanges(("binance",), open_exchange=opened), server


def test_yahoo_grown_in_steps_equals_one_full_fetch(tmp_path):
    clock = Clock("2024-06-20 22:00")
    with yahoo(tmp_path, clock) as (vendor, server):
        for day in ("2024-06-20", "2024-06-21", "2024-06-24", "2024-06-28"):
            clock.set(f"{day} 22:00")
            grown = live(tmp_path, clock, vendor, "yahoo").load(RUT, timeframe="1d")
        starts = [int(r.query["period1"]) for r in server.requests if chart_request(r)]
        fresh = vendor.fetch(RUT, timeframe="1d")
    assert grown.sha256 == fresh.sha256
    assert len(grown) == len(session_rows("2022-01-03", "2024-06-28"))
    assert pd.Timestamp(starts[-1], unit="s") >= pd.Timestamp("2024-06-10")
    about = TableStore(tmp_path).manifest(Key("yahoo", "RUT", "1d")).about
    assert about.revisions == 0
    assert [event for event in about.events if event.kind != "note"] == []


def test_yahoo_index_served_again_replaces_the_fund_that_stood_in(tmp_path):
    """Their price levels differ, so the two must never stand in one table."""
    rows = session_rows("2024-01-02", "2024-06-28")
    dear = [{k: v * (1 if k in ("timestamp", "volume") else 9) for k, v in r.items()} for r in rows]
    symbols, clock, value_index = {"IWN": rows}, Clock("2024-06-27 22:00"), index("RUJ")
    with yahoo(tmp_path, clock, symbols) as (vendor, _):
        fund = live(tmp_path / "held", clock, vendor, "yahoo").load(value_index, timeframe="1d")
        clock.set("2024-06-28 22:00")
        symbols["^RUJ"] = dear
        updated = live(tmp_path / "held", clock, vendor, "yahoo").load(value_index, timeframe="1d")
        anew = live(tmp_path / "anew", clock, vendor, "yahoo").load(value_index, timeframe="1d")
    assert (fund.origin, updated.origin) == ("yahoo IWN", "yahoo ^RUJ")
    assert updated.sha256 == anew.sha256
    assert updated.notes == anew.notes


def test_exchange_grown_in_steps_equals_one_full_fetch(tmp_path):
    clock = Clock("2024-03-01 00:30")
    with binance(clock) as (vendor, server):
        for day in ("03-01", "03-02", "03-30"):
            clock.set(f"2024-{day} 00:30")
            grown = live(tmp_path, clock, vendor, "exchange").load(BTC, timeframe="1h")
        fresh = vendor.fetch(BTC, timeframe="1h")
        pages = sum(map(is_page, server.requests))
    assert grown.sha256 == fresh.sha256
    assert len(grown) == 24 * 89
    assert grown.source == "binance"
    assert pages < 40
    about = TableStore(tmp_path).manifest(Key("exchange", "BTC-USD", "1h")).about
    assert [event for event in about.events if event.kind != "note"] == []


def test_exchange_failing_in_the_middle_stores_nothing_and_is_completed_later(tmp_path):
    clock = Clock("2024-05-01 00:30")
    with binance(clock) as (vendor, server):
        server.fault(
            Answer(b"", status=503), when=lambda r: is_page(r) and _starts_late(r), times=10**9
        )
        with pytest.raises(Unreachable):
            live(tmp_path, clock, vendor, "exchange").load(BTC, timeframe="1h")
    assert TableStore(tmp_path).held_keys() == []
    with binance(clock) as (vendor, _):
        bars = live(tmp_path, clock, vendor, "exchange").load(BTC, timeframe="1h")
    assert len(bars) == 24 * 121


def _starts_late(request):
    start = pd.Timestamp(int(request.query.get("startTime", 0)), unit="ms")
    return request.query.get("interval") == "1h" and start > pd.Timestamp("2024-02-01")
