"""Returns over stretches of the calendar, and how bad the bad ones are."""

from typing import Final, cast

import numpy as np
import pandas as pd

MONTHS_BACK: Final = {"1 month": 1, "3 months": 3, "6 months": 6, "1 year": 12, "3 years": 36}
TAIL: Final = 0.05
QUANTILES: Final = {
    "Worst bar": 0.0,
    "5th percentile": 0.05,
    "Median": 0.5,
    "95th percentile": 0.95,
    "Best bar": 1.0,
}


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


def rolling_ratio(excess: pd.Series, *, bars: int) -> tuple[pd.Series, pd.Series]:
    """Return rolling Sharpe ratio and volatility over `bars` bars, annualised by `bars`.

    NaN before `bars` bars exist; the ratio also where returns did not vary.
    """
    window = excess.rolling(bars)
    deviation = window.std(ddof=1)
    varied = window.max() > window.min()
    ratio = (window.mean() / deviation.where(varied)) * np.sqrt(bars)
    return ratio, deviation.where(varied | deviation.isna(), 0.0) * np.sqrt(bars)


def return_quantiles(returns: pd.Series) -> dict[str, float]:
    """Return quantiles of bar returns, and the share that gained, by name."""
    found = {label: float(np.quantile(returns, level)) for label, level in QUANTILES.items()}
    return {**found, "Bars with a gain": float((returns > 0).mean())}


def monthly_returns(returns: pd.Series) -> tuple[pd.DataFrame, pd.Series]:
    """Return compound returns by year and month (1 to 12, NaN without bars), and by year."""
    times = pd.DatetimeIndex(returns.index)
    growth = (1 + returns).groupby([times.year, times.month]).prod()
    months = growth.unstack().reindex(columns=range(1, 13)) - 1
    return months, growth.groupby(level=0).prod() - 1


def idle_months(invested: pd.Series) -> pd.DataFrame:
    """Return by year and month whether nothing was held at any bar's end; False without bars."""
    times = pd.DatetimeIndex(invested.index)
    held = invested.groupby([times.year, times.month]).any().unstack()
    return held.reindex(columns=range(1, 13)) == False  # noqa: E712 - NaN is neither
