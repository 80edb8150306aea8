"""Positions looked up from their paths, against the account kept bar by bar for every trial."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.config.config import Config, load_config
from backtests.engines.compiled_engine import simulate
from backtests.market.inputs import Inputs
from backtests.market.market import build_market
from backtests.market.user_inputs import gate_of
from backtests.search.parameter_space import Columns, column_of
from backtests.search.plan import with_values
from backtests.search.trials import evaluate as module
from backtests.search.trials.by_account import run_in_full
from backtests.search.trials.evaluate import evaluate
from backtests.search.trials.kernel import FIGURES
from backtests.search.trials.position_paths import TAKEN
from backtests.search.trials.trial_library import Library
from feeds.arrays import Floats
from tests.backtests.drawn import drawn_times, kept, walks

TRIALS = 24
EQUAL_COSTS = {
    "costs.commission_bps": column_of([10.0] * TRIALS),
    "costs.slippage_bps": column_of([0.0] * TRIALS),
}
SMALL = {"signal.min_history": 20, "signal.base": 5, "signal.confirm": 2}
KINDS: dict[str, dict[str, Any]] = {
    "filter": {"filters.index_trend.window": 20},
    "filter on exit": {"filters.index_trend.window": 20, "filters.index_trend.on_exit": True},
    "fraction": {"size.fraction": 0.4, "costs.cash_rate": 0.05},
    "max_weight": {"size.max_weight": 0.6},
    "vol target": {"size.mode": "vol_target", "size.vol_lookback": 10},
    "scale-in": {"size.scale_in_days": 9},
    "threshold": {"size.fraction": 0.5, "size.rebalance_threshold": 0.02},
    "idle": {"idle.asset": "BTC"},
    "basket": {"asset": "ALTS", "basket.min_members": 1, "basket.min_age_days": 0},
    "basket or idle": {
        "asset": "ALTS",
        "basket.min_members": 1,
        "basket.min_age_days": 0,
        "idle.asset": "BTC",
        "size.rebalance_threshold": 0.05,
    },
}


def drawn_columns(seed: int) -> Columns:
    """Settings of trials drawn at random: few values, so that they share paths."""
    rng = np.random.default_rng(seed)

    def some(*values: Any) -> Any:
        return column_of([values[place] for place in rng.integers(0, len(values), TRIALS)])

    return {
        "rules.hold_days": some(0, 1, 7, 30, 90),
        "rules.exit_on_support_lost": some(True, False),
        "rules.stop_loss": some(0.0, 0.0, 0.05, 0.2),
        "rules.trailing_stop": some(0.0, 0.0, 0.1, 0.3),
        "rules.index_drawdown": some(0.0, 0.0, 0.05),
        "costs.commission_bps": some(0.0, 10.0),
        "costs.slippage_bps": some(0.0, 50.0),
        "costs.initial_cash": some(1.0, 1e9),
    }


def bar_by_bar(base: Config, columns: Columns, library: Library) -> Floats:
    """Return the figures of every trial from its own whole account."""
    out = np.empty((TRIALS, len(FIGURES)))
    rows = np.arange(TRIALS)
    run_in_full(library.full_tape(base), module._trials(base, columns, rows), out)
    return out


def assert_same_figures(found: Floats, expected: Floats) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)
    for name in ("trades", "time_in_market"):  # counts of fills and of bars held
        place = FIGURES.index(name)
        np.testing.assert_array_equal(found[:, place], expected[:, place], err_msg=name)


@drawn_times(8)
@given(base=kept, seed=st.integers(0, 10_000))
def test_evaluate_any_upkeep_gives_the_figures_of_accounts_kept_bar_by_bar(
    base: Config, seed: int
) -> None:
    inputs, columns = walks(seed, base), drawn_columns(seed)
    library = Library(load=lambda _: inputs)
    found = evaluate(base, columns, library=library)
    assert found.failures == [None] * TRIALS
    assert_same_figures(found.figures, bar_by_bar(base, columns, library))


@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_keeps_no_account_for_what_paths_can_tell(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = load_config(None, flags={"asset": "AAA", **SMALL} | KINDS[kind])
    given, columns = walks(5, base), drawn_columns(3)
    # without the coin that halts: what is held of it cannot be sold at once
    inputs = Inputs(given.index, given.coins[:2], idle=given.idle)
    library = Library(load=lambda _: inputs)
    expected = bar_by_bar(base, columns, library)
    monkeypatch.setattr(module, "run_in_full", None)
    found = evaluate(base, columns, library=library)
    assert found.failures == [None] * TRIALS
    assert_same_figures(found.figures, expected)
    assert expected[:, FIGURES.index("trades")].max() > 1


def test_evaluate_paths_that_do_not_fit_make_room_for_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = load_config(None, flags={"asset": "AAA", "size.fraction": 0.5, **SMALL})
    inputs, columns = walks(5, base), drawn_columns(3)
    library = Library(load=lambda _: inputs)
    monkeypatch.setattr("backtests.search.trials.routes.CAPACITY", 0)  # as many rows as bars
    found = evaluate(base, columns, library=library)
    assert_same_figures(found.figures, bar_by_bar(base, columns, library))


@drawn_times(4)
@given(base=kept, seeds=st.lists(st.integers(0, 99), min_size=2, max_size=4))
def test_evaluate_on_paths_of_earlier_batches_gives_the_same_to_the_last_bit(
    base: Config, seeds: list[int]
) -> None:
    inputs = walks(seeds[0], base)
    library = Library(load=lambda _: inputs)
    for seed in seeds:
        columns = drawn_columns(seed)
        found = evaluate(base, columns, library=library)
        alone = evaluate(base, columns, library=Library(load=lambda _: inputs))
        np.testing.assert_array_equal(found.figures, alone.figures)


@pytest.mark.parametrize("kind", ["fraction", "idle"])
def test_paths_of_one_interest_rate_are_not_those_of_another(kind: str) -> None:
    given = {"asset": "AAA", **SMALL} | KINDS[kind]
    inputs = walks(5, load_config(None, flags=given))
    columns = drawn_columns(3) | EQUAL_COSTS
    library = Library(load=lambda _: inputs)
    for rate in (0.0, 0.04, 0.0):
        base = load_config(None, flags={**given, "costs.cash_rate": rate})
        alone = evaluate(base, columns, library=Library(load=lambda _: inputs))
        found = evaluate(base, columns, library=library)
        np.testing.assert_array_equal(found.figures, alone.figures)


@pytest.mark.parametrize("kind", ["fraction", "idle"])
def test_paths_of_a_batch_are_found_by_the_next_unless_they_had_to_make_room(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = load_config(None, flags={"asset": "AAA", **SMALL} | KINDS[kind])
    inputs = walks(5, base)
    columns = drawn_columns(3) | EQUAL_COSTS
    for rows, are_kept in ((1 << 16, True), (0, False)):
        for name in ("CAPACITY", "IDLE_CAPACITY"):
            monkeypatch.setattr(f"backtests.search.trials.routes.{name}", rows)
        library = Library(load=lambda _: inputs)
        evaluate(base, columns, library=library)
        positions = library.positions(base, library.group(base))
        taken = [library.paths.take(positions).state[TAKEN] for _ in range(2)]
        assert [number > 0 for number in taken] == [are_kept, False]


def test_evaluate_a_grid_of_filter_settings_asks_each_filter_once_per_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trend, lead = "filters.index_trend.window", "filters.trend.window"
    base = load_config(
        None,
        flags={"asset": "AAA", **SMALL, "filters.trend.kind": "moving_average", trend: 20, lead: 9},
    )
    inputs, asked = walks(5, base), []
    library = Library(load=lambda _: inputs)

    def count(name: str, settings: Any, known: Any, **given: Any) -> Any:
        asked.append((name, settings.window))
        return gate_of(name, settings, known, **given)

    monkeypatch.setattr("backtests.search.trials.signal_events.gate_of", count)
    grid = [(a, b, days) for a in (5, 20) for b in (9, 30, 60) for days in (3, 40)]
    windows, others, days = zip(*grid, strict=True)
    columns = {
        trend: column_of(windows),
        lead: column_of(others),
        "rules.hold_days": column_of(days),
    }
    found = evaluate(base, columns, library=library)
    assert sorted(asked) == [
        *(("index_trend", window) for window in (5, 20)),
        *(("trend", window) for window in (9, 30, 60)),
    ]
    for place, (one, other, held) in enumerate(grid):
        config = with_values(base, {trend: one, lead: other, "rules.hold_days": held})
        expected = simulate(build_market(config, inputs).traded, config).equity.iloc[-1]
        final = found.figures[place, FIGURES.index("final_equity")]
        assert final == pytest.approx(expected, rel=1e-12)


def test_evaluate_a_filter_setting_that_is_not_allowed_fails_alone_and_says_why() -> None:
    base = load_config(None, flags={"asset": "AAA", "filters.index_trend.window": 20, **SMALL})
    inputs = walks(5, base)
    columns = {"filters.index_trend.window": column_of([20, 0])}
    found = evaluate(base, columns, library=Library(load=lambda _: inputs))
    assert found.failures[0] is None
    assert "`filters.index_trend.window`" in str(found.failures[1])
    assert np.isnan(found.figures[1]).all()
