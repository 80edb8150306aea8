"""The sweep kernel against a full run: the same figures for the same config."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.analysis.metrics import return_figures
from backtests.analysis.trades import round_trips
from backtests.config.config import Config
from backtests.config.run_settings import DataSettings
from backtests.engines.compiled_engine import simulate
from backtests.market.elapsed_time import after_hole, cash_returns
from backtests.market.inputs import Inputs, load_inputs
from backtests.market.market import build_market
from backtests.search.parameter_space import Choice, column_of, grid_columns, grid_size
from backtests.search.plan import value_at
from backtests.search.trials.evaluate import evaluate
from backtests.search.trials.kernel import FIGURES
from backtests.search.trials.trial_library import Library
from tests.backtests.drawn import drawn_times
from tests.markets import coin_walk, index_walk

KEYS = (
    *("signal.lookback", "signal.base", "signal.confirm", "signal.tolerance", "signal.min_history"),
    *("rules.trigger", "rules.hold_days", "rules.exit_on_support_lost", "rules.trailing_stop"),
    *("rules.stop_loss", "rules.index_drawdown", "rules.entry_delay_days"),
    *("size.mode", "size.fraction", "size.vol_target", "size.vol_lookback"),
    "data.start",
    *("costs.initial_cash", "costs.commission_bps", "costs.slippage_bps", "costs.cash_rate"),
)

COSTS = ("costs.slippage_bps", "costs.commission_bps")
off_or = functools.partial(st.one_of, st.just(0.0))
configs = st.fixed_dictionaries(
    {
        "signal": st.fixed_dictionaries(
            {
                "lookback": st.sampled_from(["all", 5, 20, 63, 252]),
                "min_history": st.sampled_from([20, 252]),
                "base": st.sampled_from([1, 10, 60]),
                "confirm": st.integers(1, 6),
                "tolerance": st.sampled_from([0.0, 0.02, 0.1]),
            }
        ),
        "rules": st.fixed_dictionaries(
            {
                "trigger": st.sampled_from(["new_high", "breakout", "support_held", "any"]),
                "hold_days": st.sampled_from([0, 1, 2, 5, 20, 60, 180]),
                "exit_on_support_lost": st.booleans(),
                "trailing_stop": off_or(st.floats(0.01, 0.4)),
                "stop_loss": off_or(st.floats(0.01, 0.4)),
                "index_drawdown": off_or(st.floats(0.01, 0.2)),
                "entry_delay_days": st.sampled_from([0, 0, 1, 7, 45]),
            }
        ),
        "size": st.fixed_dictionaries(
            {
                "mode": st.sampled_from(["fraction", "fraction", "vol_target"]),
                "fraction": st.sampled_from([1.0, 1.0, 0.5, 0.07]),
                "vol_target": st.floats(0.05, 2),
                "vol_lookback": st.integers(2, 60),
            }
        ),
        "data": st.fixed_dictionaries(
            {"start": st.sampled_from(["", "", "2020-03-30", "2020-07-04", "2020-10-11"])}
        ),
        "costs": st.fixed_dictionaries(
            {
                "initial_cash": st.floats(1, 1e9),
                "commission_bps": off_or(st.floats(0, 300)),
                "slippage_bps": off_or(st.floats(0, 300)),
                "cash_rate": st.sampled_from([0.0, 0.0, 0.04]),
            }
        ),
    }
)
# most rules have no stop, which another part of the kernel looks after
plain = configs.map(
    lambda c: {**c, "rules": {**c["rules"], "trailing_stop": 0.0, "stop_loss": 0.0,
                              "index_drawdown": 0.0}}
)  # fmt: skip


def figures_of_run(config: Config, library: Library) -> dict[str, float]:
    market = build_market(config, library.inputs(config))
    tape = market.traded
    account = simulate(tape, config)
    figures = return_figures(
        account.returns.to_numpy(),
        periods_per_year=tape.periods_per_year,
        years=tape.years,
        cash_return=cash_returns(
            tape.lines["time"], tape.lines["bar_end"], rate=config.costs.cash_rate
        ),
        left_out=after_hole(tape.lines["time"], tape.lines["bar_end"]),
    )
    last = market.traded_bars.iloc[-1]
    closes = dict.fromkeys(market.tape.coins, last["close"])
    trades = round_trips(account.fills, last_time=last.name, last_closes=closes)
    return {
        **figures,
        "time_in_market": account.invested.mean(),
        "trades": len(trades),
        "win_rate": (trades["return"] > 0).mean() if len(trades) else np.nan,
        "final_equity": account.equity.iloc[-1],
    }


def assert_equal_figures(trees: Sequence[dict[str, Any]], library: Library) -> None:
    tried = [Config.model_validate(tree) for tree in trees]
    columns = {key: column_of([value_at(config, key) for config in tried]) for key in KEYS}
    found = evaluate(tried[0], columns, library=library)
    for config, figures, failure in zip(tried, found.figures, found.failures, strict=True):
        expected = figures_of_run(config, library)
        assert failure is None
        for name, figure in zip(FIGURES, figures, strict=True):
            assert figure == pytest.approx(expected[name], rel=1e-9, abs=1e-11, nan_ok=True), name


@drawn_times(12)
@given(trees=st.lists(st.one_of(plain, configs), min_size=2, max_size=4), seed=st.integers(0, 999))
def test_evaluate_on_simulated_bars_equals_the_full_run(
    trees: list[dict[str, Any]], seed: int
) -> None:
    coin = coin_walk(350, seed=seed + 1, start="2020-03-01")
    inputs = Inputs(index_walk(500, seed=seed), (coin,))
    assert_equal_figures(trees, Library(load=lambda _: inputs))


@given(tree=configs, costs=st.lists(off_or(st.floats(0, 300)), min_size=2, max_size=5))
def test_evaluate_trials_that_share_their_spans_as_each_would_alone(
    tree: dict[str, Any], costs: list[float]
) -> None:
    config, own = Config.model_validate(tree), simulated_library()
    axes = [
        Choice("rules.hold_days", (5, 60)),
        Choice("rules.stop_loss", (0.0, 0.1)),
        *(Choice(key, tuple(dict.fromkeys(costs))) for key in COSTS),
    ]
    size = grid_size(axes)
    together = evaluate(config, grid_columns(axes, np.arange(size)), library=own)
    for trial in range(size):
        alone = evaluate(config, grid_columns(axes, np.array([trial])), library=own)
        np.testing.assert_array_equal(together.figures[trial], alone.figures[0])


@functools.cache
def simulated_library() -> Library:
    inputs = Inputs(index_walk(500, seed=1), (coin_walk(350, seed=2, start="2020-03-01"),))
    return Library(load=lambda _: inputs)


@pytest.fixture(scope="module")
def library(shared_data: Path) -> Library:
    data = DataSettings(source="files", data_dir=str(shared_data))
    return Library(load=lambda config: load_inputs(config.model_copy(update={"data": data})))


@drawn_times(4)
@given(trees=st.lists(plain, min_size=2, max_size=5), asset=st.sampled_from(["BTC", "ETH", "LUNA"]))
def test_evaluate_on_real_bars_equals_the_full_run(
    library: Library, trees: list[dict[str, Any]], asset: str
) -> None:
    assert_equal_figures([{**tree, "asset": asset} for tree in trees], library)


def test_evaluate_bars_of_two_sources_are_kept_apart() -> None:
    coins = {name: coin_walk(350, seed=seed) for seed, name in enumerate(("files", "sample"))}
    index = index_walk(500, seed=3, end="2018-12-31")
    library = Library(load=lambda config: Inputs(index, (coins[config.data.source],)))
    base = Config.model_validate({"signal": {"min_history": 20}, "rules": {"trigger": "new_high"}})
    found = evaluate(base, {"data.source": column_of(list(coins))}, library=library)
    for source, figures in zip(coins, found.figures, strict=True):
        data = base.data.model_copy(update={"source": source})
        expected = figures_of_run(base.model_copy(update={"data": data}), library)
        np.testing.assert_allclose(figures, [expected[name] for name in FIGURES], rtol=1e-9)


def test_evaluate_a_lookback_beyond_the_data_fails_alone(library: Library) -> None:
    base = Config()
    columns = {"signal.lookback": column_of([252, 9_999])}
    found = evaluate(base, columns, library=library)
    assert found.failures[0] is None
    assert found.failures[1] is not None
    assert "too short" in found.failures[1]
    assert np.isfinite(found.figures[0]).all()
    assert np.isnan(found.figures[1]).all()


def test_evaluate_warns_of_an_unforeseen_failure_once_with_a_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def load(config: Config) -> Inputs:
        raise ValueError(f"no bars of {config.asset}")

    broken = Library(load=load)
    columns = {
        "signal.lookback": column_of([63] * 3 + [252] * 2),
        "rules.hold_days": column_of([5, 6, 7, 8, 9]),
    }
    for _ in range(2):
        found = evaluate(Config(), columns, library=broken)
    assert found.failures == ["ValueError('no bars of ETH')"] * 5
    said = "5 trials failed: ValueError('no bars of ETH'); more of the same are only counted"
    assert [record.getMessage() for record in caplog.records] == [said]


def test_evaluate_needs_every_return_figure_of_the_metrics() -> None:
    names = return_figures(np.array([0.1, -0.1]), periods_per_year=365, years=2)
    assert set(names) <= set(FIGURES)
