import dataclasses
import sys

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.config.config import Config, load_config
from backtests.config.run_settings import CostSettings
from backtests.engines.backtest import run_on
from strategies import russell_risk_on
from tests.markets import coin_tape, coin_walk, index_tape, index_walk

# Resistance at 100 is broken on Friday 2024-01-05; a high needs one session of history.
INDEX = [
    ("2024-01-03", 100, 100),
    ("2024-01-04", 99, 99),
    ("2024-01-05", 101, 101),
    ("2024-01-08", 90, 90),
    ("2024-01-09", 90, 90),
]
# date, open, close; what the two-day window does with it
COIN = [
    ("2024-01-04", 10.0, 10.0),
    ("2024-01-05", 10.0, 11.0),  # Friday's close is known when this bar ends
    ("2024-01-06", 15.0, 14.0),  # bought here, 36 % above the close it was decided on
    ("2024-01-07", 14.0, 16.0),
    ("2024-01-08", 13.0, 12.0),  # sold here: two days after the entry
    ("2024-01-09", 12.0, 12.0),
]


def configured(**values):
    defaults = {"signal.min_history": 1, "rules.trigger": "new_high", "rules.hold_days": 2}
    flat = defaults | {key.replace("__", "."): value for key, value in values.items()}
    return load_config(None, flags=flat)


def run_tape(coin=COIN, index=INDEX, **values):
    return run_on(configured(**values), index=index_tape(index), coin=coin_tape(coin))


def test_run_tape_fills_at_the_next_open_with_costs_to_the_last_digit():
    account = run_tape().strategy
    bought, sold = account.fills.to_dict("records")
    assert (bought["time"], bought["side"]) == (pd.Timestamp("2024-01-06", tz="UTC"), "buy")
    assert (sold["time"], sold["side"]) == (pd.Timestamp("2024-01-08", tz="UTC"), "sell")
    assert (bought["reason"], sold["reason"]) == ("new_high", "window")
    assert bought["price"] == 15.0 * 1.0005
    assert sold["price"] == 13.0 * 0.9995
    assert bought["units"] == pytest.approx(100_000 / (15.0 * 1.0005 * 1.001), rel=1e-15)
    assert sold["units"] == bought["units"]
    assert bought["commission"] == pytest.approx(bought["units"] * bought["price"] * 0.001)
    proceeds = sold["units"] * sold["price"] * 0.999
    assert account.equity.iloc[-1] == pytest.approx(proceeds, rel=1e-14)


def test_run_tape_gap_up_after_all_in_decision_still_fills():
    coin = [(d, o * (5 if d == "2024-01-06" else 1), c) for d, o, c in COIN]
    account = run_tape(coin).strategy
    assert len(account.fills) == 2
    assert account.refused == 0
    assert (account.bars["cash"] >= 0).all()


def test_run_tape_slippage_is_not_capped_by_the_bar():
    # open, high, low and close are all 14 on the entry bar
    coin = [(d, 14.0, 14.0) if d == "2024-01-06" else (d, o, c) for d, o, c in COIN]
    fills = run_tape(coin, costs__slippage_bps=500.0).strategy.fills
    assert fills["price"].tolist() == [14.0 * 1.05, 13.0 * 0.95]


def test_run_tape_half_of_equity_keeps_the_other_half():
    bars = run_tape(size__fraction=0.5).strategy.bars
    assert bars["cash"].iloc[2] == pytest.approx(50_000, rel=1e-12)


def test_run_tape_entry_delay_shifts_the_whole_window():
    fills = run_tape(rules__entry_delay_days=1).strategy.fills
    assert fills["time"].dt.day.tolist() == [7, 9]


def test_run_tape_decision_on_the_last_bar_stays_pending():
    account = run_tape(COIN[:2]).strategy
    assert account.fills.empty
    assert account.pending == "new_high"


def test_run_tape_position_open_at_the_end_is_marked_not_closed():
    account = run_tape(COIN[:4]).strategy
    assert len(account.fills) == 1
    assert account.equity.iloc[-1] == pytest.approx(
        account.positions["ETH-USD"].iloc[-1] * 16.0 + account.bars["cash"].iloc[-1], rel=1e-15
    )


def test_run_tape_missing_coin_bar_fills_at_the_next_there_is():
    coin = [row for row in COIN if row[0] != "2024-01-06"]
    fills = run_tape(coin).strategy.fills
    assert fills["time"].iloc[0] == pd.Timestamp("2024-01-07", tz="UTC")


