"""What fills cost, by hand, and that no purchase ever costs more than the money there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.fills import (
    LEAST_FETCHED,
    affordable_units,
    bought_units,
    buying_factor,
    fill_prices,
    selling_factor,
)
from strategies.portfolio import orders

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
