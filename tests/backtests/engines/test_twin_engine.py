"""The accounts beside the strategy's: the same bytes with numba and without it."""

import sys

import numpy as np
import pytest

from backtests.config.config import Config
from backtests.engines import backtest, compiled_engine
from backtests.engines.backtest import Run, closing_of, engine_of_comparisons, run_inputs
from backtests.engines.backtrader_engine import closing
from backtests.market.market import build_market
from strategies import orders_and_fills
from tests.backtests.drawn import walks
from tests.judged import files_of, sensitivity_of

BASKET = {
    "asset": "ALTS",
    "basket": {"weights": "inverse_vol", "min_members": 1},
    "idle": {"asset": "BTC", "weight": 0.5},
    "signal": {"lookback": 60, "min_history": 60},
    "rules": {"trailing_stop": 0.2, "hold_days": 20},
    "costs": {"cash_rate": 0.03},
}


def everything(result: Run) -> dict[str, str]:
    """Return what is in each table, and the runs at other costs."""
    return {**files_of(result), "costs": repr(sensitivity_of(result))}


def test_files_with_numba_and_without_it_have_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = Config.model_validate(BASKET)
    inputs = walks(5, config)
    tape = build_market(config, inputs).traded
    monkeypatch.setattr(backtest, "LARGE_TAPE", 0)
    assert engine_of_comparisons(tape, config).__module__ == "backtests.engines.compiled_engine"
    left = everything(run_inputs(config, inputs))
    monkeypatch.setattr(backtest, "find_spec", lambda _: None)
    # importing it fails
    monkeypatch.setitem(sys.modules, "backtests.engines.compiled_engine", None)
    assert engine_of_comparisons(tape, config).__module__ == "backtests.engines.twin_engine"
    assert everything(run_inputs(config, inputs)) == left


def test_closing_of_the_twin_is_that_of_backtrader() -> None:
    config = Config.model_validate(BASKET)
    market = build_market(config, walks(5, config))
    for end in (200, 260, 300, len(market.traded)):
        tape = market.traded.cut(slice(0, end))
        mine, theirs = closing_of(tape, config), closing(tape, config)
        assert mine.state == theirs.state
        assert (mine.planned is None) == (theirs.planned is None)
        if mine.planned is not None:
            assert mine.planned.tolist() == theirs.planned.tolist()
        assert mine.account.pending == theirs.account.pending
        assert mine.account.equity.equals(theirs.account.equity)


def test_orders_of_many_coins_are_the_same_compiled() -> None:
    rng = np.random.default_rng(3)
    targets = rng.dirichlet(np.ones(40))
    given = {
        "cash": 50_000.0,
        "units": rng.uniform(0, 20, 40),
        "opens": rng.uniform(1, 500, 40),
        "targets": np.where(rng.random(40) < 0.2, 0.0, targets),
        "threshold": 0.0,
        "commission": 0.001,
        "slippage": 0.0005,
        "impact": np.zeros(40),
    }
    assert orders_and_fills.orders(**given).tolist() == compiled_engine.orders(**given).tolist()
