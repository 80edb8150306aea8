"""The time rules: now, when sessions open and close, when a bar is over, what is known then.

exchange_calendars takes half a second to import and to compute a century; the result is a
table of three columns that changes only with its version and the horizon.

Before 1970 the library knows few of the exchange's holidays, and none of its Saturdays, which
were sessions of two hours until 1952. They are added here, so that every true session is in
the table; which of those days were holidays it does not say before `HOLIDAYS_KNOWN_FROM`.

What is known at an instant is told by counts of nanoseconds in UTC, so that no calendar or zone
is left to go wrong: an index bar is known from `available_at` on; a decision falls when a coin's
bar ends and may use every index bar known by then.
"""

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from feeds.arrays import Flags, Floats, Integers
from feeds.errors import DataError
from feeds.folders import cache_folder, write_whole

if TYPE_CHECKING:
    from feeds.instruments import Kind

NEW_YORK: Final = "America/New_York"

BAR_LENGTHS: Final = {
    "1h": pd.Timedelta(hours=1),
    "4h": pd.Timedelta(hours=4),
    "1d": pd.Timedelta(days=1),
}
log = logging.getLogger(__name__)
FIRST_SESSION: Final = "1928-01-03"
LAST_SATURDAY: Final = "1952-05-24"
HOLIDAYS_KNOWN_FROM: Final = pd.Timestamp("1970-01-02")
Instants = Integers
Clock = Callable[[], pd.Timestamp]


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


@dataclass(frozen=True, slots=True)
class Calendar:
    """Sessions (tz-naive dates) with their opens and closes (UTC), ascending, shape (sessions,)."""

    sessions: pd.DatetimeIndex
    opens: pd.DatetimeIndex
    closes: pd.DatetimeIndex


@lru_cache(maxsize=1)
def xnys() -> Calendar:
    """Return the calendar from 1928 to the end of next year, from its file where there is one."""
    horizon = f"{utc_now().year + 1}-12-31"
    name = f"XNYS_{FIRST_SESSION}_{horizon}_{version('exchange_calendars')}.npz"
    path = cache_folder() / "calendar" / name
    times = _hold(path)
    if times is None:
        times = _compute(horizon)
        _keep(path, times)
    sessions, opens, closes = (pd.DatetimeIndex(row.view("datetime64[ns]")) for row in times)
    return Calendar(sessions, opens.tz_localize("UTC"), closes.tz_localize("UTC"))


def _hold(path: Path) -> Integers | None:
    """Return the stored times, None if they are not there or not whole (zip checks a CRC)."""
    try:
        with np.load(io.BytesIO(path.read_bytes())) as archive:
            times: Integers = archive["times"]
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 - zip, numpy and the system each have their own
        log.info("%s is computed anew: %s", path.name, error)
        return None
    return times


def _compute(horizon: str) -> Integers:
    import exchange_calendars

    calendar = exchange_calendars.get_calendar("XNYS", start=FIRST_SESSION, end=horizon)
    columns = (calendar.sessions, calendar.opens, calendar.closes)
    weekdays = np.stack([pd.DatetimeIndex(column).as_unit("ns").asi8 for column in columns])
    times = np.concatenate([_saturdays(), weekdays], axis=1)
    return times[:, times[0].argsort()]


def _saturdays() -> Integers:
    days = pd.date_range(FIRST_SESSION, LAST_SATURDAY, freq="W-SAT", unit="ns")
    local = days.tz_localize("America/New_York")
    hours = (local + pd.Timedelta(hours=hour) for hour in (10, 12))
    return np.stack([days.asi8, *(time.tz_convert("UTC").asi8 for time in hours)])


def _keep(path: Path, times: Integers) -> None:
    """Store the times; a folder that cannot be written costs only the time to compute them."""
    buffer = io.BytesIO()
    np.savez(buffer, times=times)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, buffer.getvalue())
    except OSError as error:
        log.info("%s is not kept: %s", path.name, error)


def latest_known(available_at: Instants, *, at: Instants) -> Integers:
    """Return the position of the latest index bar known at each instant, -1 before the first."""
    return np.searchsorted(available_at, at, side="right") - 1


def latest_arrival(
    occurred: Flags, *, effective_at: Instants, opens: Instants, ends: Instants
) -> Integers:
    """Return the latest session whose event takes effect within each coin bar, else -1.

    Parameters
    ----------
    occurred
        Whether the event fell on each session, shape (sessions,).
    effective_at
        The ascending instant from which each session counts, shape (sessions,).
    opens, ends
        Opening and end of each coin bar, shape (bars,). An event between two bars, in a
        gap, arrives with the later one; one before the first bar opened never does.

    Returns
    -------
    Positions of sessions, shape (bars,). Each event arrives exactly once: weekend and
    holiday bars carry none.
    """
    if ends.size == 0:
        return np.empty(0, np.int64)
    at_end = latest_known(effective_at, at=ends)
    at_first_open = latest_known(effective_at, at=opens[:1])
    before = np.concatenate((at_first_open, at_end[:-1]))
    numbers = np.where(occurred, np.arange(occurred.size), -1)
    latest_event = np.concatenate((np.maximum.accumulate(numbers), [-1]))
    event = latest_event[at_end]
    return np.where(event > before, event, -1)


def values_at(values: Floats, *, positions: Integers) -> Floats:
    """Return the value at each position, NaN where the position is -1."""
    padded = np.append(np.asarray(values, dtype=np.float64), np.nan)
    return padded[positions]


def utc_now() -> pd.Timestamp:
    """Return the present instant, UTC."""
    return pd.Timestamp.now(tz="UTC")
