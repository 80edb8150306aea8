"""Cells that cannot be read, named together: where, in which column, and what stands there."""

from collections.abc import Sequence
from typing import Final

from feeds.errors import DataError

SHOWN: Final = 3
LONGEST: Final = 60


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
