"""The page of all runs: a row each, with columns by choice, and the other kinds below."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from backtests.records.saved_runs import MOST_RUNS, BarsUsed, RunRecord
from backtests.records.saved_searches import KINDS, STUDY, SearchRecord, made_at
from backtests.report.pages.journals import JOURNAL_COLUMNS, journal_rows
from backtests.report.pages.page_base import render
from backtests.report.pages.page_parts import Cell, Heading, number, sortable_cells
from backtests.report.words import notation as written
from backtests.report.words.labels import FIGURES
from backtests.report.words.notation import standing

if TYPE_CHECKING:
    from backtests.desk.review import JournalShown

LONG: Final = 16  # characters


@dataclass(frozen=True, slots=True)
class RunColumn:
    """One column of the table of runs; a reader may choose those that are not shown at first."""

    heading: str
    cell: Callable[[RunRecord], Cell]
    is_number: bool = False
    is_shown: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Badge:
    """A mark of a row in a word or two, and whether it warns."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One run's name, label, address, cells, badges, and what opens behind these.

    `cells` are all but the first; `shown` those of the columns shown at first, `kept` the others.
    """

    name: str
    label: str
    link: str
    cells: tuple[Cell, ...]
    shown: Markup
    kept: Markup
    is_sample: bool
    badges: tuple[Badge, ...]
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def _word(text: str) -> Cell:
    # a long one breaks, so that it cannot push the others out of sight
    return Cell(text, sort=text, style="long" if len(text) > LONG else "")


def _figure(name: str, *, of: str = "strategy") -> Callable[[RunRecord], Cell]:
    """Return how to write a figure of one of a run's accounts; undefined where it has none."""
    write = FIGURES[name].text

    def cell(run: RunRecord) -> Cell:
        figures = run.strategy if of == "strategy" else run.buy_and_hold
        return number(figures.get(name, math.nan), write)

    return cell


def verdict_word(run: RunRecord) -> str:
    """Return whether the run beats, trails or equals buy-and-hold, by CAGR."""
    return standing(run.strategy["cagr"], run.buy_and_hold["cagr"])


TABLE: Final = (
    RunColumn("Run", lambda run: _word(run.label)),
    RunColumn("Verdict", lambda run: _word(verdict_word(run)),
              note="Its CAGR beside buy-and-hold's."),
    RunColumn("Asset", lambda run: _word(run.asset)),
    RunColumn("Index", lambda run: _word(run.word("index", "symbol")), is_shown=False),
    RunColumn("Trigger", lambda run: _word(written.words(run.word("rules", "trigger")))),
    RunColumn("Held", lambda run: number(run.number("rules", "hold_days"), written.days), True,
              note="Days a position is held after a trigger; 0 until an exit."),
    RunColumn("From", lambda run: _word(run.first)),
    RunColumn("To", lambda run: _word(run.last)),
    RunColumn("CAGR", _figure("cagr"), True),
    RunColumn("Hold", _figure("cagr", of="buy_and_hold"), True, False, "CAGR of buy-and-hold."),
    RunColumn("Ahead", lambda run: number(run.ahead, written.points, signed=True), True,
              note="CAGR minus buy-and-hold's, in percentage points."),
    RunColumn("Sharpe", _figure("sharpe_ratio"), True),
    RunColumn("Drawdown", _figure("max_drawdown"), True),
    RunColumn("Hold's", _figure("max_drawdown", of="buy_and_hold"), True, False,
              "Worst drawdown of buy-and-hold."),
    RunColumn("In market", _figure("time_in_market"), True,
              note=FIGURES["time_in_market"].definition),
    RunColumn("Trades", _figure("trades"), True),
    *(
        RunColumn(FIGURES[name].label, _figure(name), True, False, FIGURES[name].definition)
        for name in ("total_return", "volatility", "sortino_ratio", "calmar_ratio",
                     "longest_drawdown_days", "turnover", "costs_paid", "win_rate",
                     "cagr_without_best")
    ),
    RunColumn("Episodes", lambda run: number(run.episodes_traded, written.count), True, False,
              "Independent episodes of the index in which it bought."),
    RunColumn("Made", lambda run: _word(made_at(run.name)), is_shown=False),
    RunColumn("Folder", lambda run: _word(run.name), is_shown=False),
)  # fmt: skip
# heading and whether its cells are numbers; the badges stand last
COLUMNS: Final = (*((each.heading, each.is_number) for each in TABLE), ("Basis", False))
BASIS_NOTE: Final = (
    "Bars, sources, episodes and warnings; select one to read more. Sorts by warnings."
)
SEARCH_COLUMNS: Final = (("Name", False), ("Asset", False), ("Trials", True), ("Made", False))
STUDY_COLUMNS: Final = (("Name", False), ("Made", False))
SHOWN_AT_ONCE: Final = 250  # rows; the rest on request, as thousands take a browser seconds
# what a reader may choose one value of
CHOICES: Final = ("Asset", "Index", "Trigger", "Verdict")
NOTES: Final = {
    "Sweep": "A sweep tries all of its settings on the same bars.",
    "Walk-forward": "A walk-forward chooses on past bars and trades those that follow.",
    "Study": "A study sets what followed an event against random dates.",
}


