"""The tables of the page as rows of written cells; the figures are the summary's own."""

import importlib.metadata
import platform
from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.analysis.cost_sensitivity import CostRow
from backtests.analysis.filter_effects import GateRecord
from backtests.analysis.periods import idle_months, monthly_returns
from backtests.analysis.run_figures import Summary
from backtests.analysis.trades import excursions
from backtests.engines.account import Account
from backtests.engines.backtest import Run
from backtests.report.pages.page_parts import (
    Cell,
    Heading,
    Row,
    milliseconds,
    number,
    numeric,
    text_row,
)
from backtests.report.words import notation as written
from backtests.report.words.labels import FIGURES, columns_of, figure_text
from feeds.bars import Bars, Span
from feeds.history import source_in_words

KEY_FIGURES: Final = ("cagr", "final_equity", "max_drawdown", "sharpe_ratio", "exposure")
KEY_COLUMNS: Final = ("strategy", "buy_and_hold", "exposure_matched")
WORST_DRAWDOWNS: Final = 10
FULL_SHADE: Final = 0.5  # the monthly return from which a cell takes its strongest colour
FLAT: Final = 5e-4  # a return that is written as 0.0
LIBRARIES: Final = (
    "backtrader", "exchange_calendars", "jinja2", "matplotlib", "numpy", "pandas", "plotly",
    "pyfolio-reloaded",
)  # fmt: skip


def key_figures(summary: Summary) -> list[Row]:
    """Return the figures of the page's top: strategy, buy-and-hold, held evenly."""
    return [_figure_row(summary, name, columns=KEY_COLUMNS) for name in KEY_FIGURES]


def comparison(result: Run, summary: Summary) -> list[Row]:
    """Return every figure in every column, in the order they are defined."""
    columns = tuple(columns_of(result))
    return [_figure_row(summary, name, columns=columns) for name in FIGURES]


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
                Cell(written.count(spell["days"])),
            ),
        )
        for place, spell in enumerate(worst, start=1)
    ]


# heading and whether its cells are numbers
TRADE_COLUMNS: Final = (
    ("#", True), ("Coin", False), ("Entry", False), ("Price", True), ("Why", False),
    ("Exit", False), ("Price", True), ("Why", False), ("Days", True), ("Worst", True),
    ("Best", True), ("Return", True),
)  # fmt: skip


def trade_rows(result: Run, trades: pd.DataFrame) -> list[Row]:
    """Return one row of cells per trade, in `TRADE_COLUMNS`."""
    worst, best = excursions(trades, tape=result.market.traded)
    begins = map(milliseconds, trades["entry_time"])
    cells = map(_trade_cells, trades.to_dict("records"), worst, best)
    return [
        Row("", (number(place, str), *row), begins=begun)
        for place, (row, begun) in enumerate(zip(cells, begins, strict=True), start=1)
    ]


def _trade_cells(trade: dict[Hashable, Any], worst: float, best: float) -> tuple[Cell, ...]:
    return (
        Cell(written.coin(trade["symbol"]), sort=trade["symbol"]),
        _time(trade["entry_time"]),
        number(trade["entry_price"], written.price),
        _word(trade["entry_reason"]),
        _time(trade["exit_time"], absent="open"),
        number(trade["exit_price"], written.price),
        _word(trade["exit_reason"] or "still open"),
        number(trade["days"], written.days),
        number(worst, written.percent),
        number(best, written.percent),
        number(trade["return"], written.percent, signed=True),
    )


# heading and whether its cells are numbers
CONTRIBUTION_COLUMNS: Final = (
    ("Coin", False), ("Profit", True), ("Of starting cash", True), ("Held", True),
    ("Mean weight", True), ("Trades", True), ("Worst", True), ("Best", True),
)  # fmt: skip


def contribution_rows(table: pd.DataFrame) -> list[tuple[Cell, ...]]:
    """Return one row of cells a coin, in `CONTRIBUTION_COLUMNS`."""
    return [
        (
            Cell(written.coin(str(symbol)), sort=str(symbol)),
            number(row["profit"], written.money, signed=True),
            *(number(row[name], written.percent) for name in ("share", "held", "mean_weight")),
            number(row["trades"], written.count),
            *(number(row[name], written.percent) for name in ("worst", "best")),
        )
        for symbol, row in table.iterrows()
    ]


