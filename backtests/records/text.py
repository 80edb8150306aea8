"""Tables and values as the text of files: CSV, JSON and Markdown that read back exactly."""

import json
import math
import re
from typing import Any, Final

import pandas as pd

# of an instant, UTC, as spreadsheets open it: they take a T, a Z or an offset for text
CELL_TIME: Final = "%Y-%m-%d %H:%M:%S"
DAYS_COLUMN: Final = re.compile(r"(^|_)days$")
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t")
_MARKED: Final = re.compile(r"([\\`*_{}\[\]<>|#~&])")


def as_csv(table: pd.DataFrame) -> str:
    """Return CSV whose floats read back to the same bits, and no text of which is a formula.

    Instants are written as `CELL_TIME` in UTC, sessions (without a zone) as dates alone, and
    whole days without a decimal. A spreadsheet runs a cell that begins with one of
    `FORMULA_STARTS`; such a text gets an apostrophe in front, which spreadsheets do not show.
    Numbers are left alone.
    """
    texts = set(table.select_dtypes(["object", "string", "str"]).columns)
    # as objects: what is no text keeps its own type, whole numbers beside gaps too
    cells = {str(name): pd.Series(map(_guard, table[name]), table.index, object) for name in texts}
    cells |= {
        str(name): pd.Series(map(_whole, table[name]), table.index, object)
        for name in table.columns
        if name not in texts and DAYS_COLUMN.search(str(name))
    }
    cells |= {
        str(name): days.dt.strftime("%Y-%m-%d")
        for name, days in table.select_dtypes("datetime").items()
        if days.dropna().eq(days.dropna().dt.normalize()).all()
    }
    guarded = table.assign(**cells)
    header = [_guard(name) for name in guarded.columns]
    return guarded.to_csv(index=False, header=header, date_format=CELL_TIME, lineterminator="\n")


def _whole(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number


def _guard(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    # a lone carriage return would end the row for some readers
    text = cell.replace("\r", " ")
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def as_markdown(text: str) -> str:
    """Return a text that Markdown shows as it stands, in a table's cell too."""
    return _MARKED.sub(r"\\\1", " ".join(text.split()))


def as_json(value: Any) -> str:
    """Return JSON with null for what is undefined or infinite."""
    return json.dumps(_define(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _define(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _define(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_define(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
