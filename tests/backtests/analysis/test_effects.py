"""Intervals of effects, which invert the test draw by draw."""

import math

import numpy as np
import pytest

from backtests.analysis.effects import CONFIDENCE, LEVEL, effect_bounds
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
