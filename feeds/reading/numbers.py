"""Texts to numbers: which separator is the decimal one is proven by the file, never guessed."""

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

PLAIN: Final = re.compile(r"[-0-9.eE]*")
MISSING: Final = pa.array(
    [
        "",
        "-",
        "--",
        "---",
        ".",
        "\u2013",
        "\u2014",
        "n/a",
        "#n/a",
        "na",
        "nan",
        "null",
        "none",
        "<na>",
    ]
)
# The exponent of a suffix is told from a written one by its zero: `1.2M` becomes `1.2e06`.
SUFFIXES: Final = {"k": "e03", "m": "e06", "b": "e09", "t": "e012"}

# Regular expressions of RE2. `{d}` is the decimal separator, `{g}` the one of groups. Groups
# are of three digits, or of two before the last three as India writes them.
GROUPS: Final = r"\d{{1,3}}(?:[{g}' ]\d{{2,3}})*[{g}' ]\d{{3}}"
NUMBER: Final = r"^[+-]?(?:(?:\d+|" + GROUPS + r")(?:[{d}]\d*)?|[{d}]\d+)(?:[eE][+-]?\d{{1,3}})?$"
# What only one reading of the two separators explains: both of them, several groups, an
# exponent, or a separator that does not stand before exactly three digits.
PROOF: Final = (
    r"^[+-]?(?:" + GROUPS + r"[{d}]\d+|0*[{d}]\d+|0\d*[{d}]\d+|\d{{4,}}[{d}]\d+"
    r"|\d+[{d}](?:\d{{1,2}}|\d{{4,}})|\d+[{d}]\d+[eE](?:[+-]\d+|[1-9]\d*)"
    r"|\d{{1,3}}(?:[{g}]\d{{2,3}})+[{g}]\d{{3}})(?:e0\d+)?%?$"
)
# A thousand and some, or a number and some parts: nobody can say.
OPEN: Final = r"^[+-]?[1-9]\d{{0,2}}[{separators}]\d{{3}}(?:e0\d+)?%?$"


ODD: Final = r"[^0-9.,+-]"
DRESS: Final = (
    ("[\u00a0\u202f\u2009]", " "),
    ("[\u2019`]", "'"),
    ("^[\u2212\u2013]", "-"),
    (r"^\((.*)\)$", r"-\1"),
    (r"^([+-]?) ?\$ ?", r"\1"),
)


def _filled(pattern: str, decimal: str) -> str:
    other = "," if decimal == "." else "."
    return pattern.format(d=decimal, g=other)


NUMBERS: Final = {decimal: _filled(NUMBER, decimal) for decimal in ".,"}
PROOFS: Final = {decimal: _filled(PROOF, decimal) for decimal in ".,"}


def plain_numbers(texts: pa.Array) -> NDArray[np.float64] | None:
    """Return texts that are numbers as a machine writes them, empty as NaN, else None."""
    samples = (texts[row].as_py() for row in (0, len(texts) // 2, len(texts) - 1))
    if not all(PLAIN.fullmatch(sample) for sample in samples):
        return None  # to try and fail takes longer than to read
    try:
        numbers = pc.if_else(pc.equal(texts, ""), None, texts).cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    floats: NDArray[np.float64] = numbers.to_numpy(zero_copy_only=False)
    return floats if np.isfinite(floats).sum() + numbers.null_count == len(floats) else None


def bare(texts: pa.Array) -> pa.Array:
    """Return texts without what is no part of a number: spaces, $, brackets of a negative.

    A missing value is null. A suffix becomes an exponent: `1.2M` is `1.2e06`.
    """
    texts = pc.utf8_trim_whitespace(texts)
    texts = pc.if_else(pc.is_in(pc.utf8_lower(texts), value_set=MISSING), None, texts)
    if first_match(texts, ODD) is None:
        return texts
    for pattern, replacement in DRESS:
        if first_match(texts, pattern) is not None:
            texts = pc.replace_substring_regex(texts, pattern, replacement)
    return _without_suffixes(texts)


def _without_suffixes(texts: pa.Array) -> pa.Array:
    last = pc.utf8_lower(pc.utf8_slice_codeunits(texts, -1))
    for suffix in pc.unique(last).to_pylist():
        if suffix in SUFFIXES:
            head = pc.utf8_rtrim_whitespace(pc.utf8_slice_codeunits(texts, 0, -1))
            number = pc.binary_join_element_wise(head, SUFFIXES[suffix], "")
            texts = pc.if_else(pc.equal(last, suffix), number, texts)
    return texts


def proven_decimals(columns: Iterable[pa.Array]) -> dict[str, str]:
    """Return the decimal separators that cells prove, each with the first such cell."""
    proven: dict[str, str] = {}
    for texts in columns:
        for decimal, pattern in PROOFS.items():
            if decimal not in proven and (cell := first_match(texts, pattern)) is not None:
                proven[decimal] = cell
    return proven


def open_cell(columns: Iterable[pa.Array], *, separators: str) -> str | None:
    """Return the first cell that can be read in two ways, such as `1,234`."""
    cells = (first_match(texts, OPEN.format(separators=separators)) for texts in columns)
    return next((cell for cell in cells if cell is not None), None)


def first_match(texts: pa.Array, pattern: str) -> str | None:
    """Return the first text that a regular expression matches."""
    at = pc.index(pc.match_substring_regex(texts, pattern), True).as_py()
    return None if at < 0 else str(texts[at].as_py())


def numbers_of(texts: pa.Array, *, decimal: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return bare texts as numbers, shape (rows,), and which cells are none."""
    is_number = pc.match_substring_regex(texts, NUMBERS[decimal])
    other = "," if decimal == "." else "."
    kept = pc.if_else(is_number, texts, None)
    kept = pc.replace_substring_regex(kept, f"[{other}' ]", "")
    kept = pc.replace_substring(kept, decimal, ".")
    kept = pc.replace_substring_regex(kept, r"^\+", "")
    floats: NDArray[np.float64] = kept.cast(pa.float64()).to_numpy(zero_copy_only=False)
    wrong = pc.fill_null(pc.invert(is_number), False).to_numpy(zero_copy_only=False)
    return floats, wrong | np.isinf(floats)
