"""The figures as they are shown: order, label, notation and definition, one place for all."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from backtests.report.words import notation as written

if TYPE_CHECKING:
    from backtests.engines.backtest import Run


@dataclass(frozen=True, slots=True)
class Shown:
    """How one figure is called, written and explained."""

    label: str
    text: Callable[[float], str]
    definition: str


COLUMNS: Final = {
    "strategy": "Strategy",
    "buy_and_hold": "Buy-and-hold",
    "exposure_matched": "Held evenly",
    "first_members": "First members",
    "idle": "Idle coin",
    "control": "Control",
    "index": "Index",
}


def columns_of(result: "Run") -> dict[str, str]:
    """Return account name -> heading of all that a run is compared with, in order."""
    absent = {"first_members", "idle"} - set(result.others)
    return {name: heading for name, heading in COLUMNS.items() if name not in absent} | (
        {"idle": idle_title(result)} if "idle" in result.others else {}
    )


def idle_title(result: "Run") -> str:
    """Return how holding the idle coin all the time is called."""
    idle = result.config.idle
    part = "" if idle.weight == 1 else f"{written.percent(idle.weight)} "
    return f"Hold {part}{idle.asset.upper()}"


FIGURES: Final = {
    "total_return": Shown(
        "Total return", written.percent, "Last equity over initial cash, minus 1."
    ),
    "cagr": Shown("CAGR", written.percent, "(last / first) ^ (1 / years) - 1, of elapsed years."),
    "volatility": Shown(
        "Volatility",
        written.percent,
        "Standard deviation of returns per bar (ddof 1) x sqrt(periods per year).",
    ),
    "sharpe_ratio": Shown(
        "Sharpe ratio",
        written.ratio,
        "Mean return over cash / its standard deviation (ddof 1) x sqrt(periods per year).",
    ),
    "sortino_ratio": Shown(
        "Sortino ratio",
        written.ratio,
        "Mean return over cash / downside deviation about 0, all bars, x sqrt(periods per year).",
    ),
    "max_drawdown": Shown(
        "Worst drawdown", written.percent, "Deepest fall of equity below its highest value so far."
    ),
    "max_drawdown_days": Shown(
        "Worst drawdown, days",
        written.count,
        "Days of the deepest drawdown from its peak to recovery, or to the end of the run.",
    ),
    "longest_drawdown_days": Shown(
        "Longest drawdown, days",
        written.count,
        "Days of the longest drawdown, which need not be the deepest, to recovery or the end.",
    ),
    "calmar_ratio": Shown(
        "Calmar ratio", written.ratio, "CAGR over the depth of the worst drawdown."
    ),
    "time_in_market": Shown(
        "Time in market", written.percent, "Share of bars at whose end the coin was held."
    ),
    "exposure": Shown(
        "Average exposure",
        written.percent,
        "Mean share of equity in what the signal buys, right after each bar's open.",
    ),
    "turnover": Shown(
        "Turnover per year",
        written.ratio,
        "One-sided: half the traded value over mean equity, per year.",
    ),
    "costs_paid": Shown(
        "Costs paid",
        written.money,
        "Commissions, slippage and impact, in money, the last two from the open.",
    ),
    "trades": Shown("Trades", written.count, "Round trips, an open one included."),
    "win_rate": Shown("Win rate", written.percent, "Share of trades that gained, costs included."),
    "average_trade": Shown(
        "Average trade, unweighted",
        written.percent,
        "Mean return of the trades, costs included, each counting the same whatever its size.",
    ),
    "cagr_without_best": Shown(
        "CAGR without the best trade",
        written.percent,
        "CAGR had the signal been off during the trade (of a basket, the time) that gained most.",
    ),
    "final_equity": Shown(
        "Final equity", written.money, "Cash plus marked position at the last bar's close."
    ),
}

RISK: Final = {
    "value_at_risk": Shown(
        "Value at risk 5 %, one bar",
        written.percent,
        "The return that 5 % of all bars, cash included, fell below (historical).",
    ),
    "value_at_risk_month": Shown(
        "Value at risk 5 %, one month",
        written.percent,
        "The return that 5 % of the calendar months fell below; the first and last may be cut.",
    ),
    "expected_shortfall": Shown(
        "Expected shortfall 5 %, one bar", written.percent, "Mean return of the worst 5 % of bars."
    ),
    "skewness": Shown(
        "Skewness",
        written.ratio,
        "Of returns per bar, bias-corrected; below 0 the large moves are losses.",
    ),
    "kurtosis": Shown(
        "Excess kurtosis",
        written.ratio,
        "Of returns per bar, bias-corrected; 0 for a normal distribution, higher with fat tails.",
    ),
    "correlation": Shown("Correlation with holding", written.ratio, "Of returns per bar."),
    "beta": Shown(
        "Beta to holding",
        written.ratio,
        "Covariance of returns per bar with holding's / the variance of holding's.",
    ),
    "alpha": Shown(
        "Alpha to holding, per year",
        written.percent,
        "(1 + mean of the return over cash - beta x holding's) ^ periods per year - 1.",
    ),
    "tracking_error": Shown(
        "Tracking error",
        written.percent,
        "Standard deviation (ddof 1) of the return less holding's x sqrt(periods per year).",
    ),
    "information_ratio": Shown(
        "Information ratio",
        written.ratio,
        "Mean of the return less holding's / its standard deviation x sqrt(periods per year).",
    ),
    "profit_factor": Shown(
        "Profit factor",
        written.ratio,
        "Gross profit of the trades / gross loss, in money, an open trade as marked.",
    ),
    "payoff_ratio": Shown(
        "Payoff ratio",
        written.ratio,
        "Mean return of winning trades / mean loss of losing ones, each counting the same.",
    ),
    "winning_trades_streak": Shown(
        "Winning trades in a row", written.count, "Longest streak of trades that gained, by entry."
    ),
    "losing_trades_streak": Shown(
        "Losing trades in a row", written.count, "Longest streak of trades that lost, by entry."
    ),
    "gaining_days_streak": Shown(
        "Gaining days in a row",
        written.count,
        "Longest streak of days with a gain (UTC); a day in cash ends it.",
    ),
    "losing_days_streak": Shown(
        "Losing days in a row",
        written.count,
        "Longest streak of days with a loss (UTC); a day in cash ends it.",
    ),
}


# which of several runs' figures is the better; of those left out, neither: risk taken, and habits
BETTER_IF: Final[dict[str, Callable[..., float]]] = {
    **dict.fromkeys(
        ("total_return", "cagr", "sharpe_ratio", "sortino_ratio", "max_drawdown", "calmar_ratio",
         "win_rate", "average_trade", "cagr_without_best", "final_equity"), max,
    ),
    **dict.fromkeys(
        ("max_drawdown_days", "longest_drawdown_days", "turnover", "costs_paid"), min,
    ),
}  # fmt: skip


# of holding, beside the runs' own
HELD_FIGURES: Final = ("cagr", "max_drawdown")


def figure_text(name: str, value: float | None) -> str:
    """Return a figure as it is printed; one that does not exist there as undefined."""
    return written.UNDEFINED if value is None else FIGURES[name].text(value)


CLEAR: Final = ("", "signal", "rules")
NAMED_AFTER: Final = ("CAGR", "Sharpe", "Sortino", "Calmar")

# plotly's notation of ticks and of single values, by how a figure is written in text; percent
# is drawn times 100, as plotly's own percent sign stands too close
PLOTLY: Final[dict[Callable[[float], str], tuple[str, str]]] = {
    written.percent: (",.3~f", ",.1f"),
    written.ratio: (".3~f", ".2f"),
    written.count: (",.3~f", ",.0f"),
    written.money: (",.3~f", ",.0f"),
}


@dataclass(frozen=True, slots=True)
class Notation:
    """How one figure is called and written; `ticks` and `value` are plotly's formats.

    `inside` is its label inside a sentence.
    """

    label: str
    inside: str
    write: Callable[[float], str]
    definition: str
    ticks: str
    value: str

    @property
    def is_percent(self) -> bool:
        """Whether it is a fraction that is written as percent."""
        return self.write is written.percent


@dataclass(frozen=True, slots=True)
class Name:
    """A setting in words: its own name, and the section of the config it stands in."""

    section: str
    short: str

    @property
    def clear(self) -> str:
        """The name that stands for itself, without its section where that adds nothing."""
        return self.short if self.section in CLEAR else f"{self.section} {self.short}"


def notation(figure: str) -> Notation:
    """Return how a figure of a trial is called and written, as on the tearsheet."""
    shown = FIGURES[figure]
    return Notation(shown.label, title(figure), shown.text, shown.definition, *PLOTLY[shown.text])


def title(name: str) -> str:
    """Return what a figure is called within a sentence."""
    label = FIGURES[name].label
    return label if label.split()[0] in NAMED_AFTER else label.lower()


def names(keys: Sequence[str]) -> dict[str, Name]:
    """Return each setting's name: its key's last part, and the one before where two are alike."""
    parts = {key: key.split(".") for key in keys}
    last = Counter(path[-1] for path in parts.values())
    kept = {key: 1 if last[path[-1]] == 1 else 2 for key, path in parts.items()}
    return {
        key: Name(_words(path[: -kept[key]]), _words(path[-kept[key] :]))
        for key, path in parts.items()
    }


def list_words(words: Sequence[str], *, last: str = "and") -> str:
    """Return words as a sentence lists them: a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _words(path: Sequence[str]) -> str:
    return written.words(" ".join(path))
