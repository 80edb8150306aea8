import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies.basket import BasketPanel, basket_weights, cap_weights, members, rebalance_bars
from strategies.rule_settings import BasketSettings

NAN = np.nan


def panel(close, alive=None, money=None, cap=None, decides=None):
    close = np.array(close, float)
    return BasketPanel(
        alive=np.ones(close.shape, bool) if alive is None else np.array(alive, bool),
        close=close,
        money=np.ones_like(close) if money is None else np.array(money, float),
        market_cap=np.full(close.shape, np.nan) if cap is None else np.array(cap, float),
        bars_per_day=1.0,
        decides=np.ones(len(close), bool) if decides is None else np.array(decides, bool),
    )


def weights(made, **values):
    settings = BasketSettings(**({"min_age_days": 0} | values))
    return basket_weights(made, members(made, settings=settings), settings=settings)


def test_members_need_their_age_and_a_bar_of_the_day():
    alive = [[1, 0], [1, 1], [1, 1], [1, 1], [0, 1]]
    made = panel(np.ones((5, 2)), alive)
    found = members(made, settings=BasketSettings(min_age_days=2))
    assert found.tolist() == [[0, 0], [0, 0], [1, 0], [1, 1], [0, 1]]


def test_equal_weights_the_newest_coin_does_not_delay_the_others():
    alive = [[1, 0, 1], [1, 0, 1], [1, 1, 1]]
    found = weights(panel(np.ones((3, 3)), alive))
    np.testing.assert_allclose(found, [[0.5, 0, 0.5], [0.5, 0, 0.5], [1 / 3, 1 / 3, 1 / 3]])


def test_top_by_dollar_volume_is_chosen_on_the_day_and_ties_go_by_symbol():
    money = [[5, 5, 1], [5, 5, 1], [0, 0, 50]]
    found = weights(
        panel(np.ones((3, 3)), money=money), select="dollar_volume", top=1, volume_window_days=1
    )
    np.testing.assert_array_equal(found, [[1, 0, 0], [1, 0, 0], [0, 0, 1]])


def test_members_by_rank_stand_from_one_decision_to_the_next():
    money = [[9, 1, 1], [9, 1, 1], [1, 9, 1], [1, 1, 9], [1, 1, 9], [9, 1, 1]]
    alive = [[1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 0, 1], [1, 1, 1]]
    made = panel(np.ones((6, 3)), alive, money, decides=[0, 1, 0, 1, 0, 0])
    values = {"select": "dollar_volume", "top": 1, "volume_window_days": 1, "min_age_days": 0}
    found = members(made, settings=BasketSettings(**values))
    first, last = [1, 0, 0], [0, 0, 1]
    assert found.tolist() == [[0, 0, 0], first, first, last, last, last]
    # a member without a bar is out, and nobody takes its place before the next decision
    halted = panel(np.ones((6, 3)), np.roll(alive, 1, axis=1), money, decides=[0, 1, 0, 0, 0, 0])
    assert members(halted, settings=BasketSettings(**values))[:, 0].tolist() == [0, 1, 1, 1, 1, 1]
    assert members(halted, settings=BasketSettings(**values))[:, 2].tolist() == [0] * 6


def test_dollar_volume_counts_the_bars_there_are_if_they_are_half():
    money = [[8, 4], [NAN, 4], [NAN, 4], [8, 4]]
    made = panel(np.ones((4, 2)), money=money)
    values = {"select": "dollar_volume", "top": 1, "min_age_days": 0, "volume_window_days": 4}
    assert members(made, settings=BasketSettings(**values)).tolist()[-1] == [True, False]
    made = panel(np.ones((4, 2)), money=[*money[:3], [NAN, 4]])
    assert members(made, settings=BasketSettings(**values)).tolist()[-1] == [False, True]


def test_top_by_market_cap_leaves_out_the_unknown():
    found = weights(
        panel(np.ones((2, 3)), cap=[[NAN, 0, 7], [9, 8, 7]]), select="market_cap", top=2
    )
    np.testing.assert_array_equal(found, [[0, 0, 1], [0.5, 0.5, 0]])


def test_market_cap_weights_are_shares_of_the_sum():
    found = weights(panel(np.ones((1, 3)), cap=[[6, 3, 1]]), weights="market_cap")
    np.testing.assert_allclose(found, [[0.6, 0.3, 0.1]])


def test_inverse_vol_weights_equal_the_formula():
    noise = np.random.default_rng(2)
    close = np.exp(noise.normal(0, [0.01, 0.05], (60, 2)).cumsum(axis=0))
    found = weights(panel(close), weights="inverse_vol", weight_lookback_days=20)
    assert (found[:20] == 0).all()
    last = pd.DataFrame(close).pct_change().iloc[-20:].std(ddof=1)
    np.testing.assert_allclose(found[-1], (1 / last) / (1 / last).sum(), rtol=1e-9)


def test_momentum_weights_give_losers_nothing():
    close = [[1, 1, 1], [1.5, 2, 0.5]]
    close = [close[0], close[0], close[1]]
    found = weights(panel(close), weights="momentum", weight_lookback_days=2)
    np.testing.assert_allclose(found[-1], [1 / 3, 2 / 3, 0])


@given(
    shares=st.lists(st.floats(0.01, 1), min_size=1, max_size=12),
    cap=st.floats(0.05, 1),
)
def test_capped_none_is_above_the_cap_and_nothing_is_lost_that_fits(shares, cap):
    raw = np.array([shares]) / np.sum(shares)
    found = cap_weights(raw, cap=cap)
    assert (found <= cap + 1e-12).all()
    assert found.sum() == pytest.approx(min(1.0, cap * len(shares)), rel=1e-9)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    how=st.sampled_from(["equal", "inverse_vol", "market_cap", "momentum"]),
    select=st.sampled_from(["all", "dollar_volume", "market_cap"]),
    cut=st.integers(12, 40),
    decided=st.sampled_from([0.2, 1.0]),
)
def test_basket_weights_are_shares_and_prefix_invariant(seed, how, select, cut, decided):
    noise = np.random.default_rng(seed)
    close = np.exp(noise.normal(0, 0.05, (40, 5)).cumsum(axis=0))
    alive = np.arange(40)[:, None] >= noise.integers(0, 20, 5)
    money, cap = noise.uniform(1, 9, (2, *close.shape))
    made = panel(close, alive, money, cap, noise.random(40) < decided)
    chosen = {"weights": how, "select": select, "top": 2, "weight_lookback_days": 5}
    whole = weights(made, volume_window_days=4, min_age_days=3, **chosen)
    assert (whole >= 0).all()
    assert (whole.sum(axis=1) <= 1 + 1e-12).all()
    assert (whole[~alive] == 0).all()
    part = panel(close[:cut], alive[:cut], money[:cut], cap[:cut], made.decides[:cut])
    again = weights(part, volume_window_days=4, min_age_days=3, **chosen)
    np.testing.assert_array_equal(again, whole[:cut])


def test_rebalance_bars_months_and_weeks_end_at_utc_midnight():
    ends = pd.date_range("2024-01-30", periods=8, tz="UTC")  # 2024-01-29 was a Monday
    months = rebalance_bars(ends, every="monthly")
    assert ends[months].strftime("%m-%d").tolist() == ["02-01"]
    weeks = rebalance_bars(ends, every="weekly")
    assert ends[weeks].strftime("%m-%d").tolist() == ["02-05"]
    assert not rebalance_bars(ends, every="never").any()
