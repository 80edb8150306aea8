"""The replay: each order with what was known the evening before, and nothing later."""

from dataclasses import replace

import pandas as pd
import pytest

from backtests.config.config import load_config
from backtests.engines.backtest import run_on
from backtests.report.pages.replay import MOST_COINS, replay_steps
from backtests.report.words import notation as written
from tests.backtests import baskets
from tests.markets import coin_walk, index_walk

QUICK = ("signal.min_history=20", "signal.base=5", "rules.hold_days=20")


@pytest.fixture(scope="module")
def walk():
    config = load_config(None, overrides=QUICK)
    return run_on(
        config, index=index_walk(900, seed=3), coin=coin_walk(1000, seed=7), engine="fast"
    )


def test_replay_has_a_step_per_fill_with_the_last_session_known_at_its_open(walk):
    steps = replay_steps(walk)
    fills = walk.strategy.fills
    assert len(steps) == len(fills) > 4
    known = walk.market.available_at
    closes = walk.market.index.frame["close"]
    for step, fill in zip(steps, fills.to_dict("records"), strict=True):
        assert step["at"] == fill["time"].value // 1_000_000
        texts = step["texts"]
        assert written.price(fill["price"]) in texts["Order"]
        assert written.words(fill["reason"]) in texts["Order"]
        session = closes[known <= fill["time"]]
        said = f"RUT {written.price(session.iloc[-1])} on {written.date(session.index[-1])}"
        assert texts["Known that evening"].startswith(said)
        before = walk.market.traded_bars["close"][: fill["time"] - pd.Timedelta(1)]
        said = f"the close before was {written.price(before.iloc[-1])}" if len(before) else ""
        assert texts["Price"].partition("; ")[2] == said
        equity = walk.strategy.equity[fill["time"]]
        assert f"equity {written.money(equity)}," in texts["Account at the bar's end"]


def test_replay_of_an_entry_on_a_new_high_says_how_far_above_the_record_it_was(walk):
    # the first order is of a window that was open when the run began
    _, *steps = replay_steps(walk)
    entries = [step for step in steps if "(new high)" in step["texts"]["Order"]]
    assert entries
    for step in entries:
        assert "above the prior high" in step["texts"]["Known that evening"]
        assert "record high" in step["texts"]["Known that evening"]


def test_replay_of_many_coins_counts_them():
    result, _ = baskets.run()
    bought = replay_steps(result)[0]["texts"]["Order"]
    coins = len(result.market.traded.coins)
    assert coins <= MOST_COINS
    assert bought.count("bought ") == coins
    many = result.strategy.fills.head(1).loc[[0] * (MOST_COINS + 1)]
    crowd = replace(result, strategy=replace(result.strategy, fills=many))
    assert replay_steps(crowd)[0]["texts"]["Order"].startswith(f"{MOST_COINS + 1} buys (")
