"""The fast engine against backtrader: the same accounts for the same config and bars."""

import dataclasses
import functools
from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from backtests.config.config import Config, load_config
from backtests.engines import backtrader_engine as engine
from backtests.engines import compiled_engine as fast_engine
from backtests.engines import twin_engine
from backtests.engines.account import Account
from backtests.engines.backtest import run_inputs
from backtests.market.inputs import Inputs
from backtests.market.market import build_market
from feeds import instruments
from feeds.files import Files
from tests.backtests.drawn import charged, configs, drawn_times, kept, walks
from tests.markets import coin_walk, index_walk


def simulated(seed: int) -> Inputs:
    coin = coin_walk(300, seed=seed + 1, start="2020-03-01")
    return Inputs(index_walk(500, seed=seed), (coin,))


@functools.cache
def real(folder: Path, coin: str, timeframe: str = "1d") -> Inputs:
    files = Files(folder)
    index = files.load(instruments.index("RUT"), timeframe="1d")
    return Inputs(index, (files.load(instruments.coin(coin), timeframe=timeframe),))


def assert_kept_alike(config: Config, inputs: Inputs) -> None:
    tape = build_market(config, inputs).traded
    fast = fast_engine.simulate(tape, config)
    assert_equal_accounts(fast, engine.simulate(tape, config))
    assert_same_bytes(fast, twin_engine.simulate(tape, config))


def assert_same_bytes(one: Account, other: Account) -> None:
    for first, second in zip(frames(one), frames(other), strict=True):
        pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert one.pending == other.pending


def frames(account: Account) -> tuple[pd.DataFrame, ...]:
    return account.bars, account.positions, account.fills


def assert_equal_accounts(fast: Account, slow: Account) -> None:
    pd.testing.assert_frame_equal(fast.fills, slow.fills, rtol=1e-9, atol=0)
    pd.testing.assert_frame_equal(fast.bars[["equity"]], slow.bars[["equity"]], rtol=1e-9, atol=0)
    scale = float(slow.equity.max())
    pd.testing.assert_frame_equal(fast.bars, slow.bars, rtol=1e-9, atol=1e-12 * scale)
    pd.testing.assert_frame_equal(fast.positions, slow.positions, rtol=1e-9, atol=0)
    assert (fast.pending, fast.refused) == (slow.pending, slow.refused)


@drawn_times(30)
@given(config=configs, seed=st.integers(0, 10_000))
def test_fast_on_simulated_bars_equals_backtrader(config: Config, seed: int) -> None:
    assert_kept_alike(config, simulated(seed))


@drawn_times(5)
@given(config=configs, coin=st.sampled_from(["BTC", "ETH", "SOL", "LUNA", "FTT"]))
def test_fast_on_real_bars_equals_backtrader(shared_data: Path, config: Config, coin: str) -> None:
    assert_kept_alike(config, real(shared_data, coin))


def test_fast_on_hourly_bars_equals_backtrader(shared_data: Path) -> None:
    inputs = real(shared_data, "BTC", timeframe="1h")
    (coin,) = inputs.coins
    recent = dataclasses.replace(coin, frame=coin.frame.iloc[-4_000:])
    config = Config.model_validate(
        {"data": {"timeframe": "1h"}, "rules": {"hold_days": 9, "trailing_stop": 0.1}}
    )
    assert_kept_alike(config, dataclasses.replace(inputs, coins=(recent,)))


def test_fast_without_a_trigger_keeps_its_cash() -> None:
    config = Config.model_validate({"rules": {"trigger": "breakout"}, "signal": {"base": 9_999}})
    account = run_inputs(config, simulated(1), engine="fast").strategy
    assert account.fills.empty
    assert (account.equity == config.costs.initial_cash).all()


def test_fast_all_accounts_of_a_basket_equal_those_of_backtrader(shared_data: Path) -> None:
    config = load_config(
        None, flags={"asset": "ALTS", "idle.asset": "BTC", "size.rebalance_threshold": 0.05}
    )
    inputs = real_basket(shared_data, "BTC")
    slow, fast = (run_inputs(config, inputs, engine=name) for name in ("backtrader", "fast"))
    assert fast.others.keys() == slow.others.keys() == {"first_members", "idle"}
    for one, other in (
        (fast.strategy, slow.strategy),
        (fast.control, slow.control),
        *((fast.others[name], slow.others[name]) for name in fast.others),
    ):
        assert len(one.fills) > 0
        assert_equal_accounts(one, other)


@functools.cache
def real_basket(folder: Path, idle: str) -> Inputs:
    files = Files(folder)
    index = files.load(instruments.index("RUT"), timeframe="1d")
    names = ("ADA", "BNB", "DOGE", "FTT", "LUNA", "SOL", "XRP")
    coins = tuple(files.load(instruments.coin(name), timeframe="1d") for name in names)
    return Inputs(index, coins, files.load(instruments.coin(idle), timeframe="1d"))


@drawn_times(30)
@given(config=kept, seed=st.integers(0, 10_000))
def test_fast_baskets_upkeep_and_gates_equal_backtrader(config: Config, seed: int) -> None:
    assert_kept_alike(config, walks(seed, config))


@drawn_times(3)
@given(config=kept, idle=st.sampled_from(["BTC", "ETH"]))
def test_fast_baskets_on_real_bars_equal_backtrader(
    shared_data: Path, config: Config, idle: str
) -> None:
    inputs = real_basket(shared_data, idle)
    if config.asset != "ALTS":
        inputs = dataclasses.replace(inputs, coins=inputs.coins[:1])
    assert_kept_alike(config, inputs)


@drawn_times(15)
@given(config=kept, seed=st.integers(0, 10_000), coefficient=st.floats(0.01, 5.0))
def test_fast_fills_charged_for_their_size_equal_backtrader(
    config: Config, seed: int, coefficient: float
) -> None:
    config = charged(config, coefficient)
    tape = build_market(config, walks(seed, config)).traded
    assert tape.matrix("impact").any()
    fast, slow = fast_engine.simulate(tape, config), engine.simulate(tape, config)
    assert_equal_accounts(fast, slow)
    assert (fast.bars["cash"] >= 0).all()
    assert slow.refused == 0
