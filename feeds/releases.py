"""When an observation was published: the release calendars of the series used here.

Each function takes tz-naive observation dates, ascending, and returns the instants (UTC)
from which they were known. Where a release falls on a federal holiday it comes on the next
business day. Times of publication, New York:

- H.4.1 (WALCL, WTREGEN): Thursday 16:30 for the week to Wednesday.
  federalreserve.gov/releases/h41
- H.6 (M2SL): since February 2021 the fourth Tuesday of the next month, 13:00; before, a
  Thursday earlier in that month, so the rule is late there. federalreserve.gov/releases/h6
- H.15 (DGS10, DFF): 16:15 on the next business day. federalreserve.gov/releases/h15
- NFCI: Wednesday 8:30 for the week to Friday, Thursday where a holiday came before; it has
  been published since April 2011, what is older was computed later.
  chicagofed.org/publications/nfci/index
- Reverse repo (RRPONTSYD): results of the day's operation at 13:15; on FRED by 14:01.
  newyorkfed.org/markets/desk-operations/reverse-repo
- VIXCLS: no time is promised; FRED has shown a close early on the next business day, and
  10:00 is later than that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import pandas as pd

from feeds.sessions import NEW_YORK

Release = Callable[[pd.DatetimeIndex], pd.DatetimeIndex]

FRIDAY: Final = 4
TUESDAY: Final = 1
ONE_DAY: Final = pd.Timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FredSeries:
    """A series' title, its units on FRED, when it is published, and whether it is revised."""

    title: str
    units: str
    release: Release
    revised: bool = False


def h41(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return Thursday 16:30 after each Wednesday."""
    return _at(_business_day(dates + ONE_DAY), "16:30")


def h6(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return 13:00 on the fourth Tuesday of the month after each date's."""
    following = dates.to_period("M").to_timestamp() + pd.offsets.MonthBegin(1)
    to_tuesday = pd.to_timedelta((TUESDAY - following.day_of_week) % 7, unit="D")
    return _at(_business_day(following + to_tuesday + pd.Timedelta(weeks=3)), "13:00")


def h15(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return 16:15 on the next business day."""
    return _at(_business_day(dates + ONE_DAY), "16:15")


def nfci(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return 8:30 on Wednesday after each Friday, on Thursday after a holiday."""
    to_friday = pd.to_timedelta((FRIDAY - dates.day_of_week) % 7, unit="D")
    wednesday = dates + to_friday + pd.Timedelta(days=5)
    late = sum(
        ((wednesday - pd.Timedelta(days=days)).isin(_holidays()) for days in (0, 1, 2)),
        start=pd.array([False] * len(dates)).to_numpy(bool),
    )
    return _at(wednesday + pd.to_timedelta(late.astype(int), unit="D"), "08:30")


def reverse_repo(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return 13:15 of the day itself."""
    return _at(dates, "13:15")


def next_morning(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return 10:00 on the next business day."""
    return _at(_business_day(dates + ONE_DAY), "10:00")


def after_days(dates: pd.DatetimeIndex, *, lag_days: float) -> pd.DatetimeIndex:
    """Return `lag_days` after the end (UTC) of each date: with 0, midnight after the date."""
    return dates.tz_localize("UTC") + ONE_DAY + pd.Timedelta(days=lag_days)


def _at(days: pd.DatetimeIndex, time: str) -> pd.DatetimeIndex:
    hours, minutes = time.split(":")
    local = days + pd.Timedelta(hours=int(hours), minutes=int(minutes))
    return local.tz_localize(NEW_YORK).tz_convert("UTC").as_unit("ns")


def _business_day(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    while (closed := (days.day_of_week > FRIDAY) | days.isin(_holidays())).any():
        days = days + pd.to_timedelta(closed.astype(int), unit="D")
    return days


@lru_cache(maxsize=1)
def _holidays() -> pd.DatetimeIndex:
    from pandas.tseries.holiday import USFederalHolidayCalendar

    days = USFederalHolidayCalendar().holidays("1950-01-01", "2100-12-31")
    return pd.DatetimeIndex(days)


FRED_SERIES: Final = {
    "WALCL": FredSeries("Fed total assets, Wednesday", "USD million", h41),
    "WTREGEN": FredSeries("Treasury account at the Fed, week's average", "USD million", h41),
    "RRPONTSYD": FredSeries("Overnight reverse repo", "USD billion", reverse_repo),
    "M2SL": FredSeries("M2, seasonally adjusted", "USD billion", h6, revised=True),
    "DGS10": FredSeries("10-year Treasury yield", "percent", h15),
    "DFF": FredSeries("Federal funds rate", "percent", h15),
    "NFCI": FredSeries("Chicago Fed financial conditions", "index", nfci, revised=True),
    "VIXCLS": FredSeries("CBOE volatility index, close", "index", next_morning),
}
