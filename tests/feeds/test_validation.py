"""Validation of small tables: what is refused, what is repaired, and with which words."""

import re

import numpy as np
import pandas as pd
import pytest

from feeds.errors import DataError, NotServed
from feeds.instruments import coin, index
from feeds.raw_table import RawTable
from feeds.validation import validate_bars
from tests.scripted import days, frame_of, sessions

ETH, RUT = coin("ETH"), index("RUT")
ORIGIN = "ETH-USD_1d.csv"
NOW = pd.Timestamp("2024-06-01", tz="UTC")


def raw(times):
    """A table of thirty bars or more, dates as they stand in `times`."""
    return frame_of(times).rename_axis("date").reset_index()


GOOD = raw(days("2024-01-01", "2024-01-31"))
INDEX = raw(sessions("2024-01-02", "2024-02-14"))


def check(frame, instrument=ETH, *, now=NOW, is_live=False, lines=True, **options):
    table = RawTable(
        frame.reset_index(drop=True),
        ORIGIN,
        np.arange(len(frame)) + 2 if lines else np.empty(0, np.int64),
        **options,
    )
    return validate_bars(
        table, instrument=instrument, timeframe="1d", source="test", now=now, is_live=is_live
    )


def changed(*cells, frame=GOOD):
    frame = frame.copy()
    for row, column, value in cells:
        frame.loc[row, column] = value
    return frame


def refused(frame, *arguments, **options):
    with pytest.raises(DataError) as raised:
        check(frame, *arguments, **options)
    text = str(raised.value)
    assert text.startswith(f"{ORIGIN}: ")
    assert not re.search(r"\n|np\.|Timestamp|\bnan\b|\binf\b", text)
    return text.removeprefix(f"{ORIGIN}: ")


def test_validate_good_table_is_unchanged_without_a_note():
    bars = check(GOOD)
    pd.testing.assert_frame_equal(
        bars.frame, GOOD.set_index("date").rename_axis(None), check_freq=False
    )
    assert bars.notes == ()
    assert str(bars.frame.index.tz) == "UTC"
    assert check(INDEX, RUT).frame.index.tz is None


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (GOOD.drop(columns="low"), "column `low` is missing, found date, open, high, close, vol"),
        (GOOD.iloc[:0], "no rows"),
        (changed((1, "date", pd.NaT)), "line 3, column `date`: nothing is no date"),
        (changed((2, "open", -3.0)), "line 4, column `open`: -3 is not a positive price"),
        (changed((2, "close", np.inf)), "line 4, column `close`: infinite is not a positive price"),
        (changed((1, "high", 9.5)), "line 3, column `high`: 9.5 leaves out its bar's own open or"),
        (changed((0, "low", 1e9)), "line 2, column `low`: 1000000000 leaves out its bar's own"),
        (changed((4, "volume", -5.0)), "line 6, column `volume`: -5 is negative or infinite"),
        (changed((4, "volume", np.inf)), "line 6, column `volume`: infinite is negative or inf"),
        (GOOD.assign(market_cap=-1e6).iloc[:1], "line 2, column `market_cap`: -1000000 is neg"),
        (GOOD.assign(quote_volume=-0.5).iloc[:1], "line 2, column `quote_volume`: -0.5 is neg"),
    ],
)
def test_validate_unsound_table_names_line_column_and_value(frame, message):
    assert refused(frame).startswith(message)


def test_validate_many_wrong_cells_are_counted_and_three_named_in_the_order_of_the_file():
    cells = [(row, "close", -1.0 - row) for row in (20, 3, 9, 7)]
    text = refused(changed(*cells, (7, "open", np.inf)))
    assert text == (
        "5 prices are not positive numbers: line 5, column `close`: -4; line 9, column `close`: "
        "-8; line 9, column `open`: infinite; and 2 more. Correct or remove what is named."
    )


def test_validate_vendors_answer_has_rows_and_another_remedy():
    frame = changed((2, "open", -3.0))
    assert refused(frame, is_live=True, lines=False) == (
        "row 3, column `open`: -3 is not a positive price. Try again; if it stays, use another "
        "source."
    )


