"""Nothing a run does may depend on what comes later, and this notices when it would."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.config.config import load_config
from backtests.engines.backtest import run_inputs
from backtests.market import coins as coins_module
from backtests.market import known_when as schedule_module
from backtests.market import market as market_module
from backtests.market.inputs import Inputs
from feeds.instruments import coin, index
from feeds.releases import after_days
from feeds.series import validated_series
from tests.markets import coin_walk, index_walk

SMALL = {"signal.min_history": 20, "signal.base": 10, "rules.hold_days": 15}
CONFIGS = {
    "any": {},
    "new high, stops": {
        "rules.trigger": "new_high",
        "rules.trailing_stop": 0.1,
        "rules.stop_loss": 0.1,
        "rules.index_drawdown": 0.02,
    },
    "breakout, delayed": {"rules.trigger": "breakout", "rules.entry_delay_days": 3},
    "support, retest": {"rules.trigger": "support_held", "signal.retest": True},
    "rolling high, vol target": {
        "signal.lookback": 40,
        "size.mode": "vol_target",
        "size.rebalance_threshold": 0.05,
        "size.scale_in_days": 3,
    },
    "filters": {
        "filters.index_trend.window": 10,
        "filters.small_caps_lead.window": 10,
        "filters.etf_flows.measure": "sum",
        "filters.etf_flows.window": 5,
        "filters.etf_flows.on_exit": True,
        "rules.filters": "any",
    },
    "basket, rotating from bitcoin": {
        "asset": "ALTS",
        "idle.asset": "BTC",
        "basket.weights": "inverse_vol",
        "basket.select": "dollar_volume",
        "basket.top": 2,
        "basket.min_members": 1,
        "basket.min_age_days": 5,
        "basket.weight_lookback_days": 5,
        "basket.volume_window_days": 5,
        "basket.rebalance": "weekly",
    },
    "basket by momentum, always in": {
        "asset": "ALTS",
        "idle.asset": "BBB",
        "idle.weight": 0.5,
        "basket.weights": "momentum",
        "basket.min_members": 1,
        "basket.min_age_days": 3,
        "basket.weight_lookback_days": 4,
        "basket.delisted_after_days": 3,
    },
}


@pytest.fixture(autouse=True)
def _run_to_the_newest_bar(monkeypatch):
    """Let no cut end a run earlier: where files end is a fact of the files, not of the past."""
    monkeypatch.setattr(
        market_module, "common_end", lambda coins: max(bars.frame.index[-1] for bars in coins)
    )


def configured(name):
    return load_config(None, flags=SMALL | CONFIGS[name])


def traded(days, name, *, seed, start="2018-03-01"):
    """Return a coin with a volume, which a basket may be chosen by."""
    bars = coin_walk(days, seed=seed, start=start)
    volume = np.random.default_rng(seed).uniform(1, 9, days)
    return replace(bars, instrument=coin(name), frame=bars.frame.assign(volume=volume))


def inputs_of(config):
    coins = (traded(240, "ETH", seed=12),)
    if config.asset == "ALTS":
        coins = (
            traded(240, "AAA", seed=12),
            traded(170, "BBB", seed=13, start="2018-05-10"),
            traded(90, "CCC", seed=14),
        )
    idle = {"": None, "BTC": traded(240, "BTC", seed=15), "BBB": coins[-2:][0]}
    spx = replace(index_walk(260, seed=16, end="2018-12-31"), instrument=index("SPX"))
    return Inputs(
        index_walk(260, seed=11, end="2018-12-31"),
        coins,
        idle=idle[config.idle.asset],
        benchmarks={"SPX": spx},
        series={"ETF_FLOWS": flows()},
    )


def flows():
    dates = pd.date_range("2018-01-01", periods=400)
    values = np.random.default_rng(17).normal(0, 1, 400)
    raw = pd.DataFrame({"date": dates.strftime("%Y-%m-%d"), "value": [str(v) for v in values]})
    return validated_series(
        raw,
        name="ETF_FLOWS",
        units="",
        release=lambda days: after_days(days, lag_days=2),
        source="test",
        origin="test",
    )


def cut(inputs, last):
    """Return what was known when the bar of day `last` ended."""
    end = last + pd.Timedelta(days=1)

    def coin_until(bars):
        return replace(bars, frame=bars.frame.loc[:last])

    def index_until(bars):
        return replace(bars, frame=bars.frame.loc[: last.tz_localize(None)])

    def series_until(series):
        return replace(series, frame=series.frame[series.frame["available_at"] <= end])

    return replace(
        inputs,
        index=index_until(inputs.index),
        coins=tuple(coin_until(bars) for bars in inputs.coins if bars.frame.index[0] <= last),
        idle=inputs.idle and coin_until(inputs.idle),
        benchmarks={name: index_until(bars) for name, bars in inputs.benchmarks.items()},
        series={name: series_until(series) for name, series in inputs.series.items()},
    )


def outcome(config, inputs):
    result = run_inputs(config, inputs)
    accounts = [result.strategy, result.control, *result.others.values()]
    tape = result.market.traded
    # the lines too: what the rule sees at the last bar shows in no account yet
    tables = [pd.DataFrame(tape.lines, index=tape.times)]
    tables += [pd.DataFrame(lines, index=tape.times) for lines in tape.coins.values()]
    tables += [account.bars for account in accounts]
    tables += [account.positions for account in accounts]
    return tables, [account.fills for account in accounts]


def assert_same_until(last, before, after):
    """Compare two outcomes up to the bar of day `last`, included."""
    for one, other in zip(before[0], after[0], strict=True):
        np.testing.assert_array_equal(one.loc[:last], other.loc[:last])
    for one, other in zip(before[1], after[1], strict=True):
        kept = [fills[fills["time"] <= last].reset_index(drop=True) for fills in (one, other)]
        assert kept[0].equals(kept[1])


def days_of(inputs):
    return inputs.coins[0].frame.index


def assert_cut_changes_nothing(config, *, every=11):
    inputs = inputs_of(config)
    whole = outcome(config, inputs)
    # from the day the last coin of a basket is listed: before, there is a table less
    for last in days_of(inputs)[75::every]:
        assert_same_until(last, outcome(config, cut(inputs, last)), whole)


@pytest.mark.parametrize("name", CONFIGS)
def test_run_cut_at_any_bar_leaves_the_past_unchanged(name):
    assert_cut_changes_nothing(configured(name), every=11 if name == "any" else 41)


@pytest.mark.parametrize("name", CONFIGS)
def test_run_last_bar_changed_leaves_everything_before_identical(name):
    config = configured(name)
    inputs = cut(inputs_of(config), days_of(inputs_of(config))[-1])

    def bent(bars):
        frame = bars.frame.copy()
        frame.iloc[-1] *= 3
        return replace(bars, frame=frame)

    changed = replace(
        inputs, index=bent(inputs.index), coins=(bent(inputs.coins[0]), *inputs.coins[1:])
    )
    day_before = days_of(inputs)[-2]
    assert_same_until(day_before, outcome(config, inputs), outcome(config, changed))


def test_planted_leak_of_one_bar_is_noticed(monkeypatch):
    honest = schedule_module.latest_known

    def leaking(available_at, *, at):
        # as if each session were known a day before its close
        return honest(available_at - 86_400_000_000_000, at=at)

    monkeypatch.setattr(schedule_module, "latest_known", leaking)
    with pytest.raises(AssertionError):
        assert_cut_changes_nothing(configured("new high, stops"))


def test_planted_signal_leak_is_noticed(monkeypatch):
    honest = market_module.index_signals

    def leaking(**given):
        found = honest(**given)
        return replace(found, new_high=np.append(found.new_high[1:], False))

    monkeypatch.setattr(market_module, "index_signals", leaking)
    with pytest.raises(AssertionError):
        assert_cut_changes_nothing(configured("any"), every=2)


def test_planted_weight_leak_is_noticed(monkeypatch):
    honest = coins_module.basket_weights

    def leaking(panel, qualified, *, settings):
        found = honest(panel, qualified, settings=settings)
        return np.vstack([found[1:], found[-1:]])

    monkeypatch.setattr(coins_module, "basket_weights", leaking)
    with pytest.raises(AssertionError):
        assert_cut_changes_nothing(configured("basket, rotating from bitcoin"))
