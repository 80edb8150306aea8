"""The table of episodes traded: the few stretches that everything rests on."""

import math
from typing import Final

import pandas as pd
from pandas.api.typing import NaTType

from backtests.analysis.summary import Summary
from backtests.analysis.trades import AFTER_DAYS, spell_figures
from backtests.engines.backtest import Run
from backtests.report.pages.section import Cell, Heading, Row, milliseconds
from backtests.report.words import notation as written

COLUMNS: Final = (
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
