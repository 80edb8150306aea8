"""Cells of text by their shape, and the numbers in them.

A text's shape is what is left of it when every digit is a 0. A column of a thousand prices has a
handful of shapes. How a text is to be read depends on its shape alone, so that is decided once
per shape, and all its rows are read at once.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from feeds.arrays import Flags, Floats, Integers
from feeds.errors import DataError

DIGITS: Final = bytes(range(ord("0"), ord("9") + 1))
EMPTY: Final = np.zeros(1, np.int32)
ZEROS: Final = bytes.maketrans(DIGITS, b"0" * len(DIGITS))
SHOWN: Final = 3
LONGEST: Final = 60
PLAIN: Final = re.compile(r"[-0-9.eE]*")
MISSING: Final = frozenset(
    {"", "-", "--", "---", ".", "n/a", "#n/a", "na", "nan", "null", "none", "<na>"}
    | {"\u2013", "\u2014"}
)
# The exponent of a suffix is told from a written one by its zero: `1.2M` becomes `1.2e06`.
SUFFIXES: Final = {"k": "e03", "m": "e06", "b": "e09", "t": "e012"}
SPACES: Final = "\u00a0\u202f\u2009"
APOSTROPHES: Final = "\u2019`"
MINUSES: Final = "\u2212\u2013"
UNDRESSED: Final = str.maketrans(
    dict.fromkeys(SPACES, " ") | dict.fromkeys(APOSTROPHES, "'") | dict.fromkeys(MINUSES, "-")
)
# `{d}` is the decimal separator, `{g}` the one of groups. Groups are of three digits, or of
# two before the last three as India writes them.
GROUPS: Final = r"\d{{1,3}}(?:[{g}' ]\d{{2,3}})*[{g}' ]\d{{3}}"
NUMBER: Final = r"[+-]?(?:(?:\d+|" + GROUPS + r")(?:[{d}]\d*)?|[{d}]\d+)(?:e[+-]?\d{{1,3}})?"
# What only one reading of the two separators explains: both of them, several groups, an
# exponent, or a separator that does not stand before exactly three digits.
PROOF: Final = (
    r"[+-]?(?:" + GROUPS + r"[{d}]\d+|[{d}]\d+|\d{{4,}}[{d}]\d+"
    r"|\d+[{d}](?:\d{{1,2}}|\d{{4,}})|\d+[{d}]\d+e(?:[+-]\d+|0)"
    r"|\d{{1,3}}(?:[{g}]\d{{2,3}})+[{g}]\d{{3}})(?:e0\d+)?"
)
# A thousand and some, or a number and some parts: nobody can say, but that no thousand
# begins with a 0.
OPEN: Final = re.compile(r"[+-]?\d{1,3}([.,])\d{3}(?:e0\d+)?", re.ASCII)
LEADING_ZERO: Final = r"^[^0-9]*0[.,]"


@dataclass(frozen=True, slots=True)
class Shapes:
    """The shapes of a column: each once, and for each row the number of its own."""

    texts: tuple[str, ...]
    codes: NDArray[np.int32]
    letters: NDArray[np.uint8]
    offsets: NDArray[np.int32]

    def rows(self, shape: int) -> Integers:
        """Return the rows of a shape."""
        return np.flatnonzero(self.codes == shape)

    def cells(self, shape: int, rows: Integers) -> NDArray[np.uint8]:
        """Return the bytes of a shape's rows, shape (rows, length)."""
        length = len(self.texts[shape].encode())
        return np.asarray(self.letters[self.offsets[rows][:, np.newaxis] + np.arange(length)])


def shapes(texts: pa.Array) -> Shapes:
    """Return the shapes of texts without nulls."""
    texts = pa.concat_arrays([texts])  # a slice would keep the buffer and offsets of the whole
    _, offset_buffer, data = texts.buffers()
    raw = data.to_pybytes() if data is not None else b""
    offsets = np.frombuffer(offset_buffer, np.int32, len(texts) + 1) if len(texts) else EMPTY
    buffers = [None, offset_buffer, pa.py_buffer(raw.translate(ZEROS))]
    encoded = pa.Array.from_buffers(pa.string(), len(texts), buffers).dictionary_encode()
    codes = encoded.indices.to_numpy()
    letters = np.frombuffer(raw, np.uint8)
    return Shapes(tuple(encoded.dictionary.to_pylist()), codes, letters, offsets)


class PlacedError(DataError):
    """Faults of a table in one line: their count and the first three.

    `faults` are pairs of a place (`line 5`) and what is wrong there.
    """

    def __init__(self, origin: str, faults: Sequence[tuple[str, str]], *, remedy: str) -> None:
        first = "; ".join(f"{place}: {fault}" for place, fault in faults[:SHOWN])
        rest = len(faults) - SHOWN
        count = f"{len(faults):,} rows or cells are wrong: " if len(faults) > 1 else ""
        more = f" and {rest:,} more" if rest > 0 else ""
        super().__init__(f"{origin}: {count}{first}{more}. {remedy}")


def quote(text: str) -> str:
    """Return a cell in quotation marks, on one line and of bearable length."""
    return repr(text if len(text) <= LONGEST else f"{text[:LONGEST]}...")


def printable(text: str) -> str:
    """Return a name without what would break the line it is printed on."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _compile(pattern: str) -> dict[str, re.Pattern[str]]:
    others = {".": ",", ",": "."}
    return {d: re.compile(pattern.format(d=d, g=g), re.ASCII) for d, g in others.items()}


NUMBERS: Final = _compile(NUMBER)
PROOFS: Final = _compile(PROOF)


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A column of texts that should be numbers, and its shapes without what is no part of one.

    `bare` has None for a shape that stands for a missing value. `is_percent` says that every
    value there is ends in a percent sign.
    """

    texts: pa.Array
    shapes: Shapes
    bare: tuple[str | None, ...]
    is_percent: bool


