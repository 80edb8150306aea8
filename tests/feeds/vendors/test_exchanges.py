"""Exchanges with the real ccxt clients against loopback servers in the vendors' formats."""

import logging
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from feeds.checks import findings
from feeds.errors import ConfigError, DataError, NotServed, Unreachable
from feeds.instruments import coin, index
from feeds.vendors.exchange import Exchange
from feeds.vendors.exchanges import Exchanges
from feeds.vendors.request_policy import Patience
from tests.feeds.vendors.exchange_servers import client_for, exchange_server, is_page
from tests.feeds.vendors.loopback import (
    DAY_MS,
    HOUR_MS,
    HTML,
    Answer,
    as_json,
    candles,
    serving,
    silent_address,
)

BTC = coin("BTC")
NOW = pd.Timestamp("2024-06-30 12:00", tz="UTC")
IMPATIENT = Patience(
    connect_timeout=0.5, read_timeout=0.3, attempts=3, first_wait=0.0, longest_wait=0.0
)
SEVERAL_PAGES = {"binance": 2_400, "coinbase": 800, "kraken": 700, "bitstamp": 2_400}
VENDORS = tuple(SEVERAL_PAGES)


def tape(days, *, now=NOW, step=DAY_MS):
    """Return `days` candles, the last one in progress at `now`."""
    last = int(now.timestamp() * 1000) // step * step
    return candles(first=last - (days - 1) * step, count=days, step=step)


def begin_of(rows):
    return pd.Timestamp(rows[0][0], unit="ms", tz="UTC")


@contextmanager
def exchange(name, rows, *, fault=None, when=is_page, times=10**9, **options):
    server = exchange_server(name, rows, **options)
    if fault is not None:
        server.fault(fault, when=when, times=times)
    with serving(server) as address:
        client = client_for(name, address)
        yield Exchange(name, client=client, clock=lambda: NOW, patience=IMPATIENT), server


def assert_complete(bars, rows):
    """All finished rows of the tape, every column, and nothing else."""
    expected = np.array(rows[:-1])
    got = pd.DatetimeIndex(bars.frame.index).as_unit("ms").asi8
    np.testing.assert_array_equal(got, expected[:, 0].astype(np.int64))
    np.testing.assert_array_equal(bars.frame.to_numpy(), expected[:, 1:])


@pytest.mark.parametrize("name", VENDORS)
def test_fetch_over_several_pages_returns_full_history(name, caplog):
    caplog.set_level(logging.INFO)
    rows = tape(SEVERAL_PAGES[name])
    with exchange(name, rows) as (vendor, server):
        bars = vendor.fetch(BTC, timeframe="1d")
    assert_complete(bars, rows)
    assert sum(map(is_page, server.requests)) > 3
    assert bars.source == name
    assert bars.origin.startswith(f"{name} BTC/")
    assert not any("in progress" in note for note in bars.notes)
    assert "still in progress: 1 bar, 2024-06-30" in caplog.text


@pytest.mark.parametrize("name", ["binance", "coinbase", "bitstamp"])
def test_fetch_hourly_finds_the_listing_with_daily_bars(name):
    hours = tape(1_300, step=HOUR_MS)
    days = tape(55)
    with exchange(name, days, hourly=hours) as (vendor, server):
        bars = vendor.fetch(BTC, timeframe="1h")
    assert_complete(bars, hours)
    assert sum(map(is_page, server.requests)) < 35


@pytest.mark.parametrize("name", VENDORS)
def test_fetch_since_a_held_bar_costs_one_page(name):
    rows = tape(SEVERAL_PAGES[name])
    since = NOW.floor("D") - pd.Timedelta(days=5)
    with exchange(name, rows) as (vendor, server):
        bars = vendor.fetch(BTC, timeframe="1d", since=since)
    assert_complete(bars, rows[-6:])
    assert sum(map(is_page, server.requests)) <= 2


def test_fetch_since_before_the_listing_says_where_the_history_begins():
    rows = tape(400)
    with exchange("coinbase", rows) as (vendor, _):
        bars = vendor.fetch(BTC, timeframe="1d", since=pd.Timestamp("2020-01-01", tz="UTC"))
    assert_complete(bars, rows)
    assert any("begins 2023-05-28 00:00, there is none before" in note for note in bars.notes)


def test_fetch_from_kraken_of_a_long_history_is_refused():
    with exchange("kraken", tape(900)) as (vendor, _), pytest.raises(NotServed) as refusal:
        vendor.fetch(BTC, timeframe="1d")
    assert "kraken BTC/USD: serves only its newest" in str(refusal.value)


