"""What a shell or a notebook shows of a result: a heading, a small table, a few sentences."""

import html
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from backtests.report.pages.page_base import unbroken
from backtests.report.terminal import WIDTH
from backtests.report.words.notation import warning_lines

MOST_WARNINGS: Final = 3


@dataclass(frozen=True, slots=True)
class Card:
    """A result in brief; `table` holds texts, `sentences` what may be said of it.

    Of the `warnings` the first few are shown, and how many more there are.
    """

    heading: str
    table: pd.DataFrame
    sentences: Sequence[str]
    warnings: Sequence[str] = ()

    def text(self) -> str:
        """Return the card for a terminal."""
        table = [] if self.table.empty else ["", *self.table.to_string().splitlines(), ""]
        wrapped = [_fill(each) for each in (self.heading, *self.sentences) if each]
        return "\n".join([*self._warnings(), *wrapped[:1], *table, *wrapped[1:]])

    def html(self) -> str:
        """Return the card for a notebook, every text in it escaped."""
        warnings = "".join(f"<p><b>{html.escape(each)}</b></p>" for each in self._warnings())
        said = "".join(f"<p>{html.escape(each)}</p>" for each in self.sentences if each)
        table = "" if self.table.empty else self.table.to_html(border=0, escape=True)
        return f"<div>{warnings}<p>{html.escape(self.heading)}</p>{table}{said}</div>"

    def _warnings(self) -> list[str]:
        lines = list(warning_lines(self.warnings[:MOST_WARNINGS]))
        rest = len(self.warnings) - MOST_WARNINGS
        return [*lines, *([f"and {rest} more, see .warnings"] if rest > 0 else [])]


def _fill(text: str) -> str:
    """Return a sentence in lines, none of which parts a number from its percent sign."""
    return textwrap.fill(unbroken(text), WIDTH).replace(unbroken(" %"), " %")


class Displayable(ABC):
    """Something that shows itself as a card."""

    @abstractmethod
    def card(self) -> Card:
        """Return what is shown of it."""

    def __repr__(self) -> str:
        return self.card().text()

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return self.card().html()