def plain_numbers(texts: pa.Array) -> Floats | None:
    """Return texts that are numbers as a machine writes them, empty as NaN, else None.

    A `$` before each of them is no part of the number.
    """
    samples = [texts[row].as_py() for row in (0, len(texts) // 2, len(texts) - 1)]
    is_priced = all(sample[:1] == "$" for sample in samples)
    if not all(PLAIN.fullmatch(sample, 1 if is_priced else 0) for sample in samples):
        return None  # to try and fail takes longer than to read
    if is_priced:
        if not pc.all(pc.starts_with(texts, "$")).as_py():
            return None
        texts = pc.utf8_slice_codeunits(texts, 1)
    try:
        numbers = pc.if_else(pc.equal(texts, ""), None, texts).cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    if is_priced and numbers.null_count:
        return None
    floats: Floats = numbers.to_numpy(zero_copy_only=False)
    return floats if np.isfinite(floats).sum() + numbers.null_count == len(floats) else None


def number_column(texts: pa.Array) -> NumberColumn:
    """Return a column of texts with its shapes made bare."""
    found = shapes(texts)
    bare = [_bare(shape) for shape in found.texts]
    values = [text for text in bare if text is not None]
    is_percent = bool(values) and all(text.endswith("%") for text in values)
    if is_percent:
        bare = [text and text[:-1].rstrip() for text in bare]
    return NumberColumn(texts, found, tuple(bare), is_percent)


def _bare(shape: str) -> str | None:
    """Return a shape without spaces around it, $ and brackets; a suffix becomes an exponent."""
    text = shape.translate(UNDRESSED).strip().casefold()
    if text in MISSING:
        return None
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    text = re.sub(r"^([+-]?) ?\$ ?", r"\1", text)
    exponent = SUFFIXES.get(text[-1:])
    return text if exponent is None else f"{text[:-1].rstrip()}{exponent}"


def proven_decimals(columns: Iterable[NumberColumn]) -> dict[str, str]:
    """Return the decimal separators that cells prove, each with the first such cell."""
    proven: dict[str, str] = {}
    for column in columns:
        for shape, text in enumerate(column.bare):
            for decimal, pattern in PROOFS.items():
                if text and decimal not in proven and pattern.fullmatch(text):
                    proven[decimal] = _first_cell(column, shape)
    return proven


def open_cells(columns: Iterable[NumberColumn], *, separators: str) -> dict[str, str]:
    """Return cells that can be read in two ways, such as `1,234`, by their separator.

    A cell that begins with a 0, `0,123`, is none: its separator is proven by `zero_decimals`.
    """
    found: dict[str, str] = {}
    for column in columns:
        for shape, text in enumerate(column.bare):
            match = OPEN.fullmatch(text or "")
            if match and match[1] in separators:
                found.setdefault(match[1], _first_cell(column, shape))
    return found


def zero_decimals(columns: Iterable[NumberColumn]) -> dict[str, str]:
    """Return the separators behind a leading 0, which no group of thousands has."""
    proven: dict[str, str] = {}
    for column in columns:
        is_open = np.array([OPEN.fullmatch(text or "") is not None for text in column.bare])
        rows = np.flatnonzero(is_open[column.shapes.codes])
        texts = column.texts.take(pa.array(rows))
        leading = pc.match_substring_regex(texts, LEADING_ZERO)
        for cell in texts.filter(leading).to_pylist():
            separator = next(letter for letter in cell if letter in ".,")
            proven.setdefault(separator, cell)
    return proven


def numbers_of(column: NumberColumn, *, decimal: str) -> tuple[Floats, Flags]:
    """Return a column's numbers, shape (rows,), NaN where missing, and which cells are none."""
    pattern = NUMBERS[decimal]
    is_number = [text is not None and pattern.fullmatch(text) is not None for text in column.bare]
    is_wrong = [
        text is not None and not sound for text, sound in zip(column.bare, is_number, strict=True)
    ]
    codes = column.shapes.codes
    texts = pc.if_else(pa.array(np.array(is_number)[codes]), column.texts, None)
    used = "".join(
        shape for shape, sound in zip(column.shapes.texts, is_number, strict=True) if sound
    )
    floats: Floats = (
        _undress(texts, set(used), decimal).cast(pa.float64()).to_numpy(zero_copy_only=False)
    )
    return floats, np.array(is_wrong)[codes] | np.isinf(floats)


def _undress(texts: pa.Array, used: set[str], decimal: str) -> pa.Array:
    """Return texts of numbers as a machine writes them; only letters in `used` occur."""
    group = "," if decimal == "." else "."
    dropped = dict.fromkeys(f" \t{SPACES}'{APOSTROPHES}$%)+{group}", "")
    minus = dict.fromkeys(f"({MINUSES}", "-")
    suffixes = {s: e for k, e in SUFFIXES.items() for s in (k, k.upper())}
    # the group's separator goes before the decimal one becomes a point
    for letter, written in (dropped | minus | suffixes | {decimal: "."}).items():
        if letter in used and letter != written:
            texts = pc.replace_substring(texts, letter, written)
    return texts


def _first_cell(column: NumberColumn, shape: int) -> str:
    return str(column.texts[int(column.shapes.rows(shape)[0])].as_py())
