"""What fills cost, by hand, and that no purchase ever costs more than the money there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.orders_and_fills import (
    LEAST_FETCHED,
    affordable_units,
    bought_units,
    buying_factor,
    fill_prices,
    orders,
    selling_factor,
)

MONEY = st.floats(1e-6, 1e12)
PRICE = st.floats(1e-9, 1e7)
COMMISSION = st.floats(0, 0.5)
SLIPPAGE = st.floats(0, 0.5)
# up to a volatility of 1000 % per day on a volume of a cent
IMPACT = st.one_of(st.just(0.0), st.floats(1e-12, 100.0))


@given(money=MONEY, price=PRICE, commission=COMMISSION)
def test_affordable_units_never_cost_more_than_the_money(money, price, commission):
    units = affordable_units(money, price=price, commission=commission)
    assert money - units * price - units * commission * price >= 0
    np.testing.assert_allclose(units, money / (price * (1 + commission)), rtol=1e-12)


@given(money=MONEY, opened=PRICE, slippage=SLIPPAGE, impact=IMPACT, commission=COMMISSION)
def test_bought_units_spend_all_the_money_and_never_more(
    money, opened, slippage, impact, commission
):
    costs = {"slippage": slippage, "impact": impact}
    units = bought_units(money, opened=opened, commission=commission, **costs)
    price = opened * buying_factor(units * opened, **costs)
    assert money - units * price - units * commission * price >= 0
    np.testing.assert_allclose(units * price * (1 + commission), money, rtol=1e-11)


def test_factors_of_a_hundredth_of_a_days_volume_move_a_tenth_of_its_volatility():
    # volatility 4 %, volume 1,000,000: an order of 10,000 moves the price by 0.4 %
    impact = 0.04 / np.sqrt(1_000_000)
    assert buying_factor(10_000.0, slippage=0.0005, impact=impact) == pytest.approx(1.0045)
    assert selling_factor(10_000.0, slippage=0.0005, impact=impact) == pytest.approx(0.9955)
    prices = fill_prices(
        np.array([1_000.0, -1_000.0]), np.full(2, 10.0), slippage=0.0, impact=np.full(2, impact)
    )
    np.testing.assert_allclose(prices, [10.04, 9.96])


def test_selling_factor_without_depth_is_never_negative():
    assert selling_factor(1e12, slippage=0.5, impact=1.0) == LEAST_FETCHED


def test_orders_that_move_the_price_buy_with_what_the_sales_left():
    cash, opens, impact = 1_000.0, np.array([10.0, 5.0]), np.array([2e-3, 4e-3])
    costs = {"commission": 0.001, "slippage": 0.0005, "impact": impact}
    trades = orders(
        cash=cash,
        units=np.array([900.0, 0.0]),
        opens=opens,
        targets=np.array([0.0, 1.0]),
        threshold=0.0,
        **costs,
    )
    prices = fill_prices(trades, opens, slippage=0.0005, impact=impact)
    left = cash - (trades * prices).sum() - (np.abs(trades) * prices).sum() * 0.001
    assert trades[0] == -900
    assert 0 <= left < 1e-5


NAN = np.nan


def trade(cash, units, opens, targets, threshold=0.0, commission=0.0, slippage=0.0):
    return orders(
        cash=cash,
        units=np.array(units, float),
        opens=np.array(opens, float),
        targets=np.array(targets, float),
        threshold=threshold,
        commission=commission,
        slippage=slippage,
        impact=np.zeros(len(units)),
    )


def test_orders_from_cash_reach_their_weights():
    np.testing.assert_allclose(trade(100, [0, 0], [10, 5], [0.5, 0.25]), [5, 5])


def test_orders_to_zero_sell_every_unit():
    np.testing.assert_array_equal(trade(0, [0.1, 0.2], [10, 5], [0, 0]), [-0.1, -0.2])


def test_orders_sale_pays_for_the_purchase():
    np.testing.assert_allclose(trade(0, [10, 0], [10, 10], [0, 1]), [-10, 10])


def test_orders_nan_leaves_a_coin_alone():
    np.testing.assert_array_equal(trade(50, [5, 1], [10, 10], [NAN, 0]), [0, -1])


def test_orders_within_the_threshold_are_not_sent_but_a_target_of_zero_is():
    np.testing.assert_array_equal(trade(49, [5.1], [10], [0.5], threshold=0.05), [0])
    np.testing.assert_array_equal(trade(99.9, [0.01], [10], [0], threshold=0.05), [-0.01])


def test_orders_without_cash_worth_a_trade_are_not_sent():
    np.testing.assert_array_equal(trade(1e-9, [5, 1], [10, 10], [NAN, 0.9]), [0, 0])


@given(
    cash=st.floats(0, 1e6),
    held=st.lists(st.floats(0, 1e3), min_size=3, max_size=3),
    opens=st.lists(st.floats(0.01, 1e4), min_size=3, max_size=3),
    parts=st.lists(st.floats(0, 1), min_size=4, max_size=4),
    commission=st.floats(0, 0.05),
    slippage=st.floats(0, 0.05),
)
def test_orders_never_need_more_than_there_is(cash, held, opens, parts, commission, slippage):
    targets = np.array(parts[:3]) / max(1.0, sum(parts))
    units = np.array(held)
    trades = trade(cash, held, opens, targets, commission=commission, slippage=slippage)
    assert (units + trades >= 0).all()
    prices = np.array(opens) * np.where(trades > 0, 1 + slippage, 1 - slippage)
    flows = trades * prices + np.abs(trades) * prices * commission
    assert cash - flows[flows < 0].sum() - flows[flows > 0].sum() >= -1e-9 * max(cash, 1)
    assert cash - flows.sum() >= -1e-9 * max(1.0, cash)
