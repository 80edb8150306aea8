"""Journals on the page of all runs: what was written down in advance, and what it made."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from backtests.report.pages.page_parts import Cell, number
from backtests.report.words import notation as written

if TYPE_CHECKING:
    from backtests.desk.review import JournalPart, JournalShown

JOURNAL_COLUMNS: Final = (
    ("Journal", False), ("Asset", False), ("Config", False), ("Lines", True), ("Since", False),
    ("Last evening", False), ("Said then", False), ("Made in advance", True), ("Hold", True),
    ("Days", True),
)  # fmt: skip


def journal_rows(journals: Sequence["JournalShown"]) -> list[list[Cell]]:
    """Return a row per config of each journal; without bars its record is undefined."""
    return [_row(shown.name, part) for shown in journals for part in shown.parts]


def _row(name: str, part: "JournalPart") -> list[Cell]:
    record = part.record
    made, held, days = (record.growth, record.holding, record.days) if record else (math.nan,) * 3
    return [
        Cell(name, sort=name),
        Cell(part.asset, sort=part.asset),
        Cell(part.config_hash, sort=part.config_hash),
        number(part.lines, written.count),
        Cell(part.first[:10], sort=part.first),
        Cell(part.last[:10], sort=part.last),
        Cell(part.said, sort=part.said),
        number(made, written.percent, signed=True),
        number(held, written.percent),
        number(days, written.count),
    ]
