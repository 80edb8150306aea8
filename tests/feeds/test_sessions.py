import exchange_calendars
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds import sessions
from feeds.errors import DataError
from feeds.sessions import (
    bar_ends,
    latest_arrival,
    latest_known,
    periods_per_year,
    session_closes,
    values_at,
    xnys,
)

HOUR = 3_600_000_000_000


def instants(*texts):
    return pd.DatetimeIndex(texts).as_unit("ns").asi8


def test_latest_known_at_the_very_instant_counts():
    known = latest_known(np.array([10, 20]), at=np.array([9, 10, 19, 20]))
    assert known.tolist() == [-1, 0, 0, 1]


def test_latest_arrival_friday_event_fires_on_friday_only():
    closes = session_closes(pd.DatetimeIndex(["2024-01-04", "2024-01-05", "2024-01-08"]))
    opens = pd.date_range("2024-01-03", periods=8, tz="UTC").as_unit("ns").asi8
    friday = latest_arrival(
        np.array([False, True, False]),
        effective_at=closes.asi8,
        opens=opens,
        ends=opens + 24 * HOUR,
    )
    # bars of the 3rd to the 10th: the 5th carries session 1; the weekend carries nothing
    assert friday.tolist() == [-1, -1, 1, -1, -1, -1, -1, -1]


def test_latest_arrival_in_a_gap_arrives_with_the_next_bar():
    opens = instants("2024-01-03", "2024-01-09")
    closes = session_closes(pd.DatetimeIndex(["2024-01-05"]))
    found = latest_arrival(
        np.array([True]), effective_at=closes.asi8, opens=opens, ends=opens + 24 * HOUR
    )
    assert found.tolist() == [-1, 0]


def test_latest_arrival_before_the_first_bar_never_arrives():
    opens = instants("2024-01-09", "2024-01-10")
    closes = session_closes(pd.DatetimeIndex(["2024-01-05"]))
    found = latest_arrival(
        np.array([True]), effective_at=closes.asi8, opens=opens, ends=opens + 24 * HOUR
    )
    assert found.tolist() == [-1, -1]


@given(
    waits=st.lists(st.integers(1, 9), min_size=1, max_size=30),
    occurred=st.lists(st.booleans(), min_size=30, max_size=30),
    bars=st.integers(1, 40),
)
def test_latest_arrival_every_event_in_range_arrives_at_most_once(waits, occurred, bars):
    effective = np.cumsum(waits)
    events = np.array(occurred[: len(waits)])
    opens = np.arange(bars) * 4
    ends = opens + 4
    found = latest_arrival(events, effective_at=effective, opens=opens, ends=ends)
    for bar in range(bars):
        inside = [s for s in np.flatnonzero(events) if opens[bar] < effective[s] <= ends[bar]]
        assert found[bar] == (max(inside) if inside else -1)


def test_taken_unknown_position_is_nan():
    np.testing.assert_array_equal(
        values_at(np.array([5.0, 6.0]), positions=np.array([-1, 0, 1])), [np.nan, 5.0, 6.0]
    )


@pytest.fixture
def table(monkeypatch, tmp_path):
    """Return a function that reads the calendar as a new process would, and its folder."""
    monkeypatch.setenv("RUSSELL_CACHE_DIR", str(tmp_path))

    def read():
        return xnys.__wrapped__()

    return read


@pytest.fixture
def computed(monkeypatch):
    """Count the times the calendar is computed; a short one is enough."""
    calls = []

    def compute(horizon):
        calls.append(horizon)
        return np.arange(9, dtype=np.int64).reshape(3, 3)

    monkeypatch.setattr(sessions, "_compute", compute)
    return calls


def test_xnys_equals_the_library():
    library = exchange_calendars.get_calendar("XNYS", start="2000-01-03", end="2025-12-31")
    held = xnys()
    rows = held.sessions.slice_indexer("2000-01-03", "2025-12-31")
    assert (held.sessions[rows] == library.sessions).all()
    assert (held.opens[rows] == pd.DatetimeIndex(library.opens)).all()
    assert (held.closes[rows] == pd.DatetimeIndex(library.closes)).all()


def test_xnys_has_every_weekday_and_saturday_there_may_have_been_a_session_on():
    held = xnys()
    assert held.sessions[0] == pd.Timestamp("1928-01-03")
    assert held.sessions.is_monotonic_increasing
    assert held.sessions.is_unique
    saturdays = held.sessions[held.sessions.day_of_week == 5]
    assert saturdays[[0, -1]].tolist() == [pd.Timestamp("1928-01-07"), pd.Timestamp("1952-05-24")]
    closes = held.closes[held.sessions.day_of_week == 5].tz_convert("America/New_York")
    assert set(closes.hour) == {12}
    # days the exchange was open on: Black Tuesday, the day after Kennedy's funeral
    assert held.sessions.isin(pd.DatetimeIndex(["1929-10-29", "1963-11-26"])).sum() == 2


def test_xnys_kept_is_the_same_and_computed_once(table, computed):
    first, again = table(), table()
    for name in ("sessions", "opens", "closes"):
        assert getattr(first, name).equals(getattr(again, name))
    assert len(computed) == 1


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [lambda b: b[:-100], lambda b: b"", flipped])
def test_xnys_damaged_file_is_computed_anew(table, computed, tmp_path, damage):
    whole = table()
    (path,) = (tmp_path / "calendar").iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert table().closes.equals(whole.closes)
    assert len(computed) == 2
    assert table().closes.equals(whole.closes)
    assert len(computed) == 2


def test_xnys_folder_that_cannot_be_written_costs_only_time(table, computed, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("RUSSELL_CACHE_DIR", str(tmp_path / "file"))
    assert len(table().sessions) == 3
    assert len(computed) == 1


@pytest.mark.parametrize(
    ("session", "close"),
    [
        ("2024-03-08", "2024-03-08 21:00"),  # winter time
        ("2024-03-11", "2024-03-11 20:00"),  # the Monday after clocks went forward
        ("2024-11-01", "2024-11-01 20:00"),
        ("2024-11-04", "2024-11-04 21:00"),  # and back
        ("2024-11-29", "2024-11-29 18:00"),  # half day after Thanksgiving
        ("2024-07-03", "2024-07-03 17:00"),  # half day in summer
        ("1987-09-10", "1987-09-10 20:00"),
    ],
)
def test_session_closes_known_sessions_have_the_official_close(session, close):
    found = session_closes(pd.DatetimeIndex([session]))
    assert found[0] == pd.Timestamp(close, tz="UTC")


@pytest.mark.parametrize("day", ["2024-03-09", "2024-12-25", "2025-01-09"])
def test_session_closes_closed_day_is_refused(day):
    with pytest.raises(DataError, match=f"{day} is not a session"):
        session_closes(pd.DatetimeIndex([day]))


@pytest.mark.parametrize("day", ["1927-12-30", "2099-01-05"])
def test_session_closes_beyond_the_calendar_is_not_called_no_session(day):
    with pytest.raises(DataError, match=f"{day} lies outside the calendar.*from 1928-01-03 to"):
        session_closes(pd.DatetimeIndex([day]))


def test_bar_ends_hourly_index_first_bar_is_half_an_hour():
    opens = pd.DatetimeIndex(["2024-01-02 14:30", "2024-01-02 15:00"], tz="UTC")
    ends = bar_ends(opens, kind="index", timeframe="1h")
    assert ends.strftime("%H:%M").tolist() == ["15:00", "16:00"]


def test_periods_per_year_coins_never_rest():
    assert [periods_per_year(t) for t in ("1d", "4h", "1h")] == [365, 2190, 8760]
