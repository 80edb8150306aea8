"""Parts of sentences: rates, differences, intervals and numbers of things."""

from dataclasses import dataclass
from math import isfinite, isnan
from typing import TYPE_CHECKING, Final

from backtests.report.words import notation as written

if TYPE_CHECKING:
    from backtests.analysis.bootstrap import Interval
    from backtests.analysis.summary import Figures

YEAR: Final = 365.0  # days from which on a rate per year may be said
PER_YEAR: Final = "percentage points per year"
WHOLE_POINTS: Final = 9.95
DECIMALS: Final = 3  # of a fraction that is written as percent with one decimal


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
    return f"{written.percent(growth)}{' per year' if is_annual(days) else ''}"


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
    low, high = (written.points(bound) for bound in (interval.low, interval.high))
    share = written.percent(confidence, decimals=0)
    return f"({share} interval of the difference {low} to {high} {PER_YEAR})"


def comparison(gap: float, *, larger: str, smaller: str, alike: str) -> str:
    """Return one of three words for a difference, by what is seen of it in print."""
    if isnan(gap) or as_written(gap) == 0:
        return alike
    return larger if gap > 0 else smaller


def episodes_in_words(count: int) -> str:
    """Return "1 independent episode", "6 independent episodes"."""
    return written.count_noun(count, "independent episode")


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
