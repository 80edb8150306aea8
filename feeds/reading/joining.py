"""Files that are parts of one series, as an archive has one per month, to one table."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from feeds.errors import DataError
from feeds.reading.cells import PlacedError
from feeds.table import RawTable


def joined(parts: Sequence[RawTable]) -> RawTable:
    """Return one table of several, in their order; a row that stands in two of them once.

    Raises
    ------
    DataError
        If parts have different columns or dates, or contradict each other.
    """
    if len(parts) == 1:
        return parts[0]
    first, last = parts[0], parts[-1]
    for part in parts[1:]:
        _require_alike(first, part)
    table = RawTable(
        pd.concat([part.frame for part in parts], ignore_index=True),
        origin=f"{first.origin} to {last.origin}",
        lines=np.concatenate([part.lines for part in parts]),
        notes=_notes(parts),
        files=tuple(part.origin for part in parts),
        file_rows=np.repeat(np.arange(len(parts)), [len(part.frame) for part in parts]),
    )
    return _without_repeats(table)


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
