"""Fills against the dollar volume of their day, by hand."""

import numpy as np
import pandas as pd
import pytest

from backtests.config.config import load_config
from backtests.engines.account import Account, Capacity, capacity_of, capacity_warning, fills_table
from backtests.market.inputs import Inputs
from backtests.report.words.judgement import capacity
from feeds.bars import Bars
from feeds.instruments import coin, index
from tests.scripted import days

DAYS = days("2024-01-01", "2024-01-03")


def bars_of(volume, *, source="files", close=10.0, **more):
    prices = dict.fromkeys(("open", "high", "low", "close"), close)
    frame = pd.DataFrame({**prices, "volume": volume, **more}, index=DAYS)
    return Bars(coin("SOL"), "1d", frame, source, source)


def account_of_fills(*fills):
    rows = [(DAYS[day], "SOL-USD", "buy", units, 10.0, 0.0, "new_high") for day, units in fills]
    empty = pd.DataFrame({"cash": [], "equity": [], "weight": []})
    return Account(empty, pd.DataFrame(), fills_table(rows), initial_cash=1_000.0)


def found(bars, *fills, **costs):
    config = load_config(None, overrides=[f"costs.{key}={value}" for key, value in costs.items()])
    nothing = Bars(index("RUT"), "1d", pd.DataFrame(), "files", "none")
    return capacity_of(account_of_fills(*fills), config=config, inputs=Inputs(nothing, (bars,)))


def test_capacity_largest_share_and_account_by_hand():
    # 200 coins at 10 are 2,000 dollars a day; 30 units at 10 take 15 % of it
    result = found(bars_of([200.0, 200.0, 100.0]), (0, 10.0), (1, 30.0))
    assert (result.fills, result.unknown, result.above) == (2, 0, 1)
    assert result.largest == pytest.approx(0.15)
    assert (result.symbol, result.time) == ("SOL-USD", DAYS[1])
    # at two thirds of the money the largest fill takes 10 %
    assert result.largest_account == pytest.approx(1_000 * 0.1 / 0.15)


def test_capacity_days_without_volume_are_unknown_and_said():
    result = found(bars_of([np.nan, 0.0, 200.0]), (0, 10.0), (1, 10.0), (2, 10.0))
    assert (result.fills, result.unknown) == (3, 2)
    assert "unknown for 2 of 3 fills" in capacity(result)
    nothing = found(bars_of([np.nan] * 3), (0, 10.0))
    assert np.isnan(nothing.largest)
    assert "nobody can say" in capacity(nothing)


def test_capacity_money_is_taken_as_the_source_counts_it():
    counted = bars_of([200.0] * 3, quote_volume=[500.0] * 3)
    assert found(counted, (0, 10.0)).largest == pytest.approx(100 / 500)
    # Yahoo counts a coin's volume in dollars
    assert found(bars_of([200.0] * 3, source="yahoo"), (0, 10.0)).largest == pytest.approx(0.5)


def test_capacity_volume_that_cannot_be_coins_is_money():
    dollars = bars_of([5e10, 5e10, 5e10], close=60_000.0)
    assert found(dollars, (0, 1e8)).largest == pytest.approx(1e9 / 5e10)


def test_capacity_hourly_fill_is_held_against_the_whole_day():
    opens = pd.date_range("2024-01-01", periods=24, freq="h", tz="UTC")
    prices = dict.fromkeys(("open", "high", "low", "close"), 10.0)
    hourly = Bars(
        coin("SOL"), "1h", pd.DataFrame({**prices, "volume": 5.0}, index=opens), "files", "a file"
    )
    assert found(hourly, (0, 12.0)).largest == pytest.approx(120 / (24 * 50))


def test_capacity_warning_counts_fills_above_the_limit():
    result = found(bars_of([200.0] * 3), (0, 30.0), (1, 10.0))
    (text,) = capacity_warning(result, who="the rule")
    assert "1 of 2 fills of the rule took more than 10 %" in text
    assert capacity_warning(found(bars_of([200.0] * 3), (1, 10.0)), who="the rule") == ()
    assert found(bars_of([200.0] * 3), (0, 30.0), max_participation=0.5).above == 0


def test_capacity_without_fills_says_nothing():
    empty = found(bars_of([200.0] * 3))
    assert capacity(empty) == ""
    assert isinstance(empty, Capacity)


def test_capacity_impact_paid_by_hand_and_what_was_charged_nothing():
    opens = days("2024-01-01", "2024-01-08")
    closes = [10.0, 11.0, 10.0, 12.0, 11.0, 12.0, 10.0, 11.0]
    prices = dict.fromkeys(("open", "high", "low", "close"), closes)
    bars = Bars(coin("SOL"), "1d", pd.DataFrame({**prices, "volume": 200.0}, opens), "files", "-")
    # ten units at 10 x (1 + slippage of 5 bps + an impact of 1 %), and a fill of the first day
    rows = [
        (opens[0], "SOL-USD", "buy", 1.0, 10.005, 0.0, "new_high"),
        (opens[6], "SOL-USD", "buy", 10.0, 10.105, 0.0, "new_high"),
    ]
    account = Account(pd.DataFrame(), pd.DataFrame(), fills_table(rows), initial_cash=1_000.0)
    inputs = Inputs(Bars(index("RUT"), "1d", pd.DataFrame(), "files", "none"), (bars,))
    charging = load_config(None, overrides=["costs.impact=square_root"])
    result = capacity_of(account, config=charging, inputs=inputs)
    assert result.impact == pytest.approx(10 * 10 * 0.01)
    assert result.uncharged == 1
    assert "The fills paid 1 for moving the price; 1 of 2 paid nothing" in capacity(result)
    (text,) = capacity_warning(result, who="the rule")
    assert text.startswith("NO IMPACT was charged for 1 of 2 fills of the rule")
    plain = capacity_of(account, config=load_config(None), inputs=inputs)
    assert np.isnan(plain.impact)
    assert "moving the price" not in capacity(plain)


def test_capacity_impact_without_any_volume_is_said():
    nothing = found(bars_of([np.nan] * 3), (0, 10.0), impact="square_root")
    assert (nothing.impact, nothing.uncharged) == (0.0, 1)
    assert "No fill was charged impact" in capacity(nothing)
