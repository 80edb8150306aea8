"""A part of the page made elsewhere: text, a table of figures and a chart, or any of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from backtests.report.charts.spec import Spec


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


@dataclass(frozen=True, slots=True)
class Cell:
    """A written value, what it sorts by, and the style that says its sign."""

    text: str
    sort: str = ""
    style: str = ""
    shade: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled row of written cells; `note` explains the label."""

    label: str
    cells: tuple[Cell, ...]
    note: str = ""


def number(value: float, write: Callable[[float], str], *, signed: bool = False) -> Cell:
    """Return a number's cell; `signed` colours it by gain or loss. NaN sorts last."""
    sign = "gain" if value > 0 else "loss" if value < 0 else ""
    style = sign if signed else ""
    sort = repr(float(value)) if math.isfinite(value) else ""
    return Cell(write(value), sort=sort, style=f"num {style}".strip())