def index_page(
    runs: Sequence[RunRecord],
    broken: Sequence[tuple[str, str]],
    *,
    searches: Sequence[SearchRecord] = (),
    journals: Sequence["JournalShown"] = (),
    is_served: bool = False,
) -> str:
    """Return the page of all runs, searches and journals, with (name, reason) of the broken.

    A search or journal with a problem is named among them as well: its page may still open.
    """
    rows = [_row(run) for run in runs]
    content = {
        "runs": rows,
        "broken": [*broken, *problems(searches, journals)],
        "kinds": _kinds(searches),
        "columns": [
            Heading("Choose", is_hidden=True),
            *(_heading(each) for each in TABLE if each.is_shown),
            Heading("Basis", note=BASIS_NOTE),
        ],
        "menu": [(_heading(each), each.is_shown) for each in TABLE[1:]],
        "search_columns": SEARCH_COLUMNS,
        "study_columns": STUDY_COLUMNS,
        "journal_columns": JOURNAL_COLUMNS,
        "journals": journal_rows(journals),
        "choices": [_choice(name, rows) for name in CHOICES],
        "is_served": is_served,
        "most": MOST_RUNS,
        "limit": SHOWN_AT_ONCE,
    }
    return render("index.html.j2", content)


def problems(
    searches: Sequence[SearchRecord], journals: Sequence["JournalShown"]
) -> list[tuple[str, str]]:
    """Return (name, reason) of the searches and journals with which something is wrong."""
    told = [(each.name, each.problem) for each in searches]
    told += [(each.name, each.problem) for each in journals]
    return [(name, problem) for name, problem in told if problem]


def _row(run: RunRecord) -> IndexRow:
    cells = tuple(column.cell(run) for column in TABLE[1:])
    return IndexRow(
        name=run.name,
        label=run.label,
        link=run.link,
        cells=cells,
        shown=sortable_cells(_part(cells, is_shown=True)),
        kept=sortable_cells(_part(cells, is_shown=False)),
        is_sample=run.is_sample,
        badges=tuple(_badges(run)),
        facts=tuple(_facts(run)),
        warnings=run.warnings,
    )


def _part(cells: Sequence[Cell], *, is_shown: bool) -> list[Cell]:
    columns = zip(TABLE[1:], cells, strict=True)
    return [cell for column, cell in columns if column.is_shown == is_shown]


def _badges(run: RunRecord) -> list[Badge]:
    """Return what a row's figures rest on, at a glance."""
    sources = dict.fromkeys(source for each in run.bars for source in each.sources)
    lengths = dict.fromkeys(each.timeframe for each in run.bars[-1:])
    badges = [*map(Badge, lengths), *map(Badge, sources)]
    if run.episodes_traded == run.episodes_traded:
        few = "few" if run.episodes_traded < 3 else ""
        badges.append(Badge(written.count_noun(int(run.episodes_traded), "episode"), few))
    if run.warnings:
        badges.append(Badge(written.count_noun(len(run.warnings), "warning"), "warns"))
    return [badge for badge in badges if badge.text]


def _facts(run: RunRecord) -> list[tuple[str, str]]:
    episodes = f"bought in {written.count(run.episodes_traded)} of {written.count(run.episodes)}"
    return [
        ("Folder", run.name),
        ("Verdict", run.verdict or written.UNDEFINED),
        *((f"Bars of {each.symbol}", _bars(each)) for each in run.bars),
        ("Episodes", f"{episodes} independent ones of the index"),
    ]


def _bars(used: BarsUsed) -> str:
    sources = " and ".join(used.sources)
    count = int(used.rows) if used.rows == used.rows else 0
    return f"{written.bars(count, used.timeframe)}, {used.first} to {used.last}, from {sources}"


def _kinds(searches: Sequence[SearchRecord]) -> list[tuple[str, str, bool, list[SearchRecord]]]:
    """Return plural title, what it is, whether it tries settings, and those there are of a kind."""
    order = {kind.title: kind.plural for kind in KINDS}
    places = list(order)
    found = groupby(
        sorted(searches, key=lambda each: places.index(each.kind)), key=lambda each: each.kind
    )
    return [
        (order[kind], NOTES[kind], kind != STUDY.title, list(of_kind)) for kind, of_kind in found
    ]


def _heading(column: RunColumn) -> Heading:
    return Heading(column.heading, column.is_number, column.note)


def _choice(name: str, rows: Sequence[IndexRow]) -> tuple[int, str, list[str]]:
    """Return the column's place, its name and the values it has."""
    place = [heading for heading, _ in COLUMNS].index(name)
    # the link is no cell here
    return place, name, sorted({row.cells[place - 1].text for row in rows})
