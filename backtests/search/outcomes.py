"""The best outcomes of a sweep: trials with exactly the same figures are one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from backtests.search.parameter_space import Choice, Columns
from backtests.search.plan import Plan
from backtests.search.rows import table_values
from backtests.search.trials.kernel import FIGURES
from feeds.arrays import Floats, Integers

if TYPE_CHECKING:
    from backtests.search.store import Store

# How many outcomes are told of each chunk: as many as anything shows.
MOST_OUTCOMES: Final = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """One outcome: the earliest of its trials, and what all of them have in common.

    `figures` has every figure of a trial. `values` holds for each setting the value of the
    earliest trial, and after it those of the others: of a range only the lowest and highest.
    A setting with several values made no difference there.
    """

    trial: int
    trials: int
    figures: dict[str, float]
    values: dict[str, tuple[Any, ...]]


def best_outcomes(store: "Store", *, count: int) -> list[Outcome]:
    """Return the `count` distinct outcomes with the highest objective, the best first.

    At most `MOST_OUTCOMES`. Of outcomes with an equal objective the one with the earliest trial
    comes first; trials whose objective is undefined have none.
    """
    return list(store.total().outcomes[:count])


def better_outcomes(
    kept: Sequence[Outcome], first: int, columns: Columns, figures: Floats, *, plan: Plan
) -> list[Outcome]:
    """Return the best outcomes of those kept so far and of the trials from `first` on."""
    objective = figures[:, FIGURES.index(plan.settings.objective)]
    lowest = _value(kept[-1], plan) if len(kept) == MOST_OUTCOMES else -np.inf
    # later trials can only add to the outcomes kept, or stand above the last of them
    rows = np.flatnonzero(np.isfinite(objective) & (objective >= lowest))
    if rows.size == 0:
        return list(kept)
    rows = rows[objective[rows] >= _least_of_best(objective[rows])]
    return merged_outcomes([*kept, *_outcomes(first, rows, columns, figures, plan)], plan=plan)


def merged_outcomes(outcomes: Sequence[Outcome], *, plan: Plan) -> list[Outcome]:
    """Return the best outcomes in their order, those with the same figures as one."""
    found: dict[bytes, Outcome] = {}
    for outcome in outcomes:
        figures = (np.array(list(outcome.figures.values())) + 0.0).tobytes()
        before = found.get(figures)
        found[figures] = _join(before, outcome, plan) if before else outcome
    ordered = sorted(found.values(), key=lambda outcome: (-_value(outcome, plan), outcome.trial))
    return ordered[:MOST_OUTCOMES]


def _value(outcome: Outcome, plan: Plan) -> float:
    return outcome.figures[plan.settings.objective]


def _least_of_best(values: Floats) -> float:
    """Return the lowest of the highest distinct values; few of many need to be sorted."""
    some = 8 * MOST_OUTCOMES
    highest = np.partition(values, -some)[-some:] if values.size > some else values
    distinct = np.unique(highest)
    if distinct.size < MOST_OUTCOMES and values.size > some:
        distinct = np.unique(values)
    return float(distinct[-MOST_OUTCOMES:][0])


def _outcomes(
    first: int, rows: Integers, columns: Columns, figures: Floats, plan: Plan
) -> list[Outcome]:
    """Return the distinct outcomes of some rows that are in ascending order."""
    # + 0.0 makes -0.0 the same as 0.0; as whole numbers NaN equals NaN
    own = figures[rows] + 0.0
    _, firsts, group = np.unique(own.view(np.int64), axis=0, return_index=True, return_inverse=True)
    objective = own[firsts, FIGURES.index(plan.settings.objective)]
    best = np.lexsort((firsts, -objective))[:MOST_OUTCOMES].tolist()
    return [_outcome(first, rows[group == one], columns, figures, plan) for one in best]


def _outcome(first: int, rows: Integers, columns: Columns, figures: Floats, plan: Plan) -> Outcome:
    """Return the one outcome of rows with equal figures."""
    values = {}
    for one in plan.axes:
        column = columns[one.key]
        codes = dict.fromkeys(column.codes[rows].tolist())
        own = table_values(one, [column.values[code] for code in codes])
        values[one.key] = _few(own, isinstance(one, Choice))
    earliest = int(rows[0])
    return Outcome(
        trial=first + earliest,
        trials=rows.size,
        figures=dict(zip(FIGURES, figures[earliest].tolist(), strict=True)),
        values=values,
    )


def _join(one: Outcome, other: Outcome, plan: Plan) -> Outcome:
    earlier, later = sorted((one, other), key=lambda outcome: outcome.trial)
    values = {
        axis.key: _few(
            tuple(dict.fromkeys(earlier.values[axis.key] + later.values[axis.key])),
            isinstance(axis, Choice),
        )
        for axis in plan.axes
    }
    return Outcome(earlier.trial, one.trials + other.trials, earlier.figures, values)


def _few(values: tuple[Any, ...], is_choice: bool) -> tuple[Any, ...]:
    """Return all values of a choice; of a range the first, the lowest and the highest."""
    if is_choice:
        return values
    return tuple(dict.fromkeys((values[0], min(values), max(values))))