def test_run_tape_idle_cash_earns_its_rate():
    quiet = [(d, o, 90) for d, o, _ in INDEX]
    account = run_tape(index=quiet, costs__cash_rate=0.05).strategy
    bar = 1.05 ** (1 / 365.25)  # a year of cash earns its rate, 2024 or not
    expected = 100_000 * bar ** np.arange(1, len(account.bars) + 1)
    np.testing.assert_allclose(account.equity, expected, rtol=1e-12)


def test_buy_and_hold_buys_at_the_first_tradable_open_and_pays_once():
    held = run_tape().buy_and_hold
    units = 100_000 / (10.0 * 1.0005 * 1.001)
    assert held.fills["price"].tolist() == [10.0 * 1.0005]
    np.testing.assert_allclose(held.equity, units * np.array([row[2] for row in COIN]), rtol=1e-12)


def test_half_day_close_is_known_by_the_end_of_its_day():
    # 2024-11-29 closes at 18:00 UTC, the Wednesday before at 21:00
    index = [("2024-11-26", 100, 100), ("2024-11-27", 99, 99), ("2024-11-29", 101, 101)]
    coin = [(f"2024-11-{day}", 10.0, 10.0) for day in range(26, 31)]
    fills = run_tape(coin, index).strategy.fills
    assert fills["time"].tolist() == [pd.Timestamp("2024-11-30", tz="UTC")]


def test_delay_minutes_past_midnight_postpones_the_entry_by_a_day():
    # Friday's close is at 21:00 UTC: known at 00:00 after 180 minutes, a day later after 181
    for minutes, day in ((180, 6), (181, 7)):
        fills = run_tape(index__delay_minutes=minutes).strategy.fills
        assert fills["time"].dt.day.iloc[0] == day


drawn = st.fixed_dictionaries(
    {
        "rules.trigger": st.sampled_from(["new_high", "breakout", "support_held", "any"]),
        "rules.hold_days": st.sampled_from([0, 1, 5, 40]),
        "rules.trailing_stop": st.sampled_from([0.0, 0.1]),
        "rules.stop_loss": st.sampled_from([0.0, 0.05]),
        "rules.index_drawdown": st.sampled_from([0.0, 0.03]),
        "rules.entry_delay_days": st.sampled_from([0, 1, 7]),
        "signal.lookback": st.sampled_from(["all", 5, 60]),
        "size.fraction": st.sampled_from([0.3, 1.0]),
        "size.mode": st.sampled_from(["fraction", "vol_target"]),
        "costs.commission_bps": st.sampled_from([0.0, 10.0, 300.0]),
        "costs.slippage_bps": st.sampled_from([0.0, 5.0, 300.0]),
    }
)


@settings(max_examples=15, deadline=None)
@given(values=drawn, seed=st.integers(0, 10_000))
def test_account_any_config_adds_up_on_every_bar(values, seed):
    config = load_config(None, flags={"signal.min_history": 20, "signal.base": 10} | values)
    result = run_on(
        config,
        index=index_walk(300, seed=seed, end="2018-12-31"),
        coin=coin_walk(250, seed=seed, start="2018-02-01"),
    )
    account, bars = result.strategy, result.market.traded_bars
    assert account.refused == 0
    assert (account.bars["cash"] >= 0).all()
    assert (account.positions >= 0).all(axis=None)
    np.testing.assert_allclose(
        replayed(account.fills, bars, config.costs), account.equity, rtol=1e-9
    )
    for fill in account.fills.itertuples():
        side = 1 if fill.side == "buy" else -1
        expected = bars.loc[fill.time, "open"] * (1 + side * config.costs.slippage)
        assert fill.price == pytest.approx(expected, rel=1e-14)


def replayed(fills, bars, costs):
    """Recompute equity from fills and bars alone, knowing nothing of the engine."""
    cash, units, equity, due = costs.initial_cash, 0.0, [], fills.to_dict("records")
    for time, bar in bars.iterrows():
        while due and due[0]["time"] == time:
            fill = due.pop(0)
            signed = fill["units"] if fill["side"] == "buy" else -fill["units"]
            units += signed
            cash -= signed * fill["price"] + fill["commission"]
        equity.append(cash + units * bar["close"])
    assert not due
    return equity


class AlwaysIn(bt.Strategy):
    """Stock backtrader, written anew: buy at the second open, never sell."""

    def next_open(self):
        if len(self.data) == 2:
            price = self.data.open[0] * 1.0005
            self.buy(size=self.broker.getcash() / (price * 1.001) * (1 - 1e-12))


