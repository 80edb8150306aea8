"""The tables of a study's page as rows of written cells."""

from typing import Any, Final

import pandas as pd

from backtests.claims.runner import Study
from backtests.report.pages.page_parts import Cell, Row
from backtests.report.words import notation as written
from backtests.report.words.claims import probability, size

HORIZON_COLUMNS: Final = {
    "horizon_days": "Days",
    "episodes": "Episodes",
    "independent": "Without overlap",
    "mean": "Mean",
    "mean_low": "low",
    "mean_high": "high",
    "median": "Median",
    "hit_rate": "Rose",
    "other_mean": "Other dates: mean",
    "other_median": "median",
    "other_hit_rate": "rose",
    "excess": "Effect",
    "excess_low": "low",
    "excess_high": "high",
    "p_value": "p",
    "p_holm": "p (all horizons)",
    "detectable": "Detectable",
    "left_out_low": "One left out: from",
    "left_out_high": "to",
    "adverse_mean": "Deepest low: mean",
    "adverse_worst": "worst",
}
COUNTS: Final = ("horizon_days", "episodes", "independent")


def rate_rows(asset: str, study: Study) -> list[list[str]]:
    """Return how often each verdict of the fairest reading comes out by true effect, if known."""
    rates = next((one.rates for one in study.findings if one.first_asset == asset), ())
    return [
        [size(effect, "growth"), *(written.percent(rate, decimals=0) for rate in row)]
        for effect, *row in rates
    ]


def horizon_rows(table: pd.DataFrame) -> list[list[str]]:
    """Return a row per horizon, in `HORIZON_COLUMNS`."""
    rows = []
    for record in table.to_dict("records"):
        cells = []
        for name in HORIZON_COLUMNS:
            value = float(record[name])
            if name in COUNTS:
                cells.append(written.count(value))
            elif name.startswith("p_"):
                cells.append(probability(value))
            else:
                cells.append(written.percent_number(value))
        rows.append(cells)
    return rows


def episode_rows(table: pd.DataFrame) -> list[list[str]]:
    """Return a row per episode: its dates, its events and the growth over each horizon."""
    rows = []
    for record in table.to_dict("records"):
        cells = [written.date(record[name]) for name in ("session", "last_event", "entry_time")]
        cells.insert(2, written.count(record["events"]))
        returns = [value for name, value in record.items() if str(name).startswith("return_")]
        rows.append(cells + [written.percent_number(float(value)) for value in returns])
    return rows


def bars_row(bars: dict[str, Any]) -> Row:
    """Return what bars a study rests on: their source, extent and digest."""
    texts = str(bars["source"]), written.count(bars["rows"]), str(bars["first"]), str(bars["last"])
    digest = Cell(str(bars["sha256"])[:16], style="hash")
    return Row(str(bars["symbol"]), (*map(Cell, texts), digest))
