"""Published values (Bailey & Lopez de Prado), and scipy for the moments."""

import math

import numpy as np
import pytest
import scipy.stats

from backtests.analysis.sharpe_error import (
    SharpeSample,
    deflated_sharpe_ratio,
    expected_maximum_factor,
    expected_maximum_sharpe,
    luck_variance,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_sample,
)

DAYS = 250
PAPER = SharpeSample(2.5 / math.sqrt(DAYS), 1250, -3.0, 10.0)
PAPER_NORMAL = SharpeSample(2.5 / math.sqrt(DAYS), 1250)
PAPER_VARIANCE = 0.5 / DAYS


@pytest.mark.parametrize(
    ("trials", "factor"),
    [
        (5, 1.192594),
        (10, 1.574598),
        (45, 2.235640),
        (46, 2.244171),
        (88, 2.485295),
        (100, 2.530603),
        (1000, 3.255122),
    ],
)
def test_expected_maximum_factor_matches_published_values(trials: int, factor: float) -> None:
    assert expected_maximum_factor(trials) == pytest.approx(factor, abs=5e-7)


def test_expected_maximum_factor_of_one_trial_is_zero_and_below_is_undefined() -> None:
    assert expected_maximum_factor(1) == 0.0
    assert math.isnan(expected_maximum_factor(0))


@pytest.mark.parametrize(
    ("sample", "trials", "expected"),
    [
        (PAPER, 100, 0.9003968),
        (PAPER, 46, 0.950502),
        (PAPER_NORMAL, 88, 0.950491),
        (PAPER_NORMAL, 100, 0.942771),
        (PAPER, 88, 0.910153),
    ],
)
def test_deflated_sharpe_matches_published_values(
    sample: SharpeSample, trials: int, expected: float
) -> None:
    found = deflated_sharpe_ratio(sample, trials=trials, variance=PAPER_VARIANCE)
    assert found == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize(("trials", "expected"), [(100, 0.113172), (46, 0.100362)])
def test_expected_maximum_sharpe_matches_published_daily_values(
    trials: int, expected: float
) -> None:
    found = expected_maximum_sharpe(trials=trials, variance=PAPER_VARIANCE)
    assert found == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize(
    ("skewness", "kurtosis", "expected"), [(-2.448, 10.164, 0.9132343), (0.0, 3.0, 0.9815912)]
)
def test_probabilistic_sharpe_of_the_monthly_fund_matches_published_values(
    skewness: float, kurtosis: float, expected: float
) -> None:
    # the published ratio is annual, 1.585 from monthly 0.458, and rounded to four digits
    sample = SharpeSample(1.585 / math.sqrt(12), 24, skewness, kurtosis)
    assert probabilistic_sharpe_ratio(sample) == pytest.approx(expected, abs=5e-8)


@pytest.mark.parametrize(
    ("per_year", "ratio", "against", "moments", "years"),
    [
        (DAYS, 2.0, 1.0, (0.0, 3.0), 2.7311878),
        (52, 2.0, 1.0, (0.0, 3.0), 2.8288336),
        (12, 3.0, 2.5, (-0.72, 5.78), 27.3529202),
    ],
)
def test_minimum_track_record_matches_published_years(
    per_year: int, ratio: float, against: float, moments: tuple[float, float], years: float
) -> None:
    sample = SharpeSample(ratio / math.sqrt(per_year), 100, *moments)
    periods = minimum_track_record_length(sample, benchmark=against / math.sqrt(per_year))
    assert periods / per_year == pytest.approx(years, abs=5e-8)


def test_minimum_track_record_brings_the_probability_to_the_confidence() -> None:
    sample = SharpeSample(0.1, 500, -0.5, 6.0)
    needed = minimum_track_record_length(sample, confidence=0.9)
    exact = SharpeSample(0.1, int(needed) + 1, -0.5, 6.0)
    assert probabilistic_sharpe_ratio(exact) == pytest.approx(0.9, abs=1e-3)


