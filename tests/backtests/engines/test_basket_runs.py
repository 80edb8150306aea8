"""Whole runs of baskets, filters, sizing and idle assets."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.config.config import load_config
from backtests.engines.backtest import run_inputs, run_on
from backtests.market.inputs import Inputs, load_inputs
from backtests.market.tape import traded_money
from feeds.instruments import coin
from feeds.releases import after_days
from feeds.series import validated_series
from strategies.rule_settings import BasketSettings
from tests.judged import files_of
from tests.markets import coin_tape, coin_walk, index_tape, index_walk

SMALL = {
    "signal.min_history": 20,
    "signal.base": 10,
    "rules.hold_days": 25,
    "basket.min_age_days": 5,
}


def configured(asset="ALTS", **values):
    flat = {key.replace("__", "."): value for key, value in values.items()}
    return load_config(None, flags=SMALL | {"asset": asset, "basket.min_members": 1} | flat)


def named(bars, name):
    return replace(bars, instrument=coin(name))


def walks(seed=1):
    """Three coins: one from the start, one listed late, one that dies."""
    first = named(coin_walk(240, seed=seed, start="2018-03-01"), "AAA")
    late = named(coin_walk(150, seed=seed + 1, start="2018-05-30"), "BBB")
    dead = named(coin_walk(120, seed=seed + 2, start="2018-03-01", drift=-0.03), "CCC")
    return first, late, dead


def russell(seed=11):
    return index_walk(260, seed=seed, end="2018-12-31")


def replayed(account, tape, costs):
    """Recompute equity from fills and closes alone."""
    closes = pd.DataFrame(tape.matrix("close"), tape.times, list(tape.coins))
    cash, units, equity = costs.initial_cash, dict.fromkeys(tape.coins, 0.0), []
    due = account.fills.to_dict("records")
    for time, close in closes.iterrows():
        while due and due[0]["time"] == time:
            fill = due.pop(0)
            signed = fill["units"] if fill["side"] == "buy" else -fill["units"]
            units[fill["symbol"]] += signed
            cash -= signed * fill["price"] + fill["commission"]
        equity.append(cash + sum(units[symbol] * close[symbol] for symbol in units))
    return np.array(equity)


drawn = st.fixed_dictionaries(
    {
        "basket.weights": st.sampled_from(["equal", "inverse_vol", "momentum"]),
        "basket.rebalance": st.sampled_from(["never", "weekly", "monthly"]),
        "basket.max_coin_weight": st.sampled_from([0.4, 1.0]),
        "basket.delisting_return": st.sampled_from([0.0, -0.5]),
        "basket.weight_lookback_days": st.just(5),
        "size.mode": st.sampled_from(["fraction", "vol_target"]),
        "size.fraction": st.sampled_from([0.5, 1.0]),
        "size.max_weight": st.sampled_from([0.6, 1.0]),
        "size.scale_in_days": st.sampled_from([1, 4]),
        "size.rebalance_threshold": st.sampled_from([0.0, 0.05]),
        "rules.trailing_stop": st.sampled_from([0.0, 0.1]),
        "rules.trigger": st.sampled_from(["any", "new_high", "breakout"]),
        "idle.asset": st.sampled_from(["", "AAA", "BTC"]),
        "idle.weight": st.sampled_from([0.3, 1.0]),
        "costs.commission_bps": st.sampled_from([0.0, 10.0, 100.0]),
    }
)


@settings(max_examples=8, deadline=None)
@given(values=drawn, seed=st.integers(0, 500))
def test_basket_any_config_adds_up_and_stays_within_limits(values, seed):
    config = load_config(None, flags=SMALL | {"asset": "ALTS"} | values)
    coins = walks(seed)
    idle = {"AAA": coins[0], "BTC": named(coin_walk(240, seed=9, start="2018-03-01"), "BTC")}
    inputs = Inputs(russell(seed), coins, idle=idle.get(config.idle.asset))
    result = run_inputs(config, inputs)
    account, tape = result.strategy, result.market.traded
    assert account.refused == 0
    assert np.isfinite(account.bars).all(axis=None)
    assert (account.bars["cash"] >= 0).all()
    assert (account.positions >= 0).all(axis=None)
    np.testing.assert_allclose(replayed(account, tape, config.costs), account.equity, rtol=1e-9)
    fills = account.fills
    both = fills.groupby("time")["side"].apply(list)
    assert all(sides == sorted(sides, reverse=True) for sides in both)  # sells before buys
    bought = fills[fills["side"] == "buy"]
    alive = pd.DataFrame(tape.matrix("alive"), tape.times, list(tape.coins))
    assert all(alive.loc[row.time, row.symbol] == 1 for row in bought.itertuples())


def test_basket_order_of_members_changes_nothing():
    config = configured(basket__rebalance="weekly")
    first = run_inputs(config, Inputs(russell(), walks()))
    again = run_inputs(config, Inputs(russell(), tuple(reversed(walks()))))
    assert first.strategy.bars.equals(again.strategy.bars)
    assert first.strategy.fills.equals(again.strategy.fills)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"rules__trailing_stop": 0.1, "rules__stop_loss": 0.1},
        {"size__mode": "vol_target", "size__rebalance_threshold": 0.1},
        {"size__scale_in_days": 5},
    ],
)
def test_basket_of_one_coin_equals_the_single_coin(values):
    bars = coin_walk(240, seed=5, start="2018-03-01")
    one = configured(basket__min_age_days=0, basket__rebalance="never", **values)
    basket = run_inputs(one, Inputs(russell(), (bars,)))
    # who is in a basket is known only when a bar has ended: the first one is not traded
    later = configured("ETH", data__start="2018-03-02", **values)
    single = run_on(later, index=russell(), coin=bars)
    assert len(single.strategy.fills) > 2
    for name in ("strategy", "buy_and_hold"):
        ours, other = getattr(basket, name), getattr(single, name)
        np.testing.assert_allclose(ours.equity, other.equity, rtol=1e-12)


@pytest.mark.parametrize("engine", ["backtrader", "fast"])
@pytest.mark.parametrize("weights", ["equal", "momentum"])
def test_basket_starts_at_the_first_open_at_which_enough_members_are_known(engine, weights):
    first, late, _ = walks()
    third = named(coin_walk(130, seed=9, start="2018-06-19", drift=-0.02), "DDD")
    config = configured(basket__min_members=3, basket__weights=weights)
    result = run_inputs(config, Inputs(russell(), (first, late, third)), engine=engine)
    # the latest coin is old enough when its sixth bar ends; momentum looks 30 days back
    older = 6 if weights == "equal" else 31
    assert result.market.traded.times[0] == third.frame.index[older]
    held = result.buy_and_hold.positions.iloc[0] > 0
    inside = result.others["first_members"].positions.iloc[0] > 0
    known = result.market.traded.before.matrix("on_weight")[-1] > 0
    assert held.tolist() == inside.tolist() == known.tolist()
    assert (known.sum() == 3) if weights == "equal" else (0 < known.sum() < 3)


def test_traded_money_is_the_sources_own_where_known_else_volume_times_close():
    coin_bars = named(coin_walk(4, seed=1), "AAA")
    frame = coin_bars.frame.assign(volume=2.0, quote_volume=[7.0, np.nan, 0.0, 9.0])
    opens = frame.index.append(pd.DatetimeIndex(["2018-02-01"], tz="UTC"))
    bars = replace(coin_bars, frame=frame)
    second = 2.0 * frame["close"].iloc[1]
    money = traded_money(bars, opens, settings=BasketSettings())
    np.testing.assert_array_equal(money, [7.0, second, 0.0, 9.0, np.nan])
    in_money = traded_money(bars, opens, settings=BasketSettings(volume_in_money=("AAA",)))
    np.testing.assert_array_equal(in_money, [7.0, 2.0, 0.0, 9.0, np.nan])


def test_basket_dead_coin_keeps_its_loss_and_leaves_at_the_delisting_return():
    days = pd.date_range("2024-01-04", periods=48).strftime("%Y-%m-%d")
    alive = coin_tape([(day, 10.0, 10.0) for day in days], "AAA")
    dying = coin_tape(
        [(day, 10.0, 10.0 if n < 5 else 4.0) for n, day in enumerate(days[:6])], "BBB"
    )
    index = index_tape([("2024-01-03", 100, 100), ("2024-01-04", 99, 99), ("2024-01-05", 101, 101)])
    config = configured(
        signal__min_history=1,
        rules__hold_days=0,
        basket__min_age_days=0,
        basket__rebalance="never",
        basket__delisting_return=-0.25,
        costs__commission_bps=0.0,
        costs__slippage_bps=0.0,
    )
    result = run_inputs(config, Inputs(index, (alive, dying)))
    sold = result.strategy.fills.query("side == 'sell'").to_dict("records")
    assert [(fill["symbol"], fill["reason"]) for fill in sold] == [("BBB-USD", "delisted")]
    assert sold[0]["price"] == pytest.approx(4.0 * 0.75)
    # a week without a bar makes it dead; it is decided the bar after and filled at the next open
    assert sold[0]["time"] == pd.Timestamp("2024-01-18", tz="UTC")
    assert result.strategy.equity.iloc[-1] == pytest.approx(50_000 + 50_000 * 0.3)
    # the first members are untouched: what is left of the dead coin is marked where it stands
    assert result.others["first_members"].equity.iloc[-1] == pytest.approx(50_000 + 50_000 * 0.3)


def test_idle_asset_is_held_until_the_signal_and_after():
    index = index_tape(
        [
            ("2024-01-03", 100, 100),
            ("2024-01-04", 99, 99),
            ("2024-01-05", 101, 101),
            ("2024-01-08", 90, 90),
        ]
    )
    days = pd.date_range("2024-01-04", periods=8).strftime("%Y-%m-%d")
    eth = coin_tape([(day, 10.0, 10.0) for day in days], "ETH")
    btc = coin_tape([(day, 50.0, 50.0) for day in days], "BTC")
    config = configured("ETH", signal__min_history=1, rules__hold_days=2, idle__asset="BTC")
    result = run_inputs(config, Inputs(index, (eth,), idle=btc))
    held = result.strategy.positions > 0
    assert held["BTC-USD"].tolist() == [True, True, False, False, True, True, True, True]
    assert held["ETH-USD"].tolist() == [False, False, True, True, False, False, False, False]
    assert set(result.others) == {"idle"}


def test_always_long_holds_more_in_risk_on():
    bars = coin_walk(240, seed=5, start="2018-03-01")
    config = configured("ETH", idle__asset="ETH", idle__weight=0.4)
    result = run_inputs(config, Inputs(russell(), (bars,), idle=bars))
    weight = result.strategy.bars["weight"].iloc[1:]
    assert weight.min() > 0.1
    assert weight.max() > 0.99


def test_scale_in_buys_equal_slices_on_following_days():
    bars = coin_walk(240, seed=5, start="2018-03-01")
    result = run_on(configured("ETH", size__scale_in_days=4), index=russell(), coin=bars)
    entries = result.strategy.fills.query("side == 'buy'")
    first = entries.iloc[:4]
    assert first["reason"].tolist()[1:] == ["scale_in"] * 3
    assert first["time"].diff().dropna().eq(pd.Timedelta(days=1)).all()
    np.testing.assert_allclose(first["units"] * first["price"], 25_000, rtol=0.12)


def test_max_weight_a_position_that_grew_is_trimmed():
    bars = coin_walk(240, seed=5, start="2018-03-01", drift=0.02)
    config = configured("ETH", size__max_weight=0.5, size__rebalance_threshold=0.05)
    weight = run_on(config, index=russell(), coin=bars).strategy.bars["weight"]
    assert weight.max() < 0.5 + 0.05 + 0.06  # a day's move past the cap, trimmed the next


# Filters


def flows(values, start, lag_days=1.0):
    dates = pd.date_range(start, periods=len(values))
    raw = pd.DataFrame({"date": dates.strftime("%Y-%m-%d"), "value": [str(v) for v in values]})
    return validated_series(
        raw,
        name="ETF_FLOWS",
        units="USD million",
        release=lambda days: after_days(days, lag_days=lag_days),
        source="test",
        origin="test series",
    )


def filtered(lag_days=1.0, **values):
    bars = coin_walk(240, seed=5, start="2018-03-01")
    config = configured(
        "ETH",
        filters__etf_flows__measure="level",
        filters__etf_flows__max_age_days=9,
        **values,
    )
    ups = [1 if day % 40 < 25 else -1 for day in range(300)]
    series = {"ETF_FLOWS": flows(ups, "2018-01-01", lag_days)}
    return run_inputs(config, Inputs(russell(), (bars,), series=series))


def test_filter_closed_gate_lets_no_entry_pass():
    bars = coin_walk(240, seed=5, start="2018-03-01")
    plain = run_on(configured("ETH", rules__hold_days=3), index=russell(), coin=bars)
    result = filtered(rules__hold_days=3)
    gate = result.market.traded.lines["gate"]
    bought = result.strategy.fills.query("side == 'buy'")["time"]
    rows = result.strategy.bars.index.get_indexer(bought)
    assert (gate[rows - 1] == 1).all()
    assert (gate == 0).any()
    assert len(result.strategy.fills) < len(plain.strategy.fills)


def test_filter_published_later_changes_nothing_before():
    early, late = filtered(lag_days=1.0), filtered(lag_days=60.0)
    gates = [run.market.gates[0] for run in (early, late)]
    shift = 59 * 86_400_000_000_000
    instants = early.market.available_at.asi8
    np.testing.assert_array_equal(gates[0].at(instants), gates[1].at(instants + shift))


def test_filter_on_exit_leaves_when_it_closes():
    result = filtered(filters__etf_flows__on_exit=True, rules__hold_days=0)
    assert "filter" in set(result.strategy.fills["reason"])


def test_filters_removed_give_the_plain_run_byte_for_byte():
    bars = coin_walk(240, seed=5, start="2018-03-01")
    plain = run_on(configured("ETH"), index=russell(), coin=bars)
    with_series = run_inputs(
        configured("ETH"),
        Inputs(russell(), (bars,), series={"ETF_FLOWS": flows([1], "2018-01-01")}),
    )
    files = [files_of(run) for run in (plain, with_series)]
    assert files[0] == files[1]


def test_filter_stands_as_a_column_of_the_signals_file():
    result = filtered()
    table = files_of(result)["signals.csv"]
    assert "filter_etf_flows" in table.splitlines()[0]


def test_more_commission_never_raises_final_equity():
    finals = []
    for commission in (0.0, 10.0, 50.0):
        config = configured(basket__rebalance="weekly", costs__commission_bps=commission)
        finals.append(run_inputs(config, Inputs(russell(), walks())).strategy.equity.iloc[-1])
    assert finals == sorted(finals, reverse=True)


# Real bars


def real(shared_data, folder="", **values):
    flat = {key.replace("__", "."): value for key, value in values.items()}
    config = load_config(
        None,
        flags={"data.source": "files", "data.data_dir": str(shared_data / folder)} | flat,
    )
    return run_inputs(config, load_inputs(config))


def test_basket_real_collapse_of_luna_shows_in_the_equity(shared_data):
    result = real(
        shared_data,
        asset="ALTS",
        idle__asset="LUNA",
        data__start="2022-01-01",
        basket__members=["LUNA"],
    )
    equity = result.strategy.equity
    assert equity.iloc[-1] / equity.loc["2022-05-01"] < 0.01
    assert result.buy_and_hold.equity.iloc[-1] < 1_000


def test_basket_real_collapse_of_ftx_shows_in_the_equity(shared_data):
    result = real(shared_data, asset="FTT", idle__asset="FTT", data__start="2022-06-01")
    equity = result.strategy.equity
    assert equity.loc["2022-11-15"] / equity.loc["2022-11-01"] < 0.1


def test_survivors_picked_by_hand_are_warned_of_and_the_bias_is_large(shared_data, tmp_path):
    """What coins known today made from 2017 on, against the ten largest of each day."""
    folder = shared_data / "cmc_2013_2020"
    for path in folder.glob("*.csv"):
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "RUT_1d.csv").symlink_to(shared_data / "RUT_1d.csv")
    common = {
        "asset": "ALTS",
        "data.source": "files",
        "data.data_dir": str(tmp_path),
        "data.start": "2017-01-01",
        "basket.min_members": 1,
    }
    finals = {}
    chosen = {
        "of the day": {"basket.select": "market_cap", "basket.top": 10},
        "survivors": {"basket.members": ["ADA", "DOGE", "ETH", "LTC", "XRP"]},
    }
    for name, values in chosen.items():
        config = load_config(None, flags=common | values)
        result = run_inputs(config, load_inputs(config))
        finals[name] = result.buy_and_hold.equity.iloc[-1] / 100_000
        warned = any(note.startswith("SURVIVORS") for note in result.warnings)
        assert not any(note.startswith("HAND-PICKED") for note in result.warnings)
        assert warned == (name == "survivors")
    assert finals["survivors"] > 2 * finals["of the day"], finals


def test_basket_named_by_hand_is_warned_of_even_with_a_death_in_it():
    named_by_hand = configured(basket__members=["AAA", "BBB", "CCC"])
    result = run_inputs(named_by_hand, Inputs(russell(), walks()))
    assert any(note.startswith("HAND-PICKED: the 3 coins") for note in result.warnings)
    (only,) = run_inputs(configured(), Inputs(russell(), walks())).warnings
    assert only.startswith("stopped trading before the end")
