import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from strategies.portfolio import orders

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
