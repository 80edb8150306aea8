"""Hourly runs on real bars: fills stand on the hours that daylight saving and half days give."""

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.run_figures import summarise
from backtests.config.config import load_config
from backtests.engines.backtest import backtest
from feeds.files import Files
from feeds.instruments import index
from feeds.sessions import bar_ends, session_closes

CLOSE_HOURS = {
    "2024-03-08": 21,
    "2024-03-11": 20,
    "2024-11-01": 20,
    "2024-11-04": 21,
    "2024-11-29": 18,
}


def run(folder, **flags):
    data = {"asset": "BTC", "data.source": "files", "data.data_dir": str(folder)}
    return backtest(load_config(None, flags=data | flags))


@pytest.fixture(scope="module")
def hourly_run(shared_data):
    return run(
        shared_data, **{"data.timeframe": "1h", "data.start": "2024-01-02", "signal.lookback": 60}
    )


def test_real_daily_index_reaches_the_hour_that_ends_at_its_close(hourly_run):
    market = hourly_run.market
    sessions = market.index.frame.index
    for session, hour in CLOSE_HOURS.items():
        known = market.tape.lines["session"] == sessions.get_loc(pd.Timestamp(session))
        first = market.coin.frame.index[np.flatnonzero(known)[0]]
        assert first == pd.Timestamp(f"{session} {hour - 1}:00", tz="UTC")
        close = market.index.frame.loc[session, "close"]
        assert (market.tape.lines["index_close"][known] == close).all()


def test_real_entries_stand_at_official_closes(hourly_run):
    fills = hourly_run.strategy.fills
    entries = fills.loc[fills["side"] == "buy", "time"]
    closes = session_closes(hourly_run.market.index.frame.index)
    # the first bar is bought at where the rule is in the market by then
    entries = entries[entries > hourly_run.market.traded.times[0]]
    assert len(entries) >= 4
    assert entries.isin(closes).all()


def test_real_4h_bars_come_from_hours_and_know_no_more(shared_data):
    result = run(shared_data, **{"data.timeframe": "4h"})
    market = result.market
    assert len(market.coin) == 26_304 // 4
    known_at = market.available_at.asi8[market.tape.lines["session"].astype(int)] / 1e9
    assert (known_at <= market.tape.lines["bar_end"]).all()
    assert (market.tape.lines["bar_end"] - known_at).min() == 0  # 20:00 closes in summer
    assert any("4h bars made from 1h bars" in note for note in result.warnings)


def test_real_hourly_index_bars_end_on_full_hours_within_their_session(shared_data):
    bars = Files(shared_data).load(index("RUT"), timeframe="1h")
    stamps = pd.DatetimeIndex(bars.frame.index)
    ends = bar_ends(stamps, kind="index", timeframe="1h")
    assert (ends == stamps.floor("h") + pd.Timedelta(hours=1)).all()
    half_day = ends[stamps.normalize() == pd.Timestamp("2024-11-29", tz="UTC")]
    assert half_day.strftime("%H:%M").tolist() == ["15:00", "16:00", "17:00", "18:00"]


def test_real_hourly_close_equals_the_daily_one_once_the_session_is_over(shared_data):
    files = Files(shared_data)
    daily = files.load(index("RUT"), timeframe="1d").frame["close"]
    hourly = files.load(index("RUT"), timeframe="1h")
    ends = bar_ends(pd.DatetimeIndex(hourly.frame.index), kind="index", timeframe="1h")
    for session, hour in CLOSE_HOURS.items():
        last = hourly.frame["close"][ends == pd.Timestamp(f"{session} {hour}:00", tz="UTC")]
        # the last hour's last trade and the official close differ by ticks, not by days
        assert last.iloc[0] == pytest.approx(daily[session], rel=2e-3)


def test_real_hourly_index_runs_and_fills_on_full_hours(shared_data):
    recent = {"data.timeframe": "1h", "data.start": "2024-06-03"}
    result = run(shared_data, **recent, **{"index.timeframe": "1h", "signal.lookback": 1000})
    market = result.market
    assert market.index.timeframe == "1h"
    entries = result.strategy.fills.query("side == 'buy'")["time"]
    assert len(entries) > 0
    assert entries.isin(market.available_at).all()
    daily = run(shared_data, **recent)
    figures = [summarise(each).figures["index"]["volatility"] for each in (result, daily)]
    assert figures[0] == pytest.approx(figures[1], rel=0.02)  # by session, whatever the bars
