"""Texts to columns of text: where they are named, a file alone or several parts of one series."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby
from typing import Final, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from feeds.arrays import Flags, Integers
from feeds.errors import DataError
from feeds.reading.dialects import plain_name, table
from feeds.reading.numbers import PlacedError, quote

DELIMITERS: Final = ",;\t|"
NUMBER_BEGINS: Final = frozenset("0123456789-+.")
DEEPEST_HEADER: Final = 100  # lines that may stand above a header
LONGEST_FOOTER: Final = 60
EVENTS: Final = ("dividend", "stock split", "capital gain")
NO_LETTERS: Final = bytes(range(ord("A")))
EVENTS_IN_LETTERS: Final = tuple(event.replace(" ", "").encode() for event in EVENTS)


@dataclass(frozen=True, slots=True)
class Header:
    """Where a header was found: its first data line (from 0), names and separator."""

    body_at: int
    names: tuple[str, ...]
    delimiter: str
    tickers: tuple[str, ...] = ()


def split_line(line: str, delimiter: str) -> list[str]:
    """Return the fields of one line, stripped; a broken quotation leaves the line whole."""
    try:
        fields = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return [line]
    return [field.strip() for field in fields]


def _header(lines: Sequence[str], chosen: Sequence[str], origin: str) -> Header:
    """Return the first line that names a column of dates, or all columns the user has named."""
    wanted = {plain_name(name) for name in chosen}
    for at, line in enumerate(lines):
        for delimiter in DELIMITERS:
            if delimiter not in line:
                continue
            fields = split_line(line, delimiter)
            names = [plain_name(field) for field in fields]
            if names[0] in table().date_names and not any(names[1:]):
                header = _two_levels(lines, at, delimiter)
                if header is not None:
                    return header
            if (wanted and wanted <= set(names)) or _is_header(names):
                return Header(at + 1, tuple(fields), delimiter)
    first = next((line for line in lines if line.strip()), "")
    raise DataError(
        f"{origin}: no line of the first {DEEPEST_HEADER} names a column of dates, the file begins "
        f'{quote(first)}. Name the columns as the file does: data.columns = {{date = "...", '
        'close = "..."}, or rename them to date, open, high, low, close.'
    )


def _is_header(names: Sequence[str]) -> bool:
    named = [name for name in names if name]
    return (
        len(named) > 1
        and not table().date_names.isdisjoint(named)
        and not any(map(_is_value, named))
    )


def _is_value(name: str) -> bool:
    """Return whether a field begins like a number or a date, as no name of a column does."""
    return name[0].isdigit() and any(mark in name for mark in "-/.:")


def _two_levels(lines: Sequence[str], at: int, delimiter: str) -> Header | None:
    """Read the header of yfinance: prices and tickers in either order, then the dates' name."""
    if at < 2:
        return None
    above, below = (split_line(lines[row], delimiter) for row in (at - 2, at - 1))
    width = len(split_line(lines[at], delimiter))
    if not len(above) == len(below) == width:
        return None
    prices, tickers = above, below
    if "close" in {plain_name(name) for name in below}:
        prices, tickers = below, above
    names = (split_line(lines[at], delimiter)[0], *prices[1:])
    return Header(at + 1, names, delimiter, ("", *tickers[1:]))


