"""The figures of a run, each a small function of per-bar simple returns.

Fractions, not percent; undefined is NaN. Returns include the first bar's, measured from
the initial cash, so that entry costs and a loss on the first bar count.
"""

import numpy as np
import pandas as pd

from feeds.arrays import Flags, Floats, Integers

# Idle cash earns the same every bar but for the last digit, of which no ratio can be made.
ROUNDING = 1e-12


def total_return(returns: Floats) -> float:
    """Return the compound return of shape (bars,) returns; 0 for no bars."""
    return float(np.prod(1 + returns) - 1)


def cagr(returns: Floats, *, years: float) -> float:
    """Return (last / first) ** (1 / years) - 1 of elapsed years; NaN for no time."""
    if years <= 0:
        return np.nan
    # not from the total return: of a ruined account it has lost the last digits
    return float(np.prod(1 + returns) ** (1 / years) - 1)


def volatility(returns: Floats, *, periods_per_year: float) -> float:
    """Return the annualised standard deviation (ddof 1); NaN below two bars."""
    if returns.size < 2:
        return np.nan
    return float(np.std(returns, ddof=1) * np.sqrt(periods_per_year))


def sharpe_ratio(
    returns: Floats, *, periods_per_year: float, cash_return: Floats | float = 0.0
) -> float:
    """Return mean / standard deviation (ddof 1) of the excess over cash, annualised.

    `cash_return` is what cash earned on each bar, or on every one. NaN below two bars or where
    the excess never varies.
    """
    excess = returns - cash_return
    if excess.size < 2 or np.ptp(excess) < ROUNDING:
        return np.nan
    return float(excess.mean() / np.std(excess, ddof=1) * np.sqrt(periods_per_year))


def sortino_ratio(
    returns: Floats, *, periods_per_year: float, cash_return: Floats | float = 0.0
) -> float:
    """Return mean excess / downside deviation about 0 over all bars, annualised.

    NaN where no bar lost.
    """
    excess = returns - cash_return
    if excess.size == 0:
        return np.nan
    downside = np.sqrt(np.mean(np.minimum(excess, 0) ** 2))
    if downside < ROUNDING:
        return np.nan
    return float(excess.mean() / downside * np.sqrt(periods_per_year))


def underwater(returns: Floats) -> Floats:
    """Return the drawdown (<= 0) at each bar's end, from the highest equity so far.

    The initial cash counts as the first peak.
    """
    equity = np.cumprod(1 + returns)
    return equity / np.maximum.accumulate(np.maximum(equity, 1.0)) - 1


def max_drawdown(returns: Floats) -> float:
    """Return the deepest drawdown, <= 0; NaN for no bars."""
    return float(underwater(returns).min()) if returns.size else np.nan


def calmar_ratio(returns: Floats, *, years: float) -> float:
    """Return CAGR over the depth of the deepest drawdown; NaN without a drawdown."""
    depth = abs(max_drawdown(returns))
    return cagr(returns, years=years) / depth if depth > 0 else np.nan


def turnover(fills: pd.DataFrame, *, equity: pd.Series, years: float) -> float:
    """Return the one-sided turnover per year: half the traded value over mean equity."""
    traded = float((fills["units"] * fills["price"]).sum())
    return traded / 2 / float(equity.mean()) / years


def costs_paid(fills: pd.DataFrame, *, opens: pd.DataFrame) -> float:
    """Return commissions, slippage and impact, in money, the last two from the bar's open.

    `opens` has a row per bar and a column per symbol.
    """
    if fills.empty:
        return 0.0
    rows = opens.index.get_indexer(pd.DatetimeIndex(fills["time"]))
    paid_at = opens.to_numpy()[rows, opens.columns.get_indexer(pd.Index(fills["symbol"]))]
    slipped = np.abs(fills["price"].to_numpy() - paid_at)
    return float(fills["commission"].sum() + (fills["units"].to_numpy() * slipped).sum())


def return_figures(
    returns: Floats,
    *,
    periods_per_year: float,
    years: float,
    cash_return: Floats | float = 0.0,
    left_out: Flags | None = None,
) -> dict[str, float]:
    """Return every figure that needs nothing but returns, in the order they are shown.

    `left_out` are bars whose returns span a hole: earned, but no part of volatility and ratios.
    """
    own = slice(None) if left_out is None else ~left_out
    regular = returns[own]
    cash_return = np.broadcast_to(cash_return, returns.shape)[own]
    return {
        "total_return": total_return(returns),
        "cagr": cagr(returns, years=years),
        "volatility": volatility(regular, periods_per_year=periods_per_year),
        "sharpe_ratio": sharpe_ratio(
            regular, periods_per_year=periods_per_year, cash_return=cash_return
        ),
        "sortino_ratio": sortino_ratio(
            regular, periods_per_year=periods_per_year, cash_return=cash_return
        ),
        "max_drawdown": max_drawdown(returns),
        "calmar_ratio": calmar_ratio(returns, years=years),
    }


def drawdowns(returns: pd.Series) -> pd.DataFrame:
    """Return every drawdown, deepest first.

    Parameters
    ----------
    returns
        Simple returns, index = the bars' times (UTC).

    Returns
    -------
    A row a spell: `depth` (< 0), times of `peak`, `trough` and `recovery` (NaT if equity
    never came back), and `days` from peak to recovery, or to the last bar. The initial cash
    counts as a peak at the first bar.
    """
    times = pd.DatetimeIndex(returns.index)
    below = underwater(returns.to_numpy())
    under = np.concatenate(([False], below < 0, [False])).astype(np.int8)
    starts = np.flatnonzero(np.diff(under) == 1)
    stops = np.flatnonzero(np.diff(under) == -1)
    lowest = [start + below[start:stop].argmin() for start, stop in zip(starts, stops, strict=True)]
    troughs = np.array(lowest, np.intp)
    table = _spells(times, starts=starts, troughs=troughs, stops=stops)
    table.insert(0, "depth", below[troughs])
    return table.sort_values("depth", kind="stable", ignore_index=True)


def _spells(
    times: pd.DatetimeIndex, *, starts: Integers, troughs: Integers, stops: Integers
) -> pd.DataFrame:
    """Return the dates of drawdowns from their rows; `stops` are the first rows after them."""
    recovered = stops < len(times)
    peak = times[np.maximum(starts - 1, 0)]
    end = times[np.minimum(stops, len(times) - 1)]
    return pd.DataFrame(
        {
            "peak": peak,
            "trough": times[troughs],
            "recovery": end.where(recovered),
            "days": (end - peak) / pd.Timedelta(days=1),
        }
    )