def test_fetch_from_kraken_since_before_its_newest_is_refused():
    with exchange("kraken", tape(900)) as (vendor, _), pytest.raises(NotServed, match="newest"):
        vendor.fetch(BTC, timeframe="1d", since=NOW.floor("D") - pd.Timedelta(days=800))


def cut(answer):
    return replace(answer, cut=0.6)


def slow(answer):
    return replace(answer, delay=0.6)


def reversed_page(answer):
    import json

    page = json.loads(answer.body)
    return as_json(page[::-1])


TRANSIENT = {
    "429": Answer(b"{}", status=429, headers={"Retry-After": "1"}),
    "500": Answer(b"oops", status=500, content_type="text/plain"),
    "503": Answer(HTML, status=503, content_type="text/html"),
    "html": Answer(HTML, content_type="text/html"),
    "cut": cut,
    "slow": slow,
}


@pytest.mark.parametrize("name", ["binance", "coinbase", "kraken"])
@pytest.mark.parametrize("fault", TRANSIENT)
def test_fetch_through_a_passing_fault_is_complete(name, fault):
    rows = tape(650)
    with exchange(name, rows, fault=TRANSIENT[fault], times=1) as (vendor, _):
        assert_complete(vendor.fetch(BTC, timeframe="1d", since=begin_of(rows)), rows)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *(("binance", fault) for fault in TRANSIENT),
        *((name, fault) for name in ("coinbase", "kraken") for fault in ("503", "html")),
    ],
)
def test_fetch_through_a_lasting_fault_is_one_clear_error(name, fault):
    with (
        exchange(name, tape(650), fault=TRANSIENT[fault]) as (vendor, server),
        pytest.raises(Unreachable) as error,
    ):
        vendor.fetch(BTC, timeframe="1d")
    text = str(error.value)
    assert text.startswith(f"{name} BTC/USD")
    assert "tried 3 times" in text
    assert "--source files" in text
    assert sum(map(is_page, server.requests)) == 3


def test_fetch_that_an_exchange_puts_off_with_status_200_is_tried_again_and_then_says_why():
    fault = as_json({"error": ["EGeneral:Too many requests"]})
    rows = tape(10)
    with exchange("kraken", rows, fault=fault, times=2) as (vendor, _):
        assert_complete(vendor.fetch(BTC, timeframe="1d", since=begin_of(rows)), rows)
    with (
        exchange("kraken", rows, fault=fault) as (vendor, _),
        pytest.raises(Unreachable, match=r"kraken BTC/USD: .*Too many requests.*tried 3 times"),
    ):
        vendor.fetch(BTC, timeframe="1d")


@pytest.mark.parametrize("fault", ["html", "503", "cut"])
def test_fetch_with_faulty_market_list_is_one_clear_error(fault):
    with (
        exchange("binance", tape(10), fault=TRANSIENT[fault], when=lambda _: True) as (vendor, _),
        pytest.raises(Unreachable, match=r"binance BTC-USD: .* Check the network"),
    ):
        vendor.fetch(BTC, timeframe="1d")


@pytest.mark.parametrize("status", [403, 451])
def test_fetch_where_region_is_refused_is_not_retried(status):
    fault = as_json({"code": 0, "msg": "restricted location"}, status=status)
    with (
        exchange("binance", tape(10), fault=fault, when=lambda _: True) as (vendor, server),
        pytest.raises(NotServed, match=rf"binance BTC-USD: refused here \(HTTP {status}\)"),
    ):
        vendor.fetch(BTC, timeframe="1d")
    assert len(server.requests) == 1


@pytest.mark.parametrize(("name", "empty"), [("binance", []), ("coinbase", {"candles": []})])
def test_fetch_with_an_empty_page_in_the_middle_once_is_complete(name, empty):
    rows = tape(2_400)
    middle = page_number(5)
    with exchange(name, rows, fault=as_json(empty), when=middle, times=1) as (vendor, _):
        since = begin_of(rows)
        assert_complete(vendor.fetch(BTC, timeframe="1d", since=since), rows)


@pytest.mark.parametrize(("name", "empty"), [("binance", []), ("coinbase", {"candles": []})])
def test_fetch_with_an_empty_page_in_the_middle_is_an_error(name, empty):
    rows = tape(2_400)
    begin = rows[900][0]

    def late(request):
        start = int(request.query.get("startTime", 0)) or int(request.query.get("start", 0)) * 1000
        return is_page(request) and begin <= start < begin + 300 * DAY_MS

    with (
        exchange(name, rows, fault=as_json(empty), when=late) as (vendor, _),
        pytest.raises(DataError, match=rf"{name} BTC/USD.*: no bars after 20.* they must go on"),
    ):
        vendor.fetch(BTC, timeframe="1d", since=begin_of(rows))


