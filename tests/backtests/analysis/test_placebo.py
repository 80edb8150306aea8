"""Oracles: brute force, enumeration, and simulated markets without any effect."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import scipy.stats

from backtests.analysis.episodes import episodes
from backtests.analysis.exposure import Exposure, exposure_matched_returns
from backtests.analysis.placebo import (
    drawn_means,
    p_value,
    random_episodes,
    shift_placebo,
)
from strategies.signals import new_high, prior_high

COST = 0.0015


def spells(rng: np.random.Generator, bars: int, *, count: int, length: int) -> np.ndarray:
    weights = np.zeros(bars)
    for start in rng.integers(0, bars - length, count):
        weights[start : start + length] = 1.0
    return weights


def exposure(weights: np.ndarray, returns: np.ndarray, *, cash_return: float = 0.0) -> Exposure:
    traded = np.abs(np.diff(weights, prepend=0.0))
    return Exposure(weights, traded, returns, np.full(weights.size, cash_return), COST)


def brute_force(weights: np.ndarray, returns: np.ndarray, cash_return: float) -> np.ndarray:
    growth = []
    for shift in range(weights.size):
        moved = np.roll(weights, shift)
        gross = 1 + moved * returns + (1 - moved) * cash_return
        kept = 1 - COST * np.abs(np.diff(moved, prepend=0.0))
        with np.errstate(divide="ignore"):  # a total loss
            growth.append(np.log(gross).sum() + np.log(kept).sum())
    return np.array(growth)


@pytest.mark.parametrize("cash_return", [0.0, 0.0001])
@pytest.mark.parametrize("levels", ["one", "many"])
def test_shifted_growth_equals_brute_force(levels: str, cash_return: float) -> None:
    rng = np.random.default_rng(1)
    weights = spells(rng, 300, count=4, length=30)
    if levels == "many":
        weights *= rng.uniform(0.2, 0.9, 300)
    returns = rng.normal(0, 0.03, 300)
    found = shift_placebo(exposure(weights, returns, cash_return=cash_return))
    expected = brute_force(weights, returns, cash_return)
    assert found.growth == pytest.approx(expected[0], abs=1e-12)
    assert found.shifted == pytest.approx(expected[1:], abs=1e-10)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_position_that_never_changes_is_no_better_than_itself(weight: float) -> None:
    returns = np.random.default_rng(2).normal(0, 0.03, 500)
    found = shift_placebo(exposure(np.full(500, weight), returns))
    # the first bar's purchase is paid once however the year is cut
    assert found.p_value == 1.0


def test_shift_p_values_are_uniform_without_an_effect() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(400):
        calm = np.exp(np.cumsum(rng.normal(0, 0.1, 400)) * 0.3)
        returns = np.clip(rng.normal(0.001, 0.02, 400) * calm / calm.mean(), -0.5, 0.5)
        weights = np.roll(spells(rng, 400, count=4, length=30), rng.integers(400))
        found.append(shift_placebo(exposure(weights, returns)).p_value)
    assert scipy.stats.kstest(found, "uniform").pvalue > 0.01


def test_timing_that_knows_the_future_is_found() -> None:
    rng = np.random.default_rng(4)
    weights = spells(rng, 1500, count=10, length=40)
    returns = rng.normal(0, 0.02, 1500) + 0.004 * weights
    assert shift_placebo(exposure(weights, returns)).p_value < 0.01


def test_a_total_loss_keeps_every_sum_finite() -> None:
    returns = np.zeros(50)
    returns[30] = -1.0
    found = shift_placebo(
        exposure(spells(np.random.default_rng(5), 50, count=1, length=9), returns)
    )
    assert np.isfinite(found.shifted).all()


def test_shifted_growth_with_many_weights_and_a_total_loss_equals_brute_force() -> None:
    rng = np.random.default_rng(6)
    weights = np.where(rng.random(120) < 0.4, rng.uniform(0.2, 1.0, 120), 0.0)
    weights[40] = 1.0
    returns = rng.normal(0, 0.03, 120)
    returns[70] = -1.0
    found = shift_placebo(exposure(weights, returns))
    expected = brute_force(weights, returns, 0.0)
    # only the shift that lays all of the money on that bar loses it all
    lost = np.flatnonzero(found.shifted < -100)
    assert lost.tolist() == [29]
    others = np.delete(np.arange(119), 29)
    assert found.shifted[others] == pytest.approx(expected[1:][others], abs=1e-10)


@pytest.mark.parametrize("bars", [0, 1])
def test_too_few_bars_have_no_placebo(bars: int) -> None:
    assert math.isnan(shift_placebo(exposure(np.ones(bars), np.zeros(bars))).p_value)


def test_exposure_matched_at_full_weight_is_the_coin_after_its_purchase() -> None:
    returns = np.array([0.1, -0.2, 0.3])
    found = exposure_matched_returns(returns, weight=1.0, cost=COST)
    assert found == pytest.approx([1.1 * (1 - COST) - 1, -0.2, 0.3])


def test_exposure_matched_at_half_weight_pays_for_rebalancing() -> None:
    found = exposure_matched_returns(np.array([0.0, 0.2]), weight=0.5, cost=0.01)
    # 0.5 bought; then 0.6 of 1.1 is held where 0.55 is wanted
    traded = 0.6 / 1.1 - 0.5
    assert found == pytest.approx([-0.005, 1.1 * (1 - 0.01 * traded) - 1])


def test_random_episodes_enumerate_every_arrangement_equally_often() -> None:
    rng = np.random.default_rng(6)
    drawn = random_episodes(positions=7, spans=np.zeros(3, int), gap=1, draws=20_000, rng=rng)
    counts = Counter(map(tuple, drawn.tolist()))
    allowed = {starts for starts in itertools.combinations(range(7), 3) if min(np.diff(starts)) > 1}
    assert set(counts) == allowed
    assert scipy.stats.chisquare(list(counts.values())).pvalue > 0.001


def test_random_episodes_keep_inner_lengths_and_distance() -> None:
    spans = np.array([30, 0, 7])
    rng = np.random.default_rng(7)
    drawn = random_episodes(positions=200, spans=spans, gap=20, draws=3000, rng=rng)
    assert drawn.min() >= 0
    assert drawn.max() < 200
    distances = np.diff(drawn, axis=1)
    # each start leaves room for the inner length of whichever episode stands there
    assert distances.min() == 21
    assert (np.sort(distances, axis=1)[:, 1] >= 28).all()


def test_random_episodes_that_do_not_fit_give_no_draws() -> None:
    rng = np.random.default_rng(8)
    drawn = random_episodes(positions=50, spans=np.zeros(3, int), gap=60, draws=100, rng=rng)
    assert drawn.shape == (0, 3)
    assert drawn_means(np.zeros(50), drawn).size == 0


def test_event_p_values_are_uniform_without_an_effect() -> None:
    """An index of its own, a coin of its own with bull and bear years, real record highs."""
    rng = np.random.default_rng(9)
    found = []
    while len(found) < 300:
        index = np.exp(np.cumsum(rng.normal(0.0003, 0.012, 1500)))
        years = np.repeat(rng.normal(0.001, 0.001, 6), 250)
        coin = np.cumsum(rng.normal(years, 0.035))
        forward = coin[60:] - coin[:-60]
        high, _ = prior_high(index, lookback=252)
        own = episodes(np.flatnonzero(new_high(index, prior_high=high)[: forward.size]))
        if len(own) < 2:
            continue
        drawn = random_episodes(
            positions=forward.size, spans=own.ends - own.starts, gap=60, draws=300, rng=rng
        )
        actual = float(forward[own.starts].mean())
        found.append(p_value(actual, drawn_means(forward, drawn)))
    assert scipy.stats.kstest(found, "uniform").pvalue > 0.01


@pytest.mark.parametrize(
    ("actual", "alternative", "expected"),
    [
        (10.0, "greater", 1 / 10),
        (1.0, "greater", 1.0),
        (1.0, "less", 2 / 10),
        (5.0, "two-sided", 1.0),
        (9.0, "two-sided", 4 / 10),
    ],
)
def test_p_value_counts_the_real_arrangement(
    actual: float, alternative: str, expected: float
) -> None:
    drawn = np.append(np.arange(1.0, 10.0), np.nan)
    assert p_value(actual, drawn, alternative=alternative) == pytest.approx(expected)


def test_p_value_without_draws_or_figure_is_undefined() -> None:
    assert math.isnan(p_value(1.0, np.empty(0)))
    assert math.isnan(p_value(math.nan, np.arange(3.0)))
