"""The result on the terminal: figures side by side, worst drawdowns, verdict, where to look."""

import sys
from pathlib import Path
from typing import Final

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from backtests.analysis.run_figures import Summary
from backtests.engines.backtest import Run
from backtests.market.lookahead import LOOK_AHEAD
from backtests.report.terminal import WIDTH
from backtests.report.words import notation as fmt
from backtests.report.words.judgement import RunJudgement
from backtests.report.words.labels import COLUMNS, FIGURES, columns_of, figure_text
from feeds.history import source_in_words

ROWS: Final = (
    "total_return",
    "cagr",
    "volatility",
    "sharpe_ratio",
    "sortino_ratio",
    "max_drawdown",
    "max_drawdown_days",
    "longest_drawdown_days",
    "time_in_market",
    "exposure",
    "trades",
    "win_rate",
    "costs_paid",
)

WORST: Final = 3


def show(result: Run, summary: Summary, judged: RunJudgement, *, folder: Path) -> None:
    """Print the comparison on stdout."""
    watched = sys.stdout.isatty()
    console = Console(highlight=False, soft_wrap=not watched, width=None if watched else WIDTH)
    for warning in fmt.warning_lines(result.warnings):
        grave = warning.startswith(f"WARNING  {LOOK_AHEAD}")
        console.print(warning, style=f"bold {'red' if grave else 'yellow'}", markup=False)
    console.print(headline(result), markup=False)
    console.print(_figures(result, summary))
    console.print(_drawdowns(summary))
    for text in (judged.verdict, judged.conclusion, judged.sample, judged.capacity):
        if text:
            console.print(text, markup=False)
    console.print(f"Tearsheet: {folder / 'tearsheet.html'}", markup=False)
    if (printed := folder / "tearsheet.pdf").exists():
        console.print(f"PDF: {printed}", markup=False)


def headline(result: Run) -> str:
    """Return what was run: asset, index, rule, span and source."""
    bars = result.market.traded_bars
    rules = result.config.rules
    held = fmt.count_noun(rules.hold_days, "day") if rules.hold_days else "until an exit"
    return (
        f"{result.asset} on {result.market.index.instrument.label}: trigger "
        f"{fmt.words(rules.trigger)}, held {held}; {fmt.date(bars.index[0])} to "
        f"{fmt.date(bars.index[-1])}, {fmt.bars(len(bars), result.market.coin.timeframe)} in "
        f"{result.years:.1f} years ({fmt.per_year(result.periods_per_year)} per year), "
        f"source {source_in_words(result.market.coin, day='%Y-%m')}"
    )


def _figures(result: Run, summary: Summary) -> Table:
    columns = columns_of(result)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for name in columns.values():
        table.add_column(name, justify="right")
    for name in ROWS:
        cells = [figure_text(name, summary.figures[column].get(name)) for column in columns]
        table.add_row(FIGURES[name].label, *cells)
    return table


def _drawdowns(summary: Summary) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("strategy", "buy_and_hold"):
        table.add_column(f"worst drawdowns: {COLUMNS[column].lower()}", no_wrap=True)
    spells = [
        [_spell(*row) for row in table_of.head(WORST).itertuples(index=False)]
        for table_of in (summary.drawdowns["strategy"], summary.drawdowns["buy_and_hold"])
    ]
    for place in range(max(map(len, spells))):
        table.add_row(*(own[place] if place < len(own) else "" for own in spells))
    return table


def _spell(
    depth: float, peak: pd.Timestamp, _trough: pd.Timestamp, recovery: pd.Timestamp, _days: float
) -> str:
    until = ", not back" if pd.isna(recovery) else f" to {fmt.date(recovery)}"
    return f"{fmt.percent(depth):>8}  {fmt.date(peak)}{until}"
