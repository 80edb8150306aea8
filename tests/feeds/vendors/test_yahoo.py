"""Yahoo with the real yfinance against a loopback server in Yahoo's format."""

import json
import logging
import time
from contextlib import contextmanager
from dataclasses import replace

import pandas as pd
import pytest

from feeds.checks import findings
from feeds.errors import DataError, NotServed, Unreachable
from feeds.instruments import coin, index
from feeds.sessions import bar_ends
from feeds.vendors.request_policy import Patience
from feeds.vendors.yahoo import Yahoo
from tests.feeds.vendors.loopback import (
    HTML,
    Answer,
    as_json,
    closed_address,
    serving,
    silent_address,
)
from tests.feeds.vendors.yahoo_server import (
    NEW_YORK,
    LoopbackSession,
    any_chart,
    chart_request,
    rows_at,
    session_rows,
    yahoo_server,
)

# A Friday, two hours before the close: that session is in progress.
NOW = pd.Timestamp("2024-06-28 18:00", tz="UTC")
IMPATIENT = Patience(
    connect_timeout=0.2,
    read_timeout=0.2,
    request_seconds=0.2,
    attempts=2,
    first_wait=0.0,
    longest_wait=0.0,
)
RUT = index("RUT")


@pytest.fixture
def yahoo():
    """Open a `Yahoo` that talks to a loopback server with these symbols."""

    @contextmanager
    def opened(symbols, *, fault=None, when=chart_request, times=10**9, now=NOW, **meta):
        server = yahoo_server(symbols, **meta)
        if fault is not None:
            server.fault(fault, when=when, times=times)
        with serving(server) as address:
            session = LoopbackSession(IMPATIENT, address)
            yield (
                Yahoo(patience=IMPATIENT, session=session, clock=lambda: now),
                server,
            )
            session.close()

    return opened


def sessions_of(rows):
    opens = pd.to_datetime([row["timestamp"] for row in rows], unit="s", utc=True)
    return list(opens.tz_convert(NEW_YORK).tz_localize(None).normalize())


RUT_ROWS = session_rows("2022-01-03", "2024-06-28")


def test_fetch_of_an_index_has_every_session_and_the_traded_close(yahoo, caplog):
    caplog.set_level(logging.INFO)
    with yahoo({"^RUT": RUT_ROWS}) as (vendor, _):
        bars = vendor.fetch(RUT, timeframe="1d")
    assert list(bars.frame.index) == sessions_of(RUT_ROWS)[:-1]
    assert list(bars.frame["close"]) == [row["close"] for row in RUT_ROWS[:-1]]
    assert (bars.source, bars.origin) == ("yahoo", "yahoo ^RUT")
    assert bars.notes == ()
    assert "still in progress: 1 bar, 2024-06-28" in caplog.text


def test_fetch_after_the_close_has_settled_includes_the_session(yahoo):
    with yahoo({"^RUT": RUT_ROWS}, now=pd.Timestamp("2024-06-28 20:31", tz="UTC")) as (vendor, _):
        bars = vendor.fetch(RUT, timeframe="1d")
    assert bars.frame.index[-1] == pd.Timestamp("2024-06-28")


@pytest.mark.parametrize("since", ["2024-06-20", "2024-06-20 20:00"])
def test_fetch_since_a_date_starts_on_that_session(yahoo, since):
    with yahoo({"^RUT": RUT_ROWS}) as (vendor, _):
        bars = vendor.fetch(RUT, timeframe="1d", since=pd.Timestamp(since, tz="UTC"))
    assert list(bars.frame.index) == sessions_of(RUT_ROWS)[-7:-1]


def test_fetch_of_a_coin_is_dated_in_utc_without_today(yahoo):
    opens = pd.date_range("2022-09-17", "2024-06-28", tz="UTC")
    with yahoo({"BTC-USD": rows_at(opens)}) as (vendor, _):
        bars = vendor.fetch(coin("BTC"), timeframe="1d")
    assert list(bars.frame.index) == list(opens[:-1])


def hourly_opens(first, last):
    from feeds.sessions import sessions_between

    sessions = sessions_between(pd.Timestamp(first), pd.Timestamp(last))
    hours = [pd.Timedelta(hours=9 + n, minutes=30) for n in range(7)]
    return pd.DatetimeIndex([s + h for s in sessions for h in hours]).tz_localize(NEW_YORK)


