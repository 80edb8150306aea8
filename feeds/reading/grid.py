"""Text to columns of text: separator, preamble, header and footer, known by their content."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from feeds.errors import DataError
from feeds.reading.cells import PlacedError, quoted
from feeds.reading.dialects import plain_name, table

DELIMITERS: Final = ",;\t|"
DEEPEST_HEADER: Final = 100  # lines that may stand above a header
LONGEST_FOOTER: Final = 60
EVENTS: Final = ("dividend", "stock split", "capital gain")


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns as a file has them, not yet typed.

    `names` are the header as written, empty where there is none. `tickers` stands beside
    each name where a header has two levels, "" for the column of dates. `columns` are texts,
    or typed arrays of a Parquet file. `lines` is the line of each row, empty for Parquet.
    """

    origin: str
    names: tuple[str, ...]
    columns: tuple[pa.Array, ...]
    lines: NDArray[np.int64]
    delimiter: str = ""
    preamble: str = ""
    tickers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.columns[0])

    def place(self, row: int) -> str:
        """Return where a row stands, for messages."""
        return f"line {self.lines[row]}" if self.lines.size else f"row {row + 1}"


@dataclass(frozen=True, slots=True)
class Header:
    """Where a header was found: its first data line (from 0), names and separator."""

    body_at: int
    names: tuple[str, ...]
    delimiter: str
    tickers: tuple[str, ...] = ()


def text_grid(text: str, *, origin: str, chosen: Sequence[str] = ()) -> Grid:
    """Return the columns of a text.

    `chosen` are names of columns the user has given: a line that has them all is the header.

    Raises
    ------
    DataError
        If no columns are there, a row has another number of fields than the header, or a
        quotation mark is never closed.
    """
    lines = text.split("\n")
    header = _header(lines[:DEEPEST_HEADER], chosen) or _headless(lines, origin)
    body, numbers, notes = _body(lines, header, origin)
    if not body:
        raise DataError(f"{origin}: no rows below the header. Download it again or remove it.")
    columns = _columns(body, numbers, header, origin)
    above = "\n".join(lines[: max(header.body_at - 1, 0)])
    return Grid(
        origin, header.names, columns, numbers, header.delimiter, above, header.tickers, notes
    )


def split_line(line: str, delimiter: str) -> list[str]:
    """Return the fields of one line, stripped; a broken quotation leaves the line whole."""
    try:
        fields = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return [line]
    return [field.strip() for field in fields]


def _header(lines: Sequence[str], chosen: Sequence[str]) -> Header | None:
    wanted = {plain_name(name) for name in chosen}
    for at, line in enumerate(lines):
        for delimiter in DELIMITERS:
            if delimiter not in line:
                continue
            fields = split_line(line, delimiter)
            names = [plain_name(field) for field in fields]
            if names[0] in table().date_names and not any(names[1:]):
                return _two_levels(lines, at, delimiter)
            if (wanted and wanted <= set(names)) or _is_header(names):
                return Header(at + 1, tuple(fields), delimiter)
    return None


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


def _headless(lines: Sequence[str], origin: str) -> Header:
    first = next(line for line in lines if line.strip())
    for delimiter in DELIMITERS:
        fields = split_line(first, delimiter)
        if len(fields) > 4 and all(field and field[0] in "0123456789-+." for field in fields):
            return Header(0, (), delimiter)
    raise DataError(
        f"{origin}: no line of the first {DEEPEST_HEADER} names a column of dates, the file begins "
        f'{quoted(first)}. Name the columns as the file does: data.columns = {{date = "...", '
        'close = "..."}, or rename them to date, open, high, low, close.'
    )


def _body(
    lines: list[str], header: Header, origin: str
) -> tuple[list[str], NDArray[np.int64], tuple[str, ...]]:
    """Return the data lines, their numbers in the file, and notes on lines left out."""
    body = lines[header.body_at :]
    numbers = np.arange(header.body_at + 1, len(lines) + 1)
    blank = f' "{header.delimiter}'
    keep = [bool(line.strip(blank)) for line in body]
    notes = []
    footer = _footer(body, keep, header.delimiter)
    for row in footer:
        keep[row] = False
    if footer:
        notes.append(f"{origin}: the end, {quoted(body[footer[0]])}, left out")
    events = _events(body, keep)
    for row in events:
        keep[row] = False
    if events:
        noun = "row" if len(events) == 1 else "rows"
        notes.append(f"{origin}: {len(events)} {noun} of dividends or splits left out")
    if all(keep):
        return body, numbers, tuple(notes)
    kept = np.array(keep)
    return (
        [line for line, is_row in zip(body, keep, strict=True) if is_row],
        numbers[kept],
        tuple(notes),
    )


def _events(body: Sequence[str], is_row: Sequence[bool]) -> list[int]:
    """Return the rows that tell of a dividend or a split between the bars, as Yahoo's page does."""
    text = "\n".join(body).casefold()
    if not any(event in text for event in EVENTS):
        return []
    rows = enumerate(zip(text.split("\n"), is_row, strict=True))
    return [at for at, (line, is_kept) in rows if is_kept and any(e in line for e in EVENTS)]


def _footer(body: Sequence[str], is_row: Sequence[bool], delimiter: str) -> list[int]:
    """Return the last rows that are a sentence: one field of words, and nothing beside it."""
    footer: list[int] = []
    for row in range(len(body) - 1, max(len(body) - LONGEST_FOOTER, 0) - 1, -1):
        if not is_row[row]:
            continue
        first, *others = split_line(body[row], delimiter)
        if any(others) or not first[:1].isalpha() or " " not in first:
            break
        footer.insert(0, row)
    return footer


def _columns(
    body: Sequence[str], numbers: NDArray[np.int64], header: Header, origin: str
) -> tuple[pa.Array, ...]:
    _require_closed_quotes(body, numbers, origin)
    width = len(header.names) or len(split_line(body[0], header.delimiter))
    names = [str(at) for at in range(width)]
    odd: list[tuple[int, int]] = []

    def note_odd(row: arrow_csv.InvalidRow) -> str:
        odd.append((int(row.number) - 1, int(row.actual_columns)))
        return "skip"

    try:
        cells = arrow_csv.read_csv(
            pa.BufferReader("\n".join(body).encode()),
            read_options=arrow_csv.ReadOptions(
                column_names=names, use_threads=False, block_size=1 << 24
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=header.delimiter, invalid_row_handler=note_odd
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(f"{origin}: cannot be split into columns. Download it again.") from error
    if odd:
        held = f"the header has {width}" if header.names else f"the first line has {width}"
        raise PlacedError(
            origin,
            [(f"line {numbers[row]}", f"{_fields(fields)} where {held}") for row, fields in odd],
            remedy="Correct or remove the rows.",
        )
    return tuple(column.combine_chunks() for column in cells.columns)


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"


def _require_closed_quotes(body: Sequence[str], numbers: NDArray[np.int64], origin: str) -> None:
    for line, number in zip(body, numbers, strict=True):
        if line.count('"') % 2:
            raise DataError(
                f"{origin}: line {number}: a quotation mark is opened and not closed. "
                "Correct or remove the row."
            )
