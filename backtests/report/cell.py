"""Cells and rows of the pages' tables: written text, and what it sorts by."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """A written value, what it sorts by, and the style that says its sign."""

    text: str
    sort: str = ""
    style: str = ""
    shade: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled row of written cells; `note` explains the label."""

    label: str
    cells: tuple[Cell, ...]
    note: str = ""


def number(value: float, write: Callable[[float], str], *, signed: bool = False) -> Cell:
    """Return a number's cell; `signed` colours it by gain or loss. NaN sorts last."""
    sign = "gain" if value > 0 else "loss" if value < 0 else ""
    style = sign if signed else ""
    sort = repr(float(value)) if math.isfinite(value) else ""
    return Cell(write(value), sort=sort, style=f"num {style}".strip())
