"""What the stationary bootstrap draws, and the figures of each draw.

A draw is a row of blocks of the same bars, some hundred bars each: what a block adds to a figure is
looked up (`bootstrap_blocks`), and one pass over the blocks joins them. Where blocks are short,
and in the few draws where sums have lost their digits, figures come from the bars themselves.

Sums in another order differ in their last digits, by less than 1e-12 of the whole.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from backtests.analysis.bootstrap_blocks import (
    PathTable,
    Stretches,
    path_table,
    stretches_in_circle,
    sums_before,
)
from backtests.analysis.metrics import ROUNDING
from feeds.arrays import Flags, Floats, Integers

FIGURES: Final = ("cagr", "sharpe_ratio", "max_drawdown")

# rows of draws times bars drawn at once: to change it is to draw others
_CELLS_AT_ONCE: Final = 200_000
# blocks looked up at once
_BLOCKS_AT_ONCE: Final = 20_000
# blocks of fewer bars take longer to look up than their bars to go through
_SHORT_BLOCK: Final = 6.0
# a draw with less than this share of all squares has lost digits to what it left out
_LEAST_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class ReturnSeries:
    """Series to resample together, shape (series, bars), and what turns sums into figures.

    `excess` is what each bar earned over cash and `growth` the log of what it multiplied equity
    by. `counts` has 1 for a bar whose excess counts, shape (bars,); others have an excess of 0.
    """

    excess: Floats
    growth: Floats
    counts: Floats
    years: float
    periods_per_year: float


@dataclass(frozen=True, slots=True)
class BlockDraws:
    """Blocks of bars in the order drawn, shape (blocks,); draws of `size` bars one by one.

    `starts` are positions of bars, `begins` where a block begins among all bars drawn. A block
    ends with its draw, and goes on at the first bar after the last.
    """

    starts: Integers
    begins: Integers
    draws: int
    size: int

    @property
    def lengths(self) -> Integers:
        """Bars of each block."""
        return np.diff(self.begins, append=self.draws * self.size)

    @property
    def firsts(self) -> Integers:
        """The first block of each draw, shape (draws,)."""
        return np.searchsorted(self.begins, np.arange(self.draws) * self.size)

    def positions(self, rows: Integers | None = None) -> Integers:
        """Return the position of every bar of the draws at `rows`, or of all: (draws, size)."""
        starts, lengths = self.starts, self.lengths
        if rows is not None:
            chosen = np.isin(self.begins // self.size, rows)
            starts, lengths = starts[chosen], lengths[chosen]
        found = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
        found += np.arange(found.size)
        found %= self.size
        return found.reshape(-1, self.size)


def stationary_blocks(
    size: int, *, block: float, draws: int, rng: np.random.Generator
) -> BlockDraws:
    """Return blocks of the stationary bootstrap, as many as `draws` rows of `size` bars take.

    Block lengths are geometric with mean `block`, starts uniform. One long sequence of
    blocks is cut at every `size` positions: a geometric length has no memory, so a block cut
    at a row's end leaves the next row to begin afresh with a length of the same law.
    """
    total = draws * size
    expected = total / block
    count = int(expected + 6 * math.sqrt(expected) + 16)
    ends = np.cumsum(rng.geometric(1 / block, count))
    while ends[-1] < total:
        ends = np.concatenate((ends, ends[-1] + np.cumsum(rng.geometric(1 / block, count))))
    is_begin = np.zeros(total, np.bool_)
    is_begin[ends[ends < total]] = True
    is_begin[::size] = True
    begins = np.flatnonzero(is_begin)
    return BlockDraws(rng.integers(0, size, begins.size), begins, draws, size)


def stationary_indices(
    size: int, *, block: float, draws: int, rng: np.random.Generator
) -> Integers:
    """Return positions of the stationary bootstrap, shape (draws, size)."""
    return stationary_blocks(size, block=block, draws=draws, rng=rng).positions()


def figures_of_bars(series: ReturnSeries) -> Floats:
    """Return `FIGURES` of the bars in their own order, shape (figures, series)."""
    every = np.arange(series.counts.size)[np.newaxis, :]
    return _of_positions(series, every)[:, :, 0]


def figures_of_draws(series: ReturnSeries, *, block: float, draws: int, seed: int) -> Floats:
    """Return `FIGURES` of every draw, shape (figures, series, draws)."""
    parts = _parts(series.counts.size, block=block, draws=draws, rng=np.random.default_rng(seed))
    if block < _SHORT_BLOCK:
        return np.concatenate([_of_positions(series, own.positions()) for own in parts], axis=2)
    batches = list(_batches(parts))
    laid = [
        stretches_in_circle(own.starts, own.lengths, own.firsts, size=own.size) for own in batches
    ]
    rows = range(len(series.excess))
    return np.stack([_of_blocks(series, row, batches, laid) for row in rows], axis=1)


def _parts(
    size: int, *, block: float, draws: int, rng: np.random.Generator
) -> Iterator[BlockDraws]:
    for rows in _portions(draws, size):
        yield stationary_blocks(size, block=block, draws=rows, rng=rng)


def _portions(draws: int, size: int) -> Iterator[int]:
    rows = max(1, _CELLS_AT_ONCE // size)
    for begin in range(0, draws, rows):
        yield min(rows, draws - begin)


def _batches(parts: Iterable[BlockDraws]) -> Iterator[BlockDraws]:
    """Yield the parts joined, as many as have some `_BLOCKS_AT_ONCE` blocks."""
    held: list[BlockDraws] = []
    for part in parts:
        held.append(part)
        if sum(each.starts.size for each in held) >= _BLOCKS_AT_ONCE:
            yield _join(held)
            held = []
    if held:
        yield _join(held)


def _join(parts: Sequence[BlockDraws]) -> BlockDraws:
    before = itertools.accumulate((each.draws * each.size for each in parts), initial=0)
    return BlockDraws(
        starts=np.concatenate([each.starts for each in parts]),
        begins=np.concatenate([each.begins + at for each, at in zip(parts, before, strict=False)]),
        draws=sum(each.draws for each in parts),
        size=parts[0].size,
    )


def _of_blocks(
    series: ReturnSeries, row: int, batches: Sequence[BlockDraws], laid: Sequence[Stretches]
) -> Floats:
    """Return `FIGURES` of one series, shape (figures, draws)."""
    lookup = _Lookup.of(series, row)
    parts = []
    for drawn, own in zip(batches, laid, strict=True):
        figures, is_doubtful = lookup.figures(own, series)
        doubtful = np.flatnonzero(is_doubtful)
        at_once = max(1, _CELLS_AT_ONCE // drawn.size)
        for begin in range(0, doubtful.size, at_once):
            some = doubtful[begin : begin + at_once]
            room = np.empty((3, some.size, drawn.size))
            figures[:, some] = _bar_by_bar(series, row, drawn.positions(some), room=room)
        parts.append(figures)
    return np.concatenate(parts, axis=1)


@dataclass(frozen=True, slots=True)
class _Lookup:
    """Sums before each node, and the path of log equity, of one series.

    `undefined` counts bars of a total loss, or NaN: their sums would undo all that follow.
    """

    counts: Floats
    excess: Floats
    squares: Floats
    undefined: Floats
    growth: PathTable

    @classmethod
    def of(cls, series: ReturnSeries, row: int) -> "_Lookup":
        excess, growth = series.excess[row], series.growth[row]
        undefined = ~np.isfinite(excess + growth)
        excess, growth = np.where(undefined, 0.0, excess), np.where(undefined, 0.0, growth)
        return cls(
            counts=sums_before(series.counts),
            excess=sums_before(excess),
            squares=sums_before(excess**2),
            undefined=sums_before(undefined),
            growth=path_table(growth),
        )

    def figures(self, own: Stretches, series: ReturnSeries) -> tuple[Floats, Flags]:
        """Return `FIGURES` of each draw, and whether they are to be told by its bars instead."""
        counted, squares = own.totals(self.counts), own.totals(self.squares)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = own.totals(self.excess) / counted
            variance = (squares - counted * mean**2) / (counted - 1)
            figures = _figures(*self.growth.ends_and_falls(own), mean, variance, series)
        is_small = squares < _LEAST_SHARE * self.squares[-1]
        is_undefined = own.totals(self.undefined) > 0
        return figures, _is_doubtful(variance, squares, counted) | is_small | is_undefined


def _of_positions(series: ReturnSeries, positions: Integers) -> Floats:
    # one series after the other in the same memory: what is made anew is slower than all sums
    room = np.empty((3, *positions.shape))
    rows = range(len(series.excess))
    return np.stack([_bar_by_bar(series, row, positions, room=room) for row in rows], axis=1)


def _bar_by_bar(series: ReturnSeries, row: int, positions: Integers, *, room: Floats) -> Floats:
    """Return `FIGURES` of a series' bars at the positions (draws, bars): (figures, draws).

    `room` is memory to work in, shape (3, draws, bars).
    """
    counts, (excess, level, peak) = series.counts, room
    bars = positions.shape[1]
    counted = np.full(len(positions), bars) if counts.all() else counts[positions].sum(axis=1)
    np.take(series.excess[row], positions, out=excess, mode="clip")
    np.take(series.growth[row], positions, out=level, mode="clip")
    with np.errstate(invalid="ignore", divide="ignore"):
        np.cumsum(level, axis=1, out=level)
        np.maximum(np.maximum.accumulate(level, axis=1, out=peak), 0.0, out=peak)
        deepest = np.subtract(level, peak, out=peak).min(axis=1)
        mean, squares = excess.sum(axis=1) / counted, np.einsum("dt,dt->d", excess, excess)
        # raw sums are fast; where they cancel, only the values themselves tell zero from tiny
        variance = (squares - counted * mean**2) / (counted - 1)
        for at in np.flatnonzero(_is_doubtful(variance, squares, counted)):
            own = excess[at]
            variance[at] = np.nan if np.ptp(own) < ROUNDING else np.var(own, ddof=1)
        return _figures(level[:, -1], deepest, mean, variance, series)


def _is_doubtful(variance: Floats, squares: Floats, counted: Floats) -> Flags:
    return np.asarray((variance <= 1e-9 * squares) | (squares < counted * ROUNDING**2))


def _figures(
    grown: Floats, deepest: Floats, mean: Floats, variance: Floats, series: ReturnSeries
) -> Floats:
    """Return `FIGURES` from log growth and log drawdown, mean and variance of the excess."""
    sharpe = mean / np.sqrt(variance) * math.sqrt(series.periods_per_year)
    return np.array([np.expm1(grown / series.years), sharpe, np.expm1(deepest)])
