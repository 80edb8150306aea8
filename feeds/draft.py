"""Rows on their way through the border: what they hold, what was done to them, where they stand."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from feeds.arrays import Flags, Floats, Integers
from feeds.bars import PRICES
from feeds.errors import DataError
from feeds.instruments import Instrument
from feeds.sessions import BAR_LENGTHS
from feeds.table import RawTable
from feeds.wording import NAMED, count_noun, listed_times, number_text, time_texts

log = logging.getLogger(__name__)


DATE: Final = "date"
# So many odd rows are a vendor's slip and may be left out; more are another kind of file.
FEW_ROWS: Final = 5
FEW_SHARE: Final = 0.02
FEW_SHARE_OF_SHORT: Final = 0.1


@dataclass(frozen=True, slots=True)
class Draft:
    """Rows of one table, ascending by time, that are not yet bars.

    `times` are the stamps as they came and, once read, the bars' opens; `values` the numbers
    by column; `rows` each row's position in the table, by which messages name its line; all
    of shape (rows,). `notes` says what was done. `is_live` marks a vendor's answer: what is
    missing at its end is not there yet, which would be untrue tomorrow, so it is only logged.
    """

    table: RawTable
    instrument: Instrument
    timeframe: str
    now: pd.Timestamp
    is_live: bool
    times: pd.DatetimeIndex
    values: Mapping[str, Floats]
    rows: Integers
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def origin(self) -> str:
        """The file or address named in every message."""
        return self.table.origin

    @property
    def length(self) -> pd.Timedelta:
        """The length of the bars that are needed."""
        return BAR_LENGTHS[self.timeframe]

    @property
    def prices(self) -> tuple[str, ...]:
        """The columns of prices there are: four, or the close alone."""
        return tuple(name for name in PRICES if name in self.values)

    @property
    def remedy(self) -> str:
        """What to do about rows that are wrong."""
        if self.is_live:
            return "Try again; if it stays, use another source."
        return "Correct or remove what is named."

    def only(self, stays: Flags) -> "Draft":
        """Return the draft of some of its rows."""
        values = {name: column[stays] for name, column in self.values.items()}
        return replace(self, times=self.times[stays], values=values, rows=self.rows[stays])

    def with_note(self, text: str) -> "Draft":
        """Return the draft with a note more, which is also logged."""
        note = f"{self.origin}: {text}"
        log.info("%s", note)
        return replace(self, notes=(*self.notes, note))

    def without(self, out: Flags, reason: str) -> "Draft":
        """Leave rows out and note how many and which."""
        if not out.any():
            return self
        left, gone = self.only(~out), self.times[out]
        text = f"left out, {reason}: {count_noun(len(gone), 'bar')}, {listed_times(gone)}"
        if self.is_live and len(left) and gone[0] > left.times[-1]:
            log.info("%s: %s", self.origin, text)
            return left
        return left.with_note(text)

    def are_few(self, odd: Flags) -> bool:
        """Whether odd rows are a slip: up to 2 %, or five, or of a short table a tenth.

        A vendor's answer may be the last rows of a history, so five of ten are a slip there;
        dates that are a day off put two of ten index rows on a Sunday.
        """
        count, total = int(odd.sum()), len(self)
        few = FEW_ROWS if self.is_live else min(FEW_ROWS, FEW_SHARE_OF_SHORT * total)
        return count <= max(few, FEW_SHARE * total) and 2 * count <= total

    def refusal(
        self, wrong: Mapping[str, Flags], *, singular: str, plural: str, remedy: str = ""
    ) -> DataError:
        """Return the error that names all wrong cells: their count, and where three stand.

        Parameters
        ----------
        wrong
            By column, which rows are wrong, shape (rows,).
        singular, plural
            What follows one value ("is not a positive price") or a count ("prices are not
            positive").
        """
        count = sum(int(mask.sum()) for mask in wrong.values())
        cells = sorted(
            (self.rows[at], name, at)
            for name, mask in wrong.items()
            for at in self._earliest(np.flatnonzero(mask))
        )[:NAMED]
        texts = [
            f"{self.table.place(int(row))}, column `{name}`: {self._text(name, at)}"
            for row, name, at in cells
        ]
        after = f". {remedy or self.remedy}"
        if count == 1:
            return DataError(f"{self.origin}: {texts[0]} {singular}{after}")
        rest = f"; and {count - NAMED:,} more" if count > NAMED else ""
        return DataError(f"{self.origin}: {count:,} {plural}: {'; '.join(texts)}{rest}{after}")

    def place(self, at: int) -> str:
        """Return where a row of the draft stands: `line 12` of a file, else `row 3`."""
        return self.table.place(int(self.rows[at]))

    def _earliest(self, positions: Integers) -> Integers:
        return positions[self.rows[positions].argsort(kind="stable")[:NAMED]]

    def _text(self, name: str, at: int) -> str:
        if name == DATE:
            return time_texts(self.times[at : at + 1])[0]
        return number_text(self.values[name][at])
