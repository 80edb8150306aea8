"""Opens and closes of the New York Stock Exchange, computed once and then read.

exchange_calendars takes half a second to import and to compute a century; the result is a
table of three columns that changes only with its version and the horizon.

Before 1970 the library knows few of the exchange's holidays, and none of its Saturdays, which
were sessions of two hours until 1952. They are added here, so that every true session is in
the table; which of those days were holidays it does not say before `HOLIDAYS_KNOWN_FROM`.
"""

import io
import logging
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from feeds.arrays import Integers
from feeds.clock import utc_now
from feeds.folders import cache_folder, write_whole

log = logging.getLogger(__name__)

FIRST_SESSION: Final = "1928-01-03"
LAST_SATURDAY: Final = "1952-05-24"
HOLIDAYS_KNOWN_FROM: Final = pd.Timestamp("1970-01-02")


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
