"""The figures side by side: those that come from more than one account or one drawdown."""

import empyrical
import numpy as np
import pandas as pd
import pytest

from backtests.analysis.run_figures import recent_figures, summarise
from backtests.config.config import load_config
from backtests.engines.backtest import run_on
from tests.backtests import baskets
from tests.markets import coin_bars, coin_walk, index_bars, index_walk


def test_summary_longest_drawdown_need_not_be_the_deepest() -> None:
    # up, half lost and back within 20 days, then a tenth lost for 100 and never back
    steps = [0.01] * 80 + [-0.5] + [0.0] * 18 + [1.1] + [0.01] * 20 + [-0.1] + [0.0] * 100
    run = run_on(
        load_config(None, overrides=["signal.lookback=20"]),
        index=index_bars(np.full(200, 0.001)),
        coin=coin_bars("BTC", np.array(steps)),
        engine="fast",
    )
    held = summarise(run).figures["buy_and_hold"]
    assert held["max_drawdown"] == pytest.approx(-0.5)
    assert held["max_drawdown_days"] == 20
    assert held["longest_drawdown_days"] == 101


def test_summary_holds_the_coin_evenly_at_the_rule_s_exposure() -> None:
    result, summary = baskets.run("costs.commission_bps=0", "costs.slippage_bps=0")
    even, own = summary.figures["exposure_matched"], summary.figures["strategy"]
    exposure = (result.strategy.bars["weight"] > 0).mean()
    assert even["exposure"] == own["exposure"] == pytest.approx(exposure)
    assert 0.1 < exposure < 0.9
    opens = result.market.traded_bars["open"].to_numpy()
    moves = np.append(opens[1:], result.market.traded_bars["close"].iloc[-1]) / opens - 1
    total = np.prod(1 + exposure * moves) - 1
    assert even["total_return"] == pytest.approx(total, rel=1e-9)
    assert even["final_equity"] == pytest.approx(100_000 * (1 + total), rel=1e-9)


def test_summary_exposures_of_the_accounts_are_their_own() -> None:
    _, summary = baskets.run()
    exposures = {name: own.get("exposure") for name, own in summary.figures.items()}
    assert exposures["buy_and_hold"] == pytest.approx(1.0, abs=1e-3)
    assert exposures["control"] != exposures["strategy"]
    assert exposures["index"] is None


@pytest.fixture(scope="module")
def walk():
    config = load_config(
        None,
        overrides=[
            "signal.min_history=20", "signal.base=5", "rules.hold_days=20", "costs.cash_rate=0.03",
        ],
    )  # fmt: skip
    index, coin = index_walk(900, seed=3), coin_walk(1000, seed=7)
    return run_on(config, index=index, coin=coin, engine="fast")


@pytest.mark.parametrize("name", ["strategy", "buy_and_hold", "control"])
def test_recent_figures_are_those_of_the_last_bars_alone(walk, name) -> None:
    opened, figures = recent_figures(walk, [1])[1]
    account = {"strategy": walk.strategy, "buy_and_hold": walk.buy_and_hold}.get(name, walk.control)
    times = account.bars.index
    first = times.get_loc(opened)
    assert opened + pd.DateOffset(years=1) == times[-1] + pd.Timedelta(days=1)
    returns, equity = account.returns.iloc[first:], account.equity
    earned = (1.03 ** (1 / 365.25)) - 1
    found = figures[name]
    assert found["total_return"] == pytest.approx(equity.iloc[-1] / equity.iloc[first - 1] - 1)
    assert found["final_equity"] == pytest.approx(100_000 * (1 + found["total_return"]))
    assert found["max_drawdown"] == pytest.approx(empyrical.max_drawdown(returns))
    if name == "control":  # in cash all that time, of which no ratio can be made
        assert not account.invested.iloc[first:].any()
        assert np.isnan(found["sharpe_ratio"])
        return
    sharpe = empyrical.sharpe_ratio(returns, risk_free=earned, annualization=365)
    assert found["sharpe_ratio"] == pytest.approx(sharpe)
    assert found["time_in_market"] == pytest.approx(account.invested.iloc[first:].mean())
    bought = account.fills[(account.fills["side"] == "buy") & (account.fills["time"] >= opened)]
    assert found["trades"] == len(bought)


def test_recent_figures_of_the_index_run_from_the_level_known_at_the_opening(walk) -> None:
    opened, figures = recent_figures(walk, [1])[1]
    closes = walk.market.index.frame["close"]
    known = walk.market.available_at
    last = walk.market.traded.lines["bar_end"][-1]
    until = closes[known <= pd.Timestamp(last, unit="s", tz="UTC")].iloc[-1]
    before = closes[known <= opened].iloc[-1]
    assert figures["index"]["total_return"] == pytest.approx(until / before - 1)


def test_recent_figures_of_more_years_than_there_are_is_nothing(walk) -> None:
    assert recent_figures(walk, [5]) == {}
