"""Harder placebos: random dates that resemble the real ones, so that the times are not the effect.

A coin's early years grew fastest, and an event that falls into rising markets is followed by
what rising markets do. Random dates from the whole history credit both to the event. Here each
episode moves only among dates like its own: of the same four-year era, or with the coin's same
trailing trend and volatility. If within these the event tells nothing, p is evenly spread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.analysis.event_effects import Outcomes, Placement
from backtests.analysis.forward_returns import AssetPrices
from backtests.analysis.placebo import drawn_means, p_value
from feeds.arrays import DAY_IN_NANOSECONDS, Flags, Floats, Integers

# UTC dates of blocks 210,000, 420,000, 630,000 and 840,000, at which Bitcoin's reward per block
# halves (bitcoin/bitcoin, src/chainparams.cpp: nSubsidyHalvingInterval = 210000)
HALVINGS: Final = ("2012-11-28", "2016-07-09", "2020-05-11", "2024-04-20")
TRAILING_DAYS: Final = 90
# a year of sessions: fewer are a few weeks of the same market, not a variety to draw from
FEWEST_IN_CELL: Final = 250
UNKNOWN: Final = -1

_ROUNDS: Final = 100  # of drawing again what stands too close, at most
_WORTHWHILE: Final = 0.02  # share that must fit in a round of many for another one
_MANY: Final = 100
_SWEEPS: Final = 50  # of moving each episode in turn, where that was not enough
_AT_ONCE: Final = 512  # draws that are moved together: they stay close to the processor

Sessions = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class StratifiedOutcomes:
    """Outcomes with the stratum of every eligible session, shape (eligible sessions,)."""

    sample: Outcomes
    strata: Integers


def halving_eras(sessions: pd.DatetimeIndex) -> Integers:
    """Return how many halvings lie before or on each session, shape (sessions,)."""
    halvings = pd.DatetimeIndex(HALVINGS)
    return np.asarray(halvings.searchsorted(sessions, side="right"), np.int64)


def market_states(asset: AssetPrices, entries: Integers) -> Integers:
    """Return the cell of trend and volatility the coin was in at each entry, shape (entries,).

    Terciles of the log growth of the `TRAILING_DAYS` before the entry's open, times terciles of
    its volatility; the cut points are those of all entries given. Within one tercile of the
    trend, cells of fewer than `FEWEST_IN_CELL` join the smaller of their neighbours by
    volatility, the smallest first. `UNKNOWN` is a cell of its own: the coin's first days.
    """
    trend, volatility = trailing_state(asset, entries)
    known = np.isfinite(trend)
    cells = np.full(entries.size, UNKNOWN)
    by_trend, by_volatility = _terciles(trend[known]), _terciles(volatility[known])
    cells[known] = 3 * by_trend + _join_small(by_trend, by_volatility)
    return cells


def trailing_state(
    asset: AssetPrices, entries: Integers, *, days: int = TRAILING_DAYS
) -> tuple[Floats, Floats]:
    """Return log growth and root mean square log return per day of the `days` before each entry.

    Only prices up to the entry's open count. A basket is rebalanced at every instant among the
    members that trade. NaN where the coin is younger than `days`.
    """
    steps, known = _log_steps(asset)
    level, squares = (np.concatenate(([0.0], np.cumsum(each))) for each in (steps, steps**2))
    since = asset.times[entries] - days * DAY_IN_NANOSECONDS
    begin = np.searchsorted(asset.times, since, side="left")
    first = asset.times[known.argmax()] if known.any() else np.iinfo(np.int64).max
    old_enough = since >= first
    trend = np.where(old_enough, level[entries] - level[begin], np.nan)
    # a difference of two sums may fall below zero by rounding
    spread = np.maximum(squares[entries] - squares[begin], 0.0) / days
    return trend, np.where(old_enough, np.sqrt(spread), np.nan)


def stratified_p_value(
    *groups: StratifiedOutcomes, placement: Placement, key: tuple[int, ...]
) -> float:
    """Return p of the mean of one group, or of the difference of two, against their own strata.

    NaN where a group has no episode, or no arrangement within its strata but the real one.
    """
    drawn = stratified_draws(*groups, placement=placement, key=key)
    return p_value(statistic_of(groups), drawn, alternative=placement.alternative)


def statistic_of(groups: Sequence[StratifiedOutcomes]) -> float:
    """Return the mean of one group's episodes, or the first group's less the second's."""
    means = [float(group.sample.own.mean()) for group in groups if group.sample.starts.size]
    if len(means) < len(groups):
        return np.nan
    return means[0] - sum(means[1:])


