"""The table of a sweep's best rows: figures, robustness, and which settings matter there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from backtests.report.pages.page_parts import Cell, Heading, number
from backtests.report.words import notation as written
from backtests.report.words.labels import Notation, list_words, names, notation
from backtests.search.outcomes import Outcome
from backtests.search.parameter_space import Axis, Choice, value_text
from backtests.search.plan import Plan
from feeds.arrays import Floats

SHOWN: Final = ("sharpe_ratio", "cagr", "max_drawdown", "time_in_market", "trades")
MOST_LISTED: Final = 2


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting's value in a row; `others` are those that gave exactly the same result."""

    text: str
    others: str
    sort: str
    style: str


@dataclass(frozen=True, slots=True)
class BestRow:
    """One result: its earliest trial, how many more have it, its figures and settings."""

    trial: int
    more: Cell
    figures: tuple[Cell, ...]
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class BestTable:
    """The table, and the sentence that says what its robustness is.

    `has_equals` says whether any row stands for several trials.
    """

    headings: tuple[Heading, ...]
    lines: tuple[BestRow, ...]
    robustness: str
    has_equals: bool


def best_table(plan: Plan, outcomes: Sequence[Outcome], *, around: Floats) -> BestTable:
    """Return the table of the best outcomes; `around` is each one's neighbours' mean."""
    shown = notation(plan.settings.objective)
    own = np.array([outcome.figures[plan.settings.objective] for outcome in outcomes])
    is_ratio = bool(own.size and own[0] > 0)
    ratios = robustness(own, around, is_ratio=is_ratio)
    figures = tuple(dict.fromkeys((plan.settings.objective, *SHOWN)))
    lines = [
        BestRow(
            outcome.trial,
            _more(outcome),
            (
                *(number(outcome.figures[name], notation(name).write) for name in figures),
                number(ratio, written.ratio if is_ratio else shown.write),
            ),
            tuple(_setting(one, outcome.values[one.key]) for one in plan.axes),
        )
        for outcome, ratio in zip(outcomes, ratios.tolist(), strict=True)
    ]
    sentence = _sentence(shown, is_grid=plan.settings.search == "grid", is_ratio=is_ratio)
    has_equals = any(outcome.trials > 1 for outcome in outcomes)
    headings = _headings(plan, figures, sentence, has_equals=has_equals)
    return BestTable(headings, tuple(lines), sentence, has_equals)


def robustness(own: Floats, around: Floats, *, is_ratio: bool) -> Floats:
    """Return the neighbours' mean over the own figure, NaN unless that is above 0.

    Without `is_ratio` it is their difference, for figures that are never above 0: how much
    less the neighbours have.
    """
    if not is_ratio:
        return around - own
    return np.divide(around, own, out=np.full_like(own, np.nan), where=own > 0)


def _sentence(shown: Notation, *, is_grid: bool, is_ratio: bool) -> str:
    if not is_grid:
        return "Robustness needs a grid: draws have no neighbours one step away."
    what = f"Robustness is the mean {shown.inside} of the trials one step away on one axis"
    how = (
        "over the row's own: near 1 on a plateau, low on a peak."
        if is_ratio
        else "minus the row's own, as none is above 0: near 0 on a plateau, far below on a peak."
    )
    left_out = "Neighbours with exactly the row's own result are left out, as they show nothing."
    return f"{what} {how} {left_out}"


def _headings(
    plan: Plan, figures: Sequence[str], sentence: str, *, has_equals: bool
) -> tuple[Heading, ...]:
    called = names(plan.keys)
    equals = Heading("Same result", True, "Further trials with exactly the same figures.")
    return (
        Heading("#", True, "Rank by the objective."),
        Heading("Trial", True, "The number that runs it again."),
        *([equals] if has_equals else []),
        *(Heading(notation(name).label, True, notation(name).definition) for name in figures),
        Heading("Robustness", True, sentence),
        *(
            Heading(called[one.key].short, _is_number(one), one.key, called[one.key].section)
            for one in plan.axes
        ),
    )


def _more(outcome: Outcome) -> Cell:
    more = outcome.trials - 1
    return Cell(f"{more:,} more" if more else "", sort=str(more), style="num")


def _setting(one: Axis, values: Sequence[Any]) -> Setting:
    style = "num" if _is_number(one) else ""
    own, *others = values
    if not isinstance(one, Choice):
        span = f"or from {_short(min(values))} to {_short(max(values))}" if others else ""
        return Setting(_short(own), span, str(own), style)
    order = [str(value) for value in one.values]
    places = sorted(order.index(str(value)) for value in others)
    texts = [value_text(one.values[place]) for place in places]
    return Setting(
        value_text(one.values[order.index(str(own))]),
        _others(texts, is_all=len(values) == len(one.values)),
        str(order.index(str(own))),
        style,
    )


def _short(drawn: float) -> str:
    """Return a drawn value in few digits: the trial's number gives all of them."""
    return value_text(drawn if isinstance(drawn, int) else float(f"{drawn:.4g}"))


def _others(texts: Sequence[str], *, is_all: bool) -> str:
    if len(texts) <= MOST_LISTED:
        return f"or {list_words(texts, last='or')}" if texts else ""
    return "or any other" if is_all else f"or {len(texts)} others"


def _is_number(one: Axis) -> bool:
    return all(isinstance(end, int | float) and not isinstance(end, bool) for end in one.ends)
