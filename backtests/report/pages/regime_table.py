"""The tables of when a result was made: by regime, and by the few stretches it rests on."""

import math
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
from pandas.api.typing import NaTType

from backtests.analysis.matched_placebo import HALVINGS
from backtests.analysis.regimes import (
    FEWEST_VALUES,
    LIQUIDITY_VALUES,
    TREND_SESSIONS,
    VOLATILITY_DAYS,
    RegimeFigures,
    Regimes,
    regime_figures,
)
from backtests.analysis.run_figures import Summary
from backtests.analysis.trades import AFTER_DAYS, spell_figures
from backtests.engines.backtest import Run
from backtests.market.regime_series import LIQUIDITY, VIX
from backtests.report.pages.page_parts import Cell, Heading, Row, milliseconds, number
from backtests.report.words import notation as written

SERIES_NAMES: Final = {VIX: "VIX", LIQUIDITY: "net liquidity"}
SUBJECTS: Final = {
    "index_trend": "{index}",
    VIX.lower(): "VIX",
    LIQUIDITY.lower(): "Net liquidity",
    "volatility": "{coin}'s volatility",
    "era": "Halving era",
}
NOTES: Final = {
    "index_trend": f"Its close against the mean of its last {TREND_SESSIONS} sessions.",
    VIX.lower(): "Its close: high above the median of all its closes so far, low otherwise.",
    LIQUIDITY.lower(): "Fed assets less the Treasury account and reverse repos, against the value "
    f"{LIQUIDITY_VALUES} weeks earlier, each from its publication on.",
    "volatility": f"Standard deviation of the last {VOLATILITY_DAYS} daily log returns: high above "
    f"the median of its values so far, of which there must be {FEWEST_VALUES}.",
    "era": "Between the halvings of Bitcoin's reward per block, each known when its day was over: "
    f"{', '.join(HALVINGS)}.",
}
STATES: Final = {"above": "above its average", "below": "below its average"}
SPELL_COLUMNS: Final = (
    Heading("Entry"),
    Heading("Episode", is_number=True, note="Of the index: triggers close together are one"),
    Heading("Trigger"),
    Heading("Session"),
    Heading("Index at", is_number=True),
    Heading("Exit"),
    Heading("Reason"),
    Heading("Return", is_number=True, note="Of the account, costs included"),
    Heading("Coin", is_number=True, note="From the same first open to the same last"),
    Heading(f"Next {AFTER_DAYS} days", is_number=True, note="Of the coin, after the exit's open"),
    Heading("Share of growth", is_number=True, note="Of the run's whole log growth"),
)


def regime_content(result: Run, regimes: Sequence[Regimes]) -> dict[str, Any]:
    """Return notes and remarks of the section on regimes, by key."""
    return {
        "regime_notes": {_subject(each.kind, result): NOTES[each.kind] for each in regimes},
        "regime_remarks": _remarks(result),
    }


def regime_rows(result: Run, regimes: Sequence[Regimes], *, first: int = 0) -> list[Row]:
    """Return a row per state of each regime that has bars from row `first` on."""
    found = regime_figures(result, regimes=regimes, first=first)
    return [_row(each, result) for each in found]


def regime_columns(result: Run) -> tuple[Heading, ...]:
    """Return the columns of the table of regimes."""
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
        return f"{SUBJECTS['era']} {_era(found.name)}"
    state = STATES.get(found.name, found.name) if found.is_known else "not known"
    return f"{_subject(found.kind, result)} {state}"


def _subject(kind: str, result: Run) -> str:
    index = result.market.index.instrument.label
    return SUBJECTS[kind].format(coin=result.asset, index=index)


def _era(start: str) -> str:
    """Return the years of an era; the first one has no halving it begins with."""
    end = next((day[:4] for day in HALVINGS if day > start), "")
    if not end:
        return f"from {start[:4]}"
    return f"{start[:4]} to {end}" if start else f"to {end}"


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


def spell_rows(result: Run) -> list[Row]:
    """Return a row per stretch with the signal on."""
    rows = []
    for each in spell_figures(result):
        spell = each.spell
        cells = (
            str(each.episode or ""),
            written.words(spell.entry_reason) or "open window",
            _date(each.session),
            written.price(each.index_level),
            _date(spell.end) if not pd.isna(spell.end) else "open",
            written.words(spell.exit_reason),
            *(_percent(one) for one in (each.gain, each.coin, each.after, each.share)),
        )
        begins = milliseconds(spell.start)
        rows.append(Row(_date(spell.start), tuple(map(Cell, cells)), begins=begins))
    return rows


def spell_sentence(summary: Summary) -> str:
    """Return what the run made, and what it would have without its best stretch."""
    total, without = summary.figures["strategy"]["total_return"], summary.best.total_return
    if math.isnan(without):
        return "Nothing was bought."
    return f"The run made {_percent(total)}; without the best of these, {_percent(without)}."


def _date(time: pd.Timestamp | NaTType) -> str:
    return written.date(time) if not pd.isna(time) else ""


def _percent(value: float) -> str:
    if math.isnan(value):
        return ""
    return written.decimal(value * 100, 1, unit=" %", plus=True)