def stratified_draws(
    *groups: StratifiedOutcomes, placement: Placement, key: tuple[int, ...]
) -> Floats:
    """Return the same statistic of random episodes within the strata, shape (draws,).

    Empty where a group has no episode, or no arrangement within its strata but the real one.
    """
    drawn = [
        drawn_means(group.sample.values, _random_places(group, placement, (*key, place)))
        for place, group in enumerate(groups)
    ]
    fitting = min(one.size for one in drawn)
    signs = np.array([1.0, -1.0])[: len(groups)]
    return np.asarray(signs @ np.array([one[:fitting] for one in drawn]))


def least_without_one(*groups: StratifiedOutcomes) -> float:
    """Return the smallest effect beyond the means of the strata when any one episode is left out.

    NaN where there is none to leave out.
    """
    beyond = [_beyond_strata(group) for group in groups]
    whole = [float(one.mean()) if one.size else np.nan for one in beyond]
    effects = []
    for place, (one, sign) in enumerate(zip(beyond, (1.0, -1.0), strict=False)):
        if one.size > 1:
            without = sign * (one.sum() - one) / (one.size - 1)
            other = -sign * whole[1 - place] if len(groups) > 1 else 0.0
            effects.append(float(without.min()) + other)
    return min(effects, default=np.nan)


def stratified_starts(
    group: StratifiedOutcomes, *, gap: int, draws: int, rng: np.random.Generator
) -> Integers:
    """Return random episodes, each on a session of its own stratum, shape (draws, episodes).

    They are places among the eligible sessions and in the order of the real episodes, which
    keep their inner lengths: a later one starts more than `gap` sessions after the last event
    of an earlier one. Every admissible arrangement is equally likely: drawn at random and drawn
    again while it does not fit. Where that seldom helps (tight strata), what is left starts as
    the real arrangement and moves one episode at a time wherever it fits (Metropolis, whose
    moves are symmetric and so keep all arrangements equally likely).

    Returns
    -------
    Shape (0, episodes) if none is found.
    """
    sample, pools = group.sample, _Pools.of(group)
    starts = pools.draw(draws, rng)
    failed = np.flatnonzero(~_fits(starts, sample, gap))
    for _ in range(_ROUNDS):
        tried = failed.size
        starts[failed] = pools.draw(tried, rng)
        failed = failed[~_fits(starts[failed], sample, gap)]
        if failed.size == 0 or (tried > _MANY and tried - failed.size <= _WORTHWHILE * tried):
            break
    if failed.size == 0 or _fits(sample.starts[np.newaxis], sample, gap)[0]:
        starts[failed] = _move_all(pools, sample, gap, failed.size, rng)
        return starts
    return np.delete(starts, failed, axis=0)


@dataclass(frozen=True, slots=True)
class _Pools:
    """The eligible sessions sorted by stratum, and where each episode's own begin and end."""

    ordered: Integers
    begin: Integers
    size: Integers

    @classmethod
    def of(cls, group: StratifiedOutcomes) -> "_Pools":
        order = np.argsort(group.strata, kind="stable")
        own = group.strata[group.sample.starts]
        begin, end = (
            np.searchsorted(group.strata[order], own, side=side) for side in ("left", "right")
        )
        return cls(order, begin, end - begin)

    def draw(self, rows: int, rng: np.random.Generator) -> Integers:
        """Return a random session of each episode's stratum, shape (rows, episodes)."""
        picks = rng.integers(0, self.size, (rows, self.size.size))
        return np.asarray(self.ordered[self.begin + picks])


def _beyond_strata(group: StratifiedOutcomes) -> Floats:
    """Return each episode's value less the mean of its stratum, shape (episodes,)."""
    sample = group.sample
    means = [
        sample.values[group.strata == own].mean() for own in group.strata[sample.starts].tolist()
    ]
    return sample.own - np.array(means, np.float64)


def _random_places(
    group: StratifiedOutcomes, placement: Placement, key: tuple[int, ...]
) -> Integers:
    sample = group.sample
    if sample.starts.size == 0:
        return np.empty((0, 0), np.int64)
    rng = placement.rng(*key, sample.starts.size)
    starts = stratified_starts(group, gap=placement.gap, draws=placement.draws, rng=rng)
    # where nothing can move there is nothing to compare with
    return starts[:0] if (starts == sample.starts).all() else starts


