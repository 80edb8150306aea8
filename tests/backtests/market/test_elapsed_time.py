"""Figures per year follow the clock, whatever bars are missing."""

import dataclasses
import functools
from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.analysis.run_figures import summarise
from backtests.config.config import load_config
from backtests.engines import backtrader_engine as reference
from backtests.engines import compiled_engine as fast
from backtests.engines.backtest import Run, run_inputs
from backtests.market import elapsed_time
from backtests.market.inputs import Inputs
from backtests.market.market import build_market
from backtests.search.parameter_space import column_of
from backtests.search.trials.evaluate import evaluate
from backtests.search.trials.kernel import FIGURES
from backtests.search.trials.trial_library import Library
from feeds import instruments
from feeds.bars import Bars
from feeds.files import Files
from tests.backtests.engines.test_compiled_engine import assert_equal_accounts
from tests.markets import coin_walk, index_walk

SMALL = {"signal.min_history": 20, "signal.base": 5, "rules.hold_days": 25}
YEAR_DAYS = 365.25


@functools.cache
def walk(seed: int = 5) -> Bars:
    return coin_walk(700, seed=seed, start="2018-02-01")


def with_rows(bars: Bars, keep: np.ndarray) -> Bars:
    return dataclasses.replace(bars, frame=bars.frame[keep])


def run(coin: Bars, **flags: object) -> Run:
    config = load_config(None, flags=SMALL | {k.replace("__", "."): v for k, v in flags.items()})
    return run_inputs(config, Inputs(index_walk(900, seed=3), (coin,)), engine="fast")


def years_of(coin: Bars) -> float:
    """Years by the calendar alone."""
    times = coin.frame.index
    return ((times[-1] - times[0]) / pd.Timedelta(days=1) + 1) / YEAR_DAYS


