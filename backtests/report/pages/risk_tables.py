"""Tables of years, risks, quantiles and worst days: what a committee asks of every sheet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from backtests.analysis.metrics import drawdowns
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
from backtests.analysis.regimes import Regimes, regimes_of
from backtests.analysis.risk import risk_figures, trade_figures
from backtests.analysis.trades import trade_profits
from backtests.engines.account import Account
from backtests.engines.backtest import Run
from backtests.market.elapsed_time import time_taken
from backtests.report.pages import regime_table
from backtests.report.pages.page_parts import Cell, Heading, Row, number, numeric
from backtests.report.pages.tearsheet_tables import GRID_COLUMNS, drawdown_rows, return_grid
from backtests.report.words import notation as written
from backtests.report.words.labels import RISK, columns_of
from feeds.arrays import Floats

WORST_DAYS: Final = 10
QUANTILE_NAMES: Final = {0.0: "Worst", 0.5: "Median", 1.0: "Best"}


def risk_content(tables: "SpanTables") -> dict[str, Any]:
    """Return what the page's sections on years, risk and regimes show, by key."""
    result = tables.result
    return {
        "invested_share": INVESTED_SHARE,
        "recent": recent_rows(result),
        "span_headings": _span_headings(result),
        "span_rows": tables.since(),
        **regime_table.regime_content(result, tables.regimes),
    }


@dataclass(frozen=True, slots=True)
class SpanTables:
    """The tables that follow the span of time on show.

    `trades` are all of the strategy's, `profits` what each made in money.
    """

    result: Run
    trades: pd.DataFrame
    profits: Floats
    regimes: tuple[Regimes, ...]

    @classmethod
    def of(cls, result: Run, trades: pd.DataFrame) -> Self:
        """Compute what all spans share."""
        last_closes = result.market.traded.last_closes
        profits = trade_profits(result.strategy.fills, last_closes=last_closes)
        return cls(result, trades, profits, regimes_of(result))

    def since(self, first: int = 0) -> dict[str, list[Row]]:
        """Return rows by the table's name: of bars from row `first` on, trades entered since."""
        result, own, held = self.result, self.result.strategy, self.result.buy_and_hold
        columns = columns_of(result)
        return {
            "Years table": year_rows(result, first=first),
            "Drawdowns, " + columns["strategy"]: _drawdown_rows(own, first),
            "Drawdowns, " + columns["buy_and_hold"]: _drawdown_rows(held, first),
            "Monthly returns, Strategy": return_grid(own, first=first),
            f"Monthly returns, Hold {result.asset}": return_grid(held, first=first),
            "Regimes table": regime_table.regime_rows(result, self.regimes, first=first),
            "Risk table": self._risk_rows(first),
            "Months and years": calendar_rows(result, first=first),
            "Quantiles by length of time": quantile_rows(result, first=first),
            "Worst days, Strategy": worst_day_rows(own, first=first),
            f"Worst days, Hold {result.asset}": worst_day_rows(held, first=first),
        }

    def _risk_rows(self, first: int) -> list[Row]:
        """Return tails, the link to holding and streaks, strategy beside buy-and-hold.

        Holding has no trades to speak of.
        """
        result = self.result
        lines = result.market.traded.lines
        scale = time_taken(
            lines["time"][first:], lines["bar_end"][first:], rate=result.config.costs.cash_rate
        )
        benchmark = result.buy_and_hold.returns.iloc[first:]
        held, own = (
            risk_figures(
                returns,
                benchmark=benchmark,
                periods_per_year=scale.periods_per_year,
                cash_returns=scale.cash_returns,
                left_out=scale.after_hole,
            )
            for returns in (benchmark, result.strategy.returns.iloc[first:])
        )
        since = (self.trades["entry_time"] >= benchmark.index[0]).to_numpy()
        paid = self.trades["return"].to_numpy(np.float64)[since]
        own |= trade_figures(paid, profits=self.profits[since])
        return [
            Row(
                shown.label,
                tuple(Cell(shown.text(side.get(name, np.nan))) for side in (own, held)),
                shown.definition,
            )
            for name, shown in RISK.items()
        ]


def _span_headings(result: Run) -> dict[str, Sequence[Heading]]:
    """Return the columns of each table of `SpanTables`."""
    columns, held = columns_of(result), f"Hold {result.asset}"
    figures = (Heading("Figure"), *numeric(("Strategy", held)))
    drawn = numeric(("#", "Depth", "Peak", "Trough", "Recovery", "Days"))
    days = (Heading("#", is_number=True), Heading("Day (UTC)"), Heading("Return", is_number=True))
    return {
        "Years table": _year_columns(result),
        "Drawdowns, " + columns["strategy"]: drawn,
        "Drawdowns, " + columns["buy_and_hold"]: drawn,
        "Monthly returns, Strategy": GRID_COLUMNS,
        f"Monthly returns, {held}": GRID_COLUMNS,
        "Regimes table": regime_table.regime_columns(result),
        "Risk table": figures,
        "Months and years": figures,
        "Quantiles by length of time": QUANTILE_COLUMNS,
        "Worst days, Strategy": days,
        f"Worst days, {held}": days,
    }


def _drawdown_rows(account: Account, first: int) -> list[Row]:
    return drawdown_rows(drawdowns(account.returns.iloc[first:]))


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


def year_rows(result: Run, *, first: int = 0) -> list[Row]:
    """Return a row per calendar year; one that the span has only a part of says which."""
    market = result.market
    level = market.index_level
    steps = level / np.append(market.index_before, level.to_numpy()[:-1]) - 1
    own, held = (
        yearly_figures(account.returns.iloc[first:], invested=account.invested.iloc[first:])
        for account in (result.strategy, result.buy_and_hold)
    )
    every = zip(own, held, period_returns(steps.iloc[first:], "year").tolist(), strict=True)
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


def calendar_rows(result: Run, *, first: int = 0) -> list[Row]:
    """Return the best and worst months and years, strategy beside buy-and-hold."""
    sides = [
        calendar_figures(account.returns.iloc[first:], invested=account.invested.iloc[first:])
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


def quantile_rows(result: Run, *, first: int = 0) -> list[Row]:
    """Return two rows per kind of period, strategy and holding: quantiles of their returns."""
    own, held = (
        period_spreads(account.returns.iloc[first:])
        for account in (result.strategy, result.buy_and_hold)
    )
    return [
        Row(period.capitalize(), _quantile_cells(name, side[period]))
        for period in PERIODS
        for name, side in (("Strategy", own), (f"Hold {result.asset}", held))
    ]


def _quantile_cells(name: str, found: PeriodSpread) -> tuple[Cell, ...]:
    percents = map(written.percent, (*found.quantiles, found.gained))
    return (Cell(name), Cell(written.count(found.periods)), *map(Cell, percents))


def worst_day_rows(account: Account, *, first: int = 0) -> list[Row]:
    """Return the days that lost most: place, day, return."""
    days = worst_days(account.returns.iloc[first:], most=WORST_DAYS)
    return [
        Row(str(place), (Cell(written.date(day)), Cell(written.percent(value))))
        for place, (day, value) in enumerate(days, start=1)
    ]