def _headless(lines: Sequence[str]) -> Header | None:
    """Return that there is no header, where the first line is of numbers alone."""
    first = next((line for line in lines if line.strip()), "")
    for delimiter in DELIMITERS:
        fields = split_line(first, delimiter)
        if len(fields) > 4 and all(field[:1] in NUMBER_BEGINS for field in fields):
            return Header(0, (), delimiter)
    return None


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns as a file has them, not yet typed.

    `names` are the header as written, empty where there is none. `tickers` stands beside
    each name where a header has two levels, "" for the column of dates. `columns` are texts,
    or typed arrays of a Parquet file. `lines` is the line of each row, empty for Parquet;
    `files` and `file_rows` say of which file, where there are several.
    """

    origin: str
    names: tuple[str, ...]
    columns: tuple[pa.Array, ...]
    lines: Integers
    delimiter: str = ""
    preamble: str = ""
    tickers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    file_rows: Integers = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.columns[0])

    def place(self, row: int) -> str:
        """Return where a row stands, for messages."""
        place = f"line {self.lines[row]}" if self.lines.size else f"row {row + 1}"
        return f"{place} of {self.files[self.file_rows[row]]}" if self.files else place


@dataclass(frozen=True, slots=True)
class TextPart:
    """The data lines of one text, their numbers in it, and what was left out of it."""

    origin: str
    header: Header
    body: str
    lines: Integers
    preamble: str
    notes: tuple[str, ...] = ()


def text_grids(texts: Sequence[tuple[str, str]], *, chosen: Sequence[str] = ()) -> list[Grid]:
    """Return the columns of texts, given with their names; those with one header as one grid.

    Raises
    ------
    DataError
        If no columns are there, a row has another number of fields than the header, or a
        quotation mark is never closed.
    """
    parts = (_part(text, origin, chosen) for origin, text in texts)
    alike = groupby(parts, key=lambda part: (part.header, part.preamble))
    return [_grid(list(of_header)) for _, of_header in alike]


def _part(text: str, origin: str, chosen: Sequence[str]) -> TextPart:
    head = text.split("\n", DEEPEST_HEADER + 1)[: DEEPEST_HEADER + 1]
    header = _headless(head) or _header(head, chosen, origin)
    above = head[: header.body_at]
    body = text[sum(map(len, above)) + len(above) :].rstrip("\n")
    first = header.body_at + 1
    lines = np.arange(first, first + body.count("\n") + 1)
    part = TextPart(origin, header, body, lines, "\n".join(above[:-1]))
    if _may_have_more_than_rows(body, header.delimiter):
        part = _rows_alone(part)
    if not part.body:
        raise DataError(f"{origin}: no rows below the header. Download it again or remove it.")
    return part


def _grid(parts: Sequence[TextPart]) -> Grid:
    first, last = parts[0], parts[-1]
    is_one = len(parts) == 1
    header = first.header
    grid = Grid(
        first.origin if is_one else f"{first.origin} to {last.origin}",
        header.names,
        (),
        np.concatenate([part.lines for part in parts]),
        header.delimiter,
        first.preamble,
        header.tickers,
        tuple(note for part in parts for note in part.notes),
        () if is_one else tuple(part.origin for part in parts),
        np.repeat(np.arange(len(parts)), [len(part.lines) for part in parts]),
    )
    return replace(grid, columns=_columns("\n".join(part.body for part in parts), grid))


def _may_have_more_than_rows(body: str, delimiter: str) -> bool:
    """Return whether lines may have to be looked at one by one: empty ones, a footer, events."""
    data = body.encode()
    letters = data.translate(None, NO_LETTERS).lower()
    return (
        body[:1] in {"", "\n", " ", delimiter}
        or _odd_beginning(delimiter).search(data) is not None
        or any(event in letters for event in EVENTS_IN_LETTERS)
        or _is_sentence(body[body.rfind("\n") + 1 :], delimiter)
    )


@cache
def _odd_beginning(delimiter: str) -> re.Pattern[bytes]:
    """Match a line that is empty or begins with a space, a delimiter or an empty field."""
    return re.compile(rb'\n(?:[\n %s]|"")' % re.escape(delimiter).encode())


def _rows_alone(part: TextPart) -> TextPart:
    """Leave out what is no row: empty lines, a footer, dividends and splits between the bars."""
    lines, delimiter = part.body.split("\n"), part.header.delimiter
    is_row = np.array([bool(line.strip(f' "{delimiter}')) for line in lines])
    notes = []
    footer = _footer(lines, is_row, delimiter)
    is_row[footer] = False
    if footer:
        notes.append(f"{part.origin}: the end, {quote(lines[footer[0]])}, left out")
    events = [at for at in np.flatnonzero(is_row) if any(e in lines[at].lower() for e in EVENTS)]
    is_row[events] = False
    if events:
        noun = "row" if len(events) == 1 else "rows"
        notes.append(f"{part.origin}: {len(events)} {noun} of dividends or splits left out")
    body = "\n".join(line for line, stays in zip(lines, is_row, strict=True) if stays)
    return replace(part, body=body, lines=part.lines[is_row], notes=tuple(notes))


def _footer(lines: Sequence[str], is_row: Flags, delimiter: str) -> list[int]:
    """Return the last rows that are sentences, not bars."""
    footer: list[int] = []
    for row in np.flatnonzero(is_row)[: -LONGEST_FOOTER - 1 : -1].tolist():
        if not _is_sentence(lines[row], delimiter):
            break
        footer.insert(0, row)
    return footer


def _is_sentence(line: str, delimiter: str) -> bool:
    """Return whether a line is one field of words, and nothing beside it."""
    first, *others = split_line(line, delimiter) or [""]
    return not any(others) and first[:1].isalpha() and " " in first


def _columns(body: str, grid: Grid) -> tuple[pa.Array, ...]:
    """Return the fields of lines as columns of text."""
    width = len(grid.names) or len(split_line(body.partition("\n")[0], grid.delimiter))
    names = [str(at) for at in range(width)]
    odd: list[tuple[int, int]] = []

    def note_odd(row: arrow_csv.InvalidRow) -> str:
        odd.append((int(row.number) - 1, int(row.actual_columns)))
        return "skip"

    data = body.encode()
    try:
        cells = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(
                column_names=names, use_threads=False, block_size=len(data) + 1
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=grid.delimiter, invalid_row_handler=note_odd
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(
            f"{grid.origin}: cannot be split into columns. Download it again."
        ) from error
    if cells.num_rows + len(odd) != len(grid.lines) or data.count(b'"') % 2:
        _refuse_open_quote(body, grid)
    if odd:
        held = f"the header has {width}" if grid.names else f"the first line has {width}"
        faults = [(grid.place(row), f"{_fields(fields)} where {held}") for row, fields in odd]
        raise PlacedError(grid.origin, faults, remedy="Correct or remove the rows.")
    return tuple(column.combine_chunks() for column in cells.columns)


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"


def _refuse_open_quote(body: str, grid: Grid) -> NoReturn:
    row = next((at for at, line in enumerate(body.split("\n")) if line.count('"') % 2), 0)
    raise DataError(
        f"{grid.origin}: {grid.place(row)}: a quotation mark is opened and not closed. "
        "Correct or remove the row."
    )
