"""Intervals of effects, which invert the test draw by draw; how often each verdict comes out."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from backtests.analysis.event_effects import CONFIDENCE, LEVEL, SHARES, effect_bounds, verdict_rates
from backtests.analysis.placebo import p_value


def test_bounds_lie_above_zero_exactly_where_the_test_rejects() -> None:
    rng = np.random.default_rng(1)
    some = 0
    for draws in rng.integers(19, 400, 300):
        drawn = rng.normal(size=draws)
        actual = rng.normal(1.65, 0.3)
        low, high = effect_bounds(actual, drawn)
        assert (low > 0) == (p_value(actual, drawn) <= LEVEL)
        assert (high < 0) == (p_value(actual, drawn, alternative="less") <= LEVEL)
        some += low > 0
    assert 50 < some < 250


def test_bounds_hold_every_effect_that_taken_off_is_not_rejected_to_either_side() -> None:
    drawn = np.arange(199.0)
    low, high = effect_bounds(150.0, drawn)
    # the tenth largest of 199 draws is 189, the tenth smallest 9
    assert (low, high) == (150 - 189, 150 - 9)
    wide = effect_bounds(150.0, drawn, confidence=0.98)
    assert wide == (150 - 197, 150 - 1)


@pytest.mark.parametrize("draws", [0, 1, 18])
def test_bounds_of_too_few_draws_for_the_level_are_undefined(draws: int) -> None:
    assert all(map(math.isnan, effect_bounds(1.0, np.zeros(draws))))


def test_confidence_leaves_the_level_to_each_side() -> None:
    assert pytest.approx(1 - 2 * LEVEL) == CONFIDENCE


def test_rates_of_a_normal_placebo_are_those_of_the_normal_distribution() -> None:
    spread, claimed = 0.2, 0.5
    drawn = np.random.default_rng(1).normal(0.03, spread, 200_000)
    found = verdict_rates(drawn, claimed=claimed)
    for share in SHARES:
        size = np.log1p(claimed * share)
        supported = norm.sf(norm.ppf(0.95) - size / spread)
        row = found.loc[claimed * share]
        # the interval ends below the claimed effect where the actual one lies low
        ends = norm.cdf(np.log1p(claimed) / spread - norm.ppf(0.95) - size / spread)
        assert row["ruled_out"] == pytest.approx(ends, abs=0.005)
        assert row["supported"] == pytest.approx(min(supported, 1 - ends), abs=0.005)
    assert found.sum(axis=1).to_numpy() == pytest.approx(1)


def test_rates_without_an_effect_err_at_their_level() -> None:
    drawn = np.random.default_rng(2).standard_t(3, 20_000)
    assert verdict_rates(drawn, claimed=0.5).loc[0.0, "supported"] == pytest.approx(0.05, abs=1e-3)


@pytest.mark.parametrize(("drawn", "claimed"), [(np.empty(0), 0.5), (np.ones(9), 0.0)])
def test_rates_of_nothing_are_none(drawn: np.ndarray, claimed: float) -> None:
    assert verdict_rates(drawn, claimed=claimed).empty
