"""Trials beyond the kernel: the figures of baskets, idle assets, filters and upkeep."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.analysis.run_figures import summarise
from backtests.config.config import Config, load_config
from backtests.engines.backtest import run_inputs
from backtests.market.inputs import Inputs
from backtests.search.parameter_space import Columns, column_of
from backtests.search.plan import with_values
from backtests.search.trials.evaluate import Evaluated, evaluate
from backtests.search.trials.kernel import FIGURES
from backtests.search.trials.routes import is_understood
from backtests.search.trials.trial_library import Library
from feeds.bars import Bars
from feeds.instruments import coin
from tests.backtests.drawn import charged, drawn_times, kept, walks
from tests.markets import coin_walk, index_walk

SMALL = {"signal.min_history": 20, "signal.base": 5, "rules.trigger": "new_high"}
HOLD_DAYS = (5, 20, 60)


def named(name: str, seed: int) -> Bars:
    return replace(coin_walk(300, seed=seed, start="2018-03-01"), instrument=coin(name))


@pytest.mark.parametrize(
    ("changed", "coins", "idle"),
    [
        ({"asset": "ALTS"}, ("AAA", "BBB"), ""),
        ({"asset": "AAA", "idle.asset": "BTC"}, ("AAA",), "BTC"),
        ({"asset": "AAA", "filters.index_trend": {}}, ("AAA",), ""),
        ({"asset": "AAA", "size.scale_in_days": 3}, ("AAA",), ""),
        ({"asset": "AAA", "filters.index_trend.on_exit": True}, ("AAA",), ""),
        (
            {"asset": "AAA", "size.mode": "vol_target", "size.rebalance_threshold": 0.1},
            ("AAA",),
            "",
        ),
        (
            {"asset": "ALTS", "size.rebalance_threshold": 0.05, "idle.asset": "BTC"},
            ("AAA", "BBB"),
            "BTC",
        ),
    ],
    ids=["basket", "idle", "filter", "scale-in", "filter exit", "vol target", "basket, idle"],
)
def test_evaluate_beyond_the_kernel_equals_each_run(
    changed: dict[str, Any], coins: tuple[str, ...], idle: str
) -> None:
    base = load_config(None, flags=SMALL | changed)
    bars = tuple(named(name, seed) for seed, name in enumerate(coins, start=7))
    inputs = Inputs(index_walk(400, seed=3, end="2018-12-31"), bars)
    inputs = replace(inputs, idle=named(idle, 5)) if idle else inputs
    assert not is_understood(base)
    columns = {"rules.hold_days": column_of(HOLD_DAYS)}
    found = evaluate(base, columns, library=Library(load=lambda _: inputs))
    assert found.failures == [None, None, None]
    for days, row in zip(HOLD_DAYS, found.figures, strict=True):
        config = with_values(base, {"rules.hold_days": days})
        expected = summarise(run_inputs(config, inputs)).figures["strategy"]
        np.testing.assert_allclose(row, [expected[name] for name in FIGURES], rtol=1e-9)
        assert expected["trades"] > 0


@drawn_times(8)
@given(base=kept, seed=st.integers(0, 10_000))
def test_evaluate_any_account_gives_the_figures_of_its_run(base: Config, seed: int) -> None:
    inputs = walks(seed, base)
    columns = {
        "rules.hold_days": column_of([0, 25, 25]),
        "rules.stop_loss": column_of([0.0, 0.1, 0.0]),
        "costs.commission_bps": column_of([0.0, 10.0, 250.0]),
    }
    assert_each_row_is_its_run(base, columns, inputs, atol=1e-11)


def assert_each_row_is_its_run(
    base: Config, columns: Columns, inputs: Inputs, *, atol: float = 0.0
) -> Evaluated:
    """Compare the figures of every trial with those of its run, and return them."""
    found = evaluate(base, columns, library=Library(load=lambda _: inputs))
    assert found.failures == [None, None, None]
    for place, row in enumerate(found.figures):
        config = with_values(base, {key: one.take()[place] for key, one in columns.items()})
        expected = summarise(run_inputs(config, inputs, engine="fast")).figures["strategy"]
        wanted = [expected[name] for name in FIGURES]
        np.testing.assert_allclose(row, wanted, rtol=1e-9, atol=atol)
    return found


def test_evaluate_a_basket_without_a_member_fails_alone_and_says_why() -> None:
    base = load_config(None, flags=SMALL | {"asset": "ALTS"})
    inputs = Inputs(index_walk(400, seed=3, end="2018-12-31"), (named("AAA", 7), named("BBB", 8)))
    columns = {"basket.min_age_days": column_of([5, 3_000])}
    found = evaluate(base, columns, library=Library(load=lambda _: inputs))
    assert found.failures[0] is None
    reason = str(found.failures[1])
    assert "`basket.select` all, `basket.weights` equal, `basket.min_age_days` 3000)" in reason
    assert "rank and weigh coins by what their bars have" in reason
    assert np.isfinite(found.figures[0]).all()
    assert np.isnan(found.figures[1]).all()


def test_evaluate_a_coin_beside_the_basket_gives_each_its_own_figures() -> None:
    base = load_config(None, flags=SMALL | {"asset": "AAA"})
    coins = {"AAA": (named("AAA", 7),), "ALTS": (named("AAA", 7), named("BBB", 8))}
    index = index_walk(400, seed=3, end="2018-12-31")
    library = Library(load=lambda config: Inputs(index, coins[config.asset]))
    found = evaluate(base, {"asset": column_of(["AAA", "ALTS"])}, library=library)
    for asset, row in zip(coins, found.figures, strict=True):
        config = with_values(base, {"asset": asset})
        expected = summarise(run_inputs(config, Inputs(index, coins[asset]))).figures["strategy"]
        np.testing.assert_allclose(row, [expected[name] for name in FIGURES], rtol=1e-9)


@pytest.mark.parametrize("asset", ["AAA", "ALTS"])
def test_evaluate_fills_charged_for_their_size_give_the_figures_of_their_runs(asset: str) -> None:
    base = charged(load_config(None, flags=SMALL | {"asset": asset, "basket.min_members": 1}), 1.0)
    assert not is_understood(base)
    inputs = walks(3, base)
    columns = {
        "costs.impact": column_of(["square_root", "square_root", "none"]),
        "costs.impact_coefficient": column_of([0.5, 3.0, 3.0]),
        "costs.initial_cash": column_of([1e6, 1e8, 1e8]),
    }
    found = assert_each_row_is_its_run(base, columns, inputs)
    growth = found.figures[:, FIGURES.index("total_return")]
    assert growth[1] < growth[0] < growth[2]


def test_is_understood_a_coefficient_that_charges_nothing() -> None:
    plain = load_config(None, overrides=["costs.impact_coefficient=2", "costs.max_participation=1"])
    assert is_understood(plain)
    assert not is_understood(plain, vary={"costs.impact": ("none", "square_root")})
