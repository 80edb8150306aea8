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
- Shares outstanding of a fund (ETF_FLOWS): with the next session's figures, so a day's flow
  is known at the next session's close. ishares.com, the fund's Historical sheet
- Crypto fear and greed (FEAR_GREED): one value a day, which moves until the day (UTC) is
  over. alternative.me/crypto/fear-and-greed-index
- CNN's index (CNN_FEAR_GREED): computed until the day's close; before 2021 rebuilt by others,
  later. edition.cnn.com/markets/fear-and-greed
- AAII: votes until Wednesday 23:59, published early on Thursday, the date of the value.
  aaii.com/sentimentsurvey
- NAAIM: exposures at Wednesday's close, the date of the value, published on Thursday.
  naaim.org/programs/naaim-exposure-index
- Share of unprofitable companies: the date is that of publication. feeds.derived_series
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd

from feeds.arrays import Flags
from feeds.sessions import NEW_YORK, closes_after

Release = Callable[[pd.DatetimeIndex], pd.DatetimeIndex]

FRIDAY: Final = 4
TUESDAY: Final = 1
ONE_DAY: Final = pd.Timedelta(days=1)
# first and last year of the holidays; those of all years take twice as long to work out
RECENT: Final = (1995, 2035)
ALL_YEARS: Final = (1950, 2100)


@dataclass(frozen=True, slots=True)
class KnownSeries:
    """A series' title, its units, when it is published, and whether it is revised."""

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
        (_is_holiday(wednesday - pd.Timedelta(days=days)) for days in (0, 1, 2)),
        start=pd.array([False] * len(dates)).to_numpy(bool),
    )
    return _at(wednesday + pd.to_timedelta(late.astype(int), unit="D"), "08:30")


def reverse_repo(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return 13:15 of the day itself."""
    return _at(dates, "13:15")


def next_morning(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return 10:00 on the next business day."""
    return _at(_business_day(dates + ONE_DAY), "10:00")


def end_of_day(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return midnight UTC after the date itself."""
    return after_days(dates, lag_days=0)


def end_of_next_business_day(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return midnight UTC after the next business day."""
    return end_of_day(_business_day(dates + ONE_DAY))


def after_days(dates: pd.DatetimeIndex, *, lag_days: float) -> pd.DatetimeIndex:
    """Return `lag_days` after the end (UTC) of each date: with 0, midnight after the date."""
    return dates.tz_localize("UTC") + ONE_DAY + pd.Timedelta(days=lag_days)


def _at(days: pd.DatetimeIndex, time: str) -> pd.DatetimeIndex:
    hours, minutes = time.split(":")
    local = days + pd.Timedelta(hours=int(hours), minutes=int(minutes))
    return local.tz_localize(NEW_YORK).tz_convert("UTC").as_unit("ns")


def _business_day(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    while (closed := (days.day_of_week > FRIDAY) | _is_holiday(days)).any():
        days = days + pd.to_timedelta(closed.astype(int), unit="D")
    return days


def _is_holiday(days: pd.DatetimeIndex) -> Flags:
    """Return which days are federal holidays; of all years only where the days need it."""
    is_recent = len(days) and RECENT[0] <= days.min().year and days.max().year <= RECENT[1]
    return np.asarray(days.isin(_holidays(*(RECENT if is_recent else ALL_YEARS))))


@lru_cache(maxsize=2)
def _holidays(first: int, last: int) -> pd.DatetimeIndex:
    from pandas.tseries.holiday import USFederalHolidayCalendar

    days = USFederalHolidayCalendar().holidays(f"{first}-01-01", f"{last}-12-31")
    return pd.DatetimeIndex(days)


FRED_SERIES: Final = {
    "WALCL": KnownSeries("Fed total assets, Wednesday", "USD million", h41),
    "WTREGEN": KnownSeries("Treasury account at the Fed, week's average", "USD million", h41),
    "RRPONTSYD": KnownSeries("Overnight reverse repo", "USD billion", reverse_repo),
    "M2SL": KnownSeries("M2, seasonally adjusted", "USD billion", h6, revised=True),
    "DGS10": KnownSeries("10-year Treasury yield", "percent", h15),
    "DFF": KnownSeries("Federal funds rate", "percent", h15),
    "NFCI": KnownSeries("Chicago Fed financial conditions", "index", nfci, revised=True),
    "VIXCLS": KnownSeries("CBOE volatility index, close", "index", next_morning),
}

# From elsewhere: live from their publishers, bundled, or as files the user brings.
OTHER_SERIES: Final = {
    "ETF_FLOWS": KnownSeries("Flows of a fund, a day", "USD million", closes_after),
    "FEAR_GREED": KnownSeries("Crypto fear and greed", "0 to 100", end_of_day),
    "CNN_FEAR_GREED": KnownSeries("CNN's fear and greed", "0 to 100", end_of_day),
    "AAII_SPREAD": KnownSeries("AAII bulls less bears", "percentage points", end_of_day),
    "NAAIM": KnownSeries("NAAIM exposure", "percent", end_of_next_business_day),
    "UNPROFITABLE_SHARE": KnownSeries("Unprofitable companies", "fraction", end_of_day),
}
SERIES: Final = FRED_SERIES | OTHER_SERIES
