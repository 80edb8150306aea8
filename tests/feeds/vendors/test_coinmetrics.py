"""CoinMetrics' community data through a loopback server in its format."""

import time
from contextlib import contextmanager
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pytest

from feeds.errors import DataError, NotServed, Unreachable
from feeds.instruments import coin, index
from feeds.vendors.coinmetrics import PATH, CoinMetrics
from feeds.vendors.registry import open_vendor
from feeds.vendors.request_policy import ADDRESSES, Patience, use_addresses
from tests.feeds.vendors.loopback import Answer, Request, Server, as_json, serving
from tests.feeds.vendors.strange import strange_answers

NOW = pd.Timestamp("2024-06-30 12:00", tz="UTC")
BTC = coin("BTC")
ONCE = Patience(attempts=1, connect_attempts=1, first_wait=0.0, longest_wait=0.0)


def rows_of(days, asset="btc"):
    return [
        {
            "asset": asset,
            "time": f"{day:%Y-%m-%d}T00:00:00.000000000Z",
            "PriceUSD": f"{100 + number}.25",
            "CapMrktCurUSD": f"{(100 + number) * 1000}.5",
        }
        for number, day in enumerate(days)
    ]


ROWS = rows_of(pd.date_range("2024-06-01", "2024-06-29"))


@contextmanager
def coinmetrics(rows=ROWS, *, page=10_000, next_host="", fault=None, spacing=0.0):
    """Open a server whose pages hold `page` rows, and the vendor that asks it."""

    def route(request: Request) -> Answer:
        if request.path != PATH or request.query["assets"] != "btc":
            error = {"type": "bad_parameter", "message": "Value is not supported."}
            return as_json({"error": error}, status=400)
        start = request.query.get("start_time", "")
        there = [row for row in rows if str(row["time"])[:10] >= start]
        first = int(request.query.get("next_page_token", 0))
        body = {"data": there[first : first + page]}
        if first + page < len(there):
            query = urlencode({**request.query, "next_page_token": first + page})
            body["next_page_token"] = str(first + page)
            body["next_page_url"] = f"{next_host or address}{PATH}?{query}"
        return as_json(body)

    server = Server(route)
    if fault is not None:
        server.fault(fault, when=lambda _: True, times=10**9)
    with serving(server) as address:
        yield (
            CoinMetrics(address=address, patience=ONCE, clock=lambda: NOW, spacing_seconds=spacing),
            server,
        )


def test_fetch_makes_bars_of_closes_with_market_cap_and_no_volume():
    with coinmetrics() as (vendor, _):
        bars = vendor.fetch(BTC, timeframe="1d")
    frame = bars.frame
    assert list(frame.index) == list(pd.date_range("2024-06-01", "2024-06-29", tz="UTC"))
    assert frame["close"].tolist() == [100.25 + number for number in range(29)]
    assert frame["open"].tolist() == [100.25, *frame["close"].iloc[:-1]]
    assert (frame["high"] == np.maximum(frame["open"], frame["close"])).all()
    assert (frame["low"] == np.minimum(frame["open"], frame["close"])).all()
    assert frame["volume"].isna().all()
    assert frame["market_cap"].iloc[2] == 102_000.5
    assert (bars.source, bars.origin) == ("coinmetrics", "coinmetrics BTC-USD")
    assert bars.is_close_only
    (note,) = bars.notes
    assert note.startswith("coinmetrics BTC-USD: closes only: open is the last close")


@pytest.mark.parametrize("next_host", ["", ADDRESSES["coinmetrics"]])
def test_fetch_in_pages_equals_one_page_and_stays_on_its_host(next_host):
    with coinmetrics() as (vendor, _):
        whole = vendor.fetch(BTC, timeframe="1d")
    with coinmetrics(page=10, next_host=next_host) as (vendor, server):
        assert vendor.fetch(BTC, timeframe="1d").sha256 == whole.sha256
        assert [r.query.get("next_page_token") for r in server.requests] == [None, "10", "20"]


def test_fetch_since_a_day_equals_the_end_of_the_whole():
    with coinmetrics() as (vendor, server):
        whole = vendor.fetch(BTC, timeframe="1d").frame
        since = pd.Timestamp("2024-06-20", tz="UTC")
        part = vendor.fetch(BTC, timeframe="1d", since=since).frame
        pd.testing.assert_frame_equal(part, whole.loc[since:], check_freq=False)
        assert server.requests[-1].query["start_time"] == "2024-06-13"


def test_fetch_over_a_day_without_a_price_opens_at_the_last_close_and_says_so():
    rows = [dict(row) for row in ROWS]
    rows[10]["PriceUSD"] = None
    rows[12]["CapMrktCurUSD"] = None
    with coinmetrics(rows) as (vendor, _):
        bars = vendor.fetch(BTC, timeframe="1d")
    assert len(bars) == 28
    assert bars.frame["open"].iloc[10] == bars.frame["close"].iloc[9]
    assert np.isnan(bars.frame["market_cap"].loc["2024-06-13"])
    assert any("a price is missing: 1 bar, 2024-06-11" in note for note in bars.notes)
    assert any("market_cap is empty, so unknown: 1 bar of 28" in note for note in bars.notes)


def test_fetch_of_the_same_row_twice_takes_it_once_and_says_so():
    with coinmetrics([*ROWS[:5], *ROWS[4:]]) as (vendor, _):
        bars = vendor.fetch(BTC, timeframe="1d")
    assert len(bars) == 29
    assert "left out, the same bar twice: 1 bar, 2024-06-05" in " ".join(bars.notes)


