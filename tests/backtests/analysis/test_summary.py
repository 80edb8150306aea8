"""The figures side by side: those that come from more than one account or one drawdown."""

import numpy as np
import pytest

from backtests.analysis.summary import summarise
from backtests.config.config import load_config
from backtests.engines.backtest import run_on
from tests.backtests import baskets
from tests.simulated import coin_bars, index_bars


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
