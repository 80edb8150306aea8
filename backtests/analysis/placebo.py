"""Placebos: the same rule on other dates, so that luck can be seen and counted.

A run's weights are moved in a circle against the coin's returns, by every number of bars:
the same number of trades, the same holding spans and the same time in the market, but at
other times. Events are replaced by random episodes with the same number, the same inner
lengths and the same least distance. Under the null hypothesis that the timing tells nothing
the real arrangement is one more draw, so p = (1 + draws at least as good) / (1 + draws).
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from backtests.analysis.exposure import Exposure
from feeds.arrays import Floats, Integers

Alternative = Literal["greater", "less", "two-sided"]

# up to this many bars every shift is tried; beyond, `draws` of them
ALL_SHIFTS_UP_TO: Final = 10_000
# with few distinct weights, growth at all shifts is a handful of Fourier transforms
_FEW_LEVELS: Final = 16
# as many factors are multiplied before a log is taken, each within a factor of `_FAR` of 1
_FACTORS: Final = 32
_FAR: Final = 1e4
# two sums of the same terms in another order differ by rounding and are a tie
_TIE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class ShiftPlacebo:
    """Log growth of a run and of the same run shifted in time, shape (shifts,).

    `p_value` is the share of arrangements, the run's own included, that grew at least as
    much.
    """

    growth: float
    shifted: Floats
    p_value: float


def p_value(
    actual: float, drawn: Floats, *, alternative: Alternative = "greater", tie: float = _TIE
) -> float:
    """Return (1 + draws at least as extreme) / (1 + draws); NaN without draws or figure.

    Two-sided: twice the smaller tail, at most 1. NaN draws are left out.
    """
    finite = drawn[~np.isnan(drawn)]
    if finite.size == 0 or np.isnan(actual):
        return np.nan
    above = (1 + np.count_nonzero(finite >= actual - tie)) / (1 + finite.size)
    below = (1 + np.count_nonzero(finite <= actual + tie)) / (1 + finite.size)
    tails = {"greater": above, "less": below, "two-sided": min(1.0, 2 * min(above, below))}
    return tails[alternative]


def shift_placebo(exposure: Exposure, *, draws: int = 1_000, seed: int = 0) -> ShiftPlacebo:
    """Return how a run grew against the same weights at every other time.

    Costs are paid wherever the shifted weights change, also at the new beginning. Up to
    `ALL_SHIFTS_UP_TO` bars all shifts are tried and nothing is random.
    """
    bars = exposure.weights.size
    if bars < 2:
        return ShiftPlacebo(np.nan, np.empty(0), np.nan)
    shifts = np.arange(1, bars)
    if bars > ALL_SHIFTS_UP_TO:
        shifts = np.random.default_rng(seed).choice(shifts, min(draws, bars - 1), replace=False)
    growth = _gross_growth(exposure, np.concatenate(([0], shifts)))
    growth += _log_costs(exposure, np.concatenate(([0], shifts)))
    actual = float(growth[0])
    return ShiftPlacebo(actual, growth[1:], p_value(actual, growth[1:]))


def random_episodes(
    *, positions: int, spans: Integers, gap: int, draws: int, rng: np.random.Generator
) -> Integers:
    """Return starts of random episodes, ascending, shape (draws, episodes).

    The episodes' inner lengths come in random order, an episode starts more than `gap`
    positions after the last event of the one before, and given the order every admissible
    arrangement is equally likely.

    Parameters
    ----------
    positions
        How many positions (sessions with a known outcome) there are to choose from.
    spans
        Positions from the first to the last event of each real episode, shape (episodes,).

    Returns
    -------
    Shape (0, episodes) if so many episodes do not fit.
    """
    count = spans.size
    if count == 0:
        return np.empty((0, 0), np.int64)
    order = np.argsort(rng.random((draws, count)), axis=1)
    needed = spans[order] + gap + 1
    before = np.cumsum(needed, axis=1) - needed
    # the last episode only has to begin inside
    room = positions - before[:, -1]
    if room.min() < 1:
        return np.empty((0, count), np.int64)
    return _multisets(room, count, rng) + before


def drawn_means(values: Floats, starts: Integers) -> Floats:
    """Return the mean value over each draw's starts, shape (draws,)."""
    return np.asarray(values[starts].mean(axis=1)) if starts.size else np.empty(0)


