"""Placebos within strata: enumeration, and markets whose times or trends make the effect."""

import itertools
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.signal
import scipy.stats

from backtests.analysis import matched_placebo as strata_module
from backtests.analysis.episodes import Episodes
from backtests.analysis.event_effects import Outcomes, Placement, effect_against_random, outcomes
from backtests.analysis.forward_returns import AssetPrices
from backtests.analysis.matched_placebo import (
    FEWEST_IN_CELL,
    UNKNOWN,
    StratifiedOutcomes,
    halving_eras,
    least_without_one,
    market_states,
    stratified_p_value,
    stratified_starts,
    trailing_state,
)
from feeds.arrays import DAY_IN_NANOSECONDS

GAP = 20
HORIZON = 20
PLACEMENT = Placement(gap=GAP, draws=199)
MARKETS = 300


def episodes_of(starts: np.ndarray, *, span: int = 3) -> Episodes:
    starts = np.sort(starts)
    return Episodes(starts, starts + span, np.full(starts.size, 2))


def group_of(values: np.ndarray, starts: np.ndarray, strata: np.ndarray) -> StratifiedOutcomes:
    sample = outcomes(values, episodes_of(starts))
    return StratifiedOutcomes(sample, strata[sample.sessions])


def asset_of(returns: np.ndarray) -> AssetPrices:
    """Return a coin that trades every day, opening at the growth (log) so far."""
    level = np.exp(np.concatenate(([0.0], np.cumsum(returns))))[:, np.newaxis]
    trades = np.ones(level.shape, np.bool_)
    trades[-1] = False
    return AssetPrices("A", np.arange(level.size) * DAY_IN_NANOSECONDS, level, level, trades)


def growth_ahead(returns: np.ndarray) -> np.ndarray:
    level = np.concatenate(([0.0], np.cumsum(returns)))
    return np.append(level[HORIZON:] - level[:-HORIZON], np.full(HORIZON, np.nan))


def random_events(rng: np.random.Generator, sessions: np.ndarray, *, count: int = 5) -> np.ndarray:
    """Return sessions further apart than the gap, every such choice equally likely."""
    while True:
        starts = np.sort(rng.choice(sessions, count, replace=False))
        if (np.diff(starts) > GAP + 3).all():
            return starts


def p_values(group: StratifiedOutcomes) -> tuple[float, float]:
    """Return p against all dates and within the strata."""
    everywhere = effect_against_random(group.sample, placement=PLACEMENT).p_value
    return everywhere, stratified_p_value(group, placement=PLACEMENT, key=(1,))


def shares_rejected(found: list[tuple[float, float]]) -> tuple[float, float]:
    return tuple((np.array(found) <= 0.05).mean(axis=0))


@pytest.mark.parametrize("rounds", [0, 20])
@pytest.mark.parametrize(
    ("sessions", "real", "spans", "gap"),
    [
        (14, [0, 4, 9], [0, 0, 0], 1),
        (14, [0, 4, 9], [2, 0, 1], 1),
        # so tight that few fit when drawn
        (21, [0, 4, 10, 16], [0, 2, 0, 3], 3),
    ],
)
def test_every_arrangement_within_the_strata_is_drawn_equally_often(
    monkeypatch: pytest.MonkeyPatch,
    sessions: int,
    real: list[int],
    spans: list[int],
    gap: int,
    rounds: int,
) -> None:
    # without rounds of drawing again, all that did not fit at first is moved from the real one
    monkeypatch.setattr(strata_module, "_ROUNDS", rounds)
    monkeypatch.setattr(strata_module, "_SWEEPS", 400 if gap == 3 else 50)
    strata = np.arange(sessions) * 2 // sessions
    starts = np.array(real)
    sample = Outcomes(
        np.zeros(sessions), starts, np.array(spans), np.arange(starts.size), np.arange(sessions)
    )
    rng = np.random.default_rng(1)
    group = StratifiedOutcomes(sample, strata)
    drawn = stratified_starts(group, gap=gap, draws=8_000, rng=rng)
    pools = [np.flatnonzero(strata == strata[start]) for start in real]
    allowed = {
        tuple(map(int, each))
        for each in itertools.product(*pools)
        if keeps_distance(each, spans, gap)
    }
    counts = Counter(map(tuple, drawn.tolist()))
    assert len(allowed) > 20
    assert set(counts) == allowed
    assert scipy.stats.chisquare(list(counts.values())).pvalue > 0.001


