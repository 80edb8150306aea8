"""What the page shows when its span of time is the last years alone: tiles, figures, tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from backtests.analysis.run_figures import Figures, recent_figures
from backtests.engines.backtest import Run
from backtests.report.pages.page_parts import Row, milliseconds
from backtests.report.pages.risk_tables import SpanTables
from backtests.report.pages.tearsheet_tables import KEY_COLUMNS, KEY_FIGURES
from backtests.report.words import notation as written
from backtests.report.words.labels import FIGURES, columns_of, figure_text

YEARS: Final = (5, 3, 1)  # as the buttons of the bar


@dataclass(frozen=True, slots=True)
class RecentView:
    """The last years alone: what the page reads, and the rows of the tables that follow."""

    years: int
    content: Mapping[str, Any]
    tables: Mapping[str, list[Row]]


def recent_views(tables: SpanTables) -> tuple[RecentView, ...]:
    """Return what tiles, figures and tables show of the last years, and from when.

    None of spans that are too long.
    """
    result = tables.result
    times = pd.DatetimeIndex(result.strategy.returns.index)
    return tuple(
        RecentView(
            years,
            _content(result, years, opened, figures),
            tables.since(int(times.searchsorted(opened))),
        )
        for years, (opened, figures) in recent_figures(result, YEARS).items()
    )


def views_json(views: Sequence[RecentView]) -> dict[str, Mapping[str, Any]]:
    """Return what the page reads, by years."""
    return {str(view.years): view.content for view in views}


def _content(
    result: Run, years: int, opened: pd.Timestamp, figures: Mapping[str, Figures]
) -> dict[str, Any]:
    said = "the last year" if years == 1 else f"the last {years} years"
    return {
        "from": milliseconds(opened),
        "since": written.date(opened),
        "cash": written.money(result.strategy.initial_cash),
        "said": (
            f"Shown now: {said} alone, from {written.date(opened)}, as if the starting cash had "
            "been put in then; of stays in the market and trades, those that began since. "
            "Sentences, costs, filters and charts without dates are of the whole run."
        ),
        "tiles": _texts(KEY_FIGURES, KEY_COLUMNS, figures),
        "rows": _texts(FIGURES, columns_of(result), figures),
    }


def _texts(
    names: tuple[str, ...] | Mapping[str, Any],
    columns: tuple[str, ...] | Mapping[str, Any],
    figures: Mapping[str, Figures],
) -> list[list[str]]:
    return [[figure_text(name, figures[column].get(name)) for column in columns] for name in names]
