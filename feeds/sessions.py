"""When a bar is over: XNYS session closes for an index, the clock for a coin."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from feeds.arrays import Integers
from feeds.calendar_table import xnys
from feeds.errors import DataError

if TYPE_CHECKING:
    from feeds.instruments import Kind

NEW_YORK: Final = "America/New_York"

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
    daylight saving included. A coin's bar ends one length later.

    An intraday index bar ends one length after its start or at the session's close, or
    where the next bar starts if that is earlier: vendors stamp hours from 9:30 on either
    9:30, 10:00, 11:00 (the first bar is half an hour) or 9:30, 10:30 (the last one is).
    Where the next bar is not known the later end is taken, so that no bar is used early.

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
    return _intraday_ends(opens, length)


def _intraday_ends(opens: pd.DatetimeIndex, length: pd.Timedelta) -> pd.DatetimeIndex:
    starts = opens.as_unit("ns").asi8
    order = starts.argsort()
    closes = np.append(xnys().closes.asi8, np.iinfo(np.int64).max)
    next_close = closes[closes.searchsorted(starts, side="right")]
    ends = np.minimum(starts + length.value, next_close)
    ends[order[:-1]] = np.minimum(ends[order[:-1]], starts[order[1:]])
    return pd.DatetimeIndex(ends.view("datetime64[ns]")).tz_localize("UTC")


def session_closes(sessions: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the XNYS close (UTC) of each tz-naive session date."""
    return session_hours(sessions)[1]


def session_hours(sessions: pd.DatetimeIndex) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """Return the XNYS open and close (UTC) of each tz-naive session date.

    Raises
    ------
    DataError
        If a date is not a session.
    """
    calendar = xnys()
    rows = session_positions(sessions)
    if (rows < 0).any():
        raise _no_session(sessions[int((rows < 0).argmax())])
    return calendar.opens[rows], calendar.closes[rows]


def _no_session(day: pd.Timestamp) -> DataError:
    known = xnys().sessions
    if not known[0] <= day <= known[-1]:
        return DataError(
            f"{day:%Y-%m-%d} lies outside the calendar of the New York Stock Exchange, which is "
            f"known from {known[0]:%Y-%m-%d} to {known[-1]:%Y-%m-%d}. Correct or remove the row."
        )
    return DataError(
        f"{day:%Y-%m-%d} is not a session of the New York Stock Exchange. "
        "An index bar is dated by its session; correct or remove the row."
    )


def session_positions(dates: pd.DatetimeIndex) -> Integers:
    """Return the place of each tz-naive date in the exchange's calendar, -1 for no session."""
    return np.asarray(xnys().sessions.get_indexer(dates), np.int64)


def closes_after(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the close (UTC) of the first XNYS session after each tz-naive date.

    Raises
    ------
    DataError
        If a date is after the last session that is planned yet.
    """
    calendar = xnys()
    rows = calendar.sessions.searchsorted(dates.as_unit("ns"), side="right")
    if (rows == len(calendar.sessions)).any():
        raise DataError(
            f"{dates.max():%Y-%m-%d} is after the last planned session of the New York Stock "
            f"Exchange, {calendar.sessions[-1]:%Y-%m-%d}. Correct or remove the row."
        )
    return calendar.closes[rows]


def sessions_between(first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Return all XNYS sessions (tz-naive) from `first` to `last`, both included."""
    sessions = xnys().sessions
    return sessions[sessions.searchsorted(first) : sessions.searchsorted(last, side="right")]
