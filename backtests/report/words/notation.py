"""How a number or a date is written, once, for the terminal and the tearsheet alike.

Figures are plain fractions everywhere else; percent signs and separators appear only here.
An undefined value (NaN, NaT, infinite) is written as `UNDEFINED`.
"""

import json
import math
import re
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
from pandas.api.typing import NaTType

UNDEFINED: Final = "\N{EN DASH}"
BAR_NAMES: Final = {"1d": "daily", "1h": "hourly", "4h": "four-hour"}
# of an instant, UTC, as spreadsheets open it: they take a T, a Z or an offset for text
CELL_TIME: Final = "%Y-%m-%d %H:%M:%S"
DAYS_COLUMN: Final = re.compile(r"(^|_)days$")
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t")
_MARKED: Final = re.compile(r"([\\`*_{}\[\]<>|#~&])")


def folded(texts: Sequence[str], *, most: int = 5) -> tuple[list[str], list[str]]:
    """Return the texts shown at once and those a reader unfolds; a single one is not folded."""
    shown = most if len(texts) > most + 1 else len(texts)
    return list(texts[:shown]), list(texts[shown:])


def warning_lines(texts: Sequence[str]) -> list[str]:
    """Return warnings as a terminal shows them: the first few, and how many more there are."""
    shown, more = folded(texts)
    rest = [f"WARNING  and {len(more)} more, on the page"] if more else []
    return [*(f"WARNING  {text}" for text in shown), *rest]


def percent(fraction: float, *, decimals: int = 1) -> str:
    """Return a fraction as percent: 0.1158 is "11.6 %"."""
    return _number(fraction * 100, decimals, " %")


def points(fraction: float) -> str:
    """Return a difference of fractions in percentage points, with its sign."""
    return f"{'+' if fraction > 0 else ''}{_number(fraction * 100, 1)}"


def percent_number(fraction: float) -> str:
    """Return a fraction as percent without the sign, for dense tables; whole from 100 % on."""
    return _number(fraction * 100, 0 if abs(fraction) >= 0.9995 else 1)


def ratio(value: float) -> str:
    """Return a ratio with two decimals."""
    return _number(value, 2)


def multiple(total_return: float) -> str:
    """Return what one unit of money became: a total return of 1.44 is "2.44x"."""
    return _number(1 + total_return, 2 if total_return < 999 else 0, "x")


def money(amount: float) -> str:
    """Return an amount of money in whole units, thousands separated."""
    return _number(amount, 0)


def rounded(amount: float) -> str:
    """Return an amount of money to two significant digits, in words from a million on."""
    if not math.isfinite(amount) or amount <= 0:
        return UNDEFINED
    digits = 1 - math.floor(math.log10(amount))
    near = round(amount, digits)
    for size, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if near >= size:
            return f"{near / size:,.3g} {name}"
    return f"{near:,.0f}"


def count(number: float) -> str:
    """Return a whole number, thousands separated."""
    return _number(number, 0)


def counted(number: int, noun: str) -> str:
    """Return a number of things: "1 trade", "2 trades"."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def bars(number: int, timeframe: str) -> str:
    """Return a number of bars of a length: "1 daily bar", "2 hourly bars"."""
    return counted(number, f"{BAR_NAMES.get(timeframe, timeframe)} bar")


def days(number: float) -> str:
    """Return a number of days; a decimal only where it is not whole."""
    whole = not math.isfinite(number) or float(number).is_integer()
    return _number(number, 0 if whole else 1)


def per_year(number: float) -> str:
    """Return how many bars a year has; a decimal only where it is not nearly whole."""
    nearly_whole = not math.isfinite(number) or round(number, 1) == round(number)
    return _number(number, 0 if nearly_whole else 1)


def price(amount: float) -> str:
    """Return a price with two decimals, or as many as five significant digits need."""
    if not math.isfinite(amount):
        return UNDEFINED
    small = 0 < abs(amount) < 100
    decimals = 4 - math.floor(math.log10(abs(amount))) if small else 2
    return f"{amount:,.{decimals}f}"


def date(time: pd.Timestamp | NaTType) -> str:
    """Return the day, and the hour where the instant is not midnight."""
    if isinstance(time, NaTType):
        return UNDEFINED
    midnight = time == time.normalize()
    return f"{time:%Y-%m-%d}" if midnight else f"{time:%Y-%m-%d %H:%M}"


def coin(symbol: str) -> str:
    """Return a coin's short name: "ETH-USD" is "ETH"."""
    return symbol.removesuffix("-USD")


def words(name: str) -> str:
    """Return an identifier as words: "support_lost" is "support lost"."""
    return name.replace("_", " ")


def as_csv(table: pd.DataFrame) -> str:
    """Return CSV whose floats read back to the same bits, and no text of which is a formula.

    Instants are written as `CELL_TIME` in UTC, sessions (without a zone) as dates alone, and
    whole days without a decimal. A spreadsheet runs a cell that begins with one of
    `FORMULA_STARTS`; such a text gets an apostrophe in front, which spreadsheets do not show.
    Numbers are left alone.
    """
    texts = set(table.select_dtypes(["object", "string", "str"]).columns)
    # as objects: what is no text keeps its own type, whole numbers beside gaps too
    cells = {
        str(name): pd.Series(map(_guarded, table[name]), table.index, object) for name in texts
    }
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
    header = [_guarded(name) for name in guarded.columns]
    return guarded.to_csv(index=False, header=header, date_format=CELL_TIME, lineterminator="\n")


def _whole(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number


def _guarded(cell: Any) -> Any:
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
    return json.dumps(_defined(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _defined(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _defined(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_defined(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _number(value: float, decimals: int, unit: str = "") -> str:
    if not math.isfinite(value):
        return UNDEFINED
    # + 0.0 keeps a rounded-away loss from being written as "-0.0"
    return f"{round(float(value), decimals) + 0.0:,.{decimals}f}{unit}"
