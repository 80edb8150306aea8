"""What an exchange could answer and should not, through the real ccxt clients."""

import json
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pandas as pd
import pytest

from feeds.errors import DataError, Unreachable
from feeds.instruments import coin
from feeds.vendors.exchange import Exchange
from feeds.vendors.exchanges import ORDER, Exchanges
from feeds.vendors.registry import open_vendor
from feeds.vendors.request_policy import Patience
from tests.feeds.vendors.exchange_servers import client_for, exchange_server, is_page
from tests.feeds.vendors.loopback import DAY_MS, Answer, as_json, candles, serving
from tests.feeds.vendors.strange import strange_answers

BTC = coin("BTC")
NOW = pd.Timestamp("2024-06-30 12:00", tz="UTC")
SINCE = pd.Timestamp("2024-05-30", tz="UTC")
MONTH = candles(first=int(SINCE.timestamp() * 1000), count=32)
ONCE = Patience(attempts=1, connect_attempts=1, first_wait=0.0, longest_wait=0.0)
HASTY = replace(ONCE, request_seconds=0.3)


@contextmanager
def exchange(name, rows=MONTH, *, fault=None, when=is_page, patience=ONCE, active=True):
    server = exchange_server(name, rows, active=active)
    if fault is not None:
        server.fault(fault, when=when, times=10**9)
    with serving(server) as address:
        client = client_for(name, address)
        yield Exchange(name, client=client, clock=lambda: NOW, patience=patience), server


@pytest.mark.parametrize("name", ORDER)
def test_fetch_of_a_strange_page_never_changes_another_bar_or_is_one_error(name):
    with exchange(name) as (vendor, server):
        whole = vendor.fetch(BTC, timeframe="1d", since=SINCE).frame
        page = server.answer(next(r for r in server.requests if is_page(r)))
        for strange in strange_answers(page, count=20, seed=4):
            server.fault(strange, when=is_page, times=10**9)
            text = ""
            try:
                bars = vendor.fetch(BTC, timeframe="1d", since=SINCE)
            except DataError as error:
                text = str(error)
            else:
                changed = bars.frame.ne(whole.reindex(bars.frame.index)) & bars.frame.notna()
                assert changed.to_numpy().sum() <= 1
            assert text.isprintable()
            server.forgive()


@pytest.mark.parametrize("name", ORDER)
def test_fetch_of_a_strange_list_of_markets_is_the_same_bars_or_one_error(name):
    with exchange(name) as (vendor, server):
        whole = vendor.fetch(BTC, timeframe="1d", since=SINCE)
        lists = [r for r in server.requests if not is_page(r)]
        request = max(lists, key=lambda r: len(server.answer(r).body))
        for strange in strange_answers(server.answer(request), count=8, seed=5):
            server.fault(strange, when=lambda r: r.path == request.path, times=10**9)
            fresh = Exchange(
                name,
                client=client_for(name, server.address),
                clock=lambda: NOW,
                patience=ONCE,
            )
            text = ""
            try:
                assert fresh.fetch(BTC, timeframe="1d", since=SINCE).sha256 == whole.sha256
            except DataError as error:
                text = str(error)
            assert text.isprintable()
            server.forgive()


@pytest.mark.parametrize("digits", ["253402300800", '"-99999999999"'])
def test_fetch_of_a_market_with_endless_decimals_does_not_hang(digits):
    def endless(answer):
        return replace(
            answer,
            body=answer.body.replace(b'"base_decimals": 8', b'"base_decimals": ' + digits.encode()),
        )

    started = time.monotonic()
    with (
        exchange("bitstamp", fault=endless, when=lambda _: True) as (vendor, _),
        pytest.raises(DataError, match="bitstamp BTC-USD: the answer cannot be used"),
    ):
        vendor.fetch(BTC, timeframe="1d", since=SINCE)
    assert time.monotonic() - started < 8


def test_fetch_answered_with_another_pair_is_refused():
    def other(answer):
        body = json.loads(answer.body)
        body["data"]["pair"] = "ETH/USD"
        return as_json(body)

    with (
        exchange("bitstamp", fault=other) as (vendor, _),
        pytest.raises(DataError, match="bitstamp BTC/USD: the answer is of 'ETH/USD'"),
    ):
        vendor.fetch(BTC, timeframe="1d", since=SINCE)


