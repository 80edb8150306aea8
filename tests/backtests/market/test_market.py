from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.config.config import load_config
from backtests.engines.backtest import run_on
from backtests.market.inputs import Inputs
from backtests.market.market import build_market
from feeds.errors import DataError
from feeds.instruments import coin
from tests.markets import coin_walk, index_walk


def build(index=None, bars=None, **values):
    config = load_config(None, flags={key.replace("__", "."): v for key, v in values.items()})
    index = index or index_walk(400, seed=1, end="2018-12-31")
    return build_market(config, Inputs(index, (bars or coin_walk(360, seed=2),)))


def test_build_market_first_tradable_bar_is_the_first_with_a_prior_high():
    market = build()
    first = market.tradable.start
    session = int(market.tape.lines["session"][first])
    assert np.isfinite(market.signals.prior_high[session])
    before = int(market.tape.lines["session"][first - 1])
    assert np.isnan(market.signals.prior_high[before])


def test_build_market_start_and_end_are_both_included():
    bars = build(data__start="2018-08-01", data__end="2018-08-31").traded_bars
    assert bars.index[0] == pd.Timestamp("2018-08-01", tz="UTC")
    assert bars.index[-1] == pd.Timestamp("2018-08-31", tz="UTC")


def test_build_market_weekend_bars_carry_no_new_session():
    market = build()
    session, days = market.tape.lines["session"], market.coin.frame.index.day_of_week
    saturday_or_sunday = np.flatnonzero(days >= 5)
    saturday_or_sunday = saturday_or_sunday[saturday_or_sunday > 0]
    np.testing.assert_array_equal(session[saturday_or_sunday], session[saturday_or_sunday - 1])
    assert (market.tape.lines["trigger_session"][saturday_or_sunday] == -1).all()


def test_build_market_each_event_fires_exactly_once():
    market = build()
    fired = market.tape.lines["trigger_session"]
    fired = fired[fired >= 0]
    assert len(fired) == len(np.unique(fired))
    expected = np.flatnonzero(market.signals.new_high | market.signals.support_held)
    known = market.available_at[expected]
    inside = (known > market.coin.frame.index[0]) & (
        known <= market.coin.frame.index[-1] + pd.Timedelta(days=1)
    )
    assert fired.tolist() == expected[inside].tolist()


def test_build_market_of_coins_that_are_never_there_at_once_starts_with_the_most_there_are():
    lives = {"AAA": ("2018-01-01", 360), "BBB": ("2018-01-01", 200), "CCC": ("2018-10-01", 90)}
    walks = {
        name: replace(coin_walk(days, seed=3, start=start), instrument=coin(name))
        for name, (start, days) in lives.items()
    }
    flags = {"asset": "ALTS", "basket.min_age_days": 5, "signal.min_history": 20}
    market = build_market(
        load_config(None, flags=flags),
        Inputs(index_walk(400, seed=1, end="2018-12-31"), tuple(walks.values())),
    )
    assert market.traded_bars.index[0] < pd.Timestamp("2018-02-01", tz="UTC")


def test_build_market_no_overlap_is_refused():
    with pytest.raises(DataError, match=r"RUT has 2019-.* to 2020-12-31"):
        build(index=index_walk(400, seed=1, end="2020-12-31"))


def test_build_market_too_short_history_is_refused():
    with pytest.raises(DataError, match=r"too short: .*`signal.min_history` 5000"):
        build(signal__min_history=5000)


def test_build_market_dates_outside_the_bars_are_refused():
    with pytest.raises(DataError, match=r"`data\.start` and `data.end` leave no bar"):
        build(data__start="2030-01-01")


@pytest.mark.parametrize("longer", ["index", "coin"])
def test_ends_of_index_and_coin_40_days_apart_are_the_coins_and_said(longer):
    end = pd.Timestamp("2018-12-31", tz="UTC")
    early = end - pd.Timedelta(days=40)
    index = index_walk(300, seed=1, end=f"{(end if longer == 'index' else early):%Y-%m-%d}")
    coin = coin_walk(365, seed=2, start="2018-01-01")
    if longer == "index":
        coin = replace(coin, frame=coin.frame.loc[:early])
    config = load_config(None, flags={"signal.min_history": 20, "signal.lookback": 60})
    result = run_on(config, index=index, coin=coin)
    assert result.market.traded.times[-1] == coin.frame.index[-1]
    # the last close known is that of 21 November either way: 22 November was Thanksgiving
    assert result.market.index_level.iloc[-1] == index.frame["close"].loc["2018-11-21"]
    silent = [text for text in result.warnings if "no index bars" in text]
    assert bool(silent) == (longer == "coin")
    assert all(text.endswith("its figures end with 2018-11-21") for text in silent)
