"""A table as a source gave it: typed, in its own order, not yet judged."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from feeds.arrays import Integers


@dataclass(frozen=True, slots=True)
class RawTable:
    """Rows of one instrument or series between reading and the border.

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
