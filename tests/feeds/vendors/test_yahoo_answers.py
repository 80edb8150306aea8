"""What Yahoo could answer and should not: every answer ends in bars that are right or one error."""

import contextlib
import gzip
import os
import pickle
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feeds.errors import DataError, NotServed, Unreachable
from feeds.instruments import coin, index
from feeds.vendors.request_policy import Patience
from feeds.vendors.yahoo import Yahoo
from tests.feeds.vendors.loopback import Answer, as_json, serving
from tests.feeds.vendors.strange import strange_answers
from tests.feeds.vendors.yahoo_server import (
    LoopbackSession,
    any_chart,
    chart_request,
    rows_at,
    session_rows,
    yahoo_server,
)

NOW = pd.Timestamp("2024-06-28 18:00", tz="UTC")
ONCE = Patience(attempts=1, connect_attempts=1, first_wait=0.0, longest_wait=0.0)
HASTY = replace(ONCE, connect_timeout=0.3, read_timeout=0.3, request_seconds=0.3)
RUT, BTC = index("RUT"), coin("BTC")
RUT_ROWS = session_rows("2024-05-01", "2024-06-28")
BTC_ROWS = rows_at(pd.date_range("2024-05-17", "2024-06-28", tz="UTC"))


@contextmanager
def yahoo(symbols=None, *, patience=ONCE, **meta):
    server = yahoo_server(symbols or {"^RUT": RUT_ROWS, "BTC-USD": BTC_ROWS}, **meta)
    with serving(server) as address:
        session = LoopbackSession(patience, address)
        yield Yahoo(patience=patience, session=session, clock=lambda: NOW), server
        session.close()


@pytest.mark.parametrize(("instrument", "seed"), [(RUT, 1), (BTC, 2)])
def test_fetch_of_a_strange_answer_is_the_same_bars_or_one_error(instrument, seed):
    refused = []
    with yahoo() as (vendor, server):
        bars = vendor.fetch(instrument, timeframe="1d")
        whole = server.answer(next(r for r in server.requests if chart_request(r)))
        for strange in strange_answers(whole, count=30, seed=seed):
            server.fault(strange, when=chart_request, times=1)
            try:
                served = vendor.fetch(instrument, timeframe="1d").frame
            except DataError as error:
                refused.append(str(error))
                continue
            # a row may be missing, and so may a volume; no price ever changes
            assert len(served) >= len(bars) - 1
            prices = served.columns[:4]
            pd.testing.assert_frame_equal(
                served[prices], bars.frame.loc[served.index, prices], check_freq=False
            )
    assert all(text.isprintable() for text in refused)
    assert len(refused) > 10


@pytest.mark.parametrize(
    ("meta", "reason"),
    [
        ({"symbol": "^GSPC"}, r"must be of \^RUT, received '\^GSPC'"),
        ({"symbol": None}, r"must be of \^RUT, received None"),
        ({"currency": "GBp"}, "must be priced in USD, received 'GBp'"),
        ({"currency": None}, "must be priced in USD, received None"),
        ({"exchangeTimezoneName": "Asia/Tokyo"}, "must be dated in America/New_York, received"),
    ],
)
def test_fetch_of_another_symbol_currency_or_zone_is_refused(meta, reason):
    with yahoo(**meta) as (vendor, _), pytest.raises(DataError, match=rf"^yahoo \^RUT: {reason}"):
        vendor.fetch(RUT, timeframe="1d")


def test_fetch_of_an_index_dated_in_chicago_has_the_same_sessions():
    with yahoo() as (vendor, _):
        expected = vendor.fetch(RUT, timeframe="1d")
    with yahoo(exchangeTimezoneName="America/Chicago") as (vendor, _):
        assert vendor.fetch(RUT, timeframe="1d").sha256 == expected.sha256


def test_fetch_of_two_different_bars_of_a_day_is_refused_and_of_equal_ones_noted():
    other = {**RUT_ROWS[3], "timestamp": RUT_ROWS[3]["timestamp"] + 60, "close": 103.5}
    with (
        yahoo({"^RUT": sorted([*RUT_ROWS, other], key=lambda row: row["timestamp"])}) as (
            vendor,
            _,
        ),
        pytest.raises(DataError, match=r"two different bars of 2024-05-06"),
    ):
        vendor.fetch(RUT, timeframe="1d")
    twice = [*RUT_ROWS[:4], *RUT_ROWS[3:]]
    with yahoo({"^RUT": twice}) as (vendor, _):
        bars = vendor.fetch(RUT, timeframe="1d")
    assert len(bars) == len(RUT_ROWS) - 1
    assert "yahoo ^RUT: left out, the same bar twice: 1 bar" in bars.notes


def test_fetch_with_the_day_in_progress_once_more_takes_the_bars_before_it():
    now = {**RUT_ROWS[-1], "timestamp": int(NOW.timestamp()), "close": 1.0, "low": 1.0}
    with yahoo({"^RUT": [*RUT_ROWS, now]}) as (vendor, _):
        bars = vendor.fetch(RUT, timeframe="1d")
    assert list(bars.frame["close"]) == [row["close"] for row in RUT_ROWS[:-1]]
    assert bars.notes == ()


def test_fetch_of_a_volume_that_is_not_known_leaves_it_unknown():
    rows = [dict(row) for row in RUT_ROWS]
    rows[5]["volume"], rows[6]["volume"] = None, 0
    with yahoo({"^RUT": rows}) as (vendor, _):
        volume = vendor.fetch(RUT, timeframe="1d").frame["volume"]
    assert np.isnan(volume.iloc[5])
    assert volume.iloc[6] == 0


