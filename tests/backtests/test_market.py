import numpy as np
import pandas as pd
import pytest
from markets import coin_walk, index_walk

from backtests.config import load_config
from backtests.market import build_market
from feeds.errors import DataError


def build(index=None, coin=None, **values):
    config = load_config(None, flags={key.replace("__", "."): v for key, v in values.items()})
    index = index or index_walk(400, seed=1, end="2018-12-31")
    return build_market(config, index=index, coin=coin or coin_walk(360, seed=2))


def test_build_market_first_tradable_bar_is_the_first_with_a_prior_high():
    market = build()
    first = market.tradable.start
    session = int(market.lines["session"][first])
    assert np.isfinite(market.signals.prior_high[session])
    before = int(market.lines["session"][first - 1])
    assert np.isnan(market.signals.prior_high[before])


def test_build_market_start_and_end_are_both_included():
    bars = build(data__start="2018-08-01", data__end="2018-08-31").traded_bars
    assert bars.index[0] == pd.Timestamp("2018-08-01", tz="UTC")
    assert bars.index[-1] == pd.Timestamp("2018-08-31", tz="UTC")


def test_build_market_weekend_bars_carry_no_new_session():
    market = build()
    session, days = market.lines["session"], market.coin.frame.index.day_of_week
    saturday_or_sunday = np.flatnonzero(days >= 5)
    saturday_or_sunday = saturday_or_sunday[saturday_or_sunday > 0]
    np.testing.assert_array_equal(session[saturday_or_sunday], session[saturday_or_sunday - 1])
    assert (market.lines["trigger_session"][saturday_or_sunday] == -1).all()


def test_build_market_each_event_fires_exactly_once():
    market = build()
    fired = market.lines["trigger_session"]
    fired = fired[fired >= 0]
    assert len(fired) == len(np.unique(fired))
    expected = np.flatnonzero(market.signals.new_high | market.signals.support_held)
    known = market.available_at[expected]
    inside = (known > market.coin.frame.index[0]) & (
        known <= market.coin.frame.index[-1] + pd.Timedelta(days=1)
    )
    assert fired.tolist() == expected[inside].tolist()


def test_build_market_no_overlap_is_refused():
    with pytest.raises(DataError, match=r"RUT has 2019-.* to 2020-12-31"):
        build(index=index_walk(400, seed=1, end="2020-12-31"))


def test_build_market_too_short_history_is_refused():
    with pytest.raises(DataError, match=r"too short: .*`signal.min_history` 5000"):
        build(signal__min_history=5000)


def test_build_market_dates_outside_the_bars_are_refused():
    with pytest.raises(DataError, match=r"`data\.start` and `data.end` leave no bar"):
        build(data__start="2030-01-01")
