"""The best outcomes of a sweep: trials with exactly the same figures are one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backtests.search.plan import Plan
from backtests.search.space import Choice
from backtests.search.store import Store
from backtests.search.trials.kernel import FIGURES


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


def best_outcomes(store: Store, *, count: int) -> list[Outcome]:
    """Return the `count` distinct outcomes with the highest objective, the best first.

    Of outcomes with an equal objective the one with the earliest trial comes first; trials
    whose objective is undefined have none. Reads a chunk at a time and remembers `count`.
    """
    kept: list[Outcome] = []
    for chunk, part in store.parts([store.plan.settings.objective]):
        objective = part.column(0).to_numpy()
        lowest = _value(kept[-1], store.plan) if len(kept) == count else -np.inf
        # later trials can only add to the outcomes kept, or stand above the last of them
        rows = np.flatnonzero(np.isfinite(objective) & (objective >= lowest))
        if rows.size:
            enough = np.unique(objective[rows])[-count:][0]
            rows = rows[objective[rows] >= enough]
            table = store.part(chunk, ["trial", *store.plan.keys, *FIGURES]).take(pa.array(rows))
            kept = _merge([*kept, *_outcomes(table, store.plan, count)], store.plan)[:count]
    return kept


def _value(outcome: Outcome, plan: Plan) -> float:
    return outcome.figures[plan.settings.objective]


def _outcomes(table: pa.Table, plan: Plan, count: int) -> list[Outcome]:
    """Return the distinct outcomes of some rows that are in ascending order of trial."""
    # + 0.0 makes -0.0 the same as 0.0; as whole numbers NaN equals NaN
    figures = np.column_stack([table[name].to_numpy() for name in FIGURES]) + 0.0
    _, firsts, group = np.unique(
        figures.view(np.int64), axis=0, return_index=True, return_inverse=True
    )
    objective = figures[firsts, FIGURES.index(plan.settings.objective)]
    best = np.lexsort((firsts, -objective))[:count]
    return [_outcome(table.take(pa.array(np.flatnonzero(group == one))), plan) for one in best]


def _outcome(rows: pa.Table, plan: Plan) -> Outcome:
    """Return the one outcome of rows with equal figures."""
    values = {key: tuple(pc.unique(rows[key]).to_pylist()) for key in plan.keys}
    first: dict[str, Any] = rows.slice(0, 1).to_pylist()[0]
    return Outcome(
        trial=first["trial"],
        trials=rows.num_rows,
        figures={name: first[name] for name in FIGURES},
        values={one.key: _few(values[one.key], isinstance(one, Choice)) for one in plan.axes},
    )


def _merge(outcomes: list[Outcome], plan: Plan) -> list[Outcome]:
    """Return outcomes in their order, those with the same figures as one."""
    found: dict[bytes, Outcome] = {}
    for outcome in outcomes:
        figures = (np.array(list(outcome.figures.values())) + 0.0).tobytes()
        before = found.get(figures)
        found[figures] = _join(before, outcome, plan) if before else outcome
    return sorted(found.values(), key=lambda outcome: (-_value(outcome, plan), outcome.trial))


def _join(one: Outcome, other: Outcome, plan: Plan) -> Outcome:
    values = {
        axis.key: _few(
            tuple(dict.fromkeys(one.values[axis.key] + other.values[axis.key])),
            isinstance(axis, Choice),
        )
        for axis in plan.axes
    }
    return Outcome(one.trial, one.trials + other.trials, one.figures, values)


def _few(values: tuple[Any, ...], is_choice: bool) -> tuple[Any, ...]:
    """Return all values of a choice; of a range the first, the lowest and the highest."""
    if is_choice:
        return values
    return tuple(dict.fromkeys((values[0], min(values), max(values))))