def test_fetch_of_days_in_another_order_is_the_same():
    with coinmetrics() as (vendor, _):
        whole = vendor.fetch(BTC, timeframe="1d")
    with coinmetrics(ROWS[::-1]) as (vendor, _):
        assert vendor.fetch(BTC, timeframe="1d").sha256 == whole.sha256


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"asset": "eth"}, "asked for btc, a row is of 'eth'"),
        ({"time": "2024-06-05T12:00:00.000000000Z"}, "is not the start of a day"),
        ({"time": None}, "None is not the start of a day"),
        ({"PriceUSD": 12.5}, "column `PriceUSD`: 12.5 is no number"),
        ({"PriceUSD": "NaN"}, "column `PriceUSD`: 'NaN' is no number"),
        ({"PriceUSD": "1" * 400}, "column `PriceUSD`"),
        ({"CapMrktCurUSD": "1,000"}, "column `CapMrktCurUSD`: '1,000' is no number"),
        ({"time": ROWS[5]["time"]}, "two different bars of 2024-06-06"),
    ],
)
def test_fetch_of_a_row_that_cannot_be_is_refused_with_its_value(changes, reason):
    rows = [dict(row) for row in ROWS]
    rows[4] |= changes
    with coinmetrics(rows) as (vendor, _), pytest.raises(DataError, match=reason) as error:
        vendor.fetch(BTC, timeframe="1d")
    assert str(error.value).startswith("coinmetrics BTC-USD: ")


@pytest.mark.parametrize(
    "address", ["https://evil.example/v4/x?next_page_token=1", "http://[", 7, ["x"], "/v4?a=1"]
)
def test_fetch_is_not_sent_to_another_host(address):
    fault = as_json({"data": ROWS, "next_page_url": address})
    with coinmetrics(fault=fault) as (vendor, server), pytest.raises(DataError):
        vendor.fetch(BTC, timeframe="1d")
    assert len(server.requests) == 1


def test_fetch_of_pages_without_end_is_given_up():
    with coinmetrics() as (vendor, server):

        def again(_):
            url = f"{vendor._address}{PATH}?assets=btc&next_page_token=1"
            return as_json({"data": ROWS, "next_page_url": url})

        server.fault(again, when=lambda _: True, times=10**9)
        with pytest.raises(DataError, match="the same page came twice"):
            vendor.fetch(BTC, timeframe="1d")
    assert len(server.requests) == 2


def test_fetch_of_a_strange_answer_is_the_same_closes_or_one_error():
    with coinmetrics() as (vendor, server):
        whole = vendor.fetch(BTC, timeframe="1d").frame["close"]
        for strange in strange_answers(server.answer(server.requests[0]), count=40, seed=3):
            server.fault(strange, when=lambda _: True, times=1)
            try:
                closes = vendor.fetch(BTC, timeframe="1d").frame["close"]
            except DataError as error:
                text = str(error)
            else:
                text = ""
                changed = closes[closes.ne(whole.reindex(closes.index))]
                assert changed.tolist() in ([], [1e5])  # "1e5" is a price
            assert text.isprintable()
            assert "\n" not in text


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (403, NotServed, "refused here"),
        (429, Unreachable, "HTTP 429"),
        (418, Unreachable, "HTTP 418"),
        (500, Unreachable, "HTTP 500"),
    ],
)
def test_fetch_that_is_refused_or_put_off_says_so(status, kind, reason):
    with (
        coinmetrics(fault=as_json({"error": {}}, status=status)) as (vendor, _),
        pytest.raises(kind, match=rf"^coinmetrics BTC-USD: {reason}"),
    ):
        vendor.fetch(BTC, timeframe="1d")


@pytest.mark.parametrize(
    ("instrument", "timeframe", "reason"),
    [
        (coin("NOSUCH"), "1d", "not known there"),
        (coin("BTC-EUR"), "1d", "only daily bars of coins in USD"),
        (index("RUT"), "1d", "only daily bars of coins in USD"),
        (BTC, "1h", "only daily bars of coins in USD are there, asked for 1h"),
    ],
)
def test_fetch_of_what_is_not_there_says_so(instrument, timeframe, reason):
    with coinmetrics() as (vendor, _), pytest.raises(NotServed, match=reason):
        vendor.fetch(instrument, timeframe=timeframe)


@pytest.mark.parametrize("rows", [[], rows_of(pd.date_range("2024-06-01", "2024-06-20"))])
def test_fetch_of_prices_that_ended_is_refused(rows):
    with coinmetrics(rows) as (vendor, _), pytest.raises(NotServed, match="no price|end 2024-06-2"):
        vendor.fetch(BTC, timeframe="1d")


def test_fetch_keeps_to_the_rate_that_is_allowed():
    with coinmetrics(page=10, spacing=0.1) as (vendor, _):
        started = time.monotonic()
        vendor.fetch(BTC, timeframe="1d")
    assert time.monotonic() - started >= 0.2


def test_fetch_asks_the_mirror_that_is_set():
    with coinmetrics() as (vendor, server):
        use_addresses({"coinmetrics": vendor._address})
        try:
            fresh = pd.Timestamp.now(tz="UTC").floor("D") - pd.Timedelta(days=2)
            with pytest.raises(NotServed, match="prices end 2024-06-29|no price"):
                open_vendor("coinmetrics").fetch(BTC, timeframe="1d", since=fresh)
        finally:
            use_addresses({})
    assert len(server.requests) == 1
