"""What a stretch of a series adds to a resample, looked up and not gone through bar by bar.

The sum over a stretch is the difference of two sums from the first bar on. Its highest and lowest
level and its deepest fall come from a table of halves (a disjoint sparse table): the bars are cut
in two, each half in two again and so on, and for each bar and cut is kept what lies between the
two. Any stretch is the end of one half and the beginning of the next, so two entries tell it.
"""

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