def _multisets(room: Integers, count: int, rng: np.random.Generator) -> Integers:
    """Return `count` sorted numbers below `room`, repeats allowed, all multisets equally likely.

    A multiset from m numbers is a subset of m + count - 1 numbers minus 0, 1, 2, ...; the
    subset is Floyd's: in step j a random number up to j, or j itself if it is taken.
    """
    size = room + count - 1
    chosen = np.empty((count, room.size), np.int64)
    for step in range(count):
        highest = size - count + step
        pick = rng.integers(0, highest + 1)
        taken = (chosen[:step] == pick).any(axis=0)
        chosen[step] = np.where(taken, highest, pick)
    return np.sort(chosen.T, axis=1) - np.arange(count)


def _gross_growth(exposure: Exposure, shifts: Integers) -> Floats:
    """Return the log growth before costs with the weights `shifts` bars later."""
    levels = np.unique(exposure.weights)
    if levels.size <= _FEW_LEVELS:
        by_level = [_level_growth(exposure, float(level))[shifts] for level in levels]
        return np.asarray(np.sum(by_level, axis=0))
    # bars without a position earn the same at every shift: only the held ones are moved
    without = _log_growth(0.0, 0.0, exposure.idle_returns).sum()
    added = _added_by_products if _is_far_from_ruin(exposure) else _added_by_logs
    return np.asarray(without + added(exposure, shifts))


def _is_far_from_ruin(exposure: Exposure) -> bool:
    """Return whether no weight on any bar multiplies money by nearly nothing, or by very much."""
    weights = np.array([exposure.weights.min(), exposure.weights.max()])[:, np.newaxis]
    moves = 1 + weights * exposure.coin_returns + (1 - weights) * exposure.idle_returns
    idle = 1 + exposure.idle_returns
    factors = np.concatenate((moves.ravel(), idle))
    return bool(factors.min() > 1 / _FAR and factors.max() < _FAR)


def _added_by_products(exposure: Exposure, shifts: Integers) -> Floats:
    """Return what the held bars add to log growth at each shift: few logs, of many factors."""
    weights, held = exposure.weights, np.flatnonzero(exposure.weights)
    idle = exposure.idle_returns
    extra = np.tile((exposure.coin_returns - idle) / (1 + idle), 2)
    found = np.zeros(shifts.size)
    for at in range(0, held.size, _FACTORS):
        product = np.ones(shifts.size)
        for bar in held[at : at + _FACTORS]:
            # every place is inside: to check it takes longer than to read it
            factor = extra.take(shifts + bar, mode="clip")
            factor *= weights[bar]
            factor += 1
            product *= factor
        found += np.log(product)
    return found


def _added_by_logs(exposure: Exposure, shifts: Integers) -> Floats:
    """Return the same where a total loss is near, whose log has a floor."""
    coin, idle = (np.tile(own, 2) for own in (exposure.coin_returns, exposure.idle_returns))
    without = _log_growth(0.0, 0.0, idle)
    found = np.zeros(shifts.size)
    for bar in np.flatnonzero(exposure.weights):
        at = bar + shifts
        found += _log_growth(float(exposure.weights[bar]), coin[at], idle[at]) - without[at]
    return found


def _level_growth(exposure: Exposure, level: float) -> Floats:
    """Return the log growth earned at one weight, at every shift: a circular correlation."""
    size = exposure.weights.size
    gained = np.fft.rfft(_log_growth(level, exposure.coin_returns, exposure.idle_returns))
    held = np.fft.rfft((exposure.weights == level).astype(np.float64))
    return np.asarray(np.fft.irfft(gained * np.conj(held), size), np.float64)


def _log_growth(
    weights: Floats | float, coin_returns: Floats | float, idle_returns: Floats
) -> Floats:
    gained = weights * coin_returns + (1 - weights) * idle_returns
    # a coin that is gone takes all of a full weight: a finite floor keeps sums comparable
    return np.log(np.maximum(1 + gained, np.finfo(np.float64).tiny))


def _log_costs(exposure: Exposure, shifts: Integers) -> Floats:
    """Return the log of what trading left, at each shift."""
    size = exposure.weights.size
    paid = np.log1p(-exposure.cost * np.minimum(exposure.traded, 1.0))
    seam = np.log1p(-exposure.cost * abs(exposure.weights[0] - exposure.weights[-1]))
    first = (size - shifts) % size
    entry = np.log1p(-exposure.cost * exposure.weights[first])
    moved = paid.sum() - paid[0] - paid[first] + seam + entry
    return np.asarray(np.where(shifts == 0, paid.sum(), moved))