def test_years_are_from_the_first_open_to_the_last_end_whatever_is_missing():
    weekdays = with_rows(walk(), np.asarray(walk().frame.index.day_of_week < 5))
    for coin in (walk(), weekdays):
        result = run(coin)
        assert result.years == pytest.approx(years_of(coin), rel=1e-15)
    assert run(walk()).periods_per_year == 365
    # 5 of 7 days, and a run from a Thursday to a Tuesday
    assert run(weekdays).periods_per_year == pytest.approx(365.25 * 5 / 7, rel=0.01)


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_dropping_any_tenth_of_the_bars_changes_cagr_by_what_the_prices_say(seed):
    drop = np.random.default_rng(seed).choice(len(walk()), len(walk()) // 10, replace=False)
    keep = np.ones(len(walk()), bool)
    keep[drop] = False
    coin = with_rows(walk(), keep)
    result = run(coin)
    first, last = coin.frame["open"].iloc[0], coin.frame["close"].iloc[-1]
    paid = first * 1.0005 * 1.001
    figures = summarise(result).figures
    held, own = figures["buy_and_hold"], figures["strategy"]
    assert held["cagr"] == pytest.approx((last / paid) ** (1 / years_of(coin)) - 1, rel=1e-9)
    grown = replayed(result) ** (1 / years_of(coin)) - 1
    assert own["cagr"] == pytest.approx(grown, rel=1e-9, abs=1e-12)


def replayed(result: Run) -> float:
    """The growth that follows from the fills' prices alone."""
    growth, fills = 1.0, result.strategy.fills
    last = result.market.traded_bars["close"].iloc[-1]
    exits = [*fills["price"][fills["side"] == "sell"] * 0.999, last]
    for bought, sold in zip(fills["price"][fills["side"] == "buy"] * 1.001, exits, strict=False):
        growth *= sold / bought
    return growth


def test_figures_on_weekdays_agree_with_empyrical_at_the_bars_per_year_there_are():
    coin = with_rows(walk(), np.asarray(walk().frame.index.day_of_week < 5))
    result = run(coin, costs__cash_rate=0.05)
    returns, figures = result.strategy.returns.to_numpy(), summarise(result).figures["strategy"]
    excess = returns - result.cash_returns
    ppy = len(coin) / years_of(coin)
    expected = {
        "volatility": empyrical.annual_volatility(returns, annualization=ppy),
        "sharpe_ratio": empyrical.sharpe_ratio(excess, annualization=ppy),
        "sortino_ratio": empyrical.sortino_ratio(excess, annualization=ppy),
    }
    for name, value in expected.items():
        assert figures[name] == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("hole", [slice(100, 101), slice(200, 500)])
def test_cash_earns_its_rate_by_the_clock_also_while_bars_are_missing(hole):
    keep = np.ones(len(walk()), bool)
    keep[hole] = False
    coin = with_rows(walk(), keep)
    result = run(coin, costs__cash_rate=0.05, rules__trigger="breakout", signal__base=9_999)
    assert result.strategy.fills.empty
    grown = result.strategy.equity.iloc[-1] / 100_000
    assert grown == pytest.approx(1.05 ** years_of(coin), rel=1e-12)
    figures = summarise(result).figures["strategy"]
    assert figures["cagr"] == pytest.approx(0.05, rel=1e-12)
    assert np.isnan(figures["sharpe_ratio"])


def test_timescale_of_hours_counts_hours():
    hours = pd.date_range("2024-01-01", periods=8_766, freq="h", tz="UTC")
    scale = elapsed_time.timescale(hours, timeframe="1h", rate=0.1)
    assert (scale.years, scale.periods_per_year) == (1.0, 8_760)
    assert np.prod(1 + scale.cash_returns) == pytest.approx(1.1, rel=1e-12)


def test_vol_target_on_weekdays_counts_the_days_there_are():
    """Prices that move only on weekdays: the same volatility with and without weekend rows."""
    days = pd.date_range("2018-02-01", periods=400, freq="D")
    ends = np.arange(1, 401.0) * 86_400
    weekday = np.asarray(days.day_of_week < 5)
    found = elapsed_time.observed_bars_per_year(ends[weekday], lookback=50, nominal=365)
    assert (found[:50] == 365).all()
    # fifty weekdays are exactly ten weeks
    np.testing.assert_allclose(found[50:], 50 / (70 / YEAR_DAYS))
    assert (elapsed_time.observed_bars_per_year(ends, lookback=50, nominal=365) == 365).all()


holes = st.sampled_from(["none", "tenth", "weekends", "long"])


def punched(coin: Bars, hole: str) -> Bars:
    keep = np.ones(len(coin), bool)
    if hole == "tenth":
        keep = np.random.default_rng(1).random(len(coin)) > 0.1
    elif hole == "weekends":
        keep = np.asarray(coin.frame.index.day_of_week < 5)
    elif hole == "long":
        keep[150:400] = False
    return with_rows(coin, keep)


@settings(max_examples=15)
@given(
    hole=holes,
    rate=st.sampled_from([0.0, 0.07]),
    weight=st.sampled_from([1.0, 0.4]),
    stop=st.sampled_from([0.0, 0.15]),
    hold=st.sampled_from([3, 30, 200]),
)
def test_kernel_twin_and_run_agree_on_bars_with_holes(hole, rate, weight, stop, hold):
    coin = punched(walk(), hole)
    config = load_config(
        None,
        flags=SMALL
        | {"costs.cash_rate": rate, "size.fraction": weight}
        | {"rules.trailing_stop": stop, "rules.hold_days": hold},
    )
    inputs = Inputs(index_walk(900, seed=3), (coin,))
    tape = build_market(config, inputs).traded
    assert_equal_accounts(fast.simulate(tape, config), reference.simulate(tape, config))
    expected = summarise(run_inputs(config, inputs, engine="fast")).figures["strategy"]
    columns = {"rules.hold_days": column_of([hold])}
    found = evaluate(config, columns, library=Library(load=lambda _: inputs))
    np.testing.assert_allclose(
        found.figures[0], [expected[name] for name in FIGURES], rtol=1e-9, atol=1e-11
    )
    assert expected["trades"] > 1


@pytest.mark.parametrize("case", ["weekdays", "hole"])
def test_real_bars_with_days_missing_hold_at_the_cagr_of_all(shared_data: Path, case: str):
    files = Files(shared_data)
    index = files.load(instruments.index("RUT"), timeframe="1d")
    whole = files.load(instruments.coin("BTC"), timeframe="1d")
    times = whole.frame.index
    keep = {
        "weekdays": times.day_of_week < 5,
        "hole": (times < "2019-01-01") | (times >= "2021-01-01"),
    }[case]
    held = [
        summarise(run_inputs(load_config(None), Inputs(index, (coin,)), engine="fast")).figures[
            "buy_and_hold"
        ]
        for coin in (whole, with_rows(whole, np.asarray(keep)))
    ]
    assert held[0]["cagr"] == pytest.approx(0.59, abs=0.005)
    assert held[1]["cagr"] == pytest.approx(held[0]["cagr"], abs=0.002)
    assert held[1]["volatility"] == pytest.approx(held[0]["volatility"], rel=0.15)
