"""Overfitting statistics against published values, another library, and what must be so."""

import itertools
import math
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.bootstrap import Sampling
from backtests.analysis.bootstrap_draws import stationary_indices
from backtests.analysis.overfitting import (
    backtest_overfitting,
    effective_trials,
    superior_ability,
)


def noise(bars: int, trials: int, *, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (bars, trials))


def test_effective_trials_of_copies_is_one() -> None:
    returns = np.repeat(noise(500, 1, seed=0), 20, axis=1)
    assert effective_trials(returns) == pytest.approx(1)


def test_effective_trials_of_independent_ones_is_nearly_their_number() -> None:
    assert effective_trials(noise(100_000, 20, seed=0)) == pytest.approx(20, rel=0.01)


def test_effective_trials_without_any_variation_is_undefined() -> None:
    assert np.isnan(effective_trials(np.zeros((100, 3))))


def test_effective_trials_correlates_pairs_on_the_bars_they_share() -> None:
    returns = noise(400, 6, seed=5) + noise(400, 1, seed=6)
    returns[:90, 1] = returns[350:, 2] = np.nan
    returns[:, 3] = np.where(np.arange(400) < 380, np.nan, 0.0)  # stands still, so left out
    returns[380:, 4] = np.nan
    correlation = pd.DataFrame(np.delete(returns, 3, axis=1)).corr()
    expected = 25 / np.sum(correlation.to_numpy() ** 2)
    assert effective_trials(returns) == pytest.approx(expected)


def test_effective_trials_takes_pairs_without_shared_bars_for_independent() -> None:
    returns = np.full((200, 2), np.nan)
    returns[:100, 0] = returns[100:, 1] = noise(100, 1, seed=0)[:, 0]
    assert effective_trials(returns) == pytest.approx(2)


def test_effective_trials_of_a_sample_are_those_of_all_it_is_drawn_from() -> None:
    everything = noise(2_000, 600, seed=7) + 0.4 * noise(2_000, 1, seed=8)
    sample = effective_trials(everything[:, :60], population=600)
    assert sample == pytest.approx(effective_trials(everything), rel=0.05)
    assert effective_trials(everything[:, :60]) < 0.8 * sample


def test_overfitting_of_noise_is_about_half() -> None:
    # 0.476 +- 0.137 over matrices is what the method gives where there is nothing to find
    found = [backtest_overfitting(noise(1_000, 60, seed=seed)) for seed in range(4)]
    probabilities = [one.probability for one in found]
    assert np.mean(probabilities) == pytest.approx(0.476, abs=0.2)
    inside = [one.low <= 0.476 <= one.high for one in found]
    assert sum(inside) >= 3
    assert all(one.loss_probability > 0.2 for one in found)


def test_overfitting_of_a_planted_edge_is_nearly_nothing() -> None:
    returns = noise(1_000, 200, seed=1)
    returns[:, :20] += 0.15
    found = backtest_overfitting(returns)
    assert found.probability < 0.01
    assert found.loss_probability < 0.01


def test_overfitting_equals_a_plain_enumeration_of_the_splits() -> None:
    returns = noise(60, 7, seed=2)
    blocks = np.array_split(returns, 6)
    logits, pairs = [], []
    for half in itertools.combinations(range(6), 3):
        inside = np.concatenate([blocks[b] for b in half])
        outside = np.concatenate([blocks[b] for b in range(6) if b not in half])
        best = (inside.mean(0) / inside.std(0, ddof=1)).argmax()
        ratios = outside.mean(0) / outside.std(0, ddof=1)
        rank = (ratios <= ratios[best]).sum() / 8
        logits.append(np.log(rank / (1 - rank)))
        pairs.append((inside[:, best].mean() / inside[:, best].std(ddof=1), ratios[best]))
    found = backtest_overfitting(returns, blocks=6)
    assert found.probability == np.mean(np.array(logits) <= 0)
    # in the same order, for a sheet draws every n-th of them
    np.testing.assert_allclose(np.column_stack((found.in_sample, found.out_of_sample)), pairs)