@pytest.mark.parametrize(
    ("date", "message"),
    [
        ("0020-08-05", "0020-08-05 lies before 2009-01-03, when no coin traded"),
        ("9999-12-31", "9999-12-31 lies in the future"),
        ("2024-06-03", "2024-06-03 lies in the future"),
    ],
)
@pytest.mark.parametrize("unit", ["s", "us"])
def test_validate_mistyped_year_is_refused_whatever_can_hold_it(date, message, unit):
    dates = GOOD["date"].dt.tz_localize(None).dt.as_unit(unit).to_numpy().copy()
    dates[5] = np.datetime64(date, unit)
    assert refused(GOOD.assign(date=dates)).startswith(f"line 7, column `date`: {message}")


def test_validate_year_of_five_digits_is_refused():
    dates = GOOD["date"].dt.tz_localize(None).dt.as_unit("s").to_numpy().copy()
    dates[5] = np.datetime64("20244-01-06", "s")
    assert "line 7, column `date`: 20244-01-06 lies in the future" in refused(
        GOOD.assign(date=dates)
    )


def test_validate_rows_without_a_price_are_left_out_with_a_note():
    frame = changed(*((5, name, np.nan) for name in ("open", "high", "low", "close", "volume")))
    bars = check(changed((9, "open", 0.0), frame=frame))
    assert len(bars) == len(GOOD) - 2
    assert bars.notes == (
        f"{ORIGIN}: left out, a price is missing: 1 bar, 2024-01-06",
        f"{ORIGIN}: left out, a price is 0: 1 bar, 2024-01-10",
    )


def test_validate_many_rows_without_a_price_are_refused():
    text = refused(changed(*((row, "close", np.nan) for row in range(3, 12))))
    assert text.startswith("9 of 31 bars have no price (2024-01-04, 2024-01-05, 2024-01-06 and 6")


def test_validate_exact_repeats_are_left_out_and_contradictions_refused():
    twice = pd.concat([GOOD, GOOD.iloc[[4, 30]]])
    bars = check(twice)
    assert bars.sha256 == check(GOOD).sha256
    assert f"{ORIGIN}: left out, the same bar twice: 2 bars, 2024-01-05, 2024-01-31" in bars.notes
    other = pd.concat([changed((4, "volume", 7.0)), GOOD.iloc[[4]].assign(volume=8.0)])
    assert refused(other) == (
        "line 6 and line 33 are two different bars of 2024-01-05, column `volume`: 7 and 8. "
        "Correct or remove what is named."
    )


@pytest.mark.parametrize("miss", [2e-16, 1e-9, 0.0099])
def test_validate_range_off_by_rounding_is_widened_with_a_note(miss):
    frame = changed((3, "high", max(GOOD.loc[3, "open"], GOOD.loc[3, "close"]) * (1 - miss)))
    bars = check(frame)
    row = bars.frame.iloc[3]
    assert row["high"] == max(row["open"], row["close"])
    assert bars.notes == (f"{ORIGIN}: high or low widened to open and close: 1 bar, 2024-01-04",)


def test_validate_todays_bar_is_left_out_and_only_a_vendors_is_not_noted():
    now = pd.Timestamp("2024-01-31 15:00", tz="UTC")
    from_file, live = check(GOOD, now=now), check(GOOD, now=now, is_live=True)
    assert from_file.notes == (f"{ORIGIN}: left out, still in progress: 1 bar, 2024-01-31",)
    assert live.notes == ()
    assert from_file.frame.equals(live.frame)
    assert len(live) == len(GOOD) - 1
    assert len(check(GOOD, now=pd.Timestamp("2024-02-01", tz="UTC"))) == len(GOOD)


def test_validate_index_session_is_in_progress_until_its_close():
    close = pd.Timestamp("2024-02-14 21:00", tz="UTC")
    assert len(check(INDEX, RUT, now=close)) == len(INDEX)
    before = check(INDEX, RUT, now=close - pd.Timedelta(minutes=1))
    assert before.frame.index[-1] == pd.Timestamp("2024-02-13")


def test_validate_nothing_finished_is_one_error():
    now = pd.Timestamp("2024-01-01 12:00", tz="UTC")
    assert refused(GOOD.iloc[:1], now=now).startswith("none of its rows (1) is a finished 1d bar")
    with pytest.raises(NotServed, match="no finished 1d bar. Ask for an earlier start"):
        check(GOOD.iloc[:1], now=now, is_live=True)


def test_validate_unsorted_rows_are_sorted_and_the_first_out_of_place_is_named():
    newest_first = check(GOOD.iloc[::-1])
    assert newest_first.sha256 == check(GOOD).sha256
    assert newest_first.notes == (f"{ORIGIN}: 31 rows stood newest first, sorted by date",)
    moved = check(pd.concat([GOOD.drop(index=9), GOOD.loc[[9]]]))
    assert moved.sha256 == check(GOOD).sha256
    assert moved.notes == (
        f"{ORIGIN}: 1 row stood after later ones (the first: line 32, 2024-01-10), sorted by date",
    )


