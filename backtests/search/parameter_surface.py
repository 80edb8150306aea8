"""The surface of a sweep: the objective over the settings, its plateaus and its peaks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backtests.search.parameter_space import (
    Axis,
    Choice,
    Column,
    Columns,
    Range,
    column_of,
    subset,
    value_text,
)
from backtests.search.plan import Plan
from backtests.search.store import Store
from feeds.arrays import Floats, Integers

MOST_TRIALS: Final = 2_000_000
BINS: Final = 12
MOST_DIGITS: Final = 10


Narrow = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, slots=True)
class SettingScale:
    """The places of one setting: its values, or bins where it was drawn from a range.

    `labels` are the values as the table has them, `texts` as they are read. A bin holds what
    is at or above its edge and below the next; the last one its upper edge, too.
    """

    key: str
    labels: tuple[str, ...]
    texts: tuple[str, ...]
    edges: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Surface:
    """The objective of every trial (or every n-th), and its place on every scale.

    Row r is trial r * `every`. `objective` has shape (trials,), NaN also where a trial is not
    done yet; so has each of `places`, one a scale. `ascending` are the rows with an objective,
    the lowest first. `shape` is that of the grid if these are all its trials, else empty. All
    but the objective is kept in the narrowest type that holds it, for there may be millions.
    """

    scales: tuple[SettingScale, ...]
    every: int
    objective: Floats
    places: tuple[Narrow, ...]
    ascending: Narrow
    shape: tuple[int, ...]

    def heat(self, first: int, second: int) -> tuple[Floats, Floats]:
        """Return the best and the median objective for each pair of places, NaN where none."""
        shape = (len(self.scales[first].labels), len(self.scales[second].labels))
        cells = math.prod(shape)
        cell = self.places[first].astype(_narrowest(cells)) * shape[1] + self.places[second]
        best, median = self._by_cell(cell[self.ascending], cells)
        return best.reshape(shape), median.reshape(shape)

    def along(self, only: int) -> tuple[Floats, Floats]:
        """Return the best and the median objective at each place of one scale."""
        return self._by_cell(self.places[only][self.ascending], len(self.scales[only].labels))

    def _by_cell(self, cell: Narrow, cells: int) -> tuple[Floats, Floats]:
        counts = np.bincount(cell, minlength=cells)
        # by cell, and inside by objective: the best stands last, the median in the middle
        order = np.argsort(cell, kind="stable")
        known, size = counts > 0, counts[counts > 0]
        start = np.cumsum(size) - size

        def at(inside: Integers) -> Floats:
            return np.asarray(self.objective[self.ascending[order[start + inside]]])

        best, median = np.full((2, counts.size), np.nan)
        best[known] = at(size - 1)
        median[known] = (at((size - 1) // 2) + at(size // 2)) / 2
        return best, median

    def top(self, count: int) -> Integers:
        """Return the rows with the highest objective, the best first."""
        if self.ascending.size == 0:
            return np.empty(0, np.int64)
        lowest = self.objective[self.ascending[-count:][0]]
        rows = np.flatnonzero(self.objective >= lowest)
        return rows[np.argsort(-self.objective[rows], kind="stable")][:count]

    def around(self, rows: Integers) -> Floats:
        """Return what `neighbours` does, NaN but for a grid."""
        if not self.shape:
            return np.full(rows.size, np.nan)
        return neighbours(self.objective, self.shape, rows)


def spacing(trials: int) -> int:
    """Return n, for every n-th trial to be read: it shares no factor with their number.

    So that of a grid, whose trials repeat each setting in step, every value is met alike.
    """
    every = -(-trials // MOST_TRIALS)
    while math.gcd(every, trials) > 1:
        every += 1
    return every


def surface(store: Store) -> Surface:
    """Read the surface of all trials done, every n-th of very many."""
    plan = store.plan
    every = spacing(plan.trials)
    count = -(-plan.trials // every)
    scales = tuple(_scale(one) for one in plan.axes)
    objective = np.full(count, np.nan)
    places = tuple(np.zeros(count, _narrowest(len(scale.labels))) for scale in scales)
    for chunk in store.done():
        first, stop = plan.bounds(chunk)
        rows = slice(-(-first // every), -(-stop // every))
        objective[rows] = store.objective(chunk, every=every)
    _set_places(places, store, scales, every=every)
    ascending = np.argsort(objective)[: np.isfinite(objective).sum()]
    whole = plan.settings.search == "grid" and every == 1
    return Surface(
        scales,
        every,
        objective,
        places,
        ascending.astype(_narrowest(count)),
        _shape(plan) if whole else (),
    )


def neighbours(objective: Floats, shape: Sequence[int], rows: Integers) -> Floats:
    """Return the mean objective of the neighbours of some trials in a grid of that shape.

    Neighbours are one step away on one axis. Undefined ones do not count, nor those with
    exactly the trial's own objective: a setting that changes nothing would make every peak
    look like a plateau. NaN without any.
    """
    total, count = np.zeros(rows.size), np.zeros(rows.size)
    places = np.unravel_index(rows, shape)
    for axis, place in enumerate(places):
        stride = math.prod(shape[axis + 1 :])
        for step in (1, -1):
            is_inside = (place + step >= 0) & (place + step < shape[axis])
            value = objective[np.where(is_inside, rows + step * stride, rows)]
            known = is_inside & np.isfinite(value) & (value != objective[rows])
            total[known] += value[known]
            count += known
    mean = np.full(rows.size, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _narrowest(most: int) -> np.dtype[Any]:
    """Return the smallest unsigned type up to `most`; numpy sorts 16 bits in linear time."""
    return np.min_scalar_type(most)


def _shape(plan: Plan) -> tuple[int, ...]:
    return tuple(len(one.values) for one in plan.axes if isinstance(one, Choice))


def _scale(one: Axis) -> SettingScale:
    if isinstance(one, Choice):
        labels = tuple(str(value) for value in one.values)
        return SettingScale(one.key, labels, tuple(value_text(value) for value in one.values))
    edges = _edges(one)
    # of whole numbers a bin says the last that it holds: the next edge is the next one's
    uppers = edges[1:] - 1 if one.whole else edges[1:]
    texts = _spans(edges[:-1].tolist(), uppers.tolist(), digits=6 if one.whole else 3)
    return SettingScale(one.key, texts, texts, tuple(edges.tolist()))


def _edges(one: Range) -> Floats:
    space = np.geomspace if one.log else np.linspace
    if one.whole:
        return np.unique(np.ceil(space(one.low, one.high + 1, BINS + 1).round(9)))
    edges = np.unique(space(one.low, one.high, BINS + 1))
    return edges if edges.size > 1 else np.repeat(edges, 2)


def _spans(lows: Sequence[float], highs: Sequence[float], *, digits: int) -> tuple[str, ...]:
    """Return each bin's both edges, in more digits than given where these do not differ."""
    found = tuple(_span(low, high, digits) for low, high in zip(lows, highs, strict=True))
    if len(set(found)) < len(found) and digits < MOST_DIGITS:
        return _spans(lows, highs, digits=MOST_DIGITS)
    return found


