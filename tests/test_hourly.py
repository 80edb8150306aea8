"""The index close reaches an hourly strategy at the right hour, on bars made for the purpose."""

import numpy as np
import pandas as pd
import pytest

from backtests.config.config import load_config
from backtests.engines.backtest import run_on
from backtests.market.inputs import Inputs
from backtests.market.market import Market
from backtests.market.market import build_market as build
from feeds.bars import Bars
from feeds.instruments import coin, index
from feeds.sessions import BAR_LENGTHS, bar_ends, session_hours
from tests.scripted import frame_of, hours, sessions

BTC, RUT = coin("BTC"), index("RUT")

# session, its close in UTC: winter, summer, the Fridays and Mondays around both changes of
# the clock, and half days in either half of the year
CLOSES = [
    ("2024-01-16", "2024-01-16 21:00"),
    ("2024-03-08", "2024-03-08 21:00"),
    ("2024-03-11", "2024-03-11 20:00"),
    ("2024-07-03", "2024-07-03 17:00"),
    ("2024-11-01", "2024-11-01 20:00"),
    ("2024-11-04", "2024-11-04 21:00"),
    ("2024-11-29", "2024-11-29 18:00"),
    ("2024-12-24", "2024-12-24 18:00"),
]


def build_market(settings, *, index, coin) -> Market:
    return build(settings, Inputs(index, (coin,)))


def utc(text):
    return pd.Timestamp(text, tz="UTC")


def config(**flags):
    short = {"signal.lookback": 5, "rules.hold_days": 1, "rules.trigger": "new_high"}
    return load_config(None, flags=short | {"data.timeframe": "1h"} | flags)


def coin_bars(timeframe="1h", *, first="2024-01-01", last="2024-12-31 23:00"):
    times = pd.date_range(first, last, freq=BAR_LENGTHS[timeframe], tz="UTC")
    return Bars(BTC, timeframe, frame_of(times, seed=5), "test", "tape")


def coin_around(session):
    day = pd.Timestamp(session)
    return coin_bars(first=day - pd.Timedelta(days=4), last=day + pd.Timedelta(days=6))


def daily_index(high_at=None):
    """Sessions that close lower every day, but for one new high."""
    times = sessions("2023-12-01", "2024-12-31")
    close = np.linspace(200.0, 100.0, len(times))
    close[times == high_at] = 300.0
    frame = pd.DataFrame(
        {"open": close, "high": close, "low": close, "close": close, "volume": np.nan}, index=times
    )
    return Bars(RUT, "1d", frame, "test", "tape")


def hourly_stamps(first, last, *, grid):
    stamps = []
    for start, stop in zip(*session_hours(sessions(first, last)), strict=True):
        later = start.floor("h") if grid == "hour" else start
        stamps += [start, *pd.date_range(later, stop, freq="h", inclusive="left")[1:]]
    return pd.DatetimeIndex(stamps).as_unit("ns")


def hourly_index(grid="hour", *, first="2024-01-02", last="2024-12-31"):
    return Bars(RUT, "1h", frame_of(hourly_stamps(first, last, grid=grid)), "test", "tape")


def first_bar_that_knows(market, session):
    """The opening instant of the first coin bar at whose end the session is known."""
    position = market.index.frame.index.get_loc(pd.Timestamp(session))
    row = int(np.flatnonzero(market.tape.lines["session"] == position)[0])
    return market.coin.frame.index[row]


@pytest.mark.parametrize(("session", "close"), CLOSES)
def test_daily_index_is_known_to_the_hour_that_ends_at_its_close(session, close):
    market = build_market(config(), index=daily_index(), coin=coin_bars())
    assert first_bar_that_knows(market, session) + pd.Timedelta(hours=1) == utc(close)


@pytest.mark.parametrize(("session", "close"), CLOSES)
def test_daily_index_reaches_4h_bars_at_the_first_end_after_its_close(session, close):
    market = build_market(
        config(**{"data.timeframe": "4h"}), index=daily_index(), coin=coin_bars("4h")
    )
    end = first_bar_that_knows(market, session) + pd.Timedelta(hours=4)
    assert end == utc(close).ceil("4h")


@pytest.mark.parametrize(("session", "close"), CLOSES)
@pytest.mark.parametrize("delay_minutes", [0, 1, 60, 90])
def test_new_high_is_bought_at_the_first_open_after_close_and_delay(session, close, delay_minutes):
    settings = config(**{"index.delay_minutes": delay_minutes})
    result = run_on(settings, index=daily_index(pd.Timestamp(session)), coin=coin_around(session))
    buy, sell = result.strategy.fills.itertuples()
    known = utc(close) + pd.Timedelta(minutes=delay_minutes)
    assert buy.time == known.ceil("h")
    assert sell.time == buy.time + pd.Timedelta(days=1)


