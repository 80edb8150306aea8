"""Runs side by side: what differs, figures with the better one marked, curves, years."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.exposure import weekly_correlation
from backtests.analysis.periods import yearly_returns
from backtests.records.safe_reading import UnreadableError, text_of
from backtests.records.saved_runs import BrokenRunError, RunRecord, read_run
from backtests.report.charts.comparison import NamedCurve, equities_panel, underwaters_panel
from backtests.report.pages.page_base import render
from backtests.report.pages.page_parts import Banner, Cell, Panel, Row, number, text_row
from backtests.report.words import notation as written
from backtests.report.words.differences import (
    Difference,
    differences_of,
    filters_of_some,
    fold_filters,
    is_like_for_like,
    run_labels,
    shown_value,
)
from backtests.report.words.labels import BETTER_IF, FIGURES, HELD_FIGURES, figure_text

MOST_BYTES: Final = 500_000_000  # of equity: decades of hours are a tenth of it
BEST: Final = "best"


@dataclass(frozen=True, slots=True)
class Compared:
    """One run with its label, its record and its curves, each starting at 1.

    `years` are compound returns by year of the strategy and of holding.
    """

    label: str
    record: RunRecord
    equity: pd.Series
    held: pd.Series
    years: tuple[pd.Series, pd.Series]

    @property
    def link(self) -> str:
        """The address of its tearsheet."""
        return self.record.link

    @property
    def verdict(self) -> str:
        """The run's verdict."""
        return self.record.verdict

    @property
    def curve(self) -> NamedCurve:
        """Its equity as charts take it."""
        return NamedCurve(self.label, self.equity)


def compare_page(folders: Sequence[Path]) -> str:
    """Return the page of these runs.

    Raises
    ------
    BrokenRunError
        Naming the folder that is no complete run, and why.
    """
    found = [_comparisons(folder) for folder in folders]
    records = [run.record for run in found]
    labels = run_labels(records)
    runs = [replace(run, label=label) for run, label in zip(found, labels, strict=True)]
    held = _longest_held(runs)
    curves = {asset: NamedCurve(f"Hold {asset}", run.held) for asset, run in held.items()}
    panels = {
        "equity": Panel("equity", equities_panel([run.curve for run in runs], curves)),
        "underwater": Panel("underwater", underwaters_panel([run.curve for run in runs])),
    }
    filters = filters_of_some([record.config for record in records])
    shown, folded = fold_filters(differences_of(records), filters)
    content = {
        "runs": runs,
        "labels": labels,
        "figures": _figures(runs),
        "differences": _rows(shown),
        "folded": _rows(folded),
        "is_like_for_like": is_like_for_like(records),
        "year_columns": [*labels, *(curve.name for curve in curves.values())],
        "made_by_year": _years(runs, [*held.values()]),
        "correlation": _correlation(runs),
    }
    banner = Banner(any(record.is_sample for record in records))
    return render("compare.html.j2", content, banner=banner, panels=panels)


def _rows(differences: Sequence[Difference]) -> list[Row]:
    return [text_row(name, *map(shown_value, values)) for name, values in differences]


def _comparisons(folder: Path) -> Compared:
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
    returns = curves.pct_change(fill_method=None).iloc[1:]
    own, held = (yearly_returns(returns[name]) for name in ("equity", "buy_and_hold"))
    return Compared(record.label, record, daily["equity"], daily["buy_and_hold"], (own, held))


def _initial_cash(record: RunRecord, curves: pd.DataFrame) -> float:
    cash = record.number("costs", "initial_cash")
    return cash if cash > 0 else float(curves["equity"].to_numpy()[0])


def _longest_held(runs: Sequence[Compared]) -> dict[str, Compared]:
    """Return for each asset the run that held it for longest."""
    by_asset: dict[str, Compared] = {}
    for run in sorted(runs, key=lambda run: len(run.held)):
        by_asset[run.record.asset or "?"] = run
    return dict(sorted(by_asset.items()))


def _figures(runs: Sequence[Compared]) -> list[Row]:
    rows = [
        Row(
            shown.label,
            best_marked(
                [Cell(figure_text(name, run.record.strategy.get(name))) for run in runs],
                [run.record.strategy.get(name, np.nan) for run in runs],
                better=BETTER_IF.get(name),
            ),
            note=shown.definition,
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


def best_marked(
    cells: Sequence[Cell], values: Sequence[float], *, better: Callable[..., float] | None
) -> tuple[Cell, ...]:
    """Return the cells, the best of them marked; none where all that is written is the same."""
    known = [value for value in values if not np.isnan(value)]
    if better is None or len(known) < 2 or len({cell.text for cell in cells}) == 1:
        return tuple(cells)
    best = cells[list(values).index(better(known))].text
    return tuple(
        replace(cell, style=f"{cell.style} {BEST}".strip()) if cell.text == best else cell
        for cell in cells
    )


def _years(runs: Sequence[Compared], held: Sequence[Compared]) -> list[Row]:
    """Return a row per year, the last one first: each run's return, and that of holding."""
    owns = [run.years[0] for run in runs]
    others = [run.years[1] for run in held]
    years = sorted({year for made in owns for year in made.index}, reverse=True)
    rows = []
    for year in years:
        made = [float(each.get(year, np.nan)) for each in (*owns, *others)]
        cells = [number(value, written.percent, signed=True) for value in made]
        own, rest = cells[: len(owns)], cells[len(owns) :]
        rows.append(Row(str(year), (*best_marked(own, made[: len(owns)], better=max), *rest)))
    return rows


def _correlation(runs: Sequence[Compared]) -> list[Row]:
    matrix = weekly_correlation([run.equity for run in runs])
    return [
        Row(run.label, tuple(number(value, written.ratio) for value in row))
        for run, row in zip(runs, matrix, strict=True)
    ]
