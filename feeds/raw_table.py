"""A table as a source gave it, and its rows on their way through validation."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from feeds.arrays import Flags, Floats, Integers
from feeds.bars import PRICES
from feeds.errors import DataError
from feeds.instruments import Instrument
from feeds.message_text import NAMED, count_noun, listed_times, number_text, time_texts
from feeds.sessions import BAR_LENGTHS

log = logging.getLogger(__name__)
DATE: Final = "date"
# So many odd rows are a vendor's slip and may be left out; more are another kind of file.
FEW_ROWS: Final = 5
FEW_SHARE: Final = 0.02
FEW_SHARE_OF_SHORT: Final = 0.1


@dataclass(frozen=True, slots=True)
class RawTable:
    """Rows of one instrument or series between reading and validation.

    `frame` has a RangeIndex and the column `date` (datetime64: zone-aware where a zone or an
    epoch was given, tz-naive where none was), and float64 columns: open, high, low, close and
    perhaps volume, quote_volume (in money) and market_cap; or `value` for a series. An empty
    cell is NaN; a cell that cannot be read has already been refused, with its line.

    `lines` is the line of the file each row stands at, shape (rows,), 1 being the first line;
    empty for a vendor's answer, which has none. `origin` names file or address in messages;
    where a table is made of several files, `files` are their names and `file_rows` says for
    each row which of them it is from, shape (rows,).
    `notes` says how the file was read; those in `readings` leave nothing open and are for the
    record, the others are for a reader's eye. `is_close_only` marks prices made of closes alone.
    """

    frame: pd.DataFrame
    origin: str
    lines: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    notes: tuple[str, ...] = ()
    is_close_only: bool = False
    files: tuple[str, ...] = ()
    file_rows: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    readings: tuple[str, ...] = ()

    def place(self, row: int) -> str:
        """Return where a row stands, for messages: `line 12` of a file, else `row 3`."""
        place = f"line {self.lines[row]}" if self.lines.size else f"row {row + 1}"
        return f"{place} of {self.files[self.file_rows[row]]}" if self.files else place


if TYPE_CHECKING:
    from feeds.instruments import Kind


def with_prices(table: RawTable, *, kind: "Kind") -> RawTable:
    """Return a table of closes with the other three prices, marked as close-only.

    An index opens anew each session and nothing is known of the day but its close: open,
    high and low are the close. A coin trades without a break: it opens at the last close
    before it in time, and high and low are the larger and the smaller of the two; the first
    bar opens at its own close. A table that has an open is returned as it is.
    """
    if "open" in list(table.frame.columns):  # an index of names is slow to ask
        return table
    close = table.frame["close"].to_numpy(np.float64)
    opens = close if kind == "index" else _closes_before(table)
    opens = np.where(np.isnan(close), np.nan, opens)
    prices = {"open": opens, "high": np.maximum(opens, close), "low": np.minimum(opens, close)}
    columns = {name: table.frame[name] for name in table.frame.columns}
    frame = pd.DataFrame({"date": columns.pop("date"), **prices, **columns})
    return replace(table, frame=frame, is_close_only=True)


def _closes_before(table: RawTable) -> Floats:
    """Return the close before each row in time, its own where there is none before."""
    dates = pd.DatetimeIndex(table.frame["date"]).asi8
    close = table.frame["close"].to_numpy(np.float64)
    priced = ~np.isnan(close)
    # a row that repeats a date has the same bar before it: the last one of an earlier date
    order = np.argsort(dates[priced], kind="stable")
    times, values = dates[priced][order], close[priced][order]
    before = times.searchsorted(dates, side="left") - 1
    return np.where(before >= 0, values[before], close) if values.size else close


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
