"""Coins' profits add up to the account's, whatever was traded."""

import numpy as np
import pytest

from backtests.analysis.exposure import coin_profits, coin_weights, contribution
from tests.backtests import baskets

RUNS = {
    "one coin": baskets.run,
    "basket": baskets.basket,
    "switch": baskets.switch,
    "scaled": lambda: baskets.run("size.mode=vol_target", "size.rebalance_threshold=0.05"),
}


@pytest.mark.parametrize("name", RUNS)
def test_coin_profits_add_up_to_the_equity_on_every_bar(name):
    result, _ = RUNS[name]()
    account, tape = result.strategy, result.market.traded
    profits = coin_profits(account, tape).sum(axis=1).cumsum()
    np.testing.assert_allclose(account.initial_cash + profits, account.equity, rtol=1e-9)


def test_coin_weights_add_up_to_the_weight():
    result, _ = baskets.basket()
    weights = coin_weights(result.strategy, result.market.traded)
    np.testing.assert_allclose(weights.sum(axis=1), result.strategy.bars["weight"], atol=1e-12)


def test_contribution_counts_every_trade_and_the_whole_profit():
    result, summary = baskets.basket()
    table = contribution(result.strategy, result.market.traded, trades=summary.trades)
    assert table["trades"].sum() == len(summary.trades)
    gained = result.strategy.equity.iloc[-1] - result.strategy.initial_cash
    assert table["profit"].sum() == pytest.approx(gained)
    assert table["profit"].is_monotonic_decreasing


def test_contribution_without_a_trade_is_empty():
    result, summary = baskets.filtered("filters.index_trend.window=5000")
    table = contribution(result.strategy, result.market.traded, trades=summary.trades)
    assert table.empty
