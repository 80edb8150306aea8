"""Returns over stretches of the calendar, and rolling figures of the bars."""

from typing import Final, Literal

import numpy as np
import pandas as pd

from backtests.analysis.metrics import max_drawdown
from feeds.arrays import Integers

PeriodName = Literal["day", "week", "month", "quarter", "year"]

MONTHS_BACK: Final = {"1 month": 1, "3 months": 3, "6 months": 6, "1 year": 12, "3 years": 36}
# a week begins on Monday
PERIODS: Final[dict[PeriodName, str]] = {
    "day": "D",
    "week": "W",
    "month": "M",
    "quarter": "Q",
    "year": "Y",
}
QUANTILES: Final = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
# of a rolling window; with fewer bars invested its ratios are those of a few days
INVESTED_SHARE: Final = 0.1


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


def calendar_figures(returns: pd.Series, *, invested: pd.Series) -> dict[str, float]:
    """Return best and worst month and year, and how many months gained or were spent in cash.

    `invested` says whether something was held at each bar's end; a month in which never is one
    in cash, and without a gain.
    """
    months, years = (period_returns(returns, name).to_numpy() for name in ("month", "year"))
    held = np.logical_or.reduceat(invested.to_numpy(), _starts(_periods(returns, "month")))
    return {
        "best_month": float(months.max()),
        "worst_month": float(months.min()),
        "gaining_months": float((months > 0).mean()),
        "cash_months": float((~held).mean()),
        "best_year": float(years.max()),
        "worst_year": float(years.min()),
    }


def yearly_returns(returns: pd.Series) -> pd.Series:
    """Return the compound return of each calendar year; index = years."""
    return (1 + returns).groupby(pd.DatetimeIndex(returns.index).year).prod() - 1


def _compound(returns: pd.Series) -> float:
    return float(np.prod(1 + returns.to_numpy()) - 1)


def rolling_ratio(excess: pd.Series, *, bars: int) -> tuple[pd.Series, pd.Series]:
    """Return rolling Sharpe ratio and volatility over `bars` bars, annualised by `bars`.

    NaN before `bars` bars exist; the ratio also where returns did not vary.
    """
    window = excess.rolling(bars)
    deviation = window.std(ddof=1)
    varied = window.max() > window.min()
    ratio = (window.mean() / deviation.where(varied)) * np.sqrt(bars)
    return ratio, deviation.where(varied | deviation.isna(), 0.0) * np.sqrt(bars)


def rolling_sortino(excess: pd.Series, *, bars: int) -> pd.Series:
    """Return the rolling Sortino ratio over `bars` bars, annualised by `bars`.

    Mean / downside deviation about 0. NaN before `bars` bars exist and where none of them lost.
    """
    losses = excess.clip(upper=0.0)
    downside = np.sqrt((losses**2).rolling(bars).mean().clip(lower=0.0))
    has_lost = losses.rolling(bars).min() < 0
    ratio: pd.Series = excess.rolling(bars).mean() / downside.where(has_lost)
    return ratio * float(np.sqrt(bars))


def rolling_beta(excess: pd.Series, *, benchmark: pd.Series, bars: int) -> pd.Series:
    """Return the rolling beta over `bars` bars: covariance with the benchmark / its variance.

    NaN before `bars` bars exist and where the benchmark did not vary.
    """
    window = benchmark.rolling(bars)
    varied = window.max() > window.min()
    together: pd.Series = excess.rolling(bars).cov(benchmark)
    return together / window.var().where(varied)


def is_enough_invested(invested: pd.Series, *, bars: int) -> pd.Series:
    """Return whether at least `INVESTED_SHARE` of the last `bars` bars ended invested.

    False before `bars` bars exist.
    """
    held: pd.Series = invested.astype(np.float64).rolling(bars).sum()
    return held >= INVESTED_SHARE * bars


def period_returns(returns: pd.Series, period: PeriodName) -> pd.Series:
    """Return compound returns by calendar period (UTC), index = the periods that have bars.

    The first and the last may be cut short.
    """
    periods = _periods(returns, period)
    starts = _starts(periods)
    growth = np.multiply.reduceat(1 + returns.to_numpy(), starts)
    return pd.Series(growth - 1, index=periods[starts])


def period_quantiles(returns: pd.Series) -> pd.DataFrame:
    """Return how the returns of each kind of period are spread: a row per name of `PERIODS`.

    Columns are `periods`, how many there are, `gained`, the share above 0, and one per level of
    `QUANTILES` (linear between two returns).
    """
    rows: dict[str, dict[object, float]] = {}
    for period in PERIODS:
        values = period_returns(returns, period).to_numpy()
        rows[period] = {"periods": values.size, "gained": float((values > 0).mean())}
        rows[period].update(zip(QUANTILES, np.quantile(values, QUANTILES).tolist(), strict=True))
    return pd.DataFrame.from_dict(rows, orient="index")


def worst_days(returns: pd.Series, *, most: int) -> pd.Series:
    """Return the days that lost most, the worst first; index = the days (UTC)."""
    days = period_returns(returns, "day")
    return days[days < 0].nsmallest(most)


def yearly_figures(returns: pd.Series, *, invested: pd.Series) -> pd.DataFrame:
    """Return a row per calendar year (UTC), index = years.

    `return` is compound; `max_drawdown` (<= 0) the deepest fall below the highest equity of the
    same year, its start included; `time_in_market` the share of bars at whose end something was
    held; `first` and `last` the times of its bars.
    """
    starts = _starts(_periods(returns, "year"))
    times = pd.DatetimeIndex(returns.index)
    values = returns.to_numpy()
    stops = np.append(starts[1:], values.size)
    depths = [max_drawdown(values[a:b]) for a, b in zip(starts, stops, strict=True)]
    held = np.add.reduceat(invested.to_numpy().astype(np.float64), starts)
    return pd.DataFrame(
        {
            "return": np.multiply.reduceat(1 + values, starts) - 1,
            "max_drawdown": depths,
            "time_in_market": held / (stops - starts),
            "first": times[starts],
            "last": times[stops - 1],
        },
        index=times[starts].year,
    )


def _periods(returns: pd.Series, period: PeriodName) -> pd.PeriodIndex:
    times = pd.DatetimeIndex(returns.index).tz_localize(None)
    return times.to_period(PERIODS[period])


def _starts(periods: pd.PeriodIndex) -> Integers:
    """Return the row at which each period begins."""
    numbers = periods.asi8
    return np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1]))


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
