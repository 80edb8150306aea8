"""What pages are made of: banners, sections, charts, and tables of written cells."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from typing import Final

from markupsafe import Markup

from backtests.report.charts.figure_dicts import Spec

UNSAFE: Final = re.compile(r"""[&<>"']""")


@dataclass(frozen=True, slots=True)
class Banner:
    """What stands above all else: that the bars are made up, and what is wrong with the rest."""

    is_sample: bool = False
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart of the page, or the reason there is none."""

    name: str
    spec: Spec | None = None
    reason: str = ""

    @property
    def height(self) -> int:
        """Room the chart needs, in CSS pixels, kept free before it is drawn."""
        return int(self.spec["layout"]["height"]) if self.spec else 0


@dataclass(frozen=True, slots=True)
class Section:
    """What a section shows; all text is escaped, so that it may come from anywhere.

    `name` is its id on the page and, of `panel`, the chart's: letters, digits and dashes.
    `rows` are written cells, a label first, under `headings`.
    """

    name: str
    title: str
    paragraphs: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    panel: Panel | None = None

    @property
    def columns(self) -> list["Heading"]:
        """The headings: of the labels, then of numbers."""
        return [*map(heading, self.headings[:1]), *numeric(self.headings[1:])]

    @property
    def labelled_rows(self) -> list["Row"]:
        """The rows, each with its label."""
        return [text_row(*row) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's name, what it means, and the section of the config in small print above it.

    A hidden one is read aloud but not shown.
    """

    text: str
    is_number: bool = False
    note: str = ""
    section: str = ""
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A written value, what it sorts by, and the style that says its sign."""

    text: str
    sort: str = ""
    style: str = ""
    shade: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled row of written cells; `note` explains the label.

    One that `begins` at some time, in milliseconds since 1970, is shown of spans that hold it.
    """

    label: str
    cells: tuple[Cell, ...]
    note: str = ""
    begins: int | None = None


def number(value: float, write: Callable[[float], str], *, signed: bool = False) -> Cell:
    """Return a number's cell; `signed` colours it by gain or loss. NaN sorts last."""
    style = "num gain" if signed and value > 0 else "num loss" if signed and value < 0 else "num"
    sort = repr(float(value)) if math.isfinite(value) else ""
    return Cell(write(value), sort=sort, style=style)


def heading(given: Heading | tuple[str, bool] | str) -> Heading:
    """Return a column's heading; alone a text names a column of words."""
    if isinstance(given, Heading):
        return given
    return Heading(given) if isinstance(given, str) else Heading(*given)


def numeric(names: Iterable[str]) -> list[Heading]:
    """Return the headings of columns of numbers."""
    return [Heading(name, is_number=True) for name in names]


def text_row(label: str, *texts: str) -> Row:
    """Return a labelled row of texts."""
    return Row(label, tuple(map(Cell, texts)))


def milliseconds(time: datetime) -> int:
    """Return a time as a browser counts it: milliseconds since 1970."""
    return int(time.timestamp() * 1000)


def label_cells(given: Row | Sequence[Cell | str]) -> Row:
    """Return a row of cells, without a label unless it has one."""
    if isinstance(given, Row):
        return given
    return Row("", tuple(one if isinstance(one, Cell) else Cell(str(one)) for one in given))


def align_cells(cell: Cell, *, is_number: bool) -> Cell:
    """Return a cell that stands as its column's heading does."""
    if not is_number or "num" in cell.style.split():
        return cell
    return replace(cell, style=f"num {cell.style}".strip())


def sortable_cells(cells: Iterable[Cell]) -> Markup:
    """Return a row's cells as markup, escaped: the table's own macro takes seconds for thousands.

    It writes what the macro writes of a sortable cell.
    """
    return Markup("".join(map(_sortable_cell, cells)))  # noqa: S704 - every text is escaped


def _sortable_cell(cell: Cell) -> str:
    style = f' class="{_safe(cell.style)}"' if cell.style else ""
    return f'<td{style} data-sort="{_safe(cell.sort)}">{_safe(cell.text)}</td>'


def _safe(text: str) -> str:
    # most texts hold nothing to escape, which one search says sooner than five replacements
    return escape(text) if UNSAFE.search(text) else text