def test_fetch_of_hourly_index_bars_has_them_until_the_last_finished_one(yahoo):
    opens = hourly_opens("2024-01-02", "2024-06-28")
    quote = pd.DatetimeIndex(["2024-06-27 16:00"]).tz_localize(NEW_YORK)
    rows = sorted(rows_at(opens) + rows_at(quote), key=lambda row: row["timestamp"])
    with yahoo({"^RUT": rows}, firstTradeDate=None) as (vendor, _):
        bars = vendor.fetch(RUT, timeframe="1h")
    # 14:00 in New York less the settling time: the bar of 12:30 to 13:30 is the last one over.
    expected = opens[opens <= pd.Timestamp("2024-06-28 12:30", tz=NEW_YORK)]
    assert list(bars.frame.index) == list(expected.tz_convert("UTC"))
    assert any("last 730 days only" in note for note in bars.notes)


def test_hourly_index_bars_on_half_hours_end_an_hour_later_and_at_the_close():
    opens = pd.DatetimeIndex(
        [f"2024-07-03 {hour}:30" for hour in ("09", "10", "11", "12")]
    ).tz_localize(NEW_YORK)
    ends = bar_ends(opens.tz_convert("UTC"), kind="index", timeframe="1h").tz_convert(NEW_YORK)
    assert [f"{end:%H:%M}" for end in ends] == ["10:30", "11:30", "12:30", "13:00"]


def test_fetch_of_hourly_bars_older_than_yahoo_has_is_refused(yahoo):
    with yahoo({"^RUT": RUT_ROWS}) as (vendor, server), pytest.raises(NotServed) as refusal:
        vendor.fetch(RUT, timeframe="1h", since=pd.Timestamp("2021-01-01", tz="UTC"))
    assert "yahoo ^RUT: Yahoo has hourly bars of the last 730 days only" in str(refusal.value)
    assert server.requests == []


def test_fetch_of_another_timeframe_is_refused(yahoo):
    with yahoo({}) as (vendor, _), pytest.raises(NotServed, match="4h bars are not fetched"):
        vendor.fetch(coin("BTC"), timeframe="4h")


def test_fetch_of_the_value_index_takes_the_fund_where_it_is_not_served(yahoo):
    with yahoo({"IWN": RUT_ROWS}) as (vendor, _):
        bars = vendor.fetch(index("russell2000value"), timeframe="1d")
    assert bars.origin == "yahoo IWN"
    assert bars.instrument.symbol == "RUJ"
    assert bars.notes[0].startswith("RUJ: IWN stands in for it (yahoo ^RUJ: No data found")


def test_fetch_of_the_value_index_takes_the_index_where_it_is_served(yahoo):
    with yahoo({"^RUJ": RUT_ROWS, "IWN": RUT_ROWS}) as (vendor, _):
        assert vendor.fetch(index("RUJ"), timeframe="1d").origin == "yahoo ^RUJ"


PASSING = {
    "429": Answer(b"Too Many Requests", status=429, content_type="text/plain"),
    "500": Answer(b"oops", status=500, content_type="text/plain"),
    "503": Answer(HTML, status=503, content_type="text/html"),
    "html": Answer(HTML, content_type="text/html"),
    "cut": lambda answer: replace(answer, cut=0.6),
    "slow": lambda answer: replace(answer, delay=0.6),
}


@pytest.mark.parametrize("fault", PASSING)
def test_fetch_through_a_passing_fault_is_complete(yahoo, fault):
    # yfinance itself asks twice where the status is an error.
    times = 2 if fault in ("429", "500", "503") else 1
    with yahoo({"^RUT": RUT_ROWS}, fault=PASSING[fault], times=times) as (vendor, _):
        bars = vendor.fetch(RUT, timeframe="1d")
    assert list(bars.frame.index) == sessions_of(RUT_ROWS)[:-1]