def keeps_distance(starts: tuple[int, ...], spans: list[int], gap: int) -> bool:
    placed = sorted(zip(starts, spans, strict=True))
    return all(
        later - start - span > gap for (start, span), (later, _) in itertools.pairwise(placed)
    )


def test_distance_counts_sessions_and_not_only_eligible_ones() -> None:
    values = np.zeros(300)
    values[50:250] = np.nan
    group = group_of(values, np.array([10, 260]), np.zeros(300, int))
    drawn = stratified_starts(group, gap=200, draws=500, rng=np.random.default_rng(2))
    assert np.abs(np.diff(group.sample.sessions[drawn], axis=1)).min() > 200


def test_strata_without_room_have_no_p_value() -> None:
    values = np.random.default_rng(3).normal(size=400)
    starts = np.array([50, 150])
    alone = np.arange(400)  # each session is a stratum of its own: nothing can move
    assert math.isnan(
        stratified_p_value(group_of(values, starts, alone), placement=PLACEMENT, key=())
    )
    close = group_of(values, np.array([50, 52]), np.zeros(400, int))
    wide = replace(PLACEMENT, gap=500)
    assert math.isnan(stratified_p_value(close, placement=wide, key=()))
    none = group_of(values, np.array([], int), np.zeros(400, int))
    assert math.isnan(stratified_p_value(none, placement=PLACEMENT, key=()))


