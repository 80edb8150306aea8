"""The fast engine against backtrader: the same account for the same config and bars."""

import dataclasses
import functools
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtests.backtest import run_on
from backtests.config import Config
from backtests.engine import Account
from feeds import instruments
from feeds.bars import Bars
from feeds.files import Files
from tests.markets import coin_walk, index_walk

fractions = st.one_of(st.just(0.0), st.floats(0.01, 0.5))

rules = st.fixed_dictionaries(
    {
        "trigger": st.sampled_from(["new_high", "breakout", "support_held", "any"]),
        "hold_days": st.one_of(st.just(0), st.integers(1, 200)),
        "exit_on_support_lost": st.booleans(),
        "trailing_stop": fractions,
        "stop_loss": fractions,
        "index_drawdown": fractions,
        "entry_delay_days": st.one_of(st.just(0), st.integers(1, 90)),
    }
)
signal = st.fixed_dictionaries(
    {
        "lookback": st.one_of(st.just("all"), st.integers(5, 300)),
        "min_history": st.integers(5, 252),
        "base": st.integers(1, 100),
        "tolerance": st.floats(0, 0.1),
        "confirm": st.integers(1, 10),
        "window": st.integers(5, 80),
        "retest": st.booleans(),
    }
)
size = st.one_of(
    st.fixed_dictionaries({"fraction": st.one_of(st.just(1.0), st.floats(0.01, 1.0))}),
    st.fixed_dictionaries(
        {
            "mode": st.just("vol_target"),
            "vol_target": st.floats(0.05, 2.0),
            "vol_lookback": st.integers(2, 60),
        }
    ),
)
costs = st.fixed_dictionaries(
    {
        "initial_cash": st.floats(1.0, 1e9),
        "commission_bps": st.one_of(st.just(0.0), st.floats(0, 500)),
        "slippage_bps": st.one_of(st.just(0.0), st.floats(0, 500)),
        "cash_rate": st.one_of(st.just(0.0), st.floats(0, 0.2)),
    }
)
configs = st.builds(
    lambda **sections: Config.model_validate(sections),
    rules=rules,
    signal=signal,
    size=size,
    costs=costs,
)


def simulated(seed: int) -> tuple[Bars, Bars]:
    return index_walk(500, seed=seed), coin_walk(300, seed=seed + 1, start="2020-03-01")


@functools.cache
def real(folder: Path, coin: str, timeframe: str = "1d") -> tuple[Bars, Bars]:
    files = Files(folder)
    index = files.load(instruments.index("RUT"), timeframe="1d")
    return index, files.load(instruments.coin(coin), timeframe=timeframe)


def assert_twins(config: Config, index: Bars, coin: Bars) -> None:
    slow = run_on(config, index=index, coin=coin)
    fast = run_on(config, index=index, coin=coin, engine="fast")
    for name in ("strategy", "control"):
        assert_equal_accounts(getattr(fast, name), getattr(slow, name))


def assert_equal_accounts(fast: Account, slow: Account) -> None:
    pd.testing.assert_frame_equal(fast.fills, slow.fills, rtol=1e-12, atol=0)
    pd.testing.assert_frame_equal(fast.bars[["equity"]], slow.bars[["equity"]], rtol=1e-9, atol=0)
    scale = float(slow.equity.max())
    pd.testing.assert_frame_equal(fast.bars, slow.bars, rtol=1e-9, atol=1e-12 * scale)
    assert (fast.pending, fast.refused) == (slow.pending, slow.refused)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(config=configs, seed=st.integers(0, 10_000))
def test_fast_on_simulated_bars_equals_backtrader(config: Config, seed: int) -> None:
    assert_twins(config, *simulated(seed))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(config=configs, coin=st.sampled_from(["BTC", "ETH", "SOL", "LUNA", "FTT"]))
def test_fast_on_real_bars_equals_backtrader(shared_data: Path, config: Config, coin: str) -> None:
    assert_twins(config, *real(shared_data, coin))


def test_fast_on_hourly_bars_equals_backtrader(shared_data: Path) -> None:
    index, coin = real(shared_data, "BTC", timeframe="1h")
    recent = dataclasses.replace(coin, frame=coin.frame.iloc[-4_000:])
    config = Config.model_validate({"rules": {"hold_days": 9, "trailing_stop": 0.1}})
    assert_twins(config, index, recent)


def test_fast_without_a_trigger_keeps_its_cash() -> None:
    index, coin = simulated(1)
    config = Config.model_validate({"rules": {"trigger": "breakout"}, "signal": {"base": 9_999}})
    account = run_on(config, index=index, coin=coin, engine="fast").strategy
    assert account.fills.empty
    assert (account.equity == config.costs.initial_cash).all()
