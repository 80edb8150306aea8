"""Results by regime: what was known when each bar opened, and that the parts make the whole."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.analysis import regimes
from backtests.analysis.regimes import UNKNOWN, regime_figures
from backtests.config.config import load_config
from backtests.engines.backtest import run_inputs
from backtests.market.inputs import Inputs
from feeds.series import Series
from tests.markets import coin_walk, index_walk

COIN_DAYS = 700


def series_of(name, values, *, start="2017-09-01", every="D"):
    """Each value known at midnight after its date."""
    dates = pd.date_range(start, periods=len(values), freq=every)
    known = (dates + pd.Timedelta(days=1)).tz_localize("UTC")
    frame = pd.DataFrame({"value": np.asarray(values, float), "available_at": known}, index=dates)
    return Series(name, "", frame, "test", "test series")


def inputs_of(*, days=COIN_DAYS, noise=2):
    rng = np.random.default_rng(noise)
    vix = series_of("VIX", 15 + rng.gamma(2, 3, 900))
    liquidity = series_of("NET_LIQUIDITY", rng.normal(5000, 100, 130), every="7D")
    coin = coin_walk(COIN_DAYS, seed=7, start="2018-11-01")
    return Inputs(
        index_walk(900, seed=3),
        (replace(coin, frame=coin.frame.iloc[:days]),),
        series={"VIX": vix, "NET_LIQUIDITY": liquidity},
    )


def run_of(inputs):
    settings = ("signal.min_history=20", "signal.base=5", "rules.hold_days=20")
    config = load_config(None, overrides=(*settings, "data.source=sample"))
    return run_inputs(config, inputs, engine="fast")


@pytest.fixture(scope="module")
def run():
    return run_of(inputs_of())


@pytest.fixture(scope="module")
def states(run):
    return {each.kind: each for each in regimes._regimes(run)}


@pytest.fixture(scope="module")
def figures(run):
    return pd.DataFrame(regime_figures(run))


def test_regimes_of_each_kind_add_up_to_the_run(run, figures):
    assert set(figures["kind"]) == {"index_trend", "vix", "net_liquidity", "volatility", "era"}
    for _, kind in figures.groupby("kind"):
        assert kind["bars"].sum() == len(run.strategy.bars)
        assert kind["share"].sum() == pytest.approx(1)
        invested = (kind["bars"] * kind["time_in_market"]).sum()
        assert invested == pytest.approx(run.strategy.invested.sum())


@pytest.mark.parametrize("account", ["strategy", "buy_and_hold"])
def test_returns_of_all_regimes_make_the_run_s(run, account):
    equity = getattr(run, account).equity.iloc[-1] / run.strategy.initial_cash
    grown = {}
    for row in regime_figures(run):
        grown[row.kind] = grown.get(row.kind, 1) * (1 + getattr(row, account).total_return)
    assert list(grown.values()) == pytest.approx([equity] * 5)


def test_return_per_year_needs_a_year_of_bars(figures):
    for row in figures.itertuples():
        assert np.isnan(row.strategy["cagr"]) == (row.bars < 366)


def test_index_trend_is_that_of_the_sessions_known_when_each_bar_opened(run, states):
    market = run.market
    closes = market.index.frame["close"].to_numpy()
    found = states["index_trend"].states
    for row, opened in enumerate(market.traded.times):
        known = closes[market.available_at <= opened]
        is_below = known[-1] <= known[-200:].mean()
        assert found[row] == (UNKNOWN if known.size < 200 else is_below)
    assert {0, 1} <= set(found)


def test_vix_is_high_above_the_median_of_its_values_so_far(run, states):
    frame = run.market.inputs.series["VIX"].frame
    found = states["vix"].states
    for row, opened in enumerate(run.market.traded.times[:300]):
        known = frame["value"][(frame["available_at"] <= opened).to_numpy()]
        assert found[row] == (known.iloc[-1] <= known.median())


def test_liquidity_rises_above_its_value_of_thirteen_weeks_earlier(run, states):
    frame = run.market.inputs.series["NET_LIQUIDITY"].frame
    found = states["net_liquidity"].states
    for row, opened in enumerate(run.market.traded.times[:300]):
        known = frame["value"][(frame["available_at"] <= opened).to_numpy()]
        assert found[row] == (known.iloc[-1] <= known.iloc[-14])


def test_series_that_ended_is_unknown_after_a_month(run, states):
    last = run.market.inputs.series["NET_LIQUIDITY"].frame["available_at"].iloc[-1]
    late = run.market.traded.times > last + pd.Timedelta(days=30)
    assert late.any()
    np.testing.assert_array_equal(states["net_liquidity"].states == UNKNOWN, late)


def test_volatility_is_that_of_the_days_before(run, states):
    closes = np.log(run.market.coin.frame["close"])
    spread = closes.diff().rolling(30).std()
    times = run.market.traded.times
    for row in (150, 300, len(times) - 1):
        known = spread[spread.index < times[row]].dropna()
        assert states["volatility"].states[row] == (known.iloc[-1] <= known.median())
    assert (states["volatility"].states == UNKNOWN).sum() == 30 + 90 - 1 + 1


def test_halving_is_known_from_the_end_of_its_day(run, states):
    times = run.market.traded.times
    first = times[states["era"].states == 3][0]
    assert first == pd.Timestamp("2020-05-12", tz="UTC")


def test_regimes_do_not_depend_on_what_comes_later(states):
    cut = run_of(inputs_of(days=500))
    for each in regimes._regimes(cut):
        np.testing.assert_array_equal(each.states, states[each.kind].states[:500], each.kind)


def test_later_values_of_a_series_change_no_earlier_state(run, states):
    vix = run.market.inputs.series["VIX"]
    known = pd.DatetimeIndex(vix.frame["available_at"])
    at = run.market.traded.times[400]
    higher = 1e6 + np.arange(len(vix))
    other = vix.frame.assign(value=np.where(known > at, higher, vix.frame["value"]))
    series = {**run.market.inputs.series, "VIX": replace(vix, frame=other)}
    again = run_of(replace(run.market.inputs, series=series))
    found = {each.kind: each.states for each in regimes._regimes(again)}["vix"]
    np.testing.assert_array_equal(found[:401], states["vix"].states[:401])
    assert (found[402:440] == 0).all()


def test_regimes_of_an_hourly_index_count_sessions(run):
    frame = run.market.index.frame
    opens = pd.DatetimeIndex(frame.index).tz_localize("America/New_York")
    hours = [opens + pd.Timedelta(hours=hour) for hour in (10, 11, 15)]
    hourly = pd.concat([frame.set_axis(each.tz_convert("UTC")) for each in hours]).sort_index()
    known = run.market.available_at
    early = [known - pd.Timedelta(hours=hour) for hour in (4, 3, 0)]
    market = replace(
        run.market,
        inputs=replace(run.market.inputs, index=replace(run.market.index, frame=hourly)),
        available_at=early[0].append(early[1:]).sort_values(),
    )
    instants = run.market.traded.times.as_unit("ns").asi8
    found = regimes._index_trend(replace(run, market=market), instants)
    np.testing.assert_array_equal(found, regimes._index_trend(run, instants))