def _span(low: float, high: float, digits: int) -> str:
    ends = dict.fromkeys(value_text(float(f"{end:.{digits}g}")) for end in (low, high))
    return " to ".join(ends)


def _set_places(
    places: Sequence[Narrow], store: Store, scales: Sequence[SettingScale], *, every: int
) -> None:
    """Set where every n-th trial is on each scale, some at a time; the plan tells it."""
    plan = store.plan
    size = plan.settings.chunk
    for batch in plan.batches():
        first, stop = batch * size, min((batch + 1) * size, plan.trials)
        rows = slice(-(-first // every), -(-stop // every))
        if plan.settings.search == "guided":
            columns = _columns_of_rows(store, batch)
        elif plan.settings.search == "grid":
            columns = plan.columns_of(np.arange(rows.start, rows.stop) * every)
        else:
            columns = subset(plan.columns(batch), np.arange(-first % every, stop - first, every))
        for own, scale, one in zip(places, scales, plan.axes, strict=True):
            if columns:
                own[rows] = _place(columns[one.key], scale)


def _columns_of_rows(store: Store, chunk: int) -> Columns:
    """Return the settings of a guided search's chunk; none where it is not done yet."""
    if not store.path(chunk).exists():
        return {}
    table = store.part(chunk, store.plan.keys)
    return {key: column_of(table[key].to_pylist()) for key in store.plan.keys}


def _place(column: Column, scale: SettingScale) -> Integers:
    if scale.edges:
        bins = np.searchsorted(scale.edges, column.array(), side="right") - 1
        return np.asarray(np.clip(bins, 0, len(scale.labels) - 1), np.int64)
    labels = {label: place for place, label in reversed(list(enumerate(scale.labels)))}
    found = np.array([labels[str(value)] for value in column.values], np.int64)
    return np.asarray(found[column.codes], np.int64)