def test_overfitting_holds_little_of_its_many_splits() -> None:
    returns = noise(320, 300, seed=0)
    tracemalloc.start()
    backtest_overfitting(returns)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 12,870 splits of 300 trials are 31 MB a table
    assert peak < 8e6


def test_overfitting_with_too_few_bars_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(20, 5\)"):
        backtest_overfitting(noise(20, 5, seed=0))


SAMPLING = Sampling(block_bars=10, draws=4_000, seed=42)


@pytest.mark.parametrize(
    ("shift", "expected"), [(0.0, (0.316, 0.4, 0.4)), (0.2, (0.003, 0.005, 0.005))]
)
def test_superior_ability_unstudentised_equals_arch(
    shift: float, expected: tuple[float, ...]
) -> None:
    # arch 8.0.0 takes losses, so that its models are better the lower they are
    rng = np.random.default_rng(12345)
    benchmark = rng.normal(0, 1, 500)
    models = rng.normal(0, 1, (500, 20))
    models[:, -1] -= shift
    found = superior_ability(-models, benchmark=-benchmark, sampling=SAMPLING, studentised=False)
    assert (found.lower, found.consistent, found.upper) == pytest.approx(expected, abs=0.04)
    assert found.reality_check == pytest.approx(found.upper, abs=0.01)


def test_superior_ability_studentised_equals_a_plain_recomputation() -> None:
    excess = noise(120, 4, seed=10) * [0.5, 1, 2, 4] + [-0.1, 0.05, -0.8, 0.2]
    draws = stationary_indices(120, block=5, draws=300, rng=np.random.default_rng(3))
    trials = range(4)
    mean = [float(np.mean(excess[:, k])) for k in trials]
    drawn = [[float(np.mean(excess[rows, k])) for rows in draws] for k in trials]
    omega = [math.sqrt(120 * np.mean([(m - mean[k]) ** 2 for m in drawn[k]])) for k in trials]
    best = max(0.0, *(math.sqrt(120) * mean[k] / omega[k] for k in trials))
    bound = [-omega[k] / math.sqrt(120) * math.sqrt(2 * math.log(math.log(120))) for k in trials]
    # Hansen's g: what is taken off each resample's mean
    taken = {
        "lower": [max(mean[k], 0.0) for k in trials],
        "consistent": [mean[k] if mean[k] >= bound[k] else 0.0 for k in trials],
        "upper": mean,
    }
    found = superior_ability(
        excess, benchmark=np.zeros(120), sampling=Sampling(block_bars=5, draws=300, seed=3)
    )
    assert found.lower < found.consistent < found.upper < 1
    for name, g in taken.items():
        largest = [
            max(0.0, *(math.sqrt(120) * (drawn[k][b] - g[k]) / omega[k] for k in trials))
            for b in range(300)
        ]
        assert getattr(found, name) == np.mean(np.array(largest) >= best)


def test_superior_ability_of_noise_gives_evenly_spread_p_values() -> None:
    sampling = Sampling(block_bars=1, draws=300, seed=0)
    p_values = [
        superior_ability(
            noise(250, 5, seed=seed), benchmark=np.zeros(250), sampling=sampling
        ).consistent
        for seed in range(200)
    ]
    assert np.mean(np.array(p_values) < 0.5) == pytest.approx(0.5, abs=0.12)
    assert np.mean(np.array(p_values) < 0.1) == pytest.approx(0.1, abs=0.06)


def test_superior_ability_hardly_minds_hopeless_trials() -> None:
    returns = noise(500, 5, seed=3)
    returns[:, 0] += 0.04
    hopeless = np.concatenate([returns, noise(500, 200, seed=4) - 1.0], axis=1)
    alone = superior_ability(returns, benchmark=np.zeros(500), sampling=SAMPLING)
    crowded = superior_ability(hopeless, benchmark=np.zeros(500), sampling=SAMPLING)
    assert crowded.consistent == pytest.approx(alone.consistent, abs=0.01)
    assert crowded.upper > alone.upper + 0.05
    assert crowded.lower <= crowded.consistent <= crowded.upper
