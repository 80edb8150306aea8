"""How much to hold, and what between the rule's answers: two coins, worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from strategies.position_rule import ENTER, EXIT_WINDOW, STAY
from strategies.rule_settings import SizeSettings
from strategies.target_weights import (
    ALIVE,
    DEAD,
    DELISTED,
    EXITED,
    IDLE,
    LEFT_OVER,
    MAX_WEIGHT,
    NOTHING,
    REBALANCE,
    SCALE_IN,
    Book,
    Stance,
    Upkeep,
    Wanted,
    due,
    is_tended,
    new_stance,
    next_stance,
    target_weights,
    targets,
)

PLAIN = Upkeep(scale_in_bars=1, threshold=0.0, max_weight=1.0, idles=False, is_single=False)
WANTED = Wanted(0.8, 3, False, (0.5, 0.5), (0.0, 0.0), (ALIVE, ALIVE))
EMPTY = Book(100.0, (0.0, 0.0), (10.0, 20.0))
HELD = Book(20.0, (4.0, 2.0), (10.0, 20.0))  # 40 of each, of 100
ON = Stance(is_on=True, bars_on=0, is_settled=True, level=1.0, value=80.0)
OFF = ON._replace(is_on=False)


def wanted_by(upkeep, stance, action, wanted, book):
    """Return the stance, the reason and the weights that follow from it."""
    after, reason = due(upkeep, stance, action, wanted, book)
    return after, reason, targets(upkeep, after, reason, wanted, book.units).tolist()


def test_entry_wants_its_share_of_every_coin_and_starts_the_level():
    after, reason, weights = wanted_by(PLAIN, OFF._replace(level=7.0), ENTER, WANTED, EMPTY)
    assert (after.is_on, after.bars_on, after.level) == (True, 0, 1.0)
    assert (reason, weights) == (WANTED.kind, [0.4, 0.4])


@pytest.mark.parametrize("unknown", [{"weight": math.nan}, {"on_weights": (0.0, 0.0)}])
def test_entry_without_a_known_weight_waits(unknown):
    after, reason = due(PLAIN, OFF, ENTER, WANTED._replace(**unknown), EMPTY)
    assert (after.is_on, reason) == (False, NOTHING)


def test_exit_wants_the_idle_weights():
    wanted = WANTED._replace(idle_weights=(0.0, 0.3))
    after, reason, weights = wanted_by(PLAIN, ON, EXIT_WINDOW, wanted, HELD)
    assert (after.is_on, reason, weights) == (False, EXITED + EXIT_WINDOW, [0.0, 0.3])


def test_slices_grow_to_the_full_weight_and_end():
    upkeep, stance, seen = PLAIN._replace(scale_in_bars=3), ON, []
    for _ in range(3):
        stance, reason, weights = wanted_by(upkeep, stance, STAY, WANTED, HELD)
        seen.append((reason, weights[0]))
    assert seen[:2] == [(SCALE_IN, pytest.approx(0.8 / 3)), (SCALE_IN, pytest.approx(0.4))]
    assert seen[2][0] == NOTHING


def test_idle_asset_is_bought_once_before_any_signal():
    upkeep = PLAIN._replace(idles=True)
    wanted = WANTED._replace(idle_weights=(0.0, 1.0))
    after, reason, weights = wanted_by(upkeep, new_stance(upkeep), STAY, wanted, EMPTY)
    assert (reason, weights) == (IDLE, [0.0, 1.0])
    assert due(upkeep, after, STAY, wanted, EMPTY)[1] == NOTHING


@pytest.mark.parametrize(
    ("threshold", "max_weight", "reason"),
    [(0.15, 1.0, REBALANCE), (0.25, 1.0, NOTHING), (0.0, 0.7, MAX_WEIGHT), (0.0, 0.8, NOTHING)],
)
def test_bounds_are_left_by_more_than_they_allow(threshold, max_weight, reason):
    upkeep = PLAIN._replace(threshold=threshold, max_weight=max_weight)
    # 0.4 held of each coin: 0.2 away from the 0.2 and 0.6 wanted
    wanted = WANTED._replace(on_weights=(0.25, 0.75))
    assert due(upkeep, ON, STAY, wanted, HELD)[1] == reason


def test_rebalancing_day_sets_all_weights_right():
    wanted = WANTED._replace(is_rebalanced=True)
    assert wanted_by(PLAIN, ON, STAY, wanted, HELD)[1:] == (REBALANCE, [0.4, 0.4])


def test_dead_coin_is_sold_and_the_others_left_alone():
    wanted = WANTED._replace(alive=(ALIVE, DELISTED))
    _, reason, weights = wanted_by(PLAIN, ON, STAY, wanted, HELD)
    assert reason == DEAD
    np.testing.assert_array_equal(weights, [np.nan, 0.0])


def test_coin_left_over_from_a_halt_is_sold_once_the_signal_is_off():
    book = HELD._replace(units=(4.0, 0.0))
    _, reason, weights = wanted_by(PLAIN, OFF, STAY, WANTED, book)
    assert reason == LEFT_OVER
    np.testing.assert_array_equal(weights, [0.0, np.nan])


def test_level_follows_what_was_there_and_was_paid_in():
    after = next_stance(ON, HELD._replace(closes=(11.0, 22.0)), 0.0)
    assert (after.level, after.value) == (pytest.approx(1.1), 88.0)
    # 44 more paid in at the open, worth 44 at the close: no gain
    more = Book(0.0, (8.0, 2.0), (11.0, 22.0))
    assert next_stance(after, more, 44.0).level == pytest.approx(1.1)


def test_single_coin_all_in_or_all_out_needs_no_care():
    single = PLAIN._replace(is_single=True)
    assert not is_tended(single, ON, (1.0,))
    assert is_tended(single._replace(scale_in_bars=2), ON, (1.0,))
    assert not is_tended(PLAIN, OFF, (0.0, 0.0))
    assert is_tended(PLAIN, OFF, (0.0, 1.0))


def test_target_weights_fraction_is_capped_by_max_weight():
    close = np.full(3, 10.0)
    settings = SizeSettings(fraction=0.9, max_weight=0.4)
    weights = target_weights(close, settings=settings, periods_per_year=365)
    np.testing.assert_array_equal(weights, [0.4] * 3)


def test_target_weights_vol_target_matches_the_formula_and_warms_up():
    close = np.exp(np.random.default_rng(3).normal(0, 0.05, 80).cumsum())
    settings = SizeSettings(mode="vol_target", vol_target=0.4, vol_lookback=20)
    weights = target_weights(close, settings=settings, periods_per_year=365)
    assert np.isnan(weights[:20]).all()
    returns = pd.Series(close).pct_change()
    for t in (20, 50, 79):
        volatility = np.std(returns[t - 19 : t + 1], ddof=1) * np.sqrt(365)
        np.testing.assert_allclose(weights[t], min(1.0, 0.4 / volatility), rtol=1e-9)


def test_target_weights_motionless_coin_takes_max_weight():
    settings = SizeSettings(mode="vol_target", max_weight=0.7)
    weights = target_weights(np.full(40, 5.0), settings=settings, periods_per_year=365)
    assert weights[-1] == 0.7
