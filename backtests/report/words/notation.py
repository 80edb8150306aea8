"""How a number or a date is written, once, for the terminal and the tearsheet alike.

Figures are plain fractions everywhere else; percent signs and separators appear only here.
An undefined value (NaN, NaT, infinite) is written as `UNDEFINED`, a loss with a true minus sign.
Files for machines (JSON, CSV) know nothing of this.
"""

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from feeds.wording import count_noun as count_noun  # noqa: PLC0414 - read as written.count_noun

if TYPE_CHECKING:
    import pandas as pd
    from pandas.api.typing import NaTType

UNDEFINED: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"
# before a digit, and neither within a word or a date nor after "="
_HYPHEN_AS_MINUS: Final = re.compile(r"(?<![\w.=-])-(?=\.?\d)")
BAR_NAMES: Final = {"1d": "daily", "1h": "hourly", "4h": "four-hour"}


def fold(texts: Sequence[str], *, most: int = 5) -> tuple[list[str], list[str]]:
    """Return the texts shown at once and those a reader unfolds; a single one is not folded."""
    shown = most if len(texts) > most + 1 else len(texts)
    return list(texts[:shown]), list(texts[shown:])


def warning_lines(texts: Sequence[str]) -> list[str]:
    """Return warnings as a terminal shows them: the first few, and how many more there are."""
    shown, more = fold(texts)
    rest = [f"WARNING  and {len(more)} more, on the page"] if more else []
    return [*(f"WARNING  {text}" for text in shown), *rest]


def decimal(value: float, decimals: int, *, unit: str = "", plus: bool = False) -> str:
    """Return a number, thousands separated; `plus` signs what is above zero in print."""
    if not math.isfinite(value):
        return UNDEFINED
    # + 0.0 keeps a rounded-away loss from being written as "-0.0"
    rounded = round(float(value), decimals) + 0.0
    sign = MINUS if rounded < 0 else "+" if plus and rounded > 0 else ""
    return f"{sign}{abs(rounded):,.{decimals}f}{unit}"


def true_minus(text: str) -> str:
    """Return a sentence from below the report with true minus signs before its numbers."""
    return _HYPHEN_AS_MINUS.sub(MINUS, text)


def hyphen_minus(text: str) -> str:
    """Return a sentence as a file for machines holds it."""
    return text.replace(MINUS, "-")


def percent(fraction: float, *, decimals: int = 1, plus: bool = False) -> str:
    """Return a fraction as percent: 0.1158 is "11.6 %"."""
    return decimal(fraction * 100, decimals, unit=" %", plus=plus)


def points(fraction: float) -> str:
    """Return a difference of fractions in percentage points, with its sign."""
    return decimal(fraction * 100, 1, plus=True)


def percent_number(fraction: float) -> str:
    """Return a fraction as percent without the sign, for dense tables; whole from 100 % on."""
    return decimal(fraction * 100, 0 if abs(fraction) >= 0.9995 else 1)


def ratio(value: float) -> str:
    """Return a ratio with two decimals."""
    return decimal(value, 2)


def multiple(total_return: float) -> str:
    """Return what one unit of money became: a total return of 1.44 is "2.44x"."""
    return decimal(1 + total_return, 2 if total_return < 999 else 0, unit="x")


def money(amount: float) -> str:
    """Return an amount of money in whole units, thousands separated."""
    return decimal(amount, 0)


def rounded_money(amount: float) -> str:
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
    return decimal(number, 0)


def bars(number: int, timeframe: str) -> str:
    """Return a number of bars of a length: "1 daily bar", "2 hourly bars"."""
    return count_noun(number, f"{BAR_NAMES.get(timeframe, timeframe)} bar")


def days(number: float) -> str:
    """Return a number of days; a decimal only where it is not whole."""
    whole = not math.isfinite(number) or float(number).is_integer()
    return decimal(number, 0 if whole else 1)


def per_year(number: float) -> str:
    """Return how many bars a year has; a decimal only where it is not nearly whole."""
    nearly_whole = not math.isfinite(number) or round(number, 1) == round(number)
    return decimal(number, 0 if nearly_whole else 1)


def price(amount: float) -> str:
    """Return a price with two decimals, or as many as five significant digits need."""
    if not math.isfinite(amount):
        return UNDEFINED
    small = 0 < abs(amount) < 100
    decimals = 4 - math.floor(math.log10(abs(amount))) if small else 2
    return decimal(amount, decimals)


def date(time: "pd.Timestamp | NaTType") -> str:
    """Return the day, and the hour where the instant is not midnight."""
    from pandas.api.typing import NaTType

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