def test_new_high_fires_once_and_not_again_over_the_weekend():
    session = pd.Timestamp("2024-03-08")
    result = run_on(config(), index=daily_index(session), coin=coin_around(session))
    assert len(result.strategy.fills) == 2
    assert result.strategy.fills["time"].iloc[0] == utc("2024-03-08 21:00")


# Index bars of one hour


@pytest.mark.parametrize(
    ("session", "grid", "expected"),
    [
        ("2024-03-08", "hour", "15:00 16:00 17:00 18:00 19:00 20:00 21:00"),
        ("2024-03-08", "half", "15:30 16:30 17:30 18:30 19:30 20:30 21:00"),
        ("2024-03-11", "hour", "14:00 15:00 16:00 17:00 18:00 19:00 20:00"),
        ("2024-03-11", "half", "14:30 15:30 16:30 17:30 18:30 19:30 20:00"),
        ("2024-11-01", "hour", "14:00 15:00 16:00 17:00 18:00 19:00 20:00"),
        ("2024-11-04", "hour", "15:00 16:00 17:00 18:00 19:00 20:00 21:00"),
        ("2024-11-29", "hour", "15:00 16:00 17:00 18:00"),
        ("2024-11-29", "half", "15:30 16:30 17:30 18:00"),
    ],
)
def test_hourly_index_bars_end_with_their_hour_or_the_session(session, grid, expected):
    stamps = hourly_stamps(session, session, grid=grid)
    ends = bar_ends(stamps, kind="index", timeframe="1h")
    assert ends.strftime("%H:%M").tolist() == expected.split()


@pytest.mark.parametrize("grid", ["hour", "half"])
def test_hourly_index_bar_is_never_known_earlier_than_it_ends(grid):
    bars = hourly_index(grid)
    whole = bar_ends(bars.frame.index, kind="index", timeframe="1h")
    for count in (1, 2, 7, 8, 500):  # a prefix may know a bar later, never sooner
        part = bar_ends(bars.frame.index[:count], kind="index", timeframe="1h")
        assert (part >= whole[:count]).all()
        assert (part[:-1] == whole[: count - 1]).all()


def test_hourly_index_bar_after_a_hole_is_known_late_rather_than_early():
    stamps = pd.DatetimeIndex(["2024-03-08 14:30", "2024-03-08 17:00"], tz="UTC")
    ends = bar_ends(stamps, kind="index", timeframe="1h")
    assert ends.strftime("%H:%M").tolist() == ["15:30", "18:00"]


@pytest.mark.parametrize("timeframe", ["1h", "4h", "1d"])
@pytest.mark.parametrize("grid", ["hour", "half"])
def test_hourly_index_reaches_every_coin_bar_at_its_end_and_not_before(timeframe, grid):
    settings = config(**{"data.timeframe": timeframe, "index.timeframe": "1h"})
    market = build_market(settings, index=hourly_index(grid), coin=coin_bars(timeframe))
    ends = pd.to_datetime(market.tape.lines["bar_end"], unit="s", utc=True)
    for end, position in zip(ends, market.tape.lines["session"].astype(int), strict=True):
        known = market.available_at[market.available_at <= end]
        assert position == len(known) - 1


@pytest.mark.parametrize("moment", ["2024-03-08 14:30", "2024-03-11 19:00", "2024-11-29 17:00"])
def test_hourly_index_change_leaves_all_bars_before_its_end_alone(moment):
    settings = config(**{"index.timeframe": "1h"})
    before = hourly_index()
    changed = hourly_index()
    row = changed.frame.index.get_loc(utc(moment))
    changed.frame.iloc[row:] *= 3
    one, other = (
        build_market(settings, index=bars, coin=coin_bars()).tape.lines
        for bars in (before, changed)
    )
    end = bar_ends(before.frame.index, kind="index", timeframe="1h")[row].timestamp()
    earlier = one["bar_end"] < end
    for name, values in one.items():
        np.testing.assert_array_equal(values[earlier], other[name][earlier])
    at_end = one["bar_end"] == end
    assert (one["index_close"][at_end] != other["index_close"][at_end]).all()


def test_hourly_index_with_a_high_in_the_first_half_hour_is_bought_at_the_full_hour():
    times = hourly_stamps("2024-02-01", "2024-03-15", grid="hour")
    close = np.linspace(200.0, 100.0, len(times))
    close[times == utc("2024-03-11 13:30")] = 300.0
    frame = pd.DataFrame(
        {"open": close, "high": close, "low": close, "close": close, "volume": np.nan}, index=times
    )
    result = run_on(
        config(**{"index.timeframe": "1h"}),
        index=Bars(RUT, "1h", frame, "test", "tape"),
        coin=coin_bars(first="2024-02-01", last="2024-03-20"),
    )
    assert result.strategy.fills["time"].iloc[0] == utc("2024-03-11 14:00")


def test_hours_of_a_coin_do_not_shift_with_new_york_clocks():
    opens = hours("2024-03-10", 24)
    ends = bar_ends(opens, kind="coin", timeframe="1h")
    assert (ends - opens == pd.Timedelta(hours=1)).all()
