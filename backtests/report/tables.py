"""The tables of the page as rows of written cells; the figures are the summary's own."""

import importlib.metadata
import platform
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.summary import Summary
from backtests.backtest import Result
from backtests.report import format as written
from backtests.report.distributions import excursions
from backtests.report.figures import COLUMNS, FIGURES, figure_text
from feeds.bars import Bars

KEY_FIGURES: Final = ("cagr", "final_equity", "max_drawdown", "sharpe_ratio", "time_in_market")
WORST_DRAWDOWNS: Final = 10
FULL_SHADE: Final = 0.5  # the monthly return from which a cell takes its strongest colour
LIBRARIES: Final = (
    "backtrader", "exchange_calendars", "jinja2", "matplotlib", "numpy", "pandas", "plotly",
    "pyfolio-reloaded",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """A written value, what it sorts by, and the style that says its sign."""

    text: str
    sort: str = ""
    style: str = ""
    shade: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled row of written cells; `note` explains the label."""

    label: str
    cells: tuple[Cell, ...]
    note: str = ""


def key_figures(summary: Summary) -> list[Row]:
    """Return the five figures of the page's top: strategy, then buy-and-hold."""
    return [
        _figure_row(summary, name, columns=("strategy", "buy_and_hold")) for name in KEY_FIGURES
    ]


def comparison(summary: Summary) -> list[Row]:
    """Return every figure in every column, in the order they are defined."""
    return [_figure_row(summary, name, columns=tuple(COLUMNS)) for name in FIGURES]


def drawdown_rows(spells: pd.DataFrame) -> list[Row]:
    """Return the deepest spells: depth, peak, trough, recovery, days."""
    worst = spells.head(WORST_DRAWDOWNS).to_dict("records")
    return [
        Row(
            str(place),
            (
                Cell(written.percent(spell["depth"])),
                Cell(written.date(spell["peak"])),
                Cell(written.date(spell["trough"])),
                Cell("not yet" if pd.isna(spell["recovery"]) else written.date(spell["recovery"])),
                Cell(written.days(spell["days"])),
            ),
        )
        for place, spell in enumerate(worst, start=1)
    ]


# heading and whether its cells are numbers
TRADE_COLUMNS: Final = (
    ("#", True), ("Entry", False), ("Price", True), ("Why", False), ("Exit", False),
    ("Price", True), ("Why", False), ("Days", True), ("Worst", True), ("Best", True),
    ("Return", True),
)  # fmt: skip


def trade_rows(result: Result, trades: pd.DataFrame) -> list[tuple[Cell, ...]]:
    """Return one row of cells a trade, in `TRADE_COLUMNS`."""
    worst, best = excursions(trades, bars=result.market.traded_bars)
    rows = zip(trades.to_dict("records"), worst, best, strict=True)
    return [
        (
            _number(number, str(number)),
            _time(trade["entry_time"]),
            _number(trade["entry_price"], written.price(trade["entry_price"])),
            _word(trade["entry_reason"]),
            _time(trade["exit_time"], absent="open"),
            _number(trade["exit_price"], written.price(trade["exit_price"])),
            _word(trade["exit_reason"] or "still open"),
            _number(trade["days"], written.days(trade["days"])),
            _number(low, written.percent(low)),
            _number(high, written.percent(high)),
            _number(trade["return"], written.percent(trade["return"]), signed=True),
        )
        for number, (trade, low, high) in enumerate(rows, start=1)
    ]


def return_grid(returns: pd.Series) -> list[Row]:
    """Return a row a year: twelve months (empty where there were no bars) and the year."""
    times = pd.DatetimeIndex(returns.index)
    growth = (1 + returns).groupby([times.year, times.month]).prod()
    yearly = growth.groupby(level=0).prod()
    months = growth.unstack().reindex(columns=range(1, 13))
    return [
        Row(str(year), tuple(_shaded(value - 1) for value in [*months.loc[year], yearly.loc[year]]))
        for year in months.index
    ]


def quantile_rows(result: Result) -> list[Row]:
    """Return how bar returns spread, strategy beside buy-and-hold."""
    accounts = (result.strategy, result.buy_and_hold)
    points = {"Worst bar": 0, "5th percentile": 0.05, "Median": 0.5, "95th percentile": 0.95}
    rows = {
        label: [float(np.quantile(account.returns, q)) for account in accounts]
        for label, q in {**points, "Best bar": 1}.items()
    }
    rows["Bars with a gain"] = [float((account.returns > 0).mean()) for account in accounts]
    return [
        Row(label, tuple(Cell(written.percent(value)) for value in values))
        for label, values in rows.items()
    ]


def provenance(result: Result) -> list[dict[str, str]]:
    """Return where each series came from, and the digest that identifies its rows."""
    return [
        _origin(role, bars)
        for role, bars in (("Index", result.market.index), ("Coin", result.market.coin))
    ]


def library_versions() -> list[tuple[str, str]]:
    """Return the versions the figures and pictures depend on."""
    versions = [(name, importlib.metadata.version(name)) for name in LIBRARIES]
    return [("python", platform.python_version()), *versions]


def _figure_row(summary: Summary, name: str, *, columns: tuple[str, ...]) -> Row:
    cells = tuple(Cell(figure_text(name, summary.figures[column].get(name))) for column in columns)
    return Row(FIGURES[name].label, cells, FIGURES[name].definition)


def _origin(role: str, bars: Bars) -> dict[str, str]:
    times = pd.DatetimeIndex(bars.frame.index)
    return {
        "Role": role,
        "Symbol": bars.instrument.symbol,
        "Source": bars.source,
        "Origin": bars.origin,
        "Timeframe": bars.timeframe,
        "First": written.date(times[0]),
        "Last": written.date(times[-1]),
        "Rows": written.count(len(bars)),
        "SHA-256": bars.sha256,
    }


def _number(value: float, text: str, *, signed: bool = False) -> Cell:
    style = "" if not signed or not value else "gain" if value > 0 else "loss"
    return Cell(
        text, sort=repr(float(value)) if np.isfinite(value) else "", style=f"num {style}".strip()
    )


def _time(time: pd.Timestamp, *, absent: str = written.UNDEFINED) -> Cell:
    return Cell(absent) if pd.isna(time) else Cell(written.date(time), sort=f"{time:%Y%m%d%H%M}")


def _word(name: str) -> Cell:
    return Cell(written.words(name), sort=name)


def _shaded(value: float) -> Cell:
    if not np.isfinite(value):
        return Cell("")
    text = written.percent_number(value)
    if abs(value) < 5e-4:
        return Cell(text, style="flat")
    shade = min(1.0, abs(value) / FULL_SHADE) ** 0.7
    return Cell(text, style="gain" if value > 0 else "loss", shade=f"{12 + 68 * shade:.0f}%")
