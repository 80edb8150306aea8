"""A part of the page made elsewhere: text, a table of figures and a chart, or any of them."""

from dataclasses import dataclass

from backtests.report.spec import Spec


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
