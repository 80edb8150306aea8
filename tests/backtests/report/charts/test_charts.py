"""The panels' data against the account, the summary and the signals they are drawn from."""

import base64

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.periods import rolling_ratio
from backtests.analysis.run_figures import summarise
from backtests.config.config import load_config
from backtests.engines.backtest import run_on
from backtests.report.charts import distributions
from backtests.report.charts import equity_and_drawdown as charts
from backtests.report.charts.figure_dicts import UndrawableError, pack
from backtests.report.charts.hover_text import day_states, level_spans, runs
from backtests.report.charts.index_price import index_panel
from backtests.report.charts.traded_price import coin_panel
from strategies.rule_settings import SignalSettings
from strategies.signals import index_signals
from tests.markets import coin_walk, index_walk


def unpacked(array):
    return np.frombuffer(base64.b64decode(array["bdata"]), dtype=f"<{array['dtype']}")


def trace(spec, name):
    (found,) = [one for one in spec["data"] if one["name"] == name]
    return found


def unfolded(states):
    return [text for count, text in states for _ in range(count)]


@pytest.fixture(scope="module")
def run():
    settings = ("signal.min_history=20", "signal.base=5", "rules.hold_days=20")
    result = run_on(
        load_config(None, overrides=settings),
        index=index_walk(900, seed=3),
        coin=coin_walk(1000, seed=7),
    )
    return result, summarise(result)


def test_packed_array_reads_back():
    values = [0.5, np.nan, -3.25]
    np.testing.assert_array_equal(unpacked(pack(values)), np.float32(values))


def test_equity_panel_ends_at_the_final_equities(run):
    result, summary = run
    spec = charts.equity_panel(result, summary)
    shown = [unpacked(one["y"])[-1] for one in spec["data"][:3]]
    wanted = [summary.figures[n]["final_equity"] for n in ("strategy", "buy_and_hold", "control")]
    np.testing.assert_allclose(shown, wanted, rtol=1e-6)


def test_underwater_panel_bottoms_at_the_worst_drawdowns(run):
    result, summary = run
    spec = charts.underwater_panel(result, summary)
    for name, key in (("Strategy", "strategy"), ("Hold ETH", "buy_and_hold")):
        lowest = unpacked(trace(spec, name)["y"]).min()
        assert lowest == pytest.approx(100 * summary.figures[key]["max_drawdown"], rel=1e-6)


def test_coin_panel_marks_every_entry_and_exit(run):
    result, summary = run
    spec = coin_panel(result, summary)
    closed = summary.trades[summary.trades["status"] == "closed"]
    assert trace(spec, "Entry")["y"] == summary.trades["entry_price"].tolist()
    assert trace(spec, "Exit")["y"] == closed["exit_price"].tolist()
    assert len(spec["layout"]["shapes"]) == len(summary.trades)


def test_hover_states_cover_every_day(run):
    result, summary = run
    spec = charts.equity_panel(result, summary)
    states = unfolded(spec["data"][0]["meta"]["runs"])
    assert len(states) == len(result.strategy.bars)
    bought = [text for text in states if "bought at" in text]
    assert len(bought) == len(summary.trades)
    assert states.count("in cash") <= (~result.strategy.invested).sum()


def test_day_states_of_a_switch_on_one_day_name_both():
    index = pd.date_range("2020-01-01", periods=4, tz="UTC")
    trades = pd.DataFrame(
        {
            "entry_time": index[[0, 2]], "entry_price": [10.0, 12.0], "entry_reason": "new_high",
            "exit_time": [index[2], pd.NaT], "exit_price": [12.0, np.nan], "return": [0.2, 0.0],
            "exit_reason": ["window", ""], "status": ["closed", "open"],
        }
    )  # fmt: skip
    states = day_states(pd.Series([True] * 4, index=index), trades)
    assert states[0] == "bought at 10.000 (new high)"
    assert states[1] == states[3] == "in the market"
    assert states[2] == "sold at 12.000 (window), 20.0 %; bought at 12.000 (new high)"


def test_runs_escape_what_plotly_would_read_as_markup():
    assert runs(["<b>", "<b>", "x"]) == [(2, "&lt;b&gt;"), (1, "x")]