@pytest.mark.parametrize("when", [chart_request, any_chart, lambda _: True])
def test_fetch_of_an_answer_a_byte_at_a_time_is_given_up(when):
    with yahoo(patience=HASTY) as (vendor, server):
        server.fault(Answer(b" " * 1_000, drip=0.05), when=when, times=10**9)
        started = time.monotonic()
        with pytest.raises(Unreachable, match=r"yahoo \^RUT: .* took too long|cannot be reached"):
            vendor.fetch(RUT, timeframe="1d")
        assert time.monotonic() - started < 8


def test_fetch_without_a_cookie_in_time_has_the_bars_nevertheless():
    with yahoo(patience=HASTY) as (vendor, server):
        slow = Answer(b" " * 1_000, drip=0.05)
        server.fault(slow, when=lambda r: not any_chart(r) and r.path != "/", times=10**9)
        assert len(vendor.fetch(RUT, timeframe="1d")) == len(RUT_ROWS) - 1


@pytest.mark.parametrize(
    "fault",
    [
        lambda a: Answer(gzip.compress(a.body)[:-40], headers={"Content-Encoding": "gzip"}),
        lambda a: replace(a, headers={"Content-Encoding": "gzip"}),
        lambda a: replace(a, length=len(a.body) + 9),
        lambda a: replace(a, length=len(a.body) // 2),
        lambda a: Answer(b"", status=204),
        lambda a: Answer(b"[" * 100_000),
    ],
)
def test_fetch_of_a_body_that_is_not_whole_is_one_error(fault):
    with yahoo() as (vendor, server):
        server.fault(fault, when=any_chart, times=10**9)
        with pytest.raises(Unreachable, match=r"^yahoo \^RUT: "):
            vendor.fetch(RUT, timeframe="1d")


def test_fetch_that_is_redirected_without_end_is_one_error():
    loop = Answer(b"", status=302, headers={"Location": "/v8/finance/chart/x"})
    with yahoo() as (vendor, server):
        server.fault(loop, when=any_chart, times=10**9)
        with pytest.raises(Unreachable, match=r"yahoo \^RUT: the connection broke"):
            vendor.fetch(RUT, timeframe="1d")


@pytest.mark.parametrize("status", [418, 401, 425])
def test_fetch_that_is_put_off_is_worth_another_try(status):
    with yahoo() as (vendor, server):
        server.fault(as_json({}, status=status), when=any_chart, times=10**9)
        with pytest.raises(Unreachable, match=rf"HTTP {status}"):
            vendor.fetch(RUT, timeframe="1d")


@pytest.mark.parametrize("chart", [{"result": None, "error": None}, {"result": [], "error": None}])
def test_fetch_of_an_empty_chart_says_that_there_are_no_bars(chart):
    with yahoo() as (vendor, server):
        server.fault(as_json({"chart": chart}), when=any_chart, times=10**9)
        with pytest.raises(NotServed, match="no bars in this range"):
            vendor.fetch(RUT, timeframe="1d")


class _Planted:
    """What a pickle can be: on loading it makes a folder."""

    def __init__(self, made: Path) -> None:
        self._made = made

    def __reduce__(self):
        return (os.mkdir, (str(self._made),))


def _plant(folder: Path, made: Path) -> None:
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "cookies.db")) as held, held:
        held.execute(
            'create table "_cookieschema" ("strategy" text primary key, "fetch_date" text not null,'
            ' "cookie_bytes" blob not null) without rowid'
        )
        cookie = pickle.dumps(_Planted(made))
        held.execute(
            'insert into "_cookieschema" values (?, ?, ?)', ("curlCffi", "2026-01-01", cookie)
        )


@pytest.fixture
def located():
    """Let yfinance hold its tables in a folder, until the end of the test."""
    from yfinance import cache

    before = cache._TzDBManager.get_location()
    yield cache.set_cache_location
    for manager in (cache._TzDBManager, cache._CookieDBManager, cache._ISINDBManager):
        manager.set_location(before)


def test_fetch_runs_no_planted_cookie_and_leaves_the_folder_alone(tmp_path, located):
    made, held = tmp_path / "made", tmp_path / "held"
    _plant(held, made)
    before = sorted(held.rglob("*"))
    located(str(held))
    with yahoo() as (vendor, _):
        assert len(vendor.fetch(RUT, timeframe="1d")) == len(RUT_ROWS) - 1
    assert not made.exists()
    assert sorted(held.rglob("*")) == before


def test_planted_cookie_would_run_where_yfinance_reads_it(tmp_path, located):
    """Were yfinance's table another one, the test above could not fail; this one would."""
    from yfinance import cache

    made = tmp_path / "made"
    _plant(tmp_path / "held", made)
    located(str(tmp_path / "held"))
    with contextlib.suppress(Exception):
        cache._CookieCache().lookup("curlCffi")
    assert made.is_dir()


def test_fetch_needs_no_folder_that_can_be_written(tmp_path, located):
    (tmp_path / "file").write_text("")
    located(str(tmp_path / "file" / "below"))
    with yahoo() as (vendor, _):
        assert len(vendor.fetch(RUT, timeframe="1d")) == len(RUT_ROWS) - 1


def test_fetch_leaves_yfinance_as_it_was():
    from yfinance import cache

    before = cache._TzCacheManager._tz_cache, cache._CookieCacheManager._Cookie_cache
    with yahoo() as (vendor, _):
        vendor.fetch(RUT, timeframe="1d")
    assert (cache._TzCacheManager._tz_cache, cache._CookieCacheManager._Cookie_cache) == before
