"""The page of all runs: a row each, sortable and filterable, with links to the tearsheets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from backtests.records.runs import RunRecord
from backtests.records.searches import SearchRecord
from backtests.report.pages.base import render
from backtests.report.pages.section import Cell, Heading, number
from backtests.report.words import notation as written
from backtests.report.words import standing

# heading and whether its cells are numbers
COLUMNS: Final = (
    ("Run", False), ("Verdict", False), ("Asset", False), ("Index", False), ("Trigger", False),
    ("Held", True), ("From", False), ("To", False), ("CAGR", True), ("Hold", True),
    ("Ahead", True), ("Sharpe", True), ("Drawdown", True), ("Hold's", True), ("In market", True),
    ("Trades", True), ("Episodes", True), ("Warnings", True),
)  # fmt: skip
SEARCH_COLUMNS: Final = (
    ("Search", False), ("Kind", False), ("Asset", False), ("Trials", True), ("Made", False),
)  # fmt: skip
# what a reader may choose one value of
CHOICES: Final = ("Asset", "Index", "Trigger", "Verdict")


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One run's name, address, cells and warnings."""

    name: str
    link: str
    cells: tuple[Cell, ...]
    warnings: tuple[str, ...]


def index_page(
    runs: Sequence[RunRecord],
    broken: Sequence[tuple[str, str]],
    *,
    searches: Sequence[SearchRecord] = (),
    is_served: bool = False,
) -> str:
    """Return the page of all runs and searches, with (name, reason) of the broken folders.

    A search with a problem is named among them as well: its page may still open.
    """
    rows = [IndexRow(run.name, run.link, _cells(run), run.warnings) for run in runs]
    content = {
        "runs": rows,
        "broken": [*broken, *((each.name, each.problem) for each in searches if each.problem)],
        "searches": searches,
        "columns": [Heading("Choose", is_hidden=True), *COLUMNS],
        "search_columns": SEARCH_COLUMNS,
        "choices": [_choice(name, rows) for name in CHOICES],
        "is_served": is_served,
    }
    return render("index.html.j2", content)


def verdict_word(run: RunRecord) -> str:
    """Return whether the run beats, trails or equals buy-and-hold, by CAGR."""
    return standing(run.strategy["cagr"], run.buy_and_hold["cagr"])


def _cells(run: RunRecord) -> tuple[Cell, ...]:
    own, held = run.strategy, run.buy_and_hold
    days = run.number("rules", "hold_days")
    return (
        _word(verdict_word(run)),
        _word(run.asset),
        _word(run.word("index", "symbol")),
        _word(written.words(run.word("rules", "trigger"))),
        number(days, written.days),
        _word(run.first),
        _word(run.last),
        number(own["cagr"], written.percent),
        number(held["cagr"], written.percent),
        number(run.ahead, written.points, signed=True),
        number(own["sharpe_ratio"], written.ratio),
        number(own["max_drawdown"], written.percent),
        number(held["max_drawdown"], written.percent),
        number(own["time_in_market"], written.percent),
        number(own["trades"], written.count),
        number(run.episodes_traded, written.count),
    )


def _choice(name: str, rows: Sequence[IndexRow]) -> tuple[int, str, list[str]]:
    """Return the column's place on the page, its name and the values it has."""
    place = [heading for heading, _ in COLUMNS].index(name)
    # the row starts with the box to choose it; name and link are no cells here
    return place + 1, name, sorted({row.cells[place - 1].text for row in rows})


def _word(text: str) -> Cell:
    return Cell(text, sort=text)
