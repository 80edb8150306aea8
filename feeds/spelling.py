"""Names that were misspelt: the nearest one there is, and how it is offered."""

import difflib
from collections.abc import Iterable
from typing import Final

# below this two names have no more in common than chance
ALIKE: Final = 0.6


def nearest(name: str, known: Iterable[str], *, alike: float = ALIKE) -> str:
    """Return the known name most like `name`, whatever its case; "" where none is near."""
    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(each.casefold(), each)
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=alike)
    return folded[near[0]] if near else ""


def nearest_hint(name: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """Return " The nearest is ...", to end a message with; `otherwise` where none is near."""
    near = nearest(name, known)
    return f" The nearest is {near!r}." if near else otherwise
