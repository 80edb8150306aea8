"""Tapes by hand: which open is traded, what a basket holds, and what a dead coin leaves."""

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.forward_returns import (
    NO_ENTRY,
    adverse_excursion,
    asset_prices,
    entry_positions,
    forward_growth,
    index_prices,
)
from feeds.sessions import bar_ends
from tests.markets import coin_bars, index_bars

DAY = pd.Timedelta(days=1)


def instants(*texts: str) -> np.ndarray:
    return pd.DatetimeIndex(texts, tz="UTC").as_unit("ns").asi8


@pytest.mark.parametrize(
    ("known", "entry"),
    [
        ("2015-01-02T21:00", "2015-01-03"),  # Friday's close: Saturday's open
        ("2015-01-05T18:00", "2015-01-06"),  # a half day
        ("2015-01-06T00:00", "2015-01-06"),  # known as the bar ends: that very open
        ("2015-01-06T00:01", "2015-01-07"),
    ],
)
def test_entry_is_the_first_open_after_the_bar_that_ends_with_the_close_known(
    known: str, entry: str
) -> None:
    asset = asset_prices("A", {"A": coin_bars("A", np.full(20, 0.01))})
    row = entry_positions(asset, available_at=instants(known))[0]
    assert asset.times[row] == instants(entry)[0]


@pytest.mark.parametrize("known", ["2014-12-31T21:00", "2015-01-01T00:00", "2015-01-20T21:00"])
def test_nothing_is_traded_before_the_first_bar_or_after_the_last(known: str) -> None:
    asset = asset_prices("A", {"A": coin_bars("A", np.full(20, 0.01))})
    assert entry_positions(asset, available_at=instants(known)).tolist() == [NO_ENTRY]


def test_forward_growth_runs_from_open_to_open_and_ends_with_the_last_close() -> None:
    asset = asset_prices("A", {"A": coin_bars("A", np.full(20, 0.01))})
    rows = np.array([1, 10, 11, NO_ENTRY])
    found = forward_growth(asset, rows, days=10)
    assert found[:2] == pytest.approx(10 * np.log(1.01))
    assert np.isnan(found[2:]).all()
    assert forward_growth(asset, rows, days=-1)[0] == pytest.approx(-np.log(1.01))
    assert np.isnan(forward_growth(asset, rows, days=-2)[0])


def test_a_basket_is_equal_money_in_the_coins_that_trade_at_the_entry() -> None:
    old = coin_bars("OLD", np.full(20, 0.0))
    new = coin_bars("NEW", np.full(15, 0.10), first="2015-01-06")
    asset = asset_prices("ALTS", {"OLD": old, "NEW": new})
    before, after = forward_growth(asset, np.array([4, 5]), days=2)
    assert before == pytest.approx(0.0)
    assert after == pytest.approx(np.log((1.0 + 1.21) / 2))


def test_a_coin_that_dies_keeps_its_loss_and_is_not_bought_again() -> None:
    alive = coin_bars("LIVE", np.full(20, 0.0))
    dead = coin_bars("DEAD", np.array([0.0] * 9 + [-0.99]))
    asset = asset_prices("ALTS", {"LIVE": alive, "DEAD": dead})
    held, later = forward_growth(asset, np.array([5, 10]), days=9)
    assert held == pytest.approx(np.log((1.0 + 0.01) / 2))
    assert later == pytest.approx(0.0)


def test_the_order_of_members_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    bars = {name: coin_bars(name, rng.normal(0, 0.02, 30)) for name in ("C", "A", "B")}
    forward = asset_prices("X", bars).prices
    backward = asset_prices("X", dict(reversed(bars.items()))).prices
    assert np.array_equal(forward, backward)


def test_adverse_excursion_is_the_deepest_low_before_the_end() -> None:
    asset = asset_prices("A", {"A": coin_bars("A", np.array([0.1, -0.3, 0.2, -0.5, 0.1, 0.1]))})
    found = adverse_excursion(asset, np.array([1, 2, 5, NO_ENTRY]), days=2)
    assert found[0] == pytest.approx(-0.3)
    assert found[1] == pytest.approx(1.2 * 0.5 - 1)
    assert np.isnan(found[2:]).all()


def test_a_coin_that_only_rises_has_no_adverse_excursion() -> None:
    asset = asset_prices("A", {"A": coin_bars("A", np.full(20, 0.01))})
    assert adverse_excursion(asset, np.array([3]), days=5).tolist() == [0.0]


def test_index_is_bought_at_the_close_after_the_one_that_told() -> None:
    bars = index_bars(np.full(30, 0.01))
    asset = index_prices("NDX", bars)
    ends = bar_ends(pd.DatetimeIndex(bars.frame.index), kind="index", timeframe="1d")
    close = bars.frame["close"].to_numpy()
    entries = entry_positions(asset, available_at=ends[10:11].as_unit("ns").asi8)
    assert asset.prices[entries[0], 0] == close[11]
    # seven days later is the fifth session after, unless one falls out
    grown = forward_growth(asset, entries, days=7)
    target = asset.times[entries[0]] + 7 * DAY.value
    later = int(np.searchsorted(asset.times, target))
    assert grown[0] == pytest.approx(np.log(close[later] / close[11]))
    assert entry_positions(asset, available_at=ends[-1:].as_unit("ns").asi8)[0] == NO_ENTRY