def test_fetch_with_the_page_of_the_listing_empty_once_finds_it_nevertheless():
    rows = tape(800)
    first = rows[0][0]

    def holds_listing(request):
        return is_page(request) and int(request.query["start"]) * 1000 <= first <= (
            int(request.query["end"]) * 1000
        )

    fault = as_json({"candles": []})
    with exchange("coinbase", rows, fault=fault, when=holds_listing, times=1) as (vendor, _):
        assert_complete(vendor.fetch(BTC, timeframe="1d"), rows)


@pytest.mark.parametrize("name", ["binance", "kraken"])
def test_fetch_with_a_repeated_page_is_an_error(name):
    rows = tape(1_500 if name == "binance" else 700)
    server = exchange_server(name, rows[:400])
    with serving(server) as address:
        vendor = Exchange(
            name, client=client_for(name, address), clock=lambda: NOW, patience=IMPATIENT
        )
        with pytest.raises(DataError, match=f"{name} BTC/USD.*empty or repeated page"):
            vendor.fetch(BTC, timeframe="1d")


def test_fetch_of_candles_out_of_order_is_sorted_and_complete():
    rows = tape(1_500)
    with exchange("binance", rows, fault=reversed_page) as (vendor, _):
        assert_complete(vendor.fetch(BTC, timeframe="1d"), rows)


def test_fetch_of_contradicting_candles_is_an_error():
    rows = tape(500)
    rows.insert(100, [rows[100][0], 1.0, 2.0, 0.5, 1.0, 1.0])
    with (
        exchange("binance", rows) as (vendor, _),
        pytest.raises(DataError, match="binance BTC/USDT: two different bars of 2023-05-"),
    ):
        vendor.fetch(BTC, timeframe="1d")


def test_fetch_of_candles_off_the_timeframe_is_an_error():
    rows = tape(500)
    rows[100][0] += HOUR_MS
    with exchange("binance", rows) as (vendor, _), pytest.raises(DataError, match="off the time"):
        vendor.fetch(BTC, timeframe="1d")


def test_fetch_with_missing_days_keeps_the_gap_for_the_checks_to_find():
    rows = tape(500)
    del rows[100:103]
    with exchange("binance", rows) as (vendor, _):
        bars = vendor.fetch(BTC, timeframe="1d")
    assert_complete(bars, rows)
    assert not any("missing" in note for note in bars.notes)
    assert findings(bars)[0].count == 3


def test_fetch_of_a_bar_without_prices_leaves_it_out_with_a_note():
    rows = tape(100)
    rows[-3][1:5] = [0.0] * 4
    with exchange("binance", rows) as (vendor, _):
        bars = vendor.fetch(BTC, timeframe="1d")
    assert len(bars) == 98
    assert any("a price is 0: 1 bar, 2024-06-28" in note for note in bars.notes)


def test_fetch_where_trading_stopped_is_an_error():
    with (
        exchange("binance", tape(1_500)[:-40]) as (vendor, _),
        pytest.raises(DataError, match=r"no bars after 2024-05-21.*no longer trades"),
    ):
        vendor.fetch(BTC, timeframe="1d")


@pytest.mark.parametrize(
    ("instrument", "timeframe", "reason"),
    [
        (coin("NOSUCH"), "1d", "binance NOSUCH-USD: not listed there"),
        (index("RUT"), "1d", "binance RUT: an index is not traded"),
    ],
)
def test_fetch_of_what_is_not_there_says_so(instrument, timeframe, reason):
    with exchange("binance", tape(10)) as (vendor, _), pytest.raises(NotServed, match=reason):
        vendor.fetch(instrument, timeframe=timeframe)


def test_fetch_of_a_timeframe_not_served_lists_the_others():
    with exchange("coinbase", tape(10)) as (vendor, _), pytest.raises(NotServed, match="no 4h"):
        vendor.fetch(BTC, timeframe="4h")


def test_fetch_without_network_fails_within_seconds():
    from tests.feeds.vendors.loopback import closed_address

    client = client_for("binance", closed_address())
    vendor = Exchange("binance", client=client, clock=lambda: NOW, patience=Patience(first_wait=0))
    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"cannot be reached \(tried 2 times\)"):
        vendor.fetch(BTC, timeframe="1d")
    assert time.monotonic() - started < 8


def test_exchange_with_an_unknown_name_suggests_the_nearest():
    with pytest.raises(ConfigError, match=r"received 'binanse'. Did you mean binance"):
        Exchange("binanse")