def test_index_panel_marks_every_record_high(run):
    result, summary = run
    spec = index_panel(result, summary)
    sessions = result.market.traded_sessions
    assert len(trace(spec, "Record high")["x"]) == result.market.signals.new_high[sessions].sum()
    assert len(trace(spec, "Breakout")["x"]) == result.market.signals.breakout[sessions].sum()
    states = unfolded(trace(spec, "RUT close")["meta"]["runs"])
    assert len(states) == sessions.stop - sessions.start


def test_intraday_series_keep_the_last_value_of_each_day():
    times = pd.DatetimeIndex(["2020-01-01 00:00", "2020-01-01 12:00", "2020-01-03 06:00"], tz="UTC")
    shown = charts.daily(pd.Series([1.0, 2.0, 3.0], index=times))
    np.testing.assert_array_equal(shown, [2.0, np.nan, 3.0])


def test_rolling_ratio_equals_its_formula_and_is_undefined_in_cash():
    noise = np.random.default_rng(1).normal(0.001, 0.02, 30)
    ratio, volatility = rolling_ratio(pd.Series(np.concatenate([noise, np.zeros(10)])), bars=10)
    deviation = noise[20:30].std(ddof=1)
    assert volatility[29] == pytest.approx(deviation * np.sqrt(10))
    assert ratio[29] == pytest.approx(noise[20:30].mean() / deviation * np.sqrt(10))
    assert np.isnan(ratio[39])
    assert volatility[39] == 0
    assert ratio[:9].isna().all()


@pytest.mark.parametrize("name", ["sharpe", "sortino", "beta"])
def test_rolling_ratios_are_drawn_only_where_the_year_holds_enough_invested_bars(
    run, name, monkeypatch
):
    result, summary = run
    held = np.convolve(result.strategy.invested, np.ones(365), "valid")
    wanted = np.ceil(np.median(held))  # this walk always holds a tenth
    monkeypatch.setattr("backtests.analysis.periods.INVESTED_SHARE", (wanted - 0.5) / 365)
    spec = getattr(charts, f"rolling_{name}_panel")(result, summary)
    drawn = np.isfinite(unpacked(trace(spec, "Strategy")["y"]))
    enough = np.append(np.zeros(364, np.bool_), held >= wanted)
    assert 0 < enough.sum() < len(held)
    np.testing.assert_array_equal(drawn, enough)


def test_rolling_beta_without_enough_invested_bars_is_not_drawn(run, monkeypatch):
    monkeypatch.setattr("backtests.analysis.periods.INVESTED_SHARE", 1.1)
    with pytest.raises(UndrawableError, match="No rolling year had"):
        charts.rolling_beta_panel(*run)


def test_excursions_bound_every_trade(run):
    result, summary = run
    worst, best = distributions.excursions(summary.trades, tape=result.market.traded)
    closed = summary.trades["status"] == "closed"
    gain = (summary.trades["exit_price"] / summary.trades["entry_price"] - 1)[closed]
    slip = 0.02
    assert (worst[closed] - slip <= gain).all()
    assert (gain <= best[closed] + slip).all()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("retest", [False, True])
def test_level_spans_add_up_to_the_signals(seed, retest):
    frame = index_walk(700, seed=seed).frame
    settings = SignalSettings(min_history=20, base=5, window=15, retest=retest)
    close = frame["close"].to_numpy()
    signals = index_signals(close=close, low=frame["low"].to_numpy(), settings=settings)
    spans = level_spans(signals, close=close, settings=settings)
    level = np.full(close.size, np.nan)
    for span in spans:
        level[span.start : span.stop] = span.level
        if span.fate in ("held so far", "under test"):
            level[span.stop] = span.level
    np.testing.assert_array_equal(level, signals.support_level)
    held = {span.held_from for span in spans if span.held_from is not None}
    assert held == set(np.flatnonzero(signals.support_held))
    lost = {span.stop for span in spans if span.fate == "lost"}
    assert lost == set(np.flatnonzero(signals.support_lost))
    failed = [span for span in spans if span.fate == "failed"]
    assert all(close[span.stop] < span.level * (1 - settings.tolerance) for span in failed)
