"""Which trials stand for all of a sweep: drawn at random, each as likely as any other."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backtests.sweep.plan import Plan
from backtests.sweep.space import Axis, Choice, random_columns
from backtests.sweep.store import Store

MOST_DRAWN: Final = 400
# A range of fractions has no end of values, but neighbours are copies: so many count.
VALUES_OF_A_RANGE: Final = 100

Integers = NDArray[np.int64]


def drawn_values(store: Store) -> list[dict[str, Any]]:
    """Return the settings of trials drawn at random.

    A guided search's own trials crowd around its best. For it they are drawn from all settings
    in its reach instead, as if a grid had tried them.
    """
    if store.plan.settings.search == "guided":
        return random_values(store.plan)
    return store.values(random_trials(store).tolist())


def random_trials(store: Store) -> Integers:
    """Return trials that did not fail, each as likely as any other, in ascending order.

    Every trial has a random number, and those with the smallest are taken: all if they fit.
    """
    rng = np.random.default_rng(store.plan.settings.seed)
    numbers, trials = np.empty(0), np.empty(0, np.int64)
    for chunk, part in store.parts(["failure"]):
        own = rng.random(part.num_rows)
        done = np.flatnonzero(part["failure"].is_null().to_numpy())
        numbers = np.concatenate((numbers, own[done]))
        trials = np.concatenate((trials, done + store.plan.bounds(chunk)[0]))
        smallest = np.argsort(numbers, kind="stable")[:MOST_DRAWN]
        numbers, trials = numbers[smallest], trials[smallest]
    return np.sort(trials)


def random_values(plan: Plan) -> list[dict[str, Any]]:
    """Return settings drawn at random from all that the axes allow."""
    rng = np.random.default_rng(plan.settings.seed)
    columns = random_columns(plan.axes, count=MOST_DRAWN, rng=rng)
    taken = {key: column.taken() for key, column in columns.items()}
    return [dict(zip(taken, row, strict=True)) for row in zip(*taken.values(), strict=True)]


def reach(plan: Plan) -> int:
    """Return from how many settings the best was chosen.

    Those tried; of a guided search all it could have tried, because it goes where the best
    is and leaves out what is worse without having to try it.
    """
    if plan.settings.search != "guided":
        return plan.trials
    return max(math.prod(_values_of(one) for one in plan.axes), plan.trials)


def _values_of(one: Axis) -> int:
    if isinstance(one, Choice):
        return len(one.values)
    return int(one.high) - int(one.low) + 1 if one.whole else VALUES_OF_A_RANGE
