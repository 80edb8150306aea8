"""Texts by their shape: what is left of them when every digit is a 0.

A column of a thousand prices has a handful of shapes. How a text is to be read depends on its
shape alone, so that is decided once per shape, and all its rows are read at once.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from feeds.arrays import Integers

DIGITS: Final = bytes(range(ord("0"), ord("9") + 1))
EMPTY: Final = np.zeros(1, np.int32)
ZEROS: Final = bytes.maketrans(DIGITS, b"0" * len(DIGITS))


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
