"""How a number, a date, a rate or a difference is written, once, for the terminal and the page.

Figures are plain fractions everywhere else; percent signs and separators appear only here.
An undefined value (NaN, NaT, infinite) is written as `UNDEFINED`, a loss with a true minus sign.
Files for machines (JSON, CSV) know nothing of this.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, isnan
from typing import TYPE_CHECKING, Final

from feeds.message_text import count_noun as count_noun  # noqa: PLC0414 - read as written.count_noun

if TYPE_CHECKING:
    import pandas as pd
    from pandas.api.typing import NaTType

    from backtests.analysis.bootstrap import Interval
    from backtests.analysis.run_figures import Figures

UNDEFINED: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"
# before a digit, and neither within a word or a date nor after "="
_HYPHEN_AS_MINUS: Final = re.compile(r"(?<![\w.=-])-(?=\.?\d)")
BAR_NAMES: Final = {"1d": "daily", "1h": "hourly", "4h": "four-hour"}
YEAR: Final = 365.0  # days from which on a rate per year may be said
PER_YEAR: Final = "percentage points per year"
WHOLE_POINTS: Final = 9.95
DECIMALS: Final = 3  # of a fraction that is written as percent with one decimal


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


def is_annual(days: float) -> bool:
    """Whether a run is long enough to say what it made per year."""
    return days >= YEAR


def growth_of(figures: "Figures", *, days: float) -> float:
    """Return the growth that may be said: per year, or of the whole run under a year.

    Rounded as it is written, so that differences add up for a reader.
    """
    return as_written(figures["cagr"] if is_annual(days) else figures["total_return"])


def as_written(fraction: float) -> float:
    """Return a fraction rounded as it is written in percent."""
    return round(fraction, DECIMALS) if isfinite(fraction) else fraction


def rate(growth: float, *, days: float) -> str:
    """Return a growth with its unit: "26.2 % per year", under a year "26.2 %"."""
    return f"{percent(growth)}{' per year' if is_annual(days) else ''}"


def growth_phrase(growth: float, *, days: float) -> str:
    """Return a growth as what was made or lost: "lost 3.0 % per year"."""
    if as_written(growth) == 0:
        return "made nothing"
    return f"{'made' if growth > 0 else 'lost'} {rate(abs(growth), days=days)}"


def gap_in_words(gap: float, *, days: float) -> str:
    """Return the size of a difference of two growths; whole from 10 points on.

    So it agrees with the growths beside it and with the difference in tables, which two
    roundings can set a tenth apart.
    """
    unit = PER_YEAR if is_annual(days) else "percentage points"
    points = abs(gap) * 100
    return f"{points:,.{0 if points >= WHOLE_POINTS else 1}f} {unit}"


def interval_in_words(interval: "Interval", *, confidence: float) -> str:
    """Return an interval of differences per year in brackets, for the middle of a sentence."""
    low, high = (points(bound) for bound in (interval.low, interval.high))
    share = percent(confidence, decimals=0)
    return f"({share} interval of the difference {low} to {high} {PER_YEAR})"


def comparison(gap: float, *, larger: str, smaller: str, alike: str) -> str:
    """Return one of three words for a difference, by what is seen of it in print."""
    if isnan(gap) or as_written(gap) == 0:
        return alike
    return larger if gap > 0 else smaller


def episodes_in_words(count: int) -> str:
    """Return "1 independent episode", "6 independent episodes"."""
    return count_noun(count, "independent episode")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What sentences about a run need beside its figures.

    `traded` is what people call what was traded ("BTC", "the altcoin basket"), `coin` the same
    without an article where it takes part in a name. `untested` names the filters with which
    the run tests nothing. `is_single` says whether one coin was traded against cash, so that a
    time in the market is a trade; `is_open` whether something is held at the end, `pending`
    why an order is due at the next open.
    """

    traded: str
    days: float
    bars: int
    untested: tuple[str, ...] = ()
    first_members: tuple[str, ...] = ()
    idle: str = ""
    is_single: bool = True
    is_open: bool = False
    pending: str = ""


def standing(own: float, held: float) -> str:
    """Return whether a growth beats, trails or equals that of holding, as both are written."""
    gap = as_written(own) - as_written(held)
    if isnan(gap):
        return "undefined"
    return comparison(gap, larger="beats", smaller="trails", alike="equals")