def test_minimum_track_record_without_an_edge_is_infinite() -> None:
    assert minimum_track_record_length(SharpeSample(0.1, 50), benchmark=0.1) == math.inf


@pytest.mark.parametrize(
    ("trials", "years"), [(7, 1.9231), (10, 2.4794), (45, 4.9980870), (100, 6.4040)]
)
def test_years_a_best_of_many_needs_match_the_published_ones(trials: int, years: float) -> None:
    # minimum backtest length: (the expected maximum / an annual ratio of 1) squared
    expected = expected_maximum_sharpe(trials=trials, variance=1.0)
    assert expected**2 == pytest.approx(years, abs=5e-5)


def test_moments_equal_scipy() -> None:
    returns = np.random.default_rng(1).standard_t(4, 500) / 100
    sample = sharpe_sample(returns, cash_return=0.0001)
    excess = returns - 0.0001
    assert sample.sharpe_ratio == pytest.approx(excess.mean() / excess.std(ddof=1))
    assert sample.skewness == pytest.approx(scipy.stats.skew(excess))
    assert sample.kurtosis == pytest.approx(scipy.stats.kurtosis(excess, fisher=False))


@pytest.mark.parametrize("returns", [np.full(50, 0.01), np.array([0.01]), np.empty(0)])
def test_a_series_that_never_varies_has_no_probability(returns: np.ndarray) -> None:
    sample = sharpe_sample(returns)
    assert math.isnan(sample.sharpe_ratio)
    assert math.isnan(probabilistic_sharpe_ratio(sample))
    assert math.isnan(minimum_track_record_length(sample))
    assert math.isnan(deflated_sharpe_ratio(sample, trials=10, variance=0.01))


def test_probabilities_of_noise_are_uniform() -> None:
    rng = np.random.default_rng(2)
    found = [
        probabilistic_sharpe_ratio(sharpe_sample(rng.standard_normal(250))) for _ in range(500)
    ]
    assert scipy.stats.kstest(found, "uniform").pvalue > 0.01


def clustered(rng: np.random.Generator, size: int) -> np.ndarray:
    """Noise in which each value keeps four tenths of the one before."""
    noise = rng.standard_normal(size + 50)
    for at in range(1, noise.size):
        noise[at] += 0.4 * noise[at - 1]
    return noise[50:]


def test_probability_of_clustered_noise_is_right_only_where_dependence_counts() -> None:
    rng = np.random.default_rng(4)
    # Lo (2002): the plain error is too small by sqrt((1 - 0.4) / (1 + 0.4)), so that 14 % and
    # not 5 % of skill-less records reach 95 %
    found = {1.0: 0, 20.0: 0}
    for _ in range(600):
        noise = clustered(rng, 400)
        for block in found:
            found[block] += probabilistic_sharpe_ratio(sharpe_sample(noise, block=block)) > 0.95
    assert found[1.0] / 600 == pytest.approx(0.141, abs=0.035)
    # a block of 20 sees most of the dependence, not all: the bootstrap's own bias
    assert found[20.0] / 600 < 0.105
    assert found[20.0] < 0.75 * found[1.0]


def test_dependence_of_independent_blocks_leaves_published_values_alone() -> None:
    noise = np.random.default_rng(5).standard_t(5, 300)
    plain, blocks_of_one = sharpe_sample(noise), sharpe_sample(noise, block=1.0)
    assert plain.dependence == pytest.approx(1.0)
    assert plain.effective_periods == pytest.approx(300)
    assert plain == blocks_of_one


def test_expected_maximum_factor_of_few_trials_is_never_below_zero() -> None:
    factors = [expected_maximum_factor(trials) for trials in (1.0, 1.001, 1.1, 1.5, 2.0, 5.0)]
    assert factors == sorted(factors)
    assert min(factors) == 0.0


def test_luck_variance_is_that_of_many_series_without_skill() -> None:
    returns = np.random.default_rng(0).standard_t(5, (20_000, 120))
    ratios = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    assert luck_variance(periods=120) == pytest.approx(ratios.var(), rel=0.05)
    assert math.isnan(luck_variance(periods=1))
