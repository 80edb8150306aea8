"""Which bar a row is: by its stamp and its neighbours', on made tables of every kind."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.errors import DataError
from feeds.instruments import coin, index
from feeds.raw_table import RawTable
from feeds.sessions import BAR_LENGTHS, NEW_YORK, session_hours
from feeds.validation import validate_bars
from tests.scripted import days, frame_of, hours, sessions

NOW = pd.Timestamp("2025-01-01", tz="UTC")
BERLIN = "Europe/Berlin"


def session_stamps(first, last, *, grid="hour"):
    stamps = []
    for start, stop in zip(*session_hours(sessions(first, last)), strict=True):
        later = start.floor("h") if grid == "hour" else start
        stamps += [start, *pd.date_range(later, stop, freq="h", inclusive="left")[1:]]
    return pd.DatetimeIndex(stamps).as_unit("ns")


TIMES = {
    ("coin", "1d"): days("2024-02-20", "2024-04-20"),
    ("coin", "4h"): pd.date_range("2024-02-20", periods=90, freq="4h", tz="UTC"),
    ("coin", "1h"): hours("2024-03-09", 72),
    ("index", "1d"): sessions("2024-02-01", "2024-04-30"),
    ("index", "1h"): session_stamps("2024-02-26", "2024-03-22"),
}
FRAMES = {kind: frame_of(times) for kind, times in TIMES.items()}
WHO = {"coin": coin("ETH"), "index": index("RUT")}


def check(kind, frame, times=None):
    """Validate a table whose dates are `times`; by default the frame's own index."""
    stamps = frame.index if times is None else times
    table = RawTable(frame.assign(date=stamps).reset_index(drop=True), "a.csv")
    return validate_bars(table, instrument=WHO[kind[0]], timeframe=kind[1], source="test", now=NOW)


def refusal(kind, frame, times=None):
    with pytest.raises(DataError) as raised:
        check(kind, frame, times)
    return str(raised.value)


def every(kind, step):
    """Every n-th row, or the last of each week or month."""
    frame = FRAMES[kind]
    if isinstance(step, int):
        return frame.iloc[::step]
    periods = frame.index.tz_localize(None).to_period(step)
    return frame.groupby(periods, group_keys=False).tail(1)


@pytest.mark.parametrize("kind", TIMES)
def test_stamps_of_our_own_form_are_taken_as_they_are(kind):
    bars = check(kind, FRAMES[kind])
    pd.testing.assert_frame_equal(bars.frame, FRAMES[kind], check_freq=False)
    assert bars.notes == ()


@pytest.mark.parametrize(
    ("kind", "step", "apart", "needed"),
    [
        (("coin", "1d"), 7, "7 days", "a day"),
        (("coin", "1d"), 2, "2 days", "a day"),
        (("coin", "1h"), 4, "4 hours", "an hour"),
        (("coin", "1h"), 24, "a day", "an hour"),
        (("coin", "4h"), 6, "a day", "4 hours"),
        (("index", "1d"), "W", "5 sessions", "a day"),
        (("index", "1d"), 21, "21 sessions", "a day"),
    ],
)
def test_spacing_longer_than_the_name_says_is_refused(kind, step, apart, needed):
    text = refusal(kind, every(kind, step))
    assert text.startswith(f"a.csv: its bars are {apart} apart (")
    assert f"where bars of {needed} are needed" in text


@pytest.mark.parametrize(
    ("given", "needed", "apart"),
    [("1h", "1d", "an hour"), ("1h", "4h", "an hour"), ("4h", "1d", "4 hours")],
)
def test_spacing_shorter_than_the_name_says_is_refused(given, needed, apart):
    assert f"bars are {apart} apart" in refusal(("coin", needed), FRAMES["coin", given])


def test_spacing_of_half_hours_of_an_index_is_refused():
    stamps = session_stamps("2024-02-26", "2024-03-08")
    halves = stamps.union(stamps + pd.Timedelta(minutes=30))
    assert "bars are 30 minutes apart" in refusal(("index", "1h"), frame_of(halves))


def test_spacing_that_changes_in_the_midst_is_refused():
    late = days("2024-04-21", "2024-12-20")[::7]
    frame = pd.concat([FRAMES["coin", "1d"], frame_of(late)])
    assert "bars are 7 days apart (2024-04-21, 2024-04-28" in refusal(("coin", "1d"), frame)
    # hourly ones at the end, when a file was continued from another source
    frame = pd.concat([FRAMES["coin", "1d"], frame_of(hours("2024-04-21", 30))])
    assert "bars are an hour apart" in refusal(("coin", "1d"), frame)