def _fits(starts: Integers, sample: Outcomes, gap: int) -> Flags:
    """Return whether the episodes of each row keep their distance, shape (rows,)."""
    # an episode as one number, its place first: sorted in one go, with its length
    bits = int(sample.spans.max(initial=0)).bit_length()
    placed = np.sort((sample.sessions << bits)[starts] | sample.spans, axis=1)
    ends = placed[:, :-1] + ((placed[:, :-1] & ((1 << bits) - 1)) << bits)
    return np.asarray(((placed[:, 1:] >> bits) - (ends >> bits) > gap).all(axis=1))


def _move_all(
    pools: _Pools, sample: Outcomes, gap: int, rows: int, rng: np.random.Generator
) -> Integers:
    """Return arrangements far from the real one by moves that fit, shape (rows, episodes).

    In a sweep each episode in turn moves within its stratum, then two of one stratum change
    places or not, without which their inner lengths would keep their order in time.
    """
    starts = np.repeat(sample.starts[:, np.newaxis], rows, axis=1)
    if rows == 0:
        return starts.T
    sessions, reach = sample.sessions.astype(np.int32), (sample.spans + gap).astype(np.int32)
    for _ in range(_SWEEPS):
        proposed = pools.draw(rows, rng).T
        pair = rng.choice(np.flatnonzero(pools.begin == rng.choice(pools.begin)), 2)
        swapping = rng.random(rows) < 0.5
        for first in range(0, rows, _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            own, places = starts[:, some], sessions[starts[:, some]]
            for number, start in enumerate(proposed[:, some]):
                place = sessions[start]
                moving = _keeps_distance(number, place, places, reach)
                np.copyto(own[number], start, where=moving)
                np.copyto(places[number], place, where=moving)
            places[pair], fitting = places[pair[::-1]], swapping[some].copy()
            for number in pair:
                fitting &= _keeps_distance(number, places[number], places, reach)
            own[pair] = np.where(fitting, own[pair[::-1]], own[pair])
    return starts.T


def _keeps_distance(own: int, place: Sessions, places: Sessions, reach: Sessions) -> Flags:
    """Return whether an episode at `place` is far enough from all others, shape (rows,).

    Too near is from its own `reach` before another to that one's behind it: of numbers without
    a sign, which start again below 0, one comparison tells both.
    """
    behind = (place + reach[own] - places).view(np.uint32)
    fitting = behind > (reach + reach[own]).view(np.uint32)[:, np.newaxis]
    fitting[own] = True
    return np.asarray(fitting.all(axis=0))


def _log_steps(asset: AssetPrices) -> tuple[Floats, Flags]:
    """Return the log of the mean ratio of each price to the one before, 0 where none is known."""
    held = np.where(asset.trades[:-1], asset.prices[:-1], np.nan)
    ratios = asset.prices[1:] / held
    known = np.isfinite(ratios)
    count = known.sum(axis=1)
    means = np.where(known, ratios, 0.0).sum(axis=1) / np.maximum(count, 1)
    return np.log(np.where(count > 0, means, 1.0)), count > 0


def _terciles(values: Floats) -> Integers:
    """Return 0, 1 or 2 for each value by the thirds of all of them."""
    if values.size == 0:
        return np.empty(0, np.int64)
    return np.searchsorted(np.quantile(values, [1 / 3, 2 / 3]), values, side="left")


def _join_small(by_trend: Integers, by_volatility: Integers) -> Integers:
    """Return the terciles of volatility, those too small joined with a neighbour per trend."""
    joined = by_volatility.copy()
    for trend in range(3):
        own = by_trend == trend
        groups = [np.flatnonzero(own & (by_volatility == third)) for third in range(3)]
        while len(groups) > 1:
            smallest = min(range(len(groups)), key=lambda place: groups[place].size)
            if groups[smallest].size >= FEWEST_IN_CELL:
                break
            near = [place for place in (smallest - 1, smallest + 1) if 0 <= place < len(groups)]
            other = min(near, key=lambda place: groups[place].size)
            low, high = sorted((smallest, other))
            groups[low : high + 1] = [np.concatenate((groups[low], groups[high]))]
        for number, rows in enumerate(groups):
            joined[rows] = number
    return joined
