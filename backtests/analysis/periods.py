"""Returns over stretches of the calendar, and how bad the bad ones are."""

from typing import Final, cast

import numpy as np
import pandas as pd

MONTHS_BACK: Final = {"1 month": 1, "3 months": 3, "6 months": 6, "1 year": 12, "3 years": 36}
TAIL: Final = 0.05


def recent_returns(returns: pd.Series) -> dict[str, float]:
    """Return the compound return of the last months, of this year, and of all bars.

    `returns` are simple and per bar, index = the bars' times. A stretch longer than the run
    is NaN.
    """
    times = pd.DatetimeIndex(returns.index)
    found = {}
    for label, months in MONTHS_BACK.items():
        start = times[-1] - pd.DateOffset(months=months)
        found[label] = _compound(returns[times > start]) if start >= times[0] else np.nan
    found["This year"] = _compound(returns[times.year == times[-1].year])
    found["All"] = _compound(returns)
    return found


def calendar_figures(
    returns: pd.Series, *, benchmark: pd.Series, invested: pd.Series
) -> dict[str, float]:
    """Return best and worst month and year, tails of the bars, and the link to a benchmark.

    `invested` says whether something was held at each bar's end; a month in which never is one
    in cash, and without a gain. The expected shortfall is the mean of the worst 5 % of bars.
    Skewness and kurtosis (excess over the normal's) are bias-corrected. Correlation and beta
    are of bar returns; NaN where one side never varies.
    """
    times = pd.DatetimeIndex(returns.index)
    months = (1 + returns).groupby([times.year, times.month]).prod() - 1
    years = (1 + returns).groupby(times.year).prod() - 1
    worst = np.sort(returns.to_numpy())[: max(1, round(TAIL * len(returns)))]
    return {
        "best_month": float(months.max()),
        "worst_month": float(months.min()),
        "gaining_months": float((months > 0).mean()),
        "cash_months": float((~invested.groupby([times.year, times.month]).any()).mean()),
        "best_year": float(years.max()),
        "worst_year": float(years.min()),
        "expected_shortfall": float(worst.mean()),
        "skewness": cast("float", returns.skew()),
        "kurtosis": cast("float", returns.kurt()),
        "correlation": _correlation(returns, benchmark),
        "beta": _beta(returns, benchmark),
    }


def yearly_returns(returns: pd.Series) -> pd.Series:
    """Return the compound return of each calendar year; index = years."""
    return (1 + returns).groupby(pd.DatetimeIndex(returns.index).year).prod() - 1


def _compound(returns: pd.Series) -> float:
    return float(np.prod(1 + returns.to_numpy()) - 1)


def _correlation(returns: pd.Series, benchmark: pd.Series) -> float:
    own, other = returns.to_numpy(), benchmark.to_numpy()
    if len(own) < 2 or np.ptp(own) == 0 or np.ptp(other) == 0:
        return np.nan
    return float(np.corrcoef(own, other)[0, 1])


def _beta(returns: pd.Series, benchmark: pd.Series) -> float:
    correlation = _correlation(returns, benchmark)
    if np.isnan(correlation):
        return np.nan
    return correlation * float(returns.std() / benchmark.std())