@pytest.mark.parametrize("kind", TIMES)
def test_spacing_with_a_tenth_of_the_bars_missing_is_as_before(kind):
    frame = FRAMES[kind]
    stays = np.random.default_rng(4).random(len(frame)) > 0.1
    assert check(kind, frame[stays]).frame.equals(frame[stays])


def test_weekdays_only_and_a_hole_of_years_are_daily_bars():
    frame = frame_of(days("2020-01-01", "2024-06-30"))
    weekdays = frame[frame.index.day_of_week < 5]
    assert len(check(("coin", "1d"), weekdays)) == len(weekdays)
    holed = frame[(frame.index < "2021") | (frame.index >= "2023")]
    assert len(check(("coin", "1d"), holed)) == len(holed)


@pytest.mark.parametrize("timeframe", ["1d", "4h", "1h"])
@pytest.mark.parametrize("before_end", ["1ms", "1s", "1min"])
def test_coin_stamped_at_its_close_is_read_so_if_all_bars_are(timeframe, before_end):
    frame = FRAMES["coin", timeframe]
    length = BAR_LENGTHS[timeframe]
    closes = frame.index + length - pd.Timedelta(before_end)
    bars = check(("coin", timeframe), frame, closes)
    pd.testing.assert_frame_equal(bars.frame, frame, check_freq=False)
    assert "stamped at their close" in bars.notes[0]
    half = len(closes) // 2
    mixed = frame.index[:half].append(closes[half:])
    assert "stamps are off the" in refusal(("coin", timeframe), frame, mixed)


def test_coin_stray_noon_among_midnights_is_left_out_with_a_note():
    frame = FRAMES["coin", "1d"]
    noon = frame.iloc[[30]].set_axis(frame.index[[30]] + pd.Timedelta(hours=12))
    bars = check(("coin", "1d"), pd.concat([frame, noon]).sort_index())
    assert bars.frame.equals(frame)
    assert bars.notes == (
        "a.csv: left out, stamped off the midnights (UTC) that its bars open at: 1 bar, "
        "2024-03-21 12:00",
    )


@pytest.mark.parametrize("shift", ["4h", "-5h", "30min"])
def test_coin_days_of_another_zone_are_refused(shift):
    frame = FRAMES["coin", "1d"]
    text = refusal(("coin", "1d"), frame, frame.index + pd.Timedelta(shift))
    assert "61 stamps are off the midnights (UTC) that a coin's bars open at: row 1" in text
    assert "Bring bars of a day stamped at their opening, UTC." in text


def zoned(dates, time, zone):
    return (dates + pd.Timedelta(time)).tz_localize(zone)


@pytest.mark.parametrize(
    "stamp",
    [
        lambda dates: zoned(dates, "0h", NEW_YORK),
        lambda dates: zoned(dates, "0h", NEW_YORK).tz_convert("UTC"),
        lambda dates: zoned(dates, "0h", BERLIN),
        lambda dates: zoned(dates, "0h", "UTC"),
        lambda dates: zoned(dates, "9h30min", NEW_YORK).tz_convert("UTC"),
        lambda dates: zoned(dates, "16h", NEW_YORK).tz_convert("UTC"),
        lambda dates: zoned(dates, "14h30min", "UTC"),
        lambda dates: dates + pd.Timedelta("9h30min"),
        lambda dates: dates + pd.Timedelta("21h"),
    ],
)
def test_index_stamp_that_can_mean_one_session_is_read_as_it(stamp):
    frame = FRAMES["index", "1d"]
    bars = check(("index", "1d"), frame, stamp(frame.index))
    pd.testing.assert_frame_equal(bars.frame, frame, check_freq=False)


def test_index_read_from_times_of_day_says_so():
    frame = FRAMES["index", "1d"]
    bars = check(("index", "1d"), frame, zoned(frame.index, "9h30min", NEW_YORK).tz_convert("UTC"))
    assert bars.notes == (
        "a.csv: stamped 2024-02-01 14:30: times within the session, read as that day's session",
    )


@pytest.mark.parametrize(
    "stamp",
    [
        lambda dates: zoned(dates, "0h", BERLIN).tz_convert("UTC"),  # 23:00 of the day before
        lambda dates: zoned(dates, "0h", "Asia/Tokyo").tz_convert("UTC"),
        lambda dates: zoned(dates, "0h", "America/Los_Angeles").tz_convert("UTC"),
        lambda dates: dates - pd.Timedelta(days=1),
        lambda dates: dates + pd.Timedelta(days=1),
        lambda dates: dates + pd.Timedelta(hours=23),
    ],
)
def test_index_stamp_that_could_be_another_session_is_refused(stamp):
    frame = FRAMES["index", "1d"]
    assert "session" in refusal(("index", "1d"), frame, stamp(frame.index))


