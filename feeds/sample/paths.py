"""Simulated days of one month, as heights in its range: 0 is the month's low, 1 its high."""

import math
import zlib
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from feeds.arrays import Floats, Integers

STEPS_PER_DAY: Final = 24

# A month that ran straight from one extreme to the other has no variance by Rogers and
# Satchell; this much keeps days of both signs in it.
LEAST_VARIANCE: Final = 0.02

# How long the three legs of a month take: its length times a factor between these.
LEG_PACE: Final = (0.5, 1.5)


def daily_heights(key: str, *, days: int, start: float, end: float) -> Floats:
    """Return one month's days as heights in the month's range.

    A Brownian bridge runs from `start` over both extremes to `end`, the nearer way round,
    and is reflected at 0 and 1. A day opens where the day before closed.

    Parameters
    ----------
    key
        The only source of randomness: the same key gives the same days.
    days
        Number of days, at least 1.
    start, end
        Heights of the first open and the last close, in [0, 1].

    Returns
    -------
    Open, high, low and close, shape (days, 4), in [0, 1]: the first open is `start`, the
    largest high 1, the smallest low 0 and the last close `end`.
    """
    steps = days * STEPS_PER_DAY
    draws = _uniforms(key, count=steps + 3)
    levels = np.array([start, 0.0, 1.0, end] if end > start else [start, 1.0, 0.0, end])
    anchors = _anchors(levels, steps=steps, draws=draws[:3])
    variance = max((1 - start) * (1 - end) + start * end, LEAST_VARIANCE)
    walk = _walk(draws[3:], variance=variance)
    bridge = walk + np.interp(np.arange(steps + 1), anchors, levels - walk[anchors])
    path = np.abs((bridge + 1) % 2 - 1)
    spans = sliding_window_view(path, STEPS_PER_DAY + 1)[::STEPS_PER_DAY]
    return np.column_stack((spans[:, 0], spans.max(axis=1), spans.min(axis=1), spans[:, -1]))


def _uniforms(key: str, *, count: int) -> Floats:
    # NumPy keeps a bit generator's raw output between versions, but not the numbers
    # `Generator` makes of it; 53 bits are what a float64 in [0, 1) holds.
    raw = np.random.PCG64(zlib.crc32(key.encode())).random_raw(count)
    return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _walk(draws: Floats, *, variance: float) -> Floats:
    # Steps are uniform, of variance 1/3 before scaling: a day's sum of them is near normal.
    steps = (2 * draws - 1) * math.sqrt(3 * variance / draws.size)
    return np.concatenate(([0.0], np.cumsum(steps)))


def _anchors(levels: Floats, *, steps: int, draws: Floats) -> Integers:
    """Return the four steps at which the path stands at `levels`, strictly ascending."""
    slow, quick = LEG_PACE
    legs = np.abs(np.diff(levels)) * (slow + (quick - slow) * draws)
    first, second = np.rint(steps * np.cumsum(legs[:2]) / legs.sum()).astype(np.int64)
    first = min(max(first, 1), steps - 2)
    second = min(max(second, first + 1), steps - 1)
    return np.array([0, first, second, steps])
