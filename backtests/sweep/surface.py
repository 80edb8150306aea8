"""The surface of a sweep: the objective over the settings, its plateaus and its peaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.sweep.plan import Plan
from backtests.sweep.space import Axis, Choice
from backtests.sweep.store import Store

MOST_TRIALS: Final = 5_000_000
BINS: Final = 12
SMALL: Final = 1 << 16

Row = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scale:
    """The places of one setting: its values, or bins where it was drawn from a range."""

    key: str
    labels: tuple[str, ...]
    edges: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Surface:
    """The objective of every trial (or every n-th), and its place on every scale.

    `objective` has shape (trials,), `places` (trials, scales). `neighbours` is the mean
    objective of the trials one step away on one axis, NaN but for a grid. `ascending` are the
    rows with an objective, the lowest first.
    """

    scales: tuple[Scale, ...]
    trial: Codes
    objective: Row
    places: NDArray[np.int32]
    neighbours: Row
    ascending: Codes

    def heat(self, first: int, second: int) -> tuple[Row, Row]:
        """Return the best and the median objective for each pair of places, NaN where none."""
        shape = (len(self.scales[first].labels), len(self.scales[second].labels))
        # by cell, and inside by objective: the best stands last, the median in the middle
        ascending = self.ascending
        cell = self.places[ascending, first].astype(np.int64) * shape[1]
        cell += self.places[ascending, second]
        if cell.size and cell.max() < SMALL:
            cell = cell.astype(np.uint16)  # which numpy sorts in linear time
        order = np.argsort(cell, kind="stable")
        values = self.objective[ascending[order]]
        names, starts, counts = np.unique(cell[order], return_index=True, return_counts=True)
        best, median = np.full((2, shape[0] * shape[1]), np.nan)
        best[names] = values[starts + counts - 1]
        low, high = starts + (counts - 1) // 2, starts + counts // 2
        median[names] = (values[low] + values[high]) / 2
        return best.reshape(shape), median.reshape(shape)

    def top(self, count: int) -> Codes:
        """Return the rows with the highest objective, the best first."""
        order = np.argsort(-self.objective, kind="stable")
        return np.asarray(order[: min(count, int(np.isfinite(self.objective).sum()))], np.int64)


def surface(store: Store) -> Surface:
    """Read the surface of all trials done, every n-th of very many."""
    plan = store.plan
    every = -(-plan.trials // MOST_TRIALS)
    scales = tuple(_scale(one) for one in plan.axes)
    trials, objectives, places = [], [], []
    for part in store.parts(["trial", *plan.keys, plan.settings.objective]):
        kept = part[part["trial"] % every == 0]
        trials.append(kept["trial"].to_numpy())
        objectives.append(kept[plan.settings.objective].to_numpy(np.float64))
        places.append(np.column_stack([_placed(kept[s.key], s) for s in scales]).astype(np.int32))
    objective = np.concatenate(objectives)
    whole = plan.settings.search == "grid" and objective.size == plan.trials
    near = neighbours(objective, _shape(plan)) if whole else np.full(objective.size, np.nan)
    ascending = np.argsort(objective, kind="stable")[: np.isfinite(objective).sum()]
    return Surface(
        scales, np.concatenate(trials), objective, np.concatenate(places), near, ascending
    )


def neighbours(objective: Row, shape: Sequence[int]) -> Row:
    """Return the mean objective of each trial's neighbours in a grid of that shape.

    Neighbours are one step away on one axis; undefined ones do not count. NaN without any.
    """
    grid = objective.reshape(shape)
    known = np.isfinite(grid)
    filled = np.where(known, grid, 0.0)
    total, count = np.zeros(shape), np.zeros(shape)
    for place in range(grid.ndim):
        ahead = [slice(None)] * grid.ndim
        back = [slice(None)] * grid.ndim
        ahead[place], back[place] = slice(1, None), slice(None, -1)
        for here, there in ((tuple(back), tuple(ahead)), (tuple(ahead), tuple(back))):
            total[here] += filled[there]
            count[here] += known[there]
    mean = np.full(shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean.ravel()


def _shape(plan: Plan) -> tuple[int, ...]:
    return tuple(len(one.values) for one in plan.axes if isinstance(one, Choice))


def _scale(one: Axis) -> Scale:
    if isinstance(one, Choice):
        return Scale(one.key, tuple(str(value) for value in one.values))
    space = np.geomspace if one.log else np.linspace
    edges = space(one.low, one.high, BINS + 1)
    return Scale(one.key, tuple(f"{edge:.3g}" for edge in edges[:-1]), tuple(edges.tolist()))


def _placed(column: Any, scale: Scale) -> Codes:
    if scale.edges:
        bins = np.searchsorted(scale.edges, column, side="right") - 1
        return np.asarray(np.clip(bins, 0, BINS - 1), np.int64)
    found, values = pd.factorize(column)
    places = [scale.labels.index(str(value)) for value in values]
    return np.asarray(places, np.int64)[found]
