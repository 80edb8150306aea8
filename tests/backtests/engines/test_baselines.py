"""The control: the rule in the coin's own terms, against plain pandas on the coin's closes."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from backtests.config.config import load_config
from backtests.engines.backtest import Run, run_on
from backtests.engines.baselines import (
    DAYS_PER_SESSION,
    VOLATILITY_RATIO,
    control_config,
    control_tape,
)
from feeds.bars import Bars
from feeds.instruments import Instrument
from tests.markets import coin_walk, index_walk


def run(*overrides: str, coin: Bars | None = None, index_seed: int = 3) -> Run:
    config = load_config(None, overrides=("signal.min_history=20", "signal.base=5", *overrides))
    own = coin or coin_walk(700, seed=8)
    return run_on(config, index=index_walk(900, seed=index_seed), coin=own, engine="fast")


def test_control_settings_count_days_where_the_rule_counts_sessions() -> None:
    own = control_config(load_config(None, overrides=["signal.lookback=252"])).signal
    assert (own.lookback, own.min_history) == (365, 365)
    assert (own.base, own.window, own.confirm) == (87, 87, 7)
    assert control_config(load_config(None)).signal.lookback == "all"
    assert pytest.approx(365.25 / 252, rel=1e-3) == DAYS_PER_SESSION


def test_control_settings_widen_what_is_a_fraction_of_price() -> None:
    config = load_config(None, overrides=["rules.index_drawdown=0.1", "rules.stop_loss=0.2"])
    own = control_config(config)
    # a fall of 2 % of the index is as many of its deviations as one of 5.9 % is of a coin's
    assert np.log(1 - own.signal.tolerance) == pytest.approx(VOLATILITY_RATIO * np.log(0.98))
    assert np.log(1 + own.signal.clearance) == pytest.approx(VOLATILITY_RATIO * np.log(1.03))
    assert 1 - own.rules.index_drawdown == pytest.approx(0.9**VOLATILITY_RATIO)
    # what the rule already measures on the coin stays
    assert own.rules.stop_loss == 0.2
    assert own.rules.hold_days == config.rules.hold_days
    assert own.costs == config.costs


def test_control_settings_of_no_bounds_stay_without() -> None:
    config = load_config(None, overrides=["signal.tolerance=0", "rules.index_drawdown=0"])
    own = control_config(config)
    assert own.signal.tolerance == 0
    assert own.rules.index_drawdown == 0


def test_control_volatility_ratio_is_that_of_real_coins(shared_data) -> None:
    def volatility(name: str, bars_per_year: int) -> float:
        closes = pd.read_csv(shared_data / f"{name}_1d.csv", index_col="date")["close"]
        return float(closes["2014-09-17":].pct_change().std() * np.sqrt(bars_per_year))

    index = volatility("RUT", 252)
    ratios = [volatility(f"{coin}-USD", 365) / index for coin in ("BTC", "ETH")]
    assert min(ratios) - 0.2 < VOLATILITY_RATIO < max(ratios) + 0.2


def test_control_buys_new_highs_of_the_coin_itself() -> None:
    result = run("rules.trigger=new_high", "rules.hold_days=10")
    closes = result.market.coin.frame["close"]
    seen = closes.shift().expanding().max().where(closes.expanding().count() > 29)
    highs = closes.index[closes > seen]
    times = result.control.bars.index
    held = pd.Series(False, index=times)
    for high in highs[highs >= times[0]]:
        # known when the day ends, so bought at the next day's open
        held[(times > high) & (times <= high + pd.Timedelta(days=10))] = True
    assert held.any()
    np.testing.assert_array_equal(result.control.invested.to_numpy(), held.to_numpy())


def test_control_knows_nothing_of_the_index() -> None:
    first, second = run(index_seed=3), run(index_seed=4)
    common = first.control.bars.index.intersection(second.control.bars.index)
    tapes = [control_tape(each.market, control_config(each.config)) for each in (first, second)]
    lines = [
        pd.Series(tape.lines["trigger_session"], index=tape.times).loc[common] for tape in tapes
    ]
    pd.testing.assert_series_equal(*lines)


def test_control_leaves_filters_out() -> None:
    free, gated = run(), run("filters.index_trend.window=800")
    assert len(gated.strategy.fills) < len(free.strategy.fills)
    pd.testing.assert_series_equal(gated.control.equity, free.control.equity)


def test_control_of_hourly_bars_reads_whole_days() -> None:
    days = coin_walk(80, seed=6, start="2020-06-01")
    hours = pd.date_range("2020-06-01", periods=80 * 24, freq="h", tz="UTC", unit="ns")
    steps = np.repeat(days.frame["close"].to_numpy(), 24)
    frame = pd.DataFrame(
        dict.fromkeys(("open", "high", "low", "close"), steps) | {"volume": np.nan}, index=hours
    )
    coin = Bars(Instrument("ETH-USD", "coin"), "1h", frame, "test", "memory")
    result = run("data.timeframe=1h", coin=coin)
    tape = control_tape(result.market, control_config(result.config))
    known = pd.Series(tape.lines["trigger_session"], index=tape.times)
    # a day's close is known when its last hour ends: triggers come with the bar of 23:00
    assert set(known.index[known >= 0].hour) == {23}


def test_control_of_a_changed_future_has_the_same_past() -> None:
    whole = coin_walk(700, seed=8)
    cut = dataclasses.replace(whole, frame=whole.frame.iloc[:600])
    pd.testing.assert_series_equal(
        run(coin=cut).control.equity, run(coin=whole).control.equity.iloc[:-100]
    )
