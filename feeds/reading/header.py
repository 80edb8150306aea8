"""Where the columns of a text are named: separator, preamble and header, by their content."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from feeds.errors import DataError
from feeds.reading.cells import quote
from feeds.reading.dialects import plain_name, table

DELIMITERS: Final = ",;\t|"
NUMBER_BEGINS: Final = frozenset("0123456789-+.")
DEEPEST_HEADER: Final = 100  # lines that may stand above a header


@dataclass(frozen=True, slots=True)
class Header:
    """Where a header was found: its first data line (from 0), names and separator."""

    body_at: int
    names: tuple[str, ...]
    delimiter: str
    tickers: tuple[str, ...] = ()


def find_header(lines: Sequence[str], *, chosen: Sequence[str], origin: str) -> Header:
    """Return the header of a text, or that it begins with numbers at once.

    `chosen` are names of columns the user has given: a line that has them all is the header.

    Raises
    ------
    DataError
        If no line names a column of dates.
    """
    return _headless(lines) or _header(lines, chosen, origin)


def split_line(line: str, delimiter: str) -> list[str]:
    """Return the fields of one line, stripped; a broken quotation leaves the line whole."""
    try:
        fields = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return [line]
    return [field.strip() for field in fields]


def _header(lines: Sequence[str], chosen: Sequence[str], origin: str) -> Header:
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