GATE_COLUMNS: Final = (
    "Filter", *numeric(("Open", "Closed", "Unknown", "Triggers", "Blocked", "Blocked alone")),
    *numeric(["Exits caused"]), "Unknown",
)  # fmt: skip


def gate_row(record: GateRecord, result: Run) -> Row:
    """Return what a filter did, in `GATE_COLUMNS`."""
    shares = (record.shares[state] for state in ("open", "closed", "unknown"))
    counts = (record.triggers, record.blocked, record.blocked_alone, record.exits)
    is_blocking = result.config.filters[record.name].unknown == "block"
    return text_row(
        written.words(record.name),
        *map(written.percent, shares),
        *map(written.count, counts),
        "blocks" if is_blocking else "passes",
    )


def cost_row(row: CostRow) -> Row:
    """Return the run at other costs: CAGR, holding's, their distance, total return, costs."""
    fractions = (row.cagr, row.held_cagr, row.cagr - row.held_cagr, row.total_return)
    return text_row(
        f"{row.bps:g} bps ({row.multiple:g}x)",
        *map(written.percent, fractions),
        written.money(row.costs_paid),
    )


MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
GRID_COLUMNS: Final = (Heading("Year", is_hidden=True), *numeric((*MONTHS, "Year")))


def return_grid(account: Account, *, first: int = 0) -> list[Row]:
    """Return a row per year of bars from row `first` on: twelve months and the year.

    A month without bars is empty; one without a position and without a return says "cash".
    """
    months, years = monthly_returns(account.returns.iloc[first:])
    idle = idle_months(account.invested.iloc[first:])
    cells = zip(months.to_numpy(), idle.to_numpy(), strict=True)
    return [
        Row(str(year), (*map(_month, returns, idle), _shade(total)))
        for (year, total), (returns, idle) in zip(years.items(), cells, strict=True)
    ]


def provenance(result: Run) -> list[dict[str, str]]:
    """Return where each series came from, and the digest that identifies its rows."""
    return [
        _origin(bars.instrument.kind.capitalize(), bars) for bars in result.market.inputs.all_bars
    ]


def joined_spans(result: Run) -> list[dict[str, str]]:
    """Return each source of the histories that were joined from several, newest first."""
    every = [bars for bars in result.market.inputs.all_bars if bars.spans]
    return [_span(bars, span) for bars in every for span in bars.spans]


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
        "Source": source_in_words(bars),
        "Origin": bars.origin,
        "Timeframe": bars.timeframe,
        "First": written.date(times[0]),
        "Last": written.date(times[-1]),
        "Rows": written.count(len(bars)),
        "SHA-256": bars.sha256,
    }


def _span(bars: Bars, span: Span) -> dict[str, str]:
    prices = "closes only" if span.is_close_only else "open, high, low, close"
    return {
        "Symbol": bars.instrument.symbol,
        "Bars of": span.label,
        "First": written.date(span.first),
        "Last": written.date(span.last),
        "Prices": prices,
        "Rows": written.count(span.rows),
        "Common bars": written.count(span.common) if span.common else written.UNDEFINED,
        "Median difference": written.percent(span.median, decimals=3),
        "Worst difference": written.percent(span.worst, decimals=3),
    }


def _time(time: pd.Timestamp, *, absent: str = written.UNDEFINED) -> Cell:
    return Cell(absent) if pd.isna(time) else Cell(written.date(time), sort=f"{time:%Y%m%d%H%M}")


def _word(name: str) -> Cell:
    return Cell(written.words(name), sort=name)


def _month(value: float, is_idle: bool) -> Cell:
    return Cell("cash", style="flat") if is_idle and abs(value) < FLAT else _shade(value)


def _shade(value: float) -> Cell:
    if not np.isfinite(value):
        return Cell("")
    text = written.percent_number(value)
    if abs(value) < FLAT:
        return Cell(text, style="flat")
    shade = min(1.0, abs(value) / FULL_SHADE) ** 0.7
    return Cell(text, style="gain" if value > 0 else "loss", shade=f"{12 + 68 * shade:.0f}%")
