"""The blocks of a bootstrap: how long they must be, and what each adds to a resample.

What a stretch adds is looked up and not gone through bar by bar. The sum over it is the difference
of two sums from the first bar on. Its highest and lowest level and its deepest fall come from a
table of halves (a disjoint sparse table): the bars are cut in two, each half in two again and so
on, and for each bar and cut is kept what lies between the two. Any stretch is the end of one half
and the beginning of the next, so two entries tell it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from feeds.arrays import Flags, Floats, Integers


@dataclass(frozen=True, slots=True)
class Stretches:
    """Stretches of bars one after the other, shape (stretches,), in rows that begin afresh.

    A stretch goes from the node before its first bar to the node after its last, of `nodes`
    nodes; node 0 is before the first bar. `level` is where the halves of their table begin,
    `firsts` (rows,) each row's first stretch, and `cells` the place of each stretch in rows
    padded to `width`.
    """

    begin: Integers
    end: Integers
    level: Integers
    firsts: Integers
    cells: Integers
    width: int

    def totals(self, sums: Floats) -> Floats:
        """Return what each row adds up to, by the sums before each node; shape (rows,)."""
        return np.asarray(np.add.reduceat(_at(sums, self.end) - _at(sums, self.begin), self.firsts))

    def in_rows(self, values: Floats) -> Floats:
        """Return a value per stretch in rows, shape (rows, width), 0 after the last."""
        rows = np.zeros((self.firsts.size, self.width))
        rows.ravel()[self.cells] = values
        return rows


def stretches_in_circle(
    starts: Integers, lengths: Integers, firsts: Integers, *, size: int
) -> Stretches:
    """Return blocks that may go past the last of `size` bars, and on at the first, as stretches."""
    is_split = starts + lengths > size
    pieces = 1 + is_split
    own = np.repeat(np.arange(starts.size), pieces)
    begin, end = starts[own], (starts + lengths)[own]
    before = np.cumsum(pieces) - pieces
    split = before[is_split]
    end[split], begin[split + 1] = size, 0
    end[split + 1] -= size
    return _laid_out(begin, end, before[firsts], nodes=_nodes(size))


def _laid_out(begin: Integers, end: Integers, firsts: Integers, *, nodes: int) -> Stretches:
    counts = np.diff(firsts, append=begin.size)
    width = int(counts.max())
    cells = np.arange(begin.size) + np.repeat(np.arange(firsts.size) * width - firsts, counts)
    # the highest bit in which two nodes differ is the cut they lie on either side of
    bits = np.frexp((begin ^ end).astype(np.float64))[1].astype(np.int64) - 1
    return Stretches(begin, end, bits * nodes, firsts, cells, width)


def sums_before(values: Floats | Flags) -> Floats:
    """Return the sum of all values before each node, shape (values + 1,)."""
    return np.concatenate(([0.0], np.cumsum(values)))


@dataclass(frozen=True, slots=True)
class PathTable:
    """A path at each node and its table of halves.

    The table has, for each cut and node, the highest and the lowest level between the two and
    the deepest fall on the way: shape (3, cuts * nodes).
    """

    path: Floats
    highest: Floats
    lowest: Floats
    falls: Floats

    def ends_and_falls(self, own: Stretches) -> tuple[Floats, Floats]:
        """Return how far each row's path goes, and its deepest fall from a peak of 0 or more."""
        one, other = own.level + own.begin, own.level + own.end
        start = _at(self.path, own.begin)
        high, low = _at(self.highest, one), _at(self.lowest, other)
        fall = np.minimum(_at(self.falls, one), _at(self.falls, other))
        fall = own.in_rows(np.minimum(fall, low - high))
        highest = own.in_rows(np.maximum(high, _at(self.highest, other)) - start)
        lowest = own.in_rows(np.minimum(low, _at(self.lowest, one)) - start)
        reached = np.cumsum(own.in_rows(_at(self.path, own.end) - start), axis=1)
        # a stretch counts from where the ones before it ended, and from the peak they left
        highest[:, 1:] += reached[:, :-1]
        lowest[:, 1:] += reached[:, :-1]
        peak = np.maximum(np.maximum.accumulate(highest, axis=1), 0.0)
        lowest[:, 1:] -= peak[:, :-1]
        return reached[:, -1].copy(), np.minimum(lowest, fall).min(axis=1)


