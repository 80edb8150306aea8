"""A run opens in the state the rule would be in, and trades what is due at its first open."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.config.config import load_config
from backtests.engines.backtest import backtest, run_inputs, run_on
from backtests.market.inputs import Inputs
from tests.backtests.engines.test_backtrader_engine import COIN, INDEX, run_tape
from tests.markets import coin_tape, coin_walk, index_tape, index_walk

DAYS = pd.date_range("2024-01-04", periods=12).strftime("%Y-%m-%d").tolist()


def flat_coin(closes, first=0):
    """Coin bars that open at the close before."""
    opens = [closes[0], *closes[:-1]]
    return list(zip(DAYS[first:], opens, closes, strict=False))


def days_of(fills):
    return list(zip(fills["side"], fills["time"].dt.day, fills["reason"], strict=True))


def test_trigger_known_exactly_at_the_first_open_is_bought_there():
    fills = run_tape(COIN[2:]).strategy.fills  # the coin is listed on the day after Friday's close
    assert days_of(fills) == [("buy", 6, "new_high"), ("sell", 8, "window")]
    assert fills["price"].iloc[0] == 15.0 * 1.0005


def test_start_on_the_day_of_the_fill_trades_as_the_whole_run():
    whole, started = run_tape(), run_tape(data__start="2024-01-06")
    assert started.strategy.fills.equals(whole.strategy.fills)
    assert len(started.strategy.bars) == 4


def test_start_inside_a_window_buys_at_the_first_open_and_leaves_with_the_window():
    fills = run_tape(data__start="2024-01-07").strategy.fills
    assert days_of(fills) == [("buy", 7, "new_high"), ("sell", 8, "window")]
    assert fills["price"].iloc[0] == 14.0 * 1.0005


def test_start_on_the_day_a_window_ends_opens_in_cash():
    assert run_tape(data__start="2024-01-08").strategy.fills.empty


def test_window_until_an_exit_is_live_however_long_ago_it_opened():
    late = [(d.replace("2024", "2025"), o, c) for d, o, c in COIN]
    account = run_tape(late, rules__hold_days=0).strategy
    assert days_of(account.fills) == [("buy", 4, "new_high")]
    assert run_tape(late).strategy.fills.empty  # two days are long over


def test_window_closed_by_a_lost_support_before_the_first_bar_stays_closed():
    index = [
        (d, c, c) for d, c in zip(DAYS[:2] + DAYS[4:8], [100, 99, 101, 102, 103, 90], strict=True)
    ]
    values = {
        "rules__hold_days": 0,
        "signal__base": 2,
        "signal__confirm": 1,
        "rules__trigger": "any",
    }
    coin = [(d, 10.0, 10.0) for d in DAYS[8:]]
    assert run_tape(coin, index, **values).strategy.fills.empty
    kept = run_tape(coin, index, **values, rules__exit_on_support_lost=False).strategy.fills
    assert days_of(kept) == [("buy", 12, "new_high")]


def test_rule_stopped_out_before_the_start_waits_for_a_later_session():
    coin = flat_coin([10, 10, 10, 7, 7, 7, 7, 7])  # falls by 30 % on the 7th, out at the 8th
    values = {"rules__hold_days": 9, "rules__stop_loss": 0.2}
    assert days_of(run_tape(coin, **values).strategy.fills)[-1] == ("sell", 8, "stop_loss")
    assert run_tape(coin, data__start="2024-01-09", **values).strategy.fills.empty
    # decided on the last bar before the start: the order at the first open is to leave
    assert run_tape(coin, data__start="2024-01-08", **values).strategy.fills.empty


@pytest.mark.parametrize(
    ("stop", "closes", "last"),
    [
        # the rule's own entry at 10 is safe at 14, the run's at 20 is not: 25 % below on the 9th
        ("stop_loss", [10, 10, 20, 20, 20, 15, 15, 15], ("sell", 10, "stop_loss")),
        # 20 % below the high of the 6th, which the run never held: the run's own high is 17
        ("trailing_stop", [10, 10, 20, 17, 17, 17, 13, 13], ("sell", 11, "trailing_stop")),
    ],
)
def test_stops_of_a_run_that_opens_in_a_window_measure_from_its_own_entry(stop, closes, last):
    values = {"rules__hold_days": 30, f"rules__{stop}": 0.2}
    fills = run_tape(flat_coin(closes), data__start="2024-01-08", **values).strategy.fills
    assert days_of(fills) == [("buy", 8, "new_high"), last]


def test_fall_of_the_index_counts_from_the_level_known_at_the_first_open():
    index = [*INDEX[:3], ("2024-01-08", 97, 97), ("2024-01-09", 96, 96)]
    coin = flat_coin([10.0] * 8)
    values = {"rules__hold_days": 30, "rules__index_drawdown": 0.03}
    whole = run_tape(coin, index, **values).strategy.fills
    assert days_of(whole)[-1] == ("sell", 9, "index_drawdown")  # 97 against 101
    # at the open of the 9th the rule is out; from the 8th the level is still 101
    for start, count in (("2024-01-08", 2), ("2024-01-09", 0)):
        assert len(run_tape(coin, index, data__start=start, **values).strategy.fills) == count


def test_entry_in_slices_goes_on_with_the_slices_due():
    coin = flat_coin([10.0] * 8)
    values = {"rules__hold_days": 30, "size__scale_in_days": 4}
    weight = run_tape(coin, data__start="2024-01-07", **values).strategy.bars["weight"]
    np.testing.assert_allclose(weight.iloc[:4], [0.5, 0.75, 1, 1], atol=0.002)


def test_idle_coin_is_held_from_the_first_open():
    eth, btc = (
        coin_tape([(d, p, p) for d in DAYS], name) for name, p in (("ETH", 10.0), ("BTC", 50.0))
    )
    config = load_config(
        None,
        flags={"signal.min_history": 1, "rules.hold_days": 2, "rules.trigger": "new_high"}
        | {"idle.asset": "BTC"},
    )
    result = run_inputs(config, Inputs(index_tape(INDEX), (eth,), idle=btc))
    held = result.strategy.positions > 0
    assert held["BTC-USD"].tolist() == [True, True, False, False, *[True] * 8]
    assert result.others["idle"].fills["time"].tolist() == [result.market.traded.times[0]]


drawn = st.fixed_dictionaries(
    {
        "rules.trigger": st.sampled_from(["new_high", "support_held", "any"]),
        "rules.hold_days": st.sampled_from([0, 2, 25, 90]),
        "rules.exit_on_support_lost": st.booleans(),
        "rules.entry_delay_days": st.sampled_from([0, 0, 4, 30]),
        "size.mode": st.sampled_from(["fraction", "vol_target"]),
        "filters.index_trend.window": st.sampled_from([10, 60]),
        "filters.index_trend.on_exit": st.booleans(),
    }
)


@settings(max_examples=15)
@given(values=drawn, seed=st.integers(0, 99), day=st.integers(1, 290))
def test_started_anywhere_is_in_the_market_when_the_whole_run_is(values, seed, day):
    coin = coin_walk(320, seed=seed, start="2018-02-01")
    start = str(coin.frame.index[day].date())
    base = {"signal.min_history": 20, "signal.base": 5, "signal.confirm": 2} | values
    whole, started = (
        run_inputs(
            load_config(None, flags=base | {"data.start": first}),
            Inputs(index_walk(400, seed=seed, end="2018-12-31"), (coin,)),
            engine="fast",
        ).strategy
        for first in ("", start)
    )
    later = whole.invested.loc[started.bars.index[0] :]
    pd.testing.assert_series_equal(started.invested, later)


def test_started_within_a_real_window_holds_it_to_its_end(shared_data: Path):
    config = load_config(
        None,
        flags={"asset": "ETH", "data.source": "files", "data.data_dir": str(shared_data)}
        | {"data.start": "2021-03-16", "data.end": "2021-10-31"},
    )
    fills = backtest(config).strategy.fills
    assert [str(time.date()) for time in fills["time"][:2]] == ["2021-03-16", "2021-05-15"]


def test_run_without_anything_before_opens_flat():
    result = run_on(
        load_config(None, flags={"signal.min_history": 1, "rules.trigger": "new_high"}),
        index=index_tape(INDEX[:2]),
        coin=coin_tape(COIN),
    )
    assert result.strategy.fills.empty
