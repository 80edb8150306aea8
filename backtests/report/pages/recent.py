"""What the page shows when its span of time is the last years alone: tiles and figures."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from backtests.analysis.summary import Figures, recent_figures
from backtests.engines.backtest import Run
from backtests.report.pages.tables import KEY_COLUMNS, KEY_FIGURES
from backtests.report.words import notation as written
from backtests.report.words.labels import FIGURES, columns_of, figure_text

YEARS: Final = (5, 3, 1)  # as the buttons of the bar


def recent_views(result: Run) -> dict[str, dict[str, Any]]:
    """Return by years what stands in tiles and figures, and from when; none that are too long."""
    found = recent_figures(result, YEARS)
    return {str(years): _view(result, years, *each) for years, each in found.items()}


def _view(
    result: Run, years: int, opened: pd.Timestamp, figures: Mapping[str, Figures]
) -> dict[str, Any]:
    said = "the last year" if years == 1 else f"the last {years} years"
    return {
        "from": int(opened.timestamp() * 1000),
        "cash": written.money(result.strategy.initial_cash),
        "said": (
            f"Shown now: {said} alone, from {written.date(opened)}, as if the starting cash had "
            "been put in then; of trades, those entered since. All sentences, and all tables but "
            "the tiles and the comparison, are of the whole run."
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