def path_table(moves: Floats) -> PathTable:
    """Return the table of a path of these moves, from 0."""
    nodes = _nodes(moves.size)
    path = sums_before(np.concatenate((moves, np.zeros(nodes - 1 - moves.size))))
    cuts = nodes.bit_length() - 1
    table = np.empty((3, cuts, nodes))
    for cut in range(cuts):
        _lay_halves(path.reshape(-1, 2, 1 << cut), table[:, cut].reshape(3, -1, 2, 1 << cut))
    return PathTable(path, *table.reshape(3, -1))


def _lay_halves(path: Floats, table: Floats) -> None:
    """Fill the table of one cut, both seen as (pairs, 2, nodes of a half)."""
    for side, order in ((0, slice(None, None, -1)), (1, slice(None))):
        own, (highest, lowest, falls) = path[:, side, order], table[:, :, side, order]
        np.maximum.accumulate(own, axis=1, out=highest)
        np.minimum.accumulate(own, axis=1, out=lowest)
        # to the left of the cut a fall begins at the node, to the right it ends there
        np.minimum.accumulate(own - highest if side else lowest - own, axis=1, out=falls)


def _nodes(size: int) -> int:
    """Return the power of two that the nodes of so many bars fit into."""
    return 1 << size.bit_length()


def _at(values: Floats, places: Integers) -> Floats:
    # every place is inside: to check it takes longer than to read it
    return values.take(places, mode="clip")


def optimal_block_length(series: Floats) -> float:
    """Return the mean block length that suits a series, in observations, at least 1.

    Politis and White (2004) with the correction of Patton, Politis and White (2009), for
    the stationary bootstrap: b = (2 G^2 / D)^(1/3) n^(1/3), G = sum of lambda(k/m) |k| R(k)
    and D = 2 g(0)^2 over a flat-top window whose width m is twice the lag after which
    autocorrelations stay insignificant. 1 where the series never varies or is too short.
    """
    size = series.size
    if size < 10 or np.ptp(series) == 0:
        return 1.0
    centred = series - series.mean()
    quiet = max(5, int(math.log10(size)))
    widest = math.ceil(math.sqrt(size)) + quiet
    covariance = _autocovariance(centred, widest)
    half_width = _last_significant_lag(centred, covariance, quiet)
    width = min(2 * max(half_width, 1), widest)
    lags = np.arange(1, width + 1)
    flat_top = np.minimum(1.0, 2 * (1 - lags / width))
    slope = 2 * float((flat_top * lags) @ covariance[1 : width + 1])
    level = float(covariance[0] + 2 * (flat_top @ covariance[1 : width + 1]))
    longest = math.ceil(min(3 * math.sqrt(size), size / 3))
    if level == 0:
        return float(longest)
    length = (slope / level) ** 2 * size
    return float(np.clip(length ** (1 / 3), 1.0, longest))


def shared_block_length(series: Mapping[str, Floats]) -> float:
    """Return the longest of the lengths that suit the series and their absolute values.

    Returns hardly correlate from day to day, but their size does: a length chosen from
    returns alone would tear volatility clusters apart and make drawdowns look too shallow.
    """
    lengths = [
        optimal_block_length(values) for own in series.values() for values in (own, np.abs(own))
    ]
    return max(lengths, default=1.0)


def _autocovariance(centred: Floats, widest: int) -> Floats:
    """Return the autocovariances at the lags from 0 to `widest`, all of them by one transform."""
    size = centred.size
    # as many zeros behind that no lag meets the other end
    padded = 1 << (size + widest).bit_length()
    power = np.abs(np.fft.rfft(centred, padded)) ** 2
    return np.asarray(np.fft.irfft(power, padded)[: widest + 1] / size)


def _last_significant_lag(centred: Floats, covariance: Floats, quiet: int) -> int:
    """Return the first lag from which `quiet` autocorrelations in a row are insignificant."""
    size = centred.size
    bound = 2 * math.sqrt(math.log10(size) / size)
    squares = np.concatenate(([0.0], np.cumsum(centred**2)))
    lags = np.arange(covariance.size)
    # both halves are one value shorter than the overlap, as in the authors' own code
    product = (squares[-1] - squares[lags + 1]) * squares[size - lags - 1]
    significant = np.abs(covariance * size) >= bound * np.sqrt(product)
    for lag in range(covariance.size - quiet):
        if not significant[lag : lag + quiet].any():
            return lag
    return covariance.size