def test_fetch_a_byte_at_a_time_is_given_up():
    slow = Answer(b"[" + b" " * 500 + b"]", drip=0.05)
    started = time.monotonic()
    with (
        exchange("binance", fault=slow, patience=HASTY) as (vendor, _),
        pytest.raises(Unreachable, match="binance BTC/USDT: .*tried once"),
    ):
        vendor.fetch(BTC, timeframe="1d", since=SINCE)
    assert time.monotonic() - started < 8


def test_fetch_of_many_slow_pages_ends_with_the_download():
    rows = candles(first=int(pd.Timestamp("2014-01-01").timestamp() * 1000), count=3_833)
    patient = replace(ONCE, fetch_seconds=0.5)
    with (
        exchange("coinbase", rows, fault=lambda a: replace(a, delay=0.2), patience=patient) as (
            vendor,
            server,
        ),
        pytest.raises(Unreachable, match=r"coinbase BTC/USD: the download took over 0.5 seconds"),
    ):
        vendor.fetch(BTC, timeframe="1d", since=pd.Timestamp("2014-01-01", tz="UTC"))
    assert 1 <= sum(map(is_page, server.requests)) < 12


@pytest.mark.parametrize("status", [418, 429, 502])
def test_fetch_that_is_put_off_says_so(status):
    with (
        exchange("binance", fault=as_json({}, status=status)) as (vendor, _),
        pytest.raises(Unreachable, match=f"binance BTC/USDT: HTTP {status}"),
    ):
        vendor.fetch(BTC, timeframe="1d", since=SINCE)


@pytest.mark.parametrize("target", ["/api/v3/klines?symbol=BTCUSDT", "http://example.org/x"])
def test_fetch_that_is_redirected_without_end_or_off_https_is_an_error(target):
    away = Answer(b"", status=302, headers={"Location": target})
    with exchange("binance", fault=away) as (vendor, _), pytest.raises(DataError, match="binance"):
        vendor.fetch(BTC, timeframe="1d", since=SINCE)


@pytest.mark.parametrize("name", ["binance", "coinbase", "bitstamp"])
def test_fetch_of_a_coin_no_longer_traded_has_what_was_and_says_so(name):
    rows = candles(first=int(SINCE.timestamp() * 1000), count=12)
    with exchange(name, rows, active=False) as (vendor, _):
        bars = vendor.fetch(BTC, timeframe="1d", since=SINCE)
    assert len(bars) == 12
    assert any("no longer traded there, the last bar is 2024-06-10" in note for note in bars.notes)


@contextmanager
def several(**given):
    """Open exchanges by name, each with its rows and whether it still trades the coin."""
    with ExitStack() as stack:
        opened = {
            name: stack.enter_context(exchange(name, rows, active=active))[0]
            for name, (rows, active) in given.items()
        }
        yield Exchanges(tuple(given), open_exchange=opened.__getitem__)


def test_exchanges_take_one_that_ended_only_after_all_others():
    ended = candles(first=MONTH[0][0] - 20 * DAY_MS, count=30)
    with several(binance=(ended, False), coinbase=(MONTH, True)) as vendor:
        bars = vendor.fetch(BTC, timeframe="1d")
        assert (bars.source, len(bars)) == ("coinbase", 31)
        assert "binance BTC/USDT: no longer traded there" in bars.notes[0]
    with several(binance=(ended, False)) as vendor:
        bars = vendor.fetch(BTC, timeframe="1d")
        assert (bars.source, len(bars)) == ("binance", 30)


@pytest.mark.parametrize("name", ORDER)
def test_open_vendor_gives_each_exchange_by_its_name(name):
    assert open_vendor(name).name == name


def test_open_vendor_tells_the_watcher_how_far_a_history_has_got():
    steps = []
    for name in ("exchange", "binance"):
        vendor = open_vendor(name, watch=steps.append)
        exchange_of = vendor._exchange("binance") if name == "exchange" else vendor
        with exchange("binance") as (_, server):
            exchange_of._client.urls = client_for("binance", server.address).urls
            exchange_of._clock = lambda: NOW
            vendor.fetch(BTC, timeframe="1d", since=SINCE)
    assert [(step.vendor, step.symbol, step.bars) for step in steps] == [
        ("binance", "BTC-USD", 32)
    ] * 2