def test_validate_unknown_amounts_of_a_coin_are_counted():
    frame = changed((3, "volume", np.nan)).assign(market_cap=1e9)
    bars = check(changed((0, "market_cap", 0.0), (1, "market_cap", 0.0), frame=frame))
    assert bars.notes == (
        f"{ORIGIN}: volume is empty, so unknown: 1 bar of 31 (2024-01-04)",
        f"{ORIGIN}: market_cap is 0, so unknown: 2 bars of 31 (2024-01-01, 2024-01-02)",
    )
    assert bars.frame["market_cap"].isna().sum() == 2
    assert check(GOOD.assign(volume=np.nan)).notes == (
        f"{ORIGIN}: volume is empty, so unknown: 31 bars of 31 (all)",
    )


def test_validate_without_a_volume_column_or_of_an_index_no_volume_is_no_note():
    bars = check(GOOD.drop(columns="volume"))
    assert bars.frame["volume"].isna().all()
    assert bars.notes == ()
    assert check(INDEX.assign(volume=np.nan), RUT).notes == ()


def test_validate_index_rows_on_closed_days_copies_and_a_few_others_are_left_out():
    closed = pd.DatetimeIndex(["2024-01-15", "2024-01-20", "2024-01-21"])  # a holiday, a weekend
    filled = INDEX.set_index("date").reindex(INDEX["date"].tolist() + closed.tolist()).sort_index()
    close = filled["close"].ffill()
    empty = filled["close"].isna()
    for name in ("open", "high", "low", "close"):
        filled[name] = filled[name].where(~empty, close)
    bars = check(filled.rename_axis("date").reset_index(), RUT)
    assert bars.frame.equals(check(INDEX, RUT).frame)
    assert bars.notes == (
        f"{ORIGIN}: left out, outside a session: 3 bars, 2024-01-15, 2024-01-20, 2024-01-21",
    )
    strange = filled.loc[["2024-01-15"]] * 1.1
    one = pd.concat([INDEX.set_index("date"), strange]).sort_index().rename_axis("date")
    assert len(check(one.reset_index(), RUT)) == len(INDEX)


def test_validate_index_dated_a_day_early_is_refused():
    shifted = INDEX.assign(date=INDEX["date"] - pd.Timedelta(days=1))
    text = refused(shifted, RUT)
    assert "dates are not sessions of the New York Stock Exchange: line" in text


def test_validate_index_before_the_calendar_begins_there_with_a_note():
    old = raw(pd.bdate_range("1927-12-19", "1928-02-29"))
    bars = check(old, RUT)
    assert bars.frame.index[0] == pd.Timestamp("1928-01-03")
    assert "left out, before 1928, where the calendar begins: 11 bars, 1927-12-19" in bars.notes[0]


def test_validate_index_saturday_of_1950_and_holiday_of_1960_are_not_called_no_session():
    saturdays = pd.date_range("1950-01-03", "1950-03-31").to_series()
    bars = check(raw(pd.DatetimeIndex(saturdays[saturdays.dt.day_of_week < 6])), RUT)
    assert (bars.frame.index.day_of_week == 5).any()
    assert bars.notes == ()


CLOSES = GOOD[["date", "close"]].drop(index=[10, 11])


def test_validate_closes_of_a_coin_open_at_the_last_close():
    bars = check(CLOSES.iloc[::-1], is_close_only=True)
    close = bars.frame["close"].to_numpy()
    expected = np.concatenate((close[:1], close[:-1]))
    np.testing.assert_array_equal(bars.frame["open"], expected)
    np.testing.assert_array_equal(bars.frame["high"], np.maximum(expected, close))
    np.testing.assert_array_equal(bars.frame["low"], np.minimum(expected, close))
    assert bars.is_close_only
    assert "closes only: open is the last close" in bars.notes[-1]


def test_validate_closes_of_an_index_are_its_lows():
    bars = check(INDEX[["date", "close"]], RUT, is_close_only=True)
    for name in ("open", "high", "low"):
        np.testing.assert_array_equal(bars.frame[name], bars.frame["close"])
    assert "closes only: open, high and low are the close" in bars.notes[-1]
    assert not check(INDEX, RUT).is_close_only
