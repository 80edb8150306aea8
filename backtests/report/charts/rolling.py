"""The panels of the last year of bars: Sharpe and Sortino ratio, beta to holding, volatility."""

from collections.abc import Callable
from typing import Final

import pandas as pd

from backtests.analysis.periods import (
    INVESTED_SHARE,
    is_enough_invested,
    rolling_beta,
    rolling_ratio,
    rolling_sortino,
)
from backtests.analysis.summary import Summary
from backtests.engines.account import Account
from backtests.engines.backtest import Run
from backtests.report.charts.equity import daily, time_span
from backtests.report.charts.palette import LIGHT
from backtests.report.charts.spec import (
    PERCENT_AXIS,
    Spec,
    UndrawableError,
    every_day,
    line,
    time_layout,
)
from backtests.report.words import notation as written

HEIGHT: Final = 240
RATIO_AXIS: Final[Spec] = {"hoverformat": ".2f", "zeroline": True, "zerolinecolor": LIGHT["line"]}

# from returns over cash and the bars of a year to a value per bar
Roll = Callable[[pd.Series, int], pd.Series]


def rolling_sharpe_panel(result: Run, summary: Summary) -> Spec:
    """Draw the Sharpe ratio of the last year of bars, of strategy and buy-and-hold."""
    del summary
    return _panel(result, "Sharpe ratio", lambda excess, bars: rolling_ratio(excess, bars=bars)[0])


def rolling_sortino_panel(result: Run, summary: Summary) -> Spec:
    """Draw the Sortino ratio of the last year of bars, of both."""
    del summary
    return _panel(result, "Sortino ratio", lambda excess, bars: rolling_sortino(excess, bars=bars))


def rolling_beta_panel(result: Run, summary: Summary) -> Spec:
    """Draw the strategy's beta to holding over the last year of bars."""
    del summary
    held = _excess(result.buy_and_hold, result)
    return _panel(
        result,
        "Beta to holding",
        lambda excess, bars: rolling_beta(excess, benchmark=held, bars=bars),
        accounts={"strategy": result.strategy},
    )


def rolling_volatility_panel(result: Run, summary: Summary) -> Spec:
    """Draw the annualised volatility of the last year of bars, of both."""
    del summary
    return _panel(
        result,
        "Volatility",
        lambda excess, bars: 100 * rolling_ratio(excess, bars=bars)[1],
        is_ratio=False,
    )


def _panel(
    result: Run,
    title: str,
    roll: Roll,
    *,
    accounts: dict[str, Account] | None = None,
    is_ratio: bool = True,
) -> Spec:
    """Draw one value per bar; a ratio only where the window holds enough invested bars."""
    year = round(result.periods_per_year)
    if len(result.strategy.bars) < year:
        raise UndrawableError(
            f"A rolling year needs {year:,} bars; this run has {len(result.strategy.bars):,}."
        )
    names = {"hold": f"Hold {result.asset}", "strategy": "Strategy"}
    both = {"hold": result.buy_and_hold, "strategy": result.strategy}
    traces, is_empty = [], True
    for color, account in (accounts or both).items():
        values = roll(_excess(account, result), year)
        if is_ratio:
            invested = account.invested[~result.after_hole]
            values = values.where(is_enough_invested(invested, bars=year))
        is_empty = is_empty and not values.notna().any()
        days = daily(values)
        x = every_day(days.index[0])
        traces.append(line(names[color], days, color=color, x=x, hovertemplate="%{y}"))
    if is_empty:
        share = written.percent(INVESTED_SHARE, decimals=0)
        raise UndrawableError(f"No rolling year had {share} of its bars invested.")
    yaxis = {"title": {"text": title}, **(RATIO_AXIS if is_ratio else PERCENT_AXIS)}
    return {"data": traces, "layout": time_layout(time_span(result), height=HEIGHT, yaxis=yaxis)}


def _excess(account: Account, result: Run) -> pd.Series:
    """Return returns over cash, but for those that span a hole."""
    return (account.returns - result.cash_returns)[~result.after_hole]
