"""Oracles: arch for block lengths and spreads, metrics for figures, simulation for coverage."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from backtests.analysis import metrics
from backtests.analysis.bootstrap import (
    Interval,
    Sampling,
    paired_intervals,
    percentile_interval,
    small_sample_interval,
)
from backtests.analysis.bootstrap_blocks import optimal_block_length, shared_block_length
from backtests.analysis.bootstrap_draws import stationary_indices
from backtests.analysis.sharpe_error import sharpe_sample
from backtests.market.elapsed_time import DAYS_PER_YEAR

PPY = 365


def excludes(interval: Interval, value: float) -> bool:
    return value < interval.low or value > interval.high


def ar1(rng: np.random.Generator, size: int, *, memory: float) -> np.ndarray:
    from scipy.signal import lfilter  # slow to import

    return np.asarray(lfilter([1.0], [1.0, -memory], rng.standard_normal(size)))


def intervals_of(returns: np.ndarray, **changes: float) -> dict[str, Interval]:
    sampling = Sampling(**{"block_bars": 5.0, "draws": 200, **changes})
    found = paired_intervals(
        {"own": returns},
        years=max(returns.size, 1) / DAYS_PER_YEAR,
        periods_per_year=PPY,
        cash_return=0.0,
        sampling=sampling,
    )
    return found.figures["own"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("memory", [0.0, 0.3, 0.7, -0.4, 0.95])
@pytest.mark.parametrize("size", [60, 700, 4000])
def test_optimal_block_length_equals_arch(memory: float, size: int) -> None:
    from arch.bootstrap import optimal_block_length as arch_length

    values = ar1(np.random.default_rng(3), size, memory=memory)
    expected = float(arch_length(values)["stationary"].iloc[0])
    assert optimal_block_length(values) == pytest.approx(max(expected, 1.0), rel=1e-9)


def test_optimal_block_length_of_a_series_that_never_varies_is_one() -> None:
    assert optimal_block_length(np.full(100, 0.5)) == 1.0
    assert optimal_block_length(np.empty(0)) == 1.0


def test_shared_block_length_follows_volatility_clusters() -> None:
    rng = np.random.default_rng(4)
    calm_and_wild = rng.standard_normal(2000) * np.exp(ar1(rng, 2000, memory=0.97) / 4)
    assert shared_block_length({"a": calm_and_wild}) > 2 * optimal_block_length(calm_and_wild)


def test_stationary_indices_have_geometric_blocks_and_uniform_positions() -> None:
    rows = stationary_indices(50, block=4.0, draws=4000, rng=np.random.default_rng(5))
    assert rows.shape == (4000, 50)
    continues = (rows[:, 1:] - rows[:, :-1]) % 50 == 1
    # a new block continues the old one by chance once in 50
    assert continues.mean() == pytest.approx(0.75 + 0.25 / 50, abs=0.005)
    counts = np.bincount(rows[:, 25], minlength=50)
    assert counts.min() > 40
    assert counts.max() < 130


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("block", [3.0, 25.0])
def test_error_of_a_sharpe_ratio_without_drawing_equals_arch(block: float) -> None:
    from arch.bootstrap import StationaryBootstrap

    returns = 0.003 + 0.01 * ar1(np.random.default_rng(6), 500, memory=0.4)
    drawn = StationaryBootstrap(block, returns, seed=1).apply(
        lambda own: own.mean() / own.std(ddof=1), 2000
    )
    sample = sharpe_sample(returns, block=block)
    error = math.sqrt(sample.variance_factor / (sample.periods - 1))
    assert error == pytest.approx(drawn.std(), rel=0.06)
    # independent returns would be surer by a third
    plain = sharpe_sample(returns)
    assert math.sqrt(plain.variance_factor / (plain.periods - 1)) < 0.85 * error


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_spread_of_the_mean_equals_arch() -> None:
    from arch.bootstrap import StationaryBootstrap

    values = ar1(np.random.default_rng(6), 400, memory=0.5)
    rows = stationary_indices(400, block=12.0, draws=4000, rng=np.random.default_rng(7))
    ours = values[rows].mean(axis=1).std()
    theirs = StationaryBootstrap(12, values, seed=8).apply(np.mean, 4000).std()
    assert ours == pytest.approx(theirs, rel=0.06)


def test_estimates_equal_the_metrics_of_a_run() -> None:
    returns = np.random.default_rng(9).normal(0.001, 0.03, 500)
    found = intervals_of(returns)
    assert found["cagr"].estimate == pytest.approx(metrics.cagr(returns, years=500 / DAYS_PER_YEAR))
    assert found["sharpe_ratio"].estimate == pytest.approx(
        metrics.sharpe_ratio(returns, periods_per_year=PPY)
    )
    assert found["max_drawdown"].estimate == pytest.approx(metrics.max_drawdown(returns))


def test_pairs_are_resampled_together() -> None:
    returns = np.random.default_rng(10).normal(0.001, 0.03, 400)
    found = paired_intervals(
        {"own": returns, "twin": returns.copy(), "half": returns / 2},
        years=400 / DAYS_PER_YEAR,
        periods_per_year=PPY,
        cash_return=0.0,
        sampling=Sampling(block_bars=10, draws=200),
    )
    assert found.differences["twin"]["cagr"] == Interval(0.0, 0.0, 0.0)
    # halving a return halves its mean and its deviation alike
    assert found.differences["half"]["sharpe_ratio"].high == pytest.approx(0, abs=1e-12)
    assert set(found.differences) == {"twin", "half"}


def test_same_seed_gives_same_intervals_and_another_seed_others() -> None:
    returns = np.random.default_rng(11).normal(0, 0.03, 300)
    assert intervals_of(returns, seed=1) == intervals_of(returns, seed=1)
    assert intervals_of(returns, seed=1) != intervals_of(returns, seed=2)


@pytest.mark.parametrize("size", [0, 1])
def test_too_few_bars_leave_everything_undefined(size: int) -> None:
    for interval in intervals_of(np.full(size, 0.01)).values():
        assert math.isnan(interval.low)
        assert not excludes(interval, 0.0)


def test_returns_that_never_vary_have_no_sharpe_ratio_but_a_growth() -> None:
    found = intervals_of(np.full(365, 0.01))
    assert math.isnan(found["sharpe_ratio"].estimate)
    assert found["cagr"].low == pytest.approx(found["cagr"].high)


def test_a_total_loss_is_a_drawdown_of_everything() -> None:
    returns = np.random.default_rng(12).normal(0, 0.01, 100)
    returns[50] = -1.0
    assert intervals_of(returns)["max_drawdown"].low == -1.0


@pytest.mark.parametrize(("memory", "block", "size"), [(0.0, 2.0, 400), (0.3, 16.0, 900)])
def test_intervals_of_growth_and_sharpe_cover_at_their_rate(
    memory: float, block: float, size: int
) -> None:
    rng = np.random.default_rng(13)
    covered = np.zeros(2)
    histories = 150
    mean, scale = 0.001, 0.02
    deviation = scale / math.sqrt(1 - memory**2)
    truth_sharpe = mean / deviation * math.sqrt(PPY)
    for _ in range(histories):
        returns = np.expm1(mean + scale * ar1(rng, size, memory=memory))
        found = intervals_of(returns, confidence=0.9, block_bars=block, seed=int(rng.integers(1e9)))
        covered[0] += not excludes(found["cagr"], np.expm1(mean * DAYS_PER_YEAR))
        # of simple returns: exp(mean + var / 2) shifts the ratio by half a deviation
        covered[1] += not excludes(
            found["sharpe_ratio"], truth_sharpe + deviation / 2 * math.sqrt(PPY)
        )
    assert covered / histories == pytest.approx([0.9, 0.9], abs=0.07)


def test_interval_of_the_drawdown_holds_most_fresh_histories() -> None:
    rng = np.random.default_rng(14)
    inside = []
    for _ in range(150):
        first, fresh = rng.normal(0.001, 0.03, (2, 400))
        interval = intervals_of(first, confidence=0.9)["max_drawdown"]
        inside.append(not excludes(interval, metrics.max_drawdown(fresh)))
    assert 0.7 < np.mean(inside) < 0.95


@pytest.mark.parametrize("statistic", [np.mean, np.median])
@pytest.mark.parametrize("size", [5, 8])
def test_small_sample_intervals_cover_at_their_rate(
    statistic: Callable[..., np.ndarray], size: int
) -> None:
    rng = np.random.default_rng(15)
    sampling = Sampling(block_bars=1, draws=800, confidence=0.9)
    covered = [
        not excludes(
            small_sample_interval(
                rng.standard_normal(size), statistic=statistic, sampling=sampling
            ),
            0.0,
        )
        for _ in range(600)
    ]
    assert np.mean(covered) == pytest.approx(0.9, abs=0.05)


def test_small_sample_interval_of_two_values_has_no_bounds() -> None:
    sampling = Sampling(block_bars=1)
    found = small_sample_interval(np.array([1.0, 2.0]), statistic=np.mean, sampling=sampling)
    assert found.estimate == 1.5
    assert math.isnan(found.low)


def test_percentile_interval_leaves_undefined_draws_out() -> None:
    drawn = np.append(np.arange(101.0), np.nan)
    found = percentile_interval(50.0, drawn, confidence=0.9)
    assert (found.low, found.high) == pytest.approx((5.0, 95.0))