def test_same_seed_gives_the_same_p_value_and_another_one_another() -> None:
    rng = np.random.default_rng(4)
    group = group_of(rng.normal(size=600), np.array([50, 250, 450]), np.arange(600) // 200)
    first, again = (stratified_p_value(group, placement=PLACEMENT, key=(7,)) for _ in range(2))
    other = stratified_p_value(group, placement=replace(PLACEMENT, seed=9), key=(7,))
    assert first == again != other


def test_era_begins_on_the_day_of_the_halving() -> None:
    days = ["2010-07-17", "2012-11-27", "2012-11-28", "2016-07-08", "2020-05-11", "2026-01-02"]
    assert halving_eras(pd.DatetimeIndex(days)).tolist() == [0, 0, 1, 1, 3, 4]


def test_state_is_the_growth_and_volatility_of_the_days_before() -> None:
    returns = np.concatenate((np.full(100, 0.01), np.tile([0.05, -0.05], 100)))
    trend, volatility = trailing_state(asset_of(returns), np.array([89, 90, 100, 250]))
    assert np.isnan([trend[0], volatility[0]]).all()
    assert trend[1:] == pytest.approx([0.9, 0.9, 0.0])
    assert volatility[1:] == pytest.approx([0.01, 0.01, 0.05])


def test_state_knows_nothing_of_prices_after_the_entry() -> None:
    rng = np.random.default_rng(5)
    returns = rng.normal(0, 0.04, 1000)
    changed = np.append(returns[:600], rng.normal(0.02, 0.1, 400))
    entries = np.arange(601)
    before, after = (trailing_state(asset_of(each), entries) for each in (returns, changed))
    np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(
        *(market_states(asset_of(each), entries) for each in (returns, changed))
    )


def test_cells_are_large_enough_and_young_coins_stand_apart() -> None:
    rng = np.random.default_rng(6)
    returns = rng.normal(0, np.repeat(rng.uniform(0.01, 0.08, 20), 150))
    cells = market_states(asset_of(returns), np.arange(3000))
    numbers, sizes = np.unique(cells, return_counts=True)
    assert numbers[0] == UNKNOWN
    assert (cells[:90] == UNKNOWN).all()
    assert (cells[90:] != UNKNOWN).all()
    assert 4 <= numbers.size - 1 <= 9
    assert sizes[1:].min() >= FEWEST_IN_CELL
    # with too few sessions for thirds of thirds, thirds of the trend are left
    few = market_states(asset_of(returns[:800]), np.arange(800))
    assert set(few.tolist()) == {UNKNOWN, 0, 3, 6}


@pytest.mark.parametrize("kind", ["era", "matched", "difference"])
def test_p_within_strata_is_uniform_without_an_effect(kind: str) -> None:
    rng = np.random.default_rng(7)
    found = []
    for _ in range(MARKETS):
        drifts = np.repeat(rng.normal(0.001, 0.004, 4), 350)
        returns = rng.normal(drifts, 0.03)
        values = growth_ahead(returns)
        entries = np.arange(values.size)
        states = market_states(asset_of(returns), entries)
        strata = states if kind == "matched" else np.minimum(entries // 350, 3)
        groups = [
            group_of(values, random_events(rng, np.arange(1350)), strata)
            for _ in range(2 if kind == "difference" else 1)
        ]
        found.append(stratified_p_value(*groups, placement=PLACEMENT, key=(1,)))
    assert scipy.stats.kstest(found, "uniform").pvalue > 0.01


def test_events_of_an_early_era_that_grew_fast_fool_all_dates_and_not_the_era() -> None:
    rng = np.random.default_rng(8)
    found = []
    for _ in range(MARKETS):
        returns = rng.normal(np.repeat([0.009, 0.001, 0.0, 0.0], 350), 0.03)
        values, eras = growth_ahead(returns), np.minimum(np.arange(1401) // 350, 3)
        early = random_events(rng, np.arange(350), count=4)
        found.append(p_values(group_of(values, np.append(early, 900), eras)))
    everywhere, within = shares_rejected(found)
    assert everywhere > 0.25
    assert within == pytest.approx(0.05, abs=0.035)


def test_events_of_uptrends_fool_all_dates_and_not_those_of_the_same_state() -> None:
    rng = np.random.default_rng(9)
    found = []
    for _ in range(MARKETS):
        slow = scipy.signal.lfilter([1.0], [1.0, -0.99], rng.normal(0, 0.001, 1600))
        returns = slow + rng.normal(0, 0.02, 1600)
        values, entries = growth_ahead(returns), np.arange(1601)
        known = np.flatnonzero(np.isfinite(values))
        cells = np.full(entries.size, UNKNOWN)
        cells[known] = market_states(asset_of(returns), known)
        rising = np.flatnonzero(cells >= 6)
        found.append(p_values(group_of(values, random_events(rng, rising), cells)))
    everywhere, within = shares_rejected(found)
    assert everywhere > 0.25
    assert within == pytest.approx(0.05, abs=0.035)


def test_planted_effect_is_found_within_strata() -> None:
    rng = np.random.default_rng(10)
    values, eras = rng.normal(0, 0.1, 1200), np.arange(1200) // 400
    starts = random_events(rng, np.arange(1200))
    values[starts] += 0.3
    assert max(p_values(group_of(values, starts, eras))) < 0.03


def test_least_effect_without_one_equals_leaving_each_out_in_turn() -> None:
    rng = np.random.default_rng(6)
    values, strata = rng.normal(size=600), np.arange(600) // 200
    groups = [group_of(values, np.array(own), strata) for own in ([20, 250, 520], [90, 330])]

    def beyond(group: StratifiedOutcomes, *, but: int = -1) -> float:
        starts = np.delete(group.sample.starts, but) if but >= 0 else group.sample.starts
        centres = [values[strata == strata[start]].mean() for start in starts]
        return float((values[starts] - centres).mean())

    first, second = groups
    alone = [beyond(first, but=row) for row in range(3)]
    assert least_without_one(first) == pytest.approx(min(alone))
    less = [one - beyond(second) for one in alone]
    less += [beyond(first) - beyond(second, but=row) for row in range(2)]
    assert least_without_one(first, second) == pytest.approx(min(less))
    single = group_of(values, np.array([20]), strata)
    assert math.isnan(least_without_one(single))
