"""The figures as they are shown: order, label, notation and definition, one place for all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from backtests.report import format as written


@dataclass(frozen=True, slots=True)
class Shown:
    """How one figure is called, written and explained."""

    label: str
    text: Callable[[float], str]
    definition: str


COLUMNS: Final = {
    "strategy": "Strategy",
    "buy_and_hold": "Buy and hold",
    "control": "Control",
    "index": "Index",
}

FIGURES: Final = {
    "total_return": Shown(
        "Total return", written.percent, "Last equity over initial cash, minus 1."
    ),
    "cagr": Shown(
        "CAGR", written.percent, "(last / first) ^ (365.25 / days) - 1: the return a year."
    ),
    "volatility": Shown(
        "Volatility",
        written.percent,
        "Standard deviation of returns per bar (ddof 1) x sqrt(periods a year).",
    ),
    "sharpe_ratio": Shown(
        "Sharpe ratio",
        written.ratio,
        "Mean return over cash / its standard deviation (ddof 1) x sqrt(periods a year).",
    ),
    "sortino_ratio": Shown(
        "Sortino ratio",
        written.ratio,
        "Mean return over cash / downside deviation about 0 over all bars x sqrt(periods a year).",
    ),
    "max_drawdown": Shown(
        "Worst drawdown", written.percent, "Deepest fall of equity below its highest value so far."
    ),
    "max_drawdown_days": Shown(
        "Worst drawdown, days",
        written.days,
        "Days of the deepest drawdown from its peak to recovery, or to the end of the run.",
    ),
    "calmar_ratio": Shown(
        "Calmar ratio", written.ratio, "CAGR over the depth of the worst drawdown."
    ),
    "time_in_market": Shown(
        "Time in market", written.percent, "Share of bars at whose end the coin was held."
    ),
    "turnover": Shown(
        "Turnover a year",
        written.ratio,
        "One-sided: half the traded value over mean equity, a year.",
    ),
    "costs_paid": Shown(
        "Costs paid", written.money, "Commissions and slippage, in money, slippage from the open."
    ),
    "trades": Shown("Trades", written.count, "Round trips, an open one included."),
    "win_rate": Shown("Win rate", written.percent, "Share of trades that gained, costs included."),
    "average_trade": Shown(
        "Average trade", written.percent, "Mean return of the trades, costs included."
    ),
    "final_equity": Shown(
        "Final equity", written.money, "Cash plus marked position at the last bar's close."
    ),
}


def figure_text(name: str, value: float | None) -> str:
    """Return a figure as it is printed; one that does not exist there as undefined."""
    return written.UNDEFINED if value is None else FIGURES[name].text(value)
