"""Tables of years, risks, quantiles and worst days: what a committee asks of every sheet."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.analysis.periods import (
    INVESTED_SHARE,
    PERIODS,
    QUANTILES,
    PeriodSpread,
    YearFigures,
    calendar_figures,
    period_returns,
    period_spreads,
    recent_returns,
    worst_days,
    yearly_figures,
)
from backtests.analysis.risk import risk_figures, trade_figures
from backtests.analysis.summary import Summary
from backtests.analysis.trades import trade_profits
from backtests.engines.account import Account
from backtests.engines.backtest import Run
from backtests.report.pages import regime_table
from backtests.report.pages.section import Cell, Heading, Row, number, numeric
from backtests.report.words import notation as written
from backtests.report.words.labels import RISK

WORST_DAYS: Final = 10
QUANTILE_NAMES: Final = {0.0: "Worst", 0.5: "Median", 1.0: "Best"}


def risk_content(result: Run, summary: Summary) -> dict[str, Any]:
    """Return what the page's sections on years, risk, quantiles and regimes show, by key."""
    held = f"Hold {result.asset}"
    return {
        "invested_share": INVESTED_SHARE,
        "year_columns": _year_columns(result),
        "years_of": year_rows(result),
        "risks": risk_rows(result, summary),
        "recent": recent_rows(result),
        "calendar": calendar_rows(result),
        "quantile_columns": QUANTILE_COLUMNS,
        "quantiles": quantile_rows(result),
        "worst_days": {
            "Strategy": worst_day_rows(result.strategy),
            held: worst_day_rows(result.buy_and_hold),
        },
        **regime_table.regime_content(result),
    }


def _year_columns(result: Run) -> tuple[Heading, ...]:
    index = result.market.index.instrument.label
    return (
        Heading("Year"),
        Heading("Strategy", is_number=True),
        Heading(f"Hold {result.asset}", is_number=True),
        Heading("Excess, points", is_number=True, note="Strategy less holding"),
        Heading(index, is_number=True, note="As its level was known at the bars' ends"),
        Heading("Worst drawdown", is_number=True, note="Of the strategy, from a high of that year"),
        Heading("Hold's", is_number=True, note="Worst drawdown of holding within the year"),
        Heading("Time in market", is_number=True, note="Share of bars at whose end it was held"),
    )


def year_rows(result: Run) -> list[Row]:
    """Return a row per calendar year; one that the run has only a part of says which."""
    market, account, held = result.market, result.strategy, result.buy_and_hold
    level = market.index_level
    steps = level / np.append(market.index_before, level.to_numpy()[:-1]) - 1
    own = yearly_figures(account.returns, invested=account.invested)
    other = yearly_figures(held.returns, invested=held.invested)
    every = zip(own, other, period_returns(steps, "year").tolist(), strict=True)
    return [_year_row(*year) for year in every]


def _year_row(own: YearFigures, held: YearFigures, index: float) -> Row:
    percents = (index, own.max_drawdown, held.max_drawdown, own.time_in_market)
    cells = (
        number(own.total_return, written.percent, signed=True),
        number(held.total_return, written.percent),
        number(own.total_return - held.total_return, written.points, signed=True),
        *(number(value, written.percent) for value in percents),
    )
    return Row(str(own.year), cells, _cut(own.first, own.last))


def _cut(first: pd.Timestamp, last: pd.Timestamp) -> str:
    """Return which part of its year a row is of, nothing for a whole one."""
    late, early = (first.month, first.day) != (1, 1), (last.month, last.day) != (12, 31)
    begins = f"from {first:%Y-%m-%d}" if late else ""
    ends = f"to {last:%Y-%m-%d}" if early else ""
    text = " ".join(part for part in (begins, ends) if part)
    return text[:1].upper() + text[1:]


def risk_rows(result: Run, summary: Summary) -> list[Row]:
    """Return tails, the link to holding and streaks, strategy beside buy-and-hold.

    Holding has no trades to speak of.
    """
    closes = result.market.traded.matrix("close")[-1].tolist()
    profits = trade_profits(
        result.strategy.fills,
        last_closes=dict(zip(result.market.traded.coins, closes, strict=True)),
    )
    own = _risk_of(result.strategy, result) | dict(
        trade_figures(summary.trades["return"].to_numpy(np.float64), profits=profits)
    )
    held = _risk_of(result.buy_and_hold, result)
    return [
        Row(
            shown.label,
            tuple(Cell(shown.text(side.get(name, np.nan))) for side in (own, held)),
            shown.definition,
        )
        for name, shown in RISK.items()
    ]


def _risk_of(account: Account, result: Run) -> dict[str, float]:
    return risk_figures(
        account.returns,
        benchmark=result.buy_and_hold.returns,
        periods_per_year=result.periods_per_year,
        cash_returns=result.cash_returns,
        left_out=result.after_hole,
    )


CALENDAR: Final[dict[str, tuple[str, Callable[[float], str]]]] = {
    "best_month": ("Best month", written.percent),
    "worst_month": ("Worst month", written.percent),
    "gaining_months": ("Months with a gain, of all", written.percent),
    "cash_months": ("Months in cash, of all", written.percent),
    "best_year": ("Best year", written.percent),
    "worst_year": ("Worst year", written.percent),
}


def recent_rows(result: Run) -> list[Row]:
    """Return the returns of the last months and years, strategy beside buy-and-hold."""
    own, held = (
        recent_returns(account.returns) for account in (result.strategy, result.buy_and_hold)
    )
    return [
        Row(label, (Cell(written.percent(own[label])), Cell(written.percent(held[label]))))
        for label in own
    ]


def calendar_rows(result: Run) -> list[Row]:
    """Return the best and worst months and years, strategy beside buy-and-hold."""
    sides = [
        calendar_figures(account.returns, invested=account.invested)
        for account in (result.strategy, result.buy_and_hold)
    ]
    return [
        Row(label, tuple(Cell(write(side[name])) for side in sides))
        for name, (label, write) in CALENDAR.items()
    ]


QUANTILE_COLUMNS: Final = (
    Heading("Period"),
    Heading("Of"),
    Heading("How many", is_number=True),
    *numeric(QUANTILE_NAMES.get(level, f"{100 * level:.0f} %") for level in QUANTILES),
    Heading("Gained", is_number=True, note="Share of periods with a return above 0"),
)


def quantile_rows(result: Run) -> list[Row]:
    """Return two rows per kind of period, strategy and holding: quantiles of their returns."""
    own, held = (
        period_spreads(account.returns) for account in (result.strategy, result.buy_and_hold)
    )
    return [
        Row(period.capitalize(), _quantile_cells(name, side[period]))
        for period in PERIODS
        for name, side in (("Strategy", own), (f"Hold {result.asset}", held))
    ]


def _quantile_cells(name: str, found: PeriodSpread) -> tuple[Cell, ...]:
    percents = map(written.percent, (*found.quantiles, found.gained))
    return (Cell(name), Cell(written.count(found.periods)), *map(Cell, percents))


def worst_day_rows(account: Account) -> list[Row]:
    """Return the days that lost most: place, day, return."""
    days = worst_days(account.returns, most=WORST_DAYS)
    return [
        Row(str(place), (Cell(written.date(day)), Cell(written.percent(value))))
        for place, (day, value) in enumerate(days, start=1)
    ]