def test_watch_is_told_after_every_page():
    seen = []
    rows = tape(2_400)
    server = exchange_server("binance", rows)
    with serving(server) as address:
        Exchange(
            "binance", client=client_for("binance", address), clock=lambda: NOW, watch=seen.append
        ).fetch(BTC, timeframe="1d")
    assert [progress.bars for progress in seen] == [1_000, 2_000, 2_400]
    assert seen[0].until == NOW.floor("D") - pd.Timedelta(days=1)


@contextmanager
def several(**tapes):
    """Open loopback exchanges by name; a tape of None refuses the region."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        opened = {}
        for name, rows in tapes.items():
            fault = as_json({}, status=451) if rows is None else None
            opened[name], _ = stack.enter_context(
                exchange(name, rows or [], fault=fault, when=lambda _: True)
            )
        yield Exchanges(tuple(tapes), open_exchange=opened.__getitem__)


def test_exchanges_pass_over_a_refusal_and_record_the_one_used():
    rows = tape(500)
    with several(binance=None, coinbase=rows) as vendor:
        bars = vendor.fetch(BTC, timeframe="1d")
    assert_complete(bars, rows)
    assert bars.source == "coinbase"
    assert any(note.startswith("passed over: binance BTC-USD: refused") for note in bars.notes)


def test_exchanges_pass_over_a_history_that_begins_too_late():
    rows = tape(500)
    with several(binance=rows[100:], kraken=None, bitstamp=rows) as vendor:
        bars = vendor.fetch(BTC, timeframe="1d", since=begin_of(rows))
    assert bars.source == "bitstamp"
    assert_complete(bars, rows)
    assert any("binance BTC-USD: begins 2023-05-28" in note for note in bars.notes)


def test_exchanges_take_the_earliest_where_none_goes_back_far_enough():
    rows = tape(500)
    with several(binance=rows[100:], coinbase=rows) as vendor:
        bars = vendor.fetch(BTC, timeframe="1d", since=pd.Timestamp("2020-01-01", tz="UTC"))
    assert bars.source == "coinbase"
    assert_complete(bars, rows)


def test_exchanges_that_all_refuse_say_why_each():
    with several(binance=None, kraken=tape(900)) as vendor, pytest.raises(NotServed) as error:
        vendor.fetch(BTC, timeframe="1d")
    assert "none of binance, kraken serves it" in str(error.value)
    assert "HTTP 451" in str(error.value)
    assert "newest" in str(error.value)


def test_exchanges_do_not_change_over_a_passing_failure():
    from contextlib import ExitStack

    with ExitStack() as stack:
        down, _ = stack.enter_context(
            exchange("binance", tape(10), fault=Answer(b"", status=503), when=lambda _: True)
        )
        other, server = stack.enter_context(exchange("coinbase", tape(10)))
        vendor = Exchanges(
            ("binance", "coinbase"), open_exchange={"binance": down, "coinbase": other}.__getitem__
        )
        with pytest.raises(Unreachable, match="binance BTC-USD: HTTP 503"):
            vendor.fetch(BTC, timeframe="1d")
    assert server.requests == []


def page_number(number):
    """Return a test that accepts the candle request of that number, from 1."""
    seen = []

    def accepts(request):
        if is_page(request):
            seen.append(request)
        return is_page(request) and len(seen) == number

    return accepts


def test_exchanges_pass_over_a_history_with_a_hole():
    rows = tape(900)
    with several(coinbase=rows[:200] + rows[600:], bitstamp=rows) as vendor:
        bars = vendor.fetch(BTC, timeframe="1d")
    assert bars.source == "bitstamp"
    assert_complete(bars, rows)
    assert any("coinbase BTC/USD: no bars after" in note for note in bars.notes)


def test_fetch_from_a_host_that_never_answers_a_connection_fails_within_seconds():
    with silent_address() as address:
        vendor = Exchange(
            "binance",
            client=client_for("binance", address),
            clock=lambda: NOW,
            patience=Patience(connect_timeout=0.2, first_wait=0.0),
        )
        started = time.monotonic()
        with pytest.raises(Unreachable, match=r"cannot be reached \(tried 2 times\)"):
            vendor.fetch(BTC, timeframe="1d")
        assert time.monotonic() - started < 8


def test_fetch_of_two_coins_at_once_keeps_them_apart():
    from concurrent.futures import ThreadPoolExecutor

    rows = tape(2_400)
    with exchange("binance", rows) as (vendor, _), ThreadPoolExecutor(2) as pool:
        many = [pool.submit(vendor.fetch, BTC, timeframe="1d") for _ in range(2)]
        for done in many:
            assert_complete(done.result(), rows)
