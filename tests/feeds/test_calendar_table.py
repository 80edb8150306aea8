import exchange_calendars
import numpy as np
import pandas as pd
import pytest

from feeds import calendar_table
from feeds.calendar_table import xnys


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

    monkeypatch.setattr(calendar_table, "_compute", compute)
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
