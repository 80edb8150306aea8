import pandas as pd
import pytest

from feeds.errors import DataError
from feeds.sessions import bar_ends, periods_per_year, session_closes


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