@pytest.mark.parametrize(
    ("fault", "when"),
    [*((fault, chart_request) for fault in PASSING), ("503", any_chart), ("html", any_chart)],
)
def test_fetch_through_a_lasting_fault_is_one_clear_error(yahoo, fault, when):
    with (
        yahoo({"^RUT": RUT_ROWS}, fault=PASSING[fault], when=when) as (vendor, _),
        pytest.raises(Unreachable) as error,
    ):
        vendor.fetch(RUT, timeframe="1d")
    text = str(error.value)
    assert text.startswith("yahoo ^RUT: ")
    assert "(tried 2 times)" in text
    assert "--source files" in text


def test_fetch_after_an_outage_asks_again(yahoo):
    fault = PASSING["503"]
    with yahoo({"^RUT": RUT_ROWS}, fault=fault, when=any_chart, times=4) as (vendor, _):
        with pytest.raises(Unreachable):
            vendor.fetch(RUT, timeframe="1d")
        assert len(vendor.fetch(RUT, timeframe="1d")) == len(RUT_ROWS) - 1


@pytest.mark.parametrize("status", [403, 451])
def test_fetch_where_region_is_refused_is_not_retried(yahoo, status):
    fault = Answer(HTML, status=status, content_type="text/html")
    with (
        yahoo({"^RUT": RUT_ROWS}, fault=fault, when=any_chart) as (vendor, server),
        pytest.raises(NotServed, match=rf"yahoo \^RUT: refused here \(HTTP {status}\)"),
    ):
        vendor.fetch(RUT, timeframe="1d")
    assert sum(map(any_chart, server.requests)) == 2


def test_fetch_of_an_unknown_symbol_gives_yahoos_reason(yahoo):
    with yahoo({}) as (vendor, _), pytest.raises(NotServed) as refusal:
        vendor.fetch(coin("NOSUCH"), timeframe="1d")
    assert str(refusal.value).startswith(
        "yahoo NOSUCH-USD: No data found, symbol may be delisted (HTTP 404)."
    )


def test_fetch_of_a_delisted_symbol_says_when_it_ended(yahoo):
    rows = session_rows("2022-01-03", "2023-03-01")
    with (
        yahoo({"GONE": rows}) as (vendor, _),
        pytest.raises(NotServed, match=r"yahoo GONE: bars end 2023-03-01.*no longer traded"),
    ):
        vendor.fetch(index("GONE"), timeframe="1d")


def test_fetch_that_stops_short_is_an_error(yahoo):
    with (
        yahoo({"^RUT": RUT_ROWS[:-5]}) as (vendor, _),
        pytest.raises(DataError, match=r"yahoo \^RUT: bars end 2024-06-21.*not whole"),
    ):
        vendor.fetch(RUT, timeframe="1d")


def test_fetch_that_begins_late_is_an_error(yahoo):
    first = int(pd.Timestamp("1987-09-10").timestamp())
    with (
        yahoo({"^RUT": RUT_ROWS}, firstTradeDate=first) as (vendor, _),
        pytest.raises(DataError, match=r"\^RUT: bars begin 2022-01-03, though .* from 1987-09-10"),
    ):
        vendor.fetch(RUT, timeframe="1d")


def test_fetch_answered_with_weekly_bars_is_an_error(yahoo):
    with (
        yahoo({"^RUT": RUT_ROWS}, dataGranularity="1wk") as (vendor, _),
        pytest.raises(DataError, match="asked for 1d bars, Yahoo sent 1wk ones"),
    ):
        vendor.fetch(RUT, timeframe="1d")


def test_fetch_with_a_hole_is_a_finding_and_with_a_large_one_refused(yahoo):
    with yahoo({"^RUT": RUT_ROWS[:100] + RUT_ROWS[103:]}) as (vendor, _):
        bars = vendor.fetch(RUT, timeframe="1d")
    assert bars.notes == ()
    assert "3 sessions are missing inside the range (2022-05-26" in findings(bars)[0].text
    with (
        yahoo({"^RUT": RUT_ROWS[:100] + RUT_ROWS[130:]}) as (vendor, _),
        pytest.raises(DataError, match="30 days missing"),
    ):
        vendor.fetch(RUT, timeframe="1d")


def with_changed(rows, number, **changes):
    changed = [dict(row) for row in rows]
    changed[number].update(changes)
    return changed


