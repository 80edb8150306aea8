"""Columns as a file has them to typed columns; files that are parts of one series to one table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from feeds.arrays import Flags, Floats, Integers
from feeds.errors import DataError
from feeds.raw_table import RawTable
from feeds.reading.column_layouts import Layout
from feeds.reading.date_forms import NAT
from feeds.reading.dates import Stamps, stamps
from feeds.reading.dialects import Choices
from feeds.reading.grid import Grid
from feeds.reading.numbers import (
    NumberColumn,
    PlacedError,
    number_column,
    numbers_of,
    open_cells,
    plain_numbers,
    proven_decimals,
    quote,
    zero_decimals,
)

NUMBERS: Final = (
    *("open", "high", "low", "close"),
    *("volume", "quote_volume", "market_cap", "value"),
)
DATE_REMEDY: Final = "dates are YYYY-MM-DD, of 1700 to 2261, or as data.date_format says"


@dataclass(frozen=True, slots=True)
class Typed:
    """Typed columns of a grid: dates, numbers by role, and how they were written.

    `wrong` marks by role the cells that are neither a number nor empty.
    """

    dates: Stamps
    numbers: dict[str, Floats]
    wrong: dict[str, Flags]
    writing: tuple[str, ...] = ()


def typed_columns(grid: Grid, found: Layout, *, choices: Choices) -> Typed:
    """Return the typed columns of a grid.

    Raises
    ------
    DataError
        Naming up to three cells that cannot be read, or what leaves their reading open.
    """
    columns = {role: grid.columns[at] for role, at in found.columns.items() if role in NUMBERS}
    texts = {role: column for role, column in columns.items() if pa.types.is_string(column.type)}
    date_column = grid.columns[found.columns["date"]]
    dates = _dates(date_column, grid, choices)
    numbers, wrong, writing = _numbers_of_texts(texts, grid, found, choices=choices)
    for role in columns.keys() - texts.keys():
        numbers[role], wrong[role] = _typed_numbers(columns[role])
    table = Typed(dates, numbers, wrong, writing)
    _require_cells(table, columns | {"date": date_column}, grid, found)
    return table


def _require_cells(
    table: Typed, columns: Mapping[str, pa.Array], grid: Grid, found: Layout
) -> None:
    wrong = {"date": table.dates.wrong} | table.wrong
    faults = sorted(
        (row, role) for role, flags in wrong.items() for row in np.flatnonzero(flags).tolist()
    )
    if not faults:
        return
    kinds = {"date": "a date"}
    places = [
        (
            grid.place(row),
            f"column `{found.name(role, grid)}`: {_cell(columns[role], row)} is not "
            f"{kinds.get(role, 'a number')}",
        )
        for row, role in faults
    ]
    remedy = f"; {DATE_REMEDY}" if table.dates.wrong.any() else ""
    raise PlacedError(grid.origin, places, remedy=f"Correct or remove the rows{remedy}.")


def _cell(column: pa.Array, row: int) -> str:
    cell = column[row].as_py()
    return quote("" if cell is None else str(cell))


def _dates(column: pa.Array, grid: Grid, choices: Choices) -> Stamps:
    if pa.types.is_timestamp(column.type):
        return _typed_dates(column)
    texts = pc.fill_null(column.cast(pa.string()), "")
    return stamps(texts, origin=grid.origin, date_format=choices.date_format)


def _typed_dates(column: pa.Array) -> Stamps:
    zone = column.type.tz
    index = pd.DatetimeIndex(column.cast(pa.timestamp("us", zone)).to_pandas())
    sound = (index >= pd.Timestamp("1700", tz=zone)) & (index < pd.Timestamp("2262", tz=zone))
    index = pd.DatetimeIndex(index.where(sound)).as_unit("ns")
    if zone is None:
        return Stamps(index.asi8, None, "dates as typed")
    reading = "dates as typed" if zone == "UTC" else f"dates as typed in {zone}"
    local = index.tz_localize(None).asi8
    minutes = np.where(sound, (local - index.asi8) // (60 * 10**9), 0)
    return Stamps(np.where(sound, local, NAT), minutes, reading)


def _typed_numbers(column: pa.Array) -> tuple[Floats, Flags]:
    kind = column.type
    if pa.types.is_boolean(kind) or not (
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    ):
        return np.full(len(column), np.nan), np.ones(len(column), np.bool_)
    numbers = np.array(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    return numbers, np.isinf(numbers)


def _numbers_of_texts(
    texts: Mapping[str, pa.Array], grid: Grid, found: Layout, *, choices: Choices
) -> tuple[dict[str, Floats], dict[str, Flags], tuple[str, ...]]:
    is_defined = found.dialect.has_decimal_point and grid.delimiter in {"", ","}
    plain = _plain(texts)
    if plain is not None and (is_defined or _has_point(texts.values())):
        return plain, {}, ()
    columns = {role: number_column(column) for role, column in texts.items()}
    decimal = _decimal(columns.values(), grid, is_defined=is_defined, choices=choices)
    numbers, wrong = {}, {}
    for role, column in columns.items():
        numbers[role], wrong[role] = numbers_of(column, decimal=decimal)
    writing = ("decimal commas",) if decimal == "," else ()
    is_percent = any(column.is_percent for column in columns.values())
    return numbers, wrong, (*writing, *(("percent as written",) if is_percent else ()))


def _plain(texts: Mapping[str, pa.Array]) -> dict[str, Floats] | None:
    """Return the numbers of columns that are all written as by a machine, else None."""
    numbers: dict[str, Floats] = {}
    for role, column in texts.items():
        plain = plain_numbers(column)
        if plain is None:
            return None
        numbers[role] = plain
    return numbers


def _has_point(columns: Iterable[pa.Array]) -> bool:
    """Return whether some number can only have a decimal point."""
    return any("." in proven_decimals([number_column(column)]) for column in columns)


def _decimal(
    columns: Iterable[NumberColumn], grid: Grid, *, is_defined: bool, choices: Choices
) -> str:
    """Return the decimal separator that the file proves, or that nothing in it contradicts."""
    columns = list(columns)
    doubtful = open_cells(columns, separators="," if is_defined else ",.")
    proven = proven_decimals(columns)
    if doubtful:
        proven = proven | zero_decimals(columns) or proven_decimals(_percents(grid))
    if len(proven) > 1:
        listed = " and ".join(repr(cell) for cell in proven.values())
        raise DataError(
            f"{grid.origin}: the numbers {listed} have different decimal separators. "
            "Write all numbers alike."
        )
    if proven:
        return next(iter(proven))
    if not doubtful:
        return "."
    if choices.decimal:
        return choices.decimal
    raise DataError(
        f"{grid.origin}: {next(iter(doubtful.values()))!r} can be a thousand and more or a number "
        'with decimals, and no number of the file settles which. Set data.decimal to "." or ",".'
    )


def _percents(grid: Grid) -> list[NumberColumn]:
    """Return the texts that are percentages, in any column: they show the separator too."""
    texts = (column for column in grid.columns if pa.types.is_string(column.type))
    return [number_column(column.filter(pc.ends_with(column, "%"))) for column in texts]


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
