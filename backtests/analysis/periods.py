"""Returns over stretches of the calendar, and rolling figures of the bars."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from backtests.analysis.metrics import max_drawdown, total_return
from feeds.arrays import Floats, Integers

PeriodName = Literal["day", "week", "month", "quarter", "year"]

PERIODS: Final[tuple[PeriodName, ...]] = ("day", "week", "month", "quarter", "year")
MONTHS_BACK: Final = {"1 month": 1, "3 months": 3, "6 months": 6, "1 year": 12, "3 years": 36}
QUANTILES: Final = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
# of a rolling window; with fewer bars invested its ratios are those of a few days
INVESTED_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class PeriodSpread:
    """How the returns of one kind of period are spread.

    `quantiles` are at the levels of `QUANTILES`, linear between two returns; `gained` is the
    share above 0.
    """

    periods: int
    quantiles: tuple[float, ...]
    gained: float


@dataclass(frozen=True, slots=True)
class YearFigures:
    """One calendar year (UTC) of an account, or the part of it between two bars' times.

    `max_drawdown` (<= 0) is the deepest fall below the highest equity of the same year, its
    start included; `time_in_market` the share of bars at whose end something was held.
    """

    year: int
    total_return: float
    max_drawdown: float
    time_in_market: float
    first: pd.Timestamp
    last: pd.Timestamp


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
    months, years = period_returns(returns, "month"), period_returns(returns, "year")
    held = np.logical_or.reduceat(invested.to_numpy(), period_starts(returns, "month"))
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


def period_returns(returns: pd.Series, period: PeriodName) -> Floats:
    """Return compound returns by calendar period (UTC), of those that have bars, in order.

    A week begins on Monday. The first and the last period may be cut short.
    """
    starts = period_starts(returns, period)
    return np.asarray(np.multiply.reduceat(1 + returns.to_numpy(), starts) - 1)


def period_starts(returns: pd.Series, period: PeriodName) -> Integers:
    """Return the row at which each calendar period (UTC) begins, shape (periods,)."""
    times = pd.DatetimeIndex(returns.index).as_unit("ns").asi8.view("datetime64[ns]")
    days = times.astype("datetime64[D]").astype(np.int64)
    months = times.astype("datetime64[M]").astype(np.int64)
    # 1970-01-01 was a Thursday
    numbers = {"day": days, "week": (days + 3) // 7, "month": months}
    counted = numbers.get(period)
    if counted is None:
        counted = months // {"quarter": 3, "year": 12}[period]
    return np.flatnonzero(np.append(True, counted[1:] != counted[:-1]))


def period_spreads(returns: pd.Series) -> dict[PeriodName, PeriodSpread]:
    """Return how the returns of each kind of period are spread, shortest first."""
    found = {}
    for period in PERIODS:
        values = period_returns(returns, period)
        quantiles = tuple(np.quantile(values, QUANTILES).tolist())
        found[period] = PeriodSpread(values.size, quantiles, float((values > 0).mean()))
    return found


def worst_days(returns: pd.Series, *, most: int) -> list[tuple[pd.Timestamp, float]]:
    """Return the days (UTC) that lost most, with their returns, the worst first."""
    days = period_returns(returns, "day")
    order = [row for row in np.argsort(days, kind="stable")[:most] if days[row] < 0]
    times = pd.DatetimeIndex(returns.index)[period_starts(returns, "day")[order]].normalize()
    return list(zip(times, days[order].tolist(), strict=True))


def yearly_figures(returns: pd.Series, *, invested: pd.Series) -> list[YearFigures]:
    """Return the figures of each calendar year; `invested` says what each bar's end held."""
    starts = period_starts(returns, "year").tolist()
    times = pd.DatetimeIndex(returns.index)
    values, held = returns.to_numpy(), invested.to_numpy()
    return [
        YearFigures(
            year=int(times[start].year),
            total_return=total_return(values[start:stop]),
            max_drawdown=max_drawdown(values[start:stop]),
            time_in_market=float(held[start:stop].mean()),
            first=times[start],
            last=times[stop - 1],
        )
        for start, stop in zip(starts, [*starts[1:], values.size], strict=True)
    ]


def weekly(equity: pd.Series) -> pd.Series:
    """Return the last value of each week, which ends on a Sunday; without bars the one before."""
    return equity.resample("W-SUN").last().ffill()


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
