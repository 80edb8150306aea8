"""Texts to columns of text, a file alone or several that are parts of one series."""

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
from feeds.reading.cells import PlacedError, quote
from feeds.reading.header import DEEPEST_HEADER, Header, find_header, split_line

LONGEST_FOOTER: Final = 60
EVENTS: Final = ("dividend", "stock split", "capital gain")
NO_LETTERS: Final = bytes(range(ord("A")))
EVENTS_IN_LETTERS: Final = tuple(event.replace(" ", "").encode() for event in EVENTS)


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
    header = find_header(head, chosen=chosen, origin=origin)
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
