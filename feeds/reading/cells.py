"""Cells of text: by their shape, all alike are read at once; those that cannot be read are named.

A text's shape is what is left of it when every digit is a 0. A column of a thousand prices has a
handful of shapes. How a text is to be read depends on its shape alone, so that is decided once
per shape, and all its rows are read at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from feeds.arrays import Integers
from feeds.errors import DataError

DIGITS: Final = bytes(range(ord("0"), ord("9") + 1))
EMPTY: Final = np.zeros(1, np.int32)
ZEROS: Final = bytes.maketrans(DIGITS, b"0" * len(DIGITS))
SHOWN: Final = 3
LONGEST: Final = 60


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
