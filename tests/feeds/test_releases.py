"""Release calendars against dates of releases that took place."""

import pandas as pd
import pytest

from feeds.releases import SERIES, after_days

PUBLISHED = [
    # an ordinary week: H.4.1 of Thursday 27 March 2025
    ("WALCL", "2025-03-26", "2025-03-27 16:30"),
    # Thanksgiving, Thursday 27 November 2025: Friday
    ("WALCL", "2025-11-26", "2025-11-28 16:30"),
    # Wednesday 31 December 2025: Thursday is New Year, so Friday
    ("WTREGEN", "2025-12-31", "2026-01-02 16:30"),
    # the first monthly H.6 came on Tuesday 23 February 2021
    ("M2SL", "2021-01-01", "2021-02-23 13:00"),
    # H.6 of Tuesday 24 August 2021
    ("M2SL", "2021-07-01", "2021-08-24 13:00"),
    # NFCI for the week to Friday 22 May 2026: Memorial Day, so Thursday 28 May
    ("NFCI", "2026-05-22", "2026-05-28 08:30"),
    # NFCI for the week to Friday 15 September 2017
    ("NFCI", "2017-09-15", "2017-09-20 08:30"),
    # a Friday's yield is out on Monday, before a holiday on Tuesday
    ("DGS10", "2024-06-28", "2024-07-01 16:15"),
    ("DGS10", "2024-07-03", "2024-07-05 16:15"),
    # a Saturday's rate with Friday's
    ("DFF", "2024-06-29", "2024-07-01 16:15"),
    ("RRPONTSYD", "2024-06-28", "2024-06-28 13:15"),
    ("VIXCLS", "2024-06-28", "2024-07-01 10:00"),
    # a fund's shares of Friday come with Monday's, before Thanksgiving with the half day's
    ("ETF_FLOWS", "2024-06-28", "2024-07-01 16:00"),
    ("ETF_FLOWS", "2024-11-27", "2024-11-29 13:00"),
    # a survey of Thursday, and exposures of Wednesday before a holiday
    ("AAII_SPREAD", "2025-12-18", "2025-12-18 19:00"),
    ("NAAIM", "2025-12-10", "2025-12-11 19:00"),
    ("NAAIM", "2025-12-24", "2025-12-26 19:00"),
    ("FEAR_GREED", "2024-06-29", "2024-06-29 20:00"),
]


@pytest.mark.parametrize(("name", "observed", "published"), PUBLISHED)
def test_release_of_an_observation_is_when_it_was_published(name, observed, published):
    known = SERIES[name].release(pd.DatetimeIndex([observed]))
    assert known[0] == pd.Timestamp(published, tz="America/New_York")


@pytest.mark.parametrize("name", SERIES)
def test_release_is_after_the_observation_and_never_goes_back(name):
    dates = pd.date_range("2000-01-01", "2025-12-31", freq="MS" if name == "M2SL" else "D")
    if name in ("WALCL", "WTREGEN"):
        dates = dates[dates.day_of_week == 2]
    known = SERIES[name].release(dates)
    assert (known > dates.tz_localize("UTC")).all()
    assert known.is_monotonic_increasing


def test_lag_counts_from_the_end_of_the_day():
    known = after_days(pd.DatetimeIndex(["2024-01-05"]), lag_days=1.5)
    assert known[0] == pd.Timestamp("2024-01-07 12:00", tz="UTC")
