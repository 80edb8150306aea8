"""A table as a source gave it: typed, in its own order, not yet judged."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from feeds.arrays import Floats, Integers


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
