"""Files that are parts of one series, as an archive has one per month, to one table."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from feeds.arrays import Integers
from feeds.errors import DataError
from feeds.reading.cells import PlacedError
from feeds.table import RawTable


def join(parts: Sequence[RawTable]) -> RawTable:
    """Return one table of several, in their order; a row that stands in two of them once.

    Raises
    ------
    DataError
        If parts have different columns or dates, or contradict each other.
    """
    if len(parts) == 1:
        return _without_repeats(parts[0]) if parts[0].files else parts[0]
    first, last = parts[0], parts[-1]
    for part in parts[1:]:
        _require_alike(first, part)
    table = RawTable(
        pd.concat([part.frame for part in parts], ignore_index=True),
        origin=f"{_names(first)[0]} to {_names(last)[-1]}",
        lines=np.concatenate([part.lines for part in parts]),
        notes=_notes(parts),
        readings=_notes([replace(part, notes=part.readings) for part in parts]),
        files=tuple(name for part in parts for name in _names(part)),
        file_rows=_file_rows(parts),
    )
    return _without_repeats(table)


def _names(part: RawTable) -> tuple[str, ...]:
    return part.files or (part.origin,)


def _file_rows(parts: Sequence[RawTable]) -> Integers:
    """Return for each row the number of its file among the files of all parts."""
    begins = np.cumsum([0, *(len(_names(part)) for part in parts)])
    rows = [
        begin + (part.file_rows if part.files else np.zeros(len(part.frame), np.int64))
        for begin, part in zip(begins[:-1], parts, strict=True)
    ]
    return np.concatenate(rows)


def _require_alike(first: RawTable, other: RawTable) -> None:
    names = [", ".join(part.frame.columns) for part in (first, other)]
    if names[0] != names[1] or first.frame["date"].dtype != other.frame["date"].dtype:
        raise DataError(
            f"{first.origin} and {other.origin} are no parts of one series: their columns or "
            "dates differ. Put them into folders of their own."
        )
    if bool(first.lines.size) != bool(other.lines.size):
        raise DataError(
            f"{first.origin} and {other.origin} are no parts of one series: one is text and one "
            "is Parquet. Put them into folders of their own."
        )


def _notes(parts: Sequence[RawTable]) -> tuple[str, ...]:
    """Return the notes of all parts, a note that says the same of each but once."""
    said: dict[str, RawTable] = {}
    for part in parts:
        for note in part.notes:
            said.setdefault(note.removeprefix(f"{part.origin}: "), part)
    return tuple(f"{part.origin}: {text}" for text, part in said.items())


def _without_repeats(table: RawTable) -> RawTable:
    frame = table.frame
    again = frame["date"].duplicated().to_numpy()
    if not again.any():
        return table
    values = frame.drop(columns="date").to_numpy(np.float64)
    before = frame["date"].map(frame.loc[~again, "date"].reset_index().set_index("date")["index"])
    rows = np.flatnonzero(again)
    earlier = before.to_numpy()[rows]
    one, other = values[rows], values[earlier]
    differs = ~((one == other) | (np.isnan(one) & np.isnan(other))).all(axis=1)
    if differs.any():
        faults = [
            (
                table.place(int(row)),
                f"has another bar of {frame['date'][row]} than {table.place(at)}",
            )
            for row, at in zip(rows[differs], earlier[differs].tolist(), strict=True)
        ]
        raise PlacedError(table.origin, faults, remedy="Keep one of the two files.")
    count = len(rows)
    note = f"{table.origin}: {count} {'rows stand' if count > 1 else 'row stands'} in two files"
    return replace(
        table,
        frame=frame[~again].reset_index(drop=True),
        lines=table.lines[~again],
        file_rows=table.file_rows[~again],
        notes=(*table.notes, note),
    )
