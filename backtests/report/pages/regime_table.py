"""The table of results by regime, and what it could not tell apart."""

from typing import Any, Final

from backtests.analysis.regimes import (
    FEWEST_VALUES,
    LIQUIDITY_VALUES,
    TREND_SESSIONS,
    VOLATILITY_DAYS,
    RegimeFigures,
    regime_figures,
)
from backtests.analysis.strata import HALVINGS
from backtests.engines.backtest import Run
from backtests.market.regime_series import LIQUIDITY, VIX
from backtests.report.pages.section import Cell, Heading, Row, number
from backtests.report.words import notation as written

SERIES_NAMES: Final = {VIX: "VIX", LIQUIDITY: "net liquidity"}
SUBJECTS: Final = {
    VIX.lower(): "VIX",
    LIQUIDITY.lower(): "Net liquidity",
    "volatility": "{coin}'s volatility",
    "index_trend": "{index}",
}
NOTES: Final = {
    "index_trend": f"The index's close against the mean of its last {TREND_SESSIONS} sessions.",
    VIX.lower(): f"Against the median of its values so far, {FEWEST_VALUES} at least.",
    LIQUIDITY.lower(): f"Against its value {LIQUIDITY_VALUES} weeks earlier.",
    "volatility": f"Standard deviation of the last {VOLATILITY_DAYS} daily log returns, against "
    f"the median of its values so far, {FEWEST_VALUES} at least.",
    "era": "Between the days on which Bitcoin's reward per block halved.",
}
STATES: Final = {"above": "above its average", "below": "below its average"}


def regime_content(result: Run) -> dict[str, Any]:
    """Return columns, rows and remarks of the section on regimes, by key."""
    return {
        "regime_columns": _columns(result),
        "regimes": [_row(each, result) for each in regime_figures(result)],
        "regime_remarks": _remarks(result),
    }


def _columns(result: Run) -> tuple[Heading, ...]:
    held = f"Hold {result.asset}"
    fall = "Of these bars put one after another"
    yearly = "Annualised where the bars add up to a year"
    return (
        Heading("Regime"),
        Heading("Bars", is_number=True),
        Heading("Of the time", is_number=True),
        Heading("Strategy", is_number=True, note="Compound return of these bars"),
        Heading("Per year", is_number=True, note=yearly),
        Heading(held, is_number=True, note="Compound return of these bars"),
        Heading("Per year", is_number=True, note=yearly),
        Heading("Worst drawdown", is_number=True, note=fall),
        Heading("Hold's", is_number=True, note=fall),
        Heading("Time in market", is_number=True, note="Share of bars at whose end it was held"),
    )


def _row(found: RegimeFigures, result: Run) -> Row:
    own, held = found.strategy, found.buy_and_hold
    cells = (
        Cell(written.count(found.bars)),
        Cell(written.percent(found.share)),
        number(own.total_return, written.percent, signed=True),
        Cell(written.percent(own.cagr)),
        Cell(written.percent(held.total_return)),
        Cell(written.percent(held.cagr)),
        Cell(written.percent(own.max_drawdown)),
        Cell(written.percent(held.max_drawdown)),
        Cell(written.percent(found.time_in_market)),
    )
    return Row(_label(found, result), cells, NOTES[found.kind])


def _label(found: RegimeFigures, result: Run) -> str:
    if found.kind == "era":
        return _era(found.name)
    names = {"coin": result.asset, "index": result.market.index.instrument.label}
    state = STATES.get(found.name, found.name) if found.is_known else "not known"
    return f"{SUBJECTS[found.kind].format(**names)} {state}"


def _era(start: str) -> str:
    later = [day for day in HALVINGS if day > start]
    if not start:
        return f"Halving era to {later[0]}"
    return f"Halving era {start} to {later[0]}" if later else f"Halving era from {start}"


def _remarks(result: Run) -> list[str]:
    """Return what was read for the table alone, and a sentence per series not at hand."""
    series = result.regime_series
    read = [f"{SERIES_NAMES[name]} ({series.found[name].origin})" for name in series.read]
    remarks = [f"Read for this table alone: {', '.join(read)}."] if read else []
    for name, is_unreadable in series.missing.items():
        why = (
            "its file or cached copy cannot be read"
            if is_unreadable
            else "neither the data folder nor the cache holds it for these bars"
        )
        remarks.append(f"Not told apart by {SERIES_NAMES[name]}: {why}.")
    return remarks