def test_engine_against_stock_backtrader_gives_the_same_equity():
    index = index_tape([("2024-01-03", 100, 100), ("2024-01-04", 101, 101)])
    coin = coin_walk(200, seed=5, start="2024-01-04")
    ours = run_on(configured(rules__hold_days=0), index=index, coin=coin).strategy
    cerebro = bt.Cerebro(stdstats=False, cheat_on_open=True)
    cerebro.adddata(bt.feeds.PandasData(dataname=coin.frame.tz_localize(None)))
    cerebro.broker.setcash(100_000.0)
    cerebro.broker.setcommission(commission=0.001)
    cerebro.broker.set_slippage_perc(0.0005, slip_out=True)
    cerebro.addstrategy(AlwaysIn)
    cerebro.addanalyzer(bt.analyzers.TimeReturn, timeframe=bt.TimeFrame.Days)
    (strategy,) = cerebro.run()
    theirs = pd.Series(strategy.analyzers.timereturn.get_analysis())
    np.testing.assert_allclose(ours.returns.to_numpy()[1:], theirs.to_numpy()[1:], atol=1e-9)


def test_cost_settings_are_fractions():
    costs = CostSettings(commission_bps=10.0, slippage_bps=5.0)
    assert costs.commission == pytest.approx(0.001)
    assert costs.slippage == pytest.approx(0.0005)
    assert Config().costs == costs


def test_refused_order_is_counted_and_warned_of(monkeypatch):
    # twice what the cash buys: backtrader would refuse it in silence
    honest = russell_risk_on.orders
    monkeypatch.setattr(russell_risk_on, "orders", lambda **known: 2 * honest(**known))
    result = run_tape()
    assert result.strategy.refused > 0
    assert result.strategy.fills.empty
    assert any("refused by the broker" in warning for warning in result.warnings)


def test_engine_never_imports_the_plotting_that_forces_a_display():
    run_tape()
    assert "backtrader.plot" not in sys.modules


def test_friday_s_high_is_bought_once_and_not_again_at_the_weekend():
    # a stop on Saturday; on Sunday and Monday no new session has closed, so no way back in
    coin = [
        ("2024-01-05", 10.0, 10.0),
        ("2024-01-06", 10.0, 8.0),
        ("2024-01-07", 8.0, 8.0),
        ("2024-01-08", 8.0, 8.0),
        ("2024-01-09", 8.0, 8.0),
    ]
    fills = run_tape(coin, rules__hold_days=30, rules__stop_loss=0.1).strategy.fills
    assert fills["side"].tolist() == ["buy", "sell"]
    assert fills["time"].dt.day.tolist() == [6, 7]


LONG = [(f"2024-01-{day:02d}", 10.0 + day % 3, 10.0 + day % 2) for day in range(1, 13)]


def charged_run(impact="square_root", volume=50_000.0, **values):
    coin = coin_tape(LONG)
    coin = dataclasses.replace(coin, frame=coin.frame.assign(volume=volume))
    config = configured(costs__impact=impact, data__start="2024-01-05", **values)
    index = [("2024-01-03", 100, 100), ("2024-01-05", 99, 99), ("2024-01-08", 101, 101)]
    return run_on(config, index=index_tape(index), coin=coin)


def test_run_tape_fill_pays_for_its_share_of_the_days_volume_by_hand():
    result = charged_run()
    bought, sold = result.strategy.fills.to_dict("records")
    closes = pd.Series([close for _, _, close in LONG])
    for fill, day, sign in ((bought, 9, 1), (sold, 11, -1)):
        assert fill["time"] == pd.Timestamp(f"2024-01-{day:02d}", tz="UTC")
        opened, closed = LONG[day - 1][1:]
        volatility = closes[: day - 1].pct_change().std()
        share = fill["units"] * opened / (50_000 * closed)
        moved = volatility * np.sqrt(share)
        assert moved > 0.001
        assert fill["price"] == pytest.approx(opened * (1 + sign * (0.0005 + moved)), rel=1e-12)
    # the purchase took all cash and not a cent more
    assert bought["units"] * bought["price"] * 1.001 == pytest.approx(100_000, rel=1e-12)
    assert (result.strategy.bars["cash"] >= 0).all()
    assert result.strategy.refused == 0
    assert result.buy_and_hold.bars["cash"].iloc[-1] >= 0


def test_run_tape_without_impact_is_the_same_to_the_last_bit():
    plain = charged_run("none")
    for other in (
        charged_run("none", costs__impact_coefficient=50.0),
        charged_run(costs__impact_coefficient=0.0),
        charged_run(volume=np.nan),
    ):
        pd.testing.assert_frame_equal(other.strategy.bars, plain.strategy.bars, check_exact=True)
        pd.testing.assert_frame_equal(other.strategy.fills, plain.strategy.fills, check_exact=True)
        held, alone = other.buy_and_hold, plain.buy_and_hold
        pd.testing.assert_frame_equal(held.bars, alone.bars, check_exact=True)
    assert any("NO IMPACT" in text for text in charged_run(volume=np.nan).warnings)
