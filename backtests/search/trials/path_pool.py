"""Paths that outlive the batch they were laid for: the next of the same positions finds them."""

import threading
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backtests.search.trials.position_paths import CLEARED, Paths
from backtests.search.trials.routes import KeptPositions, paths_on

REMEMBERED_PATHS: Final = 2  # of threads that are between two batches


class PathPool:
    """The paths that were laid last, each for one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[tuple[KeptPositions, Paths]] = []

    def take(self, positions: KeptPositions) -> Paths:
        """Return paths of some positions that no other thread has; perhaps some are laid."""
        with self._lock:
            for place, (own, paths) in enumerate(self._idle):
                if are_same(own, positions):
                    del self._idle[place]
                    return paths
            self._idle.clear()  # room for the new ones
        return paths_on(positions)

    def give_back(self, positions: KeptPositions, paths: Paths) -> None:
        """Keep paths for the next batch, unless they needed more room than there is.

        What such a batch finds laid would depend on those before it.
        """
        if paths.state[CLEARED] > 0 or paths.places.size == 0:
            return
        with self._lock:
            self._idle = [*self._idle, (positions, paths)][-REMEMBERED_PATHS:]


def are_same(one: KeptPositions, other: KeptPositions) -> bool:
    """Return whether positions are the same on every bar."""
    return one.bars.upkeep == other.bars.upkeep and all(
        mine is its or np.array_equal(mine, its, equal_nan=mine.dtype.kind == "f")
        for mine, its in zip(_arrays(one), _arrays(other), strict=True)
    )


def _arrays(positions: KeptPositions) -> list[NDArray[Any]]:
    signals, coins, gap_interest = positions.bars.part
    return [*signals, *coins, gap_interest, positions.bars.after_hole, positions.possible]