HOURLY = ("index", "1h")


@pytest.mark.parametrize("grid", ["hour", "half"])
def test_hours_without_a_zone_count_as_utc_only_inside_sessions(grid):
    frame = frame_of(session_stamps("2024-02-26", "2024-03-22", grid=grid))
    utc, local = frame.index.tz_localize(None), frame.index.tz_convert(NEW_YORK)
    assert check(HOURLY, frame, utc).frame.equals(frame)
    assert check(HOURLY, frame, local).frame.equals(frame)
    text = refusal(HOURLY, frame, local.tz_localize(None))
    assert "stamps lie outside the sessions of the New York Stock Exchange, in UTC" in text
    assert 'set `data.zone`. As "America/New_York" they lie inside.' in text


def test_hours_outside_sessions_are_left_out_beside_whole_sessions():
    frame = FRAMES[HOURLY]
    around = [frame.index]
    around += [frame.index[::7] + pd.Timedelta(hours=n) for n in (-3, -2, -1, 7, 8)]
    extended = pd.DatetimeIndex(np.concatenate([each.asi8 for each in around]), tz="UTC").unique()
    whole = frame.reindex(extended.sort_values())
    whole = whole.ffill().bfill()
    bars = check(HOURLY, whole)
    assert bars.frame.index.equals(frame.index)
    assert "left out, outside a session: 100 bars, 2024-02-26 11:30" in bars.notes[0]


@pytest.mark.parametrize("shift", ["1h", "-1h", "30min", "-30min", "6h", "1D", "-1D"])
@pytest.mark.parametrize("grid", ["hour", "half"])
def test_hours_stamped_at_their_ends_or_of_another_zone_are_refused(shift, grid):
    frame = frame_of(session_stamps("2024-02-26", "2024-03-22", grid=grid))
    refusal(HOURLY, frame, frame.index + pd.Timedelta(shift))


def test_hours_of_an_update_that_begins_within_a_session_are_read():
    frame = frame_of(session_stamps("2024-03-05", "2024-03-06", grid="half")).iloc[3:]
    assert check(HOURLY, frame).frame.equals(frame)


def test_hours_in_progress_are_left_out():
    frame = FRAMES[HOURLY]
    table = RawTable(frame.assign(date=frame.index).reset_index(drop=True), "a.csv")
    bars = validate_bars(
        table,
        instrument=WHO["index"],
        timeframe="1h",
        source="test",
        now=frame.index[-1] + pd.Timedelta(minutes=59),
    )
    assert len(bars) == len(frame) - 1
    assert "still in progress: 1 bar, 2024-03-22 19:00" in bars.notes[0]


REZONED = ("UTC", NEW_YORK, BERLIN, "Asia/Tokyo", "")
# whole days of an index, and whole bars of a coin, cannot be told from another history
SHIFTS = {
    ("coin", "1d"): ["12h", "-5h", "23h59min59s", "1min"],
    ("coin", "4h"): ["1h", "-1h", "2h", "3h59min59s"],
    ("coin", "1h"): ["30min", "15min", "59min59s"],
    ("index", "1d"): ["9h30min", "16h", "20h", "-1D", "1D", "-4h", "22h"],
    ("index", "1h"): ["30min", "-30min", "1h", "-1h", "5h", "-5h", "1D"],
}


@pytest.mark.parametrize("kind", TIMES)
@settings(max_examples=40)
@given(data=st.data())
def test_table_written_anew_gives_the_same_bars_or_a_refusal(kind, data):
    """Permute, drop up to a tenth, repeat rows, re-zone, strip the zone, shift the stamps."""
    frame = FRAMES[kind]
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    share = data.draw(st.sampled_from([0.0, 0.02, 0.1]))
    rows = np.flatnonzero(random.random(len(frame)) >= share)
    if data.draw(st.booleans()):
        rows = np.append(rows, random.choice(rows, 3))
    if data.draw(st.booleans()):
        rows = random.permutation(rows)
    given = frame.iloc[rows]
    shift = data.draw(st.sampled_from(["0h", *SHIFTS[kind]]))
    zone = data.draw(st.sampled_from(REZONED))
    stamps = given.index + pd.Timedelta(shift)
    if stamps.tz is not None:
        stamps = stamps.tz_convert(zone or "UTC")
        stamps = stamps if zone else stamps.tz_localize(None)
    elif zone:
        stamps = stamps.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    try:
        bars = check(kind, given, stamps)
    except DataError:
        assert (shift, zone) != ("0h", "UTC")  # our own form is never refused
        return
    expected = frame.iloc[np.unique(rows)]
    assert bars.frame.equals(expected)
