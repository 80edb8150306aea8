"""How much time bars stand for: years, bars per year, and what cash earns meanwhile.

Everything per year follows the clock and never a count of bars, so that a file without
weekends, or with a hole of two years, gives the figures its prices give. All commands and both
engines ask these functions. Instants are seconds since 1970, UTC, shape (bars,).
"""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from feeds.arrays import Flags, Floats
from feeds.sessions import BAR_LENGTHS

DAYS_PER_YEAR: Final = 365.25
SECONDS_PER_YEAR: Final = DAYS_PER_YEAR * 86_400.0
# how many bars a year nominally has: a coin trades all hours of 365 days
NOMINAL_SECONDS: Final = 365 * 86_400.0
SESSIONS_PER_YEAR: Final = 252
# what lies this far apart is not one bar's return: a coin silent for so long counts as dead
HOLE_SECONDS: Final = 7 * 86_400.0


def years_between(start: float, end: float) -> float:
    """Return the years from one instant to another."""
    return (end - start) / SECONDS_PER_YEAR


def bars_per_year(bars: int, *, years: float, nominal: float) -> float:
    """Return the nominal number of bars per year, or those really there if they are fewer."""
    return min(nominal, bars / years)


def nominal_bars_per_year(opens: Floats, ends: Floats) -> float:
    """Return how many bars of this length a coin has in a year."""
    return float(NOMINAL_SECONDS / (ends[0] - opens[0]))


def gaps(opens: Floats, ends: Floats) -> Floats:
    """Return the years between the end of the bar before and each bar's open; 0 at the first."""
    return np.concatenate(([0.0], opens[1:] - ends[:-1])) / SECONDS_PER_YEAR


def after_hole(opens: Floats, ends: Floats) -> Flags:
    """Return which bars open 7 days or more after the end of the one before; never the first.

    Their return is that of the whole hole. It is earned, but it says nothing about the spread
    of a bar's returns: volatility and ratios leave it out.
    """
    return np.asarray(np.append(False, opens[1:] - ends[:-1] >= HOLE_SECONDS))


def interest(years: Floats, *, rate: float) -> Floats:
    """Return what cash at a yearly `rate` earns over so many years, a fraction."""
    return np.asarray(np.expm1(years * np.log1p(rate)))


def cash_returns(opens: Floats, ends: Floats, *, rate: float) -> Floats:
    """Return what cash earns by each bar's end since the end of the bar before.

    The first bar counts from its open, and the time of missing bars belongs to the next.
    """
    return interest(np.diff(ends, prepend=opens[0]) / SECONDS_PER_YEAR, rate=rate)


def observed_bars_per_year(ends: Floats, *, lookback: int, nominal: float) -> Floats:
    """Return the bars per year among the last `lookback` at each bar's end; nominal at first."""
    span = np.full(ends.size, np.nan)
    span[lookback:] = (ends[lookback:] - ends[:-lookback]) / SECONDS_PER_YEAR
    return np.fmin(nominal, lookback / span)


class Timescale(NamedTuple):
    """The time some bars take, what cash earned on each of them, and which end a hole."""

    years: float
    periods_per_year: float
    cash_returns: Floats
    after_hole: Flags


def timescale(opens: pd.DatetimeIndex, *, timeframe: str, rate: float) -> Timescale:
    """Return the time scale of a coin's bars, given when each opens."""
    starts = opens.as_unit("ns").asi8 / 1e9
    ends = starts + BAR_LENGTHS[timeframe].total_seconds()
    return time_taken(starts, ends, rate=rate)


def time_taken(opens: Floats, ends: Floats, *, rate: float) -> Timescale:
    """Return the time scale of bars by their instants."""
    years = float(years_between(opens[0], ends[-1]))
    nominal = nominal_bars_per_year(opens, ends)
    per_year = bars_per_year(opens.size, years=years, nominal=nominal)
    earned = cash_returns(opens, ends, rate=rate)
    return Timescale(years, per_year, earned, after_hole(opens, ends))