def test_fetch_with_the_last_row_empty_leaves_it_out_and_only_logs_it(yahoo, caplog):
    caplog.set_level(logging.INFO)
    nothing = dict.fromkeys(("open", "high", "low", "close", "volume", "adjclose"))
    with yahoo({"^RUT": with_changed(RUT_ROWS, -2, **nothing)}) as (vendor, _):
        bars = vendor.fetch(RUT, timeframe="1d")
    assert bars.frame.index[-1] == pd.Timestamp("2024-06-26")
    assert bars.notes == ()
    assert "a price is missing: 1 bar, 2024-06-27" in caplog.text
    assert "ends 2024-06-26 00:00, newer bars are not out yet" in caplog.text


def test_fetch_with_zero_opens_at_the_start_begins_after_them(yahoo):
    rows = [dict(row) for row in RUT_ROWS]
    for row in rows[:300]:
        row["open"] = 0.0
    with yahoo({"^GSPC": rows}) as (vendor, _):
        bars = vendor.fetch(index("sp500"), timeframe="1d")
    assert list(bars.frame.index) == sessions_of(RUT_ROWS)[300:-1]
    assert any("a price is 0: 300 bars, 2022-01-03" in note for note in bars.notes)


def test_fetch_of_a_range_that_misses_its_close_by_rounding_is_widened(yahoo):
    row = RUT_ROWS[50]
    with yahoo({"^RUT": with_changed(RUT_ROWS, 50, high=row["close"] - 0.01)}) as (vendor, _):
        bars = vendor.fetch(RUT, timeframe="1d")
    assert bars.frame["high"].iloc[50] == row["close"]
    assert any("widened to open and close: 1 bar" in note for note in bars.notes)


def test_fetch_of_a_range_that_misses_its_close_by_far_is_an_error(yahoo):
    with (
        yahoo({"^RUT": with_changed(RUT_ROWS, 50, high=10.0)}) as (vendor, _),
        pytest.raises(DataError, match=r"yahoo \^RUT: row 51, column `high`"),
    ):
        vendor.fetch(RUT, timeframe="1d")


def test_fetch_of_rows_out_of_order_is_sorted(yahoo):
    with yahoo({"^RUT": RUT_ROWS}, fault=shuffled, when=chart_request) as (vendor, _):
        bars = vendor.fetch(RUT, timeframe="1d")
    assert list(bars.frame["close"]) == [row["close"] for row in RUT_ROWS[:-1]]


def shuffled(answer):
    body = json.loads(answer.body)
    result = body["chart"]["result"][0]
    result["timestamp"] = result["timestamp"][::-1]
    for quotes in (result["indicators"]["quote"][0], result["indicators"]["adjclose"][0]):
        quotes.update({name: values[::-1] for name, values in quotes.items()})
    return as_json(body)


def test_fetch_of_a_row_on_a_holiday_leaves_it_out_with_a_note(yahoo):
    holiday = pd.DatetimeIndex(["2024-05-27 09:30"]).tz_localize(NEW_YORK)
    rows = sorted(RUT_ROWS + rows_at(holiday), key=lambda row: row["timestamp"])
    with yahoo({"^RUT": rows}) as (vendor, _):
        bars = vendor.fetch(RUT, timeframe="1d")
    assert list(bars.frame.index) == sessions_of(RUT_ROWS)[:-1]
    assert any("outside a session: 1 bar, 2024-05-27" in note for note in bars.notes)


def test_fetch_without_network_fails_within_seconds():
    patience = Patience(first_wait=0.0, longest_wait=0.0)
    session = LoopbackSession(patience, closed_address())
    vendor = Yahoo(patience=patience, session=session, clock=lambda: NOW)
    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"yahoo \^RUT: cannot be reached \(tried 2 times\)"):
        vendor.fetch(RUT, timeframe="1d")
    assert time.monotonic() - started < 8
    session.close()


def test_fetch_from_a_host_that_never_answers_a_connection_fails_within_seconds():
    patience = Patience(connect_timeout=0.2, first_wait=0.0, longest_wait=0.0)
    with silent_address() as address:
        session = LoopbackSession(patience, address)
        vendor = Yahoo(patience=patience, session=session, clock=lambda: NOW)
        started = time.monotonic()
        with pytest.raises(Unreachable, match=r"cannot be reached \(tried 2 times\)"):
            vendor.fetch(RUT, timeframe="1d")
        assert time.monotonic() - started < 8
        session.close()
