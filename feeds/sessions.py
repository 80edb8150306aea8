"""When a bar is over: XNYS session closes for an index, the clock for a coin."""

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from feeds.errors import DataError

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

    from feeds.instruments import Kind

FIRST_SESSION: Final = "1970-01-02"
NEW_YORK: Final = "America/New_York"
HALF_HOUR: Final = 30
# On full hours only a session's first bar, one of seven, opens at half past.
MOST_OF_THEM: Final = 0.5

BAR_LENGTHS: Final = {
    "1h": pd.Timedelta(hours=1),
    "4h": pd.Timedelta(hours=4),
    "1d": pd.Timedelta(days=1),
}


def periods_per_year(timeframe: str) -> int:
    """Return how many bars a coin has in a year: it trades 365 days, all hours."""
    return int(pd.Timedelta(days=365) / BAR_LENGTHS[timeframe])


def bar_ends(opens: pd.DatetimeIndex, *, kind: "Kind", timeframe: str) -> pd.DatetimeIndex:
    """Return the instant (UTC) each bar is over and may be used.

    A daily index bar ends at the official XNYS close of its session, half days and
    daylight saving included. Hourly index bars come on two grids: on full hours an intraday
    bar ends on the next one, because a session's first bar is the half hour from 9:30; on
    half hours, as Yahoo has them, one length later but not after the session's close. A
    coin's bar ends one length later.

    Raises
    ------
    DataError
        If an index bar is dated on a day without an XNYS session.
    """
    length = BAR_LENGTHS[timeframe]
    if kind == "coin":
        return opens + length
    if timeframe == "1d":
        return session_closes(opens)
    if bool((opens.minute == HALF_HOUR).mean() > MOST_OF_THEM):
        days = opens.tz_convert(NEW_YORK).tz_localize(None).normalize()
        return pd.DatetimeIndex(np.minimum(opens + length, session_closes(days)))
    return opens.floor(length) + length


def session_closes(sessions: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the XNYS close (UTC) of each tz-naive session date."""
    closes = _xnys().closes
    rows = closes.index.get_indexer(sessions)
    if (rows < 0).any():
        stranger = sessions[int((rows < 0).argmax())]
        raise DataError(
            f"{stranger:%Y-%m-%d} is not a session of the New York Stock Exchange. "
            "An index bar is dated by its session; correct or remove the row."
        )
    return pd.DatetimeIndex(closes.iloc[rows]).as_unit("ns")


def sessions_between(first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Return all XNYS sessions (tz-naive) from `first` to `last`, both included."""
    sessions = _xnys().sessions
    inside = sessions[(sessions >= first) & (sessions <= last)]
    return pd.DatetimeIndex(inside).as_unit("ns")


@lru_cache(maxsize=1)
def _xnys() -> "ExchangeCalendar":
    import exchange_calendars

    return exchange_calendars.get_calendar("XNYS", start=FIRST_SESSION)
