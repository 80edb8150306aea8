"""Runs side by side: figures, overlaid equities and drawdowns, and what differs."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.analysis.metrics import underwater
from backtests.records.reading import UnreadableError, text_of
from backtests.records.runs import BrokenRunError, RunRecord, read_run
from backtests.report.charts.palette import COINS, LIGHT
from backtests.report.charts.spec import (
    PERCENT_AXIS,
    Spec,
    every_day,
    line,
    log_ticks,
    percents,
    time_layout,
)
from backtests.report.pages.base import render
from backtests.report.pages.section import Cell, Panel, Row, text_row
from backtests.report.words.labels import FIGURES, figure_text

DASHES: Final = ("solid", "dash", "dashdot")
HELD_FIGURES: Final = ("cagr", "max_drawdown")
LABEL_LENGTH: Final = 12
MOST_BYTES: Final = 500_000_000  # of equity: decades of hours are a tenth of it
ABSENT: Final = "not set"

Curves = dict[str, pd.Series]


@dataclass(frozen=True, slots=True)
class Compared:
    """One run with a short label, its record and its curves, each starting at 1."""

    label: str
    record: RunRecord
    equity: pd.Series
    held: pd.Series

    @property
    def link(self) -> str:
        """The address of its tearsheet."""
        return self.record.link

    @property
    def verdict(self) -> str:
        """The run's verdict."""
        return self.record.verdict


def compare_page(folders: Sequence[Path]) -> str:
    """Return the page of these runs.

    Raises
    ------
    BrokenRunError
        Naming the folder that is no complete run, and why.
    """
    runs = [_comparisons(place, folder) for place, folder in enumerate(folders, start=1)]
    panels = {
        "equity": Panel("equity", _equity_spec(runs)),
        "underwater": Panel("underwater", _underwater_spec(runs)),
    }
    differing = differences([run.record.config for run in runs])
    content = {
        "runs": runs,
        "figures": _figures(runs),
        "differences": [text_row(name, *values) for name, values in differing],
    }
    return render("compare.html.j2", content, panels=panels)


def differences(configs: Sequence[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return each setting in which the configs differ, with every config's value."""
    flat = [dict(_settings(config)) for config in configs]
    names = dict.fromkeys(name for each in flat for name in each)
    rows = [(name, [each.get(name, ABSENT) for each in flat]) for name in names]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def _settings(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value) or '""'


def _comparisons(place: int, folder: Path) -> Compared:
    try:
        record = read_run(folder)
        content = io.StringIO(text_of(folder / "equity.csv", most=MOST_BYTES))
        table = pd.read_csv(content, usecols=["time", "equity", "buy_and_hold"])
        times = pd.DatetimeIndex(pd.to_datetime(table["time"], utc=True)).as_unit("ns")
        curves = table[["equity", "buy_and_hold"]].astype(np.float64).set_index(times)
    except BrokenRunError as error:
        raise BrokenRunError(f"{folder.name}: {error}") from error
    except UnreadableError as error:
        raise BrokenRunError(f"{folder.name}: {error}") from error
    except (ValueError, KeyError) as error:
        raise BrokenRunError(
            f"{folder.name}: equity.csv cannot be read: it is not the table a run leaves"
        ) from error
    if curves.empty:
        raise BrokenRunError(f"{folder.name}: equity.csv has no rows")
    values = curves.to_numpy()
    if not (np.isfinite(values) & (values > 0)).all() or times.hasnans:
        raise BrokenRunError(f"{folder.name}: equity.csv holds what is no equity")
    daily = (curves / _initial_cash(record, curves)).resample("1D").last()
    label = f"{place}. {record.asset[:LABEL_LENGTH] or '?'}"
    return Compared(label, record, daily["equity"], daily["buy_and_hold"])


def _initial_cash(record: RunRecord, curves: pd.DataFrame) -> float:
    cash = record.number("costs", "initial_cash")
    return cash if cash > 0 else float(curves["equity"].to_numpy()[0])


def _figures(runs: Sequence[Compared]) -> list[Row]:
    rows = [
        Row(
            shown.label,
            tuple(Cell(figure_text(name, run.record.strategy.get(name))) for run in runs),
        )
        for name, shown in FIGURES.items()
    ]
    held = [
        Row(
            f"Buy-and-hold: {FIGURES[name].label}",
            tuple(Cell(figure_text(name, run.record.buy_and_hold.get(name))) for run in runs),
        )
        for name in HELD_FIGURES
    ]
    return rows + held


def _equity_spec(runs: Sequence[Compared]) -> Spec:
    traces = [*_lines(runs), *_held_lines(runs)]
    reached = np.concatenate([run.equity for run in runs])
    yaxis = {
        "type": "log",
        "ticksuffix": "x",
        "title": {"text": "Of starting cash, log scale"},
        **log_ticks(reached),
    }
    return {"data": traces, "layout": time_layout(_span(runs), height=440, yaxis=yaxis)}


def _lines(runs: Sequence[Compared]) -> list[Spec]:
    return [
        _style(
            line(
                run.label, run.equity, color="ink", x=every_day(run.equity.index[0]),
                hovertemplate="%{y:,.2f}x",
            ),
            place,
        )
        for place, run in enumerate(runs)
    ]  # fmt: skip


def _held_lines(runs: Sequence[Compared]) -> list[Spec]:
    """Return buy-and-hold of each asset, that of the longest run."""
    by_asset: dict[str, Compared] = {}
    for run in sorted(runs, key=lambda run: len(run.held)):
        by_asset[run.record.asset or "?"] = run
    return [
        line(
            f"Hold {asset}", run.held, color="muted", x=every_day(run.held.index[0]),
            width=1, line={"dash": "dot"}, hovertemplate="%{y:,.2f}x",
        )
        for asset, run in sorted(by_asset.items())
    ]  # fmt: skip


def _underwater_spec(runs: Sequence[Compared]) -> Spec:
    traces = []
    for place, run in enumerate(runs):
        equity = run.equity.ffill().to_numpy()
        before = np.concatenate(([1.0], equity[:-1]))
        moved = np.divide(equity, before, out=np.ones_like(equity), where=before > 0)
        below = percents(underwater(moved - 1))
        x = every_day(run.equity.index[0])
        trace = line(run.label, below, color="ink", x=x, hovertemplate="%{y}")
        traces.append(_style(trace, place))
    yaxis: Spec = {**PERCENT_AXIS, "title": {"text": "Below the peak"}}
    return {"data": traces, "layout": time_layout(_span(runs), height=320, yaxis=yaxis)}


def _style(trace: Spec, place: int) -> Spec:
    """Return the trace in the place's colour and dash, so that no two look alike."""
    color = LIGHT["strategy"] if place == 0 else COINS[place]
    trace["line"] |= {"color": color, "dash": DASHES[place % len(DASHES)], "width": 1.8}
    return trace


def _span(runs: Sequence[Compared]) -> tuple[pd.Timestamp, pd.Timestamp]:
    first = min(run.equity.index[0] for run in runs)
    last = max(run.equity.index[-1] for run in runs)
    return first, last + pd.Timedelta(days=1)
