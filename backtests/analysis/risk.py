"""How bad the bad bars are, how an account moves with holding, and how trades pay.

Each is a small function of per-bar simple returns, or of one number per trade. Fractions, not
percent; undefined is NaN.
"""

from collections.abc import Mapping
from typing import Final, cast

import numpy as np
import pandas as pd

from backtests.analysis.metrics import sharpe_ratio, volatility
from backtests.analysis.periods import period_returns
from feeds.arrays import Flags, Floats

TAIL: Final = 0.05


def value_at_risk(returns: Floats, *, tail: float = TAIL) -> float:
    """Return the historical value at risk: the return that a share `tail` of them lies below.

    The quantile of returns, linear between two of them, and so below 0 where it is a loss; NaN
    for none. empyrical has the same.
    """
    return float(np.quantile(returns, tail)) if returns.size else np.nan


def expected_shortfall(returns: Floats, *, tail: float = TAIL) -> float:
    """Return the mean of the worst returns, a share `tail` of them and at least one; NaN for none.

    Below 0 where it is a loss.
    """
    if not returns.size:
        return np.nan
    return float(np.sort(returns)[: max(1, round(tail * returns.size))].mean())


def correlation(returns: Floats, benchmark: Floats) -> float:
    """Return the correlation of two accounts' returns; NaN where one of them never varies."""
    if returns.size < 2 or np.ptp(returns) == 0 or np.ptp(benchmark) == 0:
        return np.nan
    return float(np.corrcoef(returns, benchmark)[0, 1])


def beta(returns: Floats, benchmark: Floats) -> float:
    """Return covariance with the benchmark / its variance; NaN where either never varies."""
    linked = correlation(returns, benchmark)
    if np.isnan(linked):
        return np.nan
    return linked * float(np.std(returns, ddof=1) / np.std(benchmark, ddof=1))


def alpha(excess: Floats, benchmark: Floats, *, periods_per_year: float) -> float:
    """Return Jensen's alpha: what an account earned beyond beta times the benchmark, annualised.

    Both are returns over cash. (1 + mean(excess - beta x benchmark)) ^ periods per year - 1, as
    in empyrical; NaN without a beta.
    """
    beyond = float(np.mean(excess - beta(excess, benchmark) * benchmark)) if excess.size else np.nan
    return float((1 + beyond) ** periods_per_year - 1)


def longest_streak(flags: Flags) -> int:
    """Return the largest number of true values in a row; 0 for none."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def risk_figures(
    returns: pd.Series,
    *,
    benchmark: pd.Series,
    periods_per_year: float,
    cash_returns: Floats | float = 0.0,
    left_out: Flags | None = None,
) -> dict[str, float]:
    """Return tails, shape, the link to a benchmark and streaks of days, by name.

    `returns` and `benchmark` are per bar, index = the bars' times. `left_out` are bars whose
    returns span a hole: no part of what compares with the benchmark. Skewness and kurtosis
    (excess over the normal's) are bias-corrected. A day without a change ends a streak.
    """
    own = np.ones(len(returns), np.bool_) if left_out is None else ~left_out
    cash = np.broadcast_to(cash_returns, own.shape)[own]
    values, others = returns.to_numpy()[own], benchmark.to_numpy()[own]
    days = period_returns(returns, "day")
    yearly = {"periods_per_year": periods_per_year}
    return {
        "value_at_risk": value_at_risk(returns.to_numpy()),
        "value_at_risk_month": value_at_risk(period_returns(returns, "month")),
        "expected_shortfall": expected_shortfall(returns.to_numpy()),
        "skewness": cast("float", returns.skew()),
        "kurtosis": cast("float", returns.kurt()),
        "correlation": correlation(values, others),
        "beta": beta(values, others),
        "alpha": alpha(values - cash, others - cash, **yearly),
        # the volatility and the Sharpe ratio of returns less the benchmark's
        "tracking_error": volatility(values - others, **yearly),
        "information_ratio": sharpe_ratio(values - others, **yearly),
        "gaining_days_streak": longest_streak(days > 0),
        "losing_days_streak": longest_streak(days < 0),
    }


def trade_figures(returns: Floats, *, profits: Floats) -> Mapping[str, float]:
    """Return what trades paid, by name: a return and a profit in money each, in order of entry.

    All NaN without a trade. The profit factor is gross profit / gross loss, in money; the payoff
    ratio the mean return of the winners / the mean loss of the losers, each trade counting the
    same. Both are NaN without a losing trade, the ratio also without a winner. A trade that came
    back to the cent ends a streak.
    """
    won, lost = returns > 0, returns < 0
    streaks = [longest_streak(won), longest_streak(lost)] if returns.size else [np.nan, np.nan]
    return {
        "profit_factor": _over(profits[won].sum(), -profits[lost].sum()),
        "payoff_ratio": _over(_mean(returns[won]), -_mean(returns[lost])),
        "winning_trades_streak": streaks[0],
        "losing_trades_streak": streaks[1],
    }


def _over(gain: float, loss: float) -> float:
    return float(gain / loss) if loss > 0 else np.nan


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else np.nan
