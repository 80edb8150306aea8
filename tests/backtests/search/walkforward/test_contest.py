"""A window's contest: who can be chosen, what standing aside counts, and how equals rank."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import percentileofscore

from backtests.market.inputs import Inputs
from backtests.search.plan import load_plan
from backtests.search.trials.evaluate import evaluate
from backtests.search.trials.kernel import FIGURES
from backtests.search.trials.trial_library import Library
from backtests.search.walkforward.windows import Contest, contest
from tests.markets import coin_walk, index_walk


def held(figure: list[float], trades: list[float] | None = None) -> Contest:
    """Return a contest in which all traded, or as often as said."""
    return Contest(np.array(figure), np.array(trades or [1.0] * len(figure)), Counter())


def test_rank_of_a_choice_equal_to_all_others_is_a_half() -> None:
    assert held([0.7, 0.7, 0.7]).rank(0) == 0.5


def test_rank_of_best_and_worst_is_one_and_nothing() -> None:
    own = held([0.1, 0.9, np.nan, 0.4])
    assert [own.rank(trial) for trial in (0, 1, 3)] == [0.0, 1.0, 0.5]


def test_rank_counts_equals_half_as_scipy_does() -> None:
    values = np.random.default_rng(3).integers(0, 6, 40).astype(float)
    own = held(values.tolist())
    for trial in range(40):
        others = np.delete(values, trial)
        expected = percentileofscore(others, values[trial], kind="mean") / 100
        assert own.rank(trial) == pytest.approx(expected, rel=1e-12)


def test_rank_without_a_figure_or_without_others_is_undefined() -> None:
    assert np.isnan(held([np.nan, 0.2, 0.3]).rank(0))
    assert np.isnan(held([np.nan, 0.2]).rank(1))


def test_best_is_the_first_of_equals_that_traded() -> None:
    assert held([0.0, -0.2, -0.1, -0.1], [0, 3, 1, 2]).best == 2


def test_best_of_none_that_traded_is_none() -> None:
    assert held([0.0, 0.0], [0, 0]).best is None
    assert held([np.nan, np.nan], [np.nan, 2]).best is None


def test_contest_counts_trials_that_stayed_out_as_doing_nothing(tmp_path: Path) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text(
        "[signal]\nmin_history = 60\n[sweep]\n"
        '"rules.trigger" = ["new_high", "support_held"]\n"rules.hold_days" = [5, 20, 60]\n'
    )
    plan = load_plan(file, overrides=["data.start=2019-03-01", "data.end=2019-05-01"])
    given = Inputs(index_walk(700, seed=4), (coin_walk(700, seed=5, start="2019-01-01"),))
    library = Library(load=lambda _: given)
    figures = evaluate(plan.base, plan.columns(0), library=library).figures
    trades = figures[:, FIGURES.index("trades")]
    ratios = figures[:, FIGURES.index("sharpe_ratio")]
    assert 0 < np.count_nonzero(trades == 0) < trades.size  # the window has both kinds
    found = contest(plan, plan.base, library=library)
    np.testing.assert_array_equal(found.figure, np.where(trades == 0, 0.0, ratios))
    assert found.median == np.median(np.where(trades == 0, 0.0, ratios))
    assert not found.failures


def test_contest_counts_why_trials_failed(tmp_path: Path) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text('[sweep]\n"signal.lookback" = [60, 5000]\n')
    given = Inputs(index_walk(700, seed=4), (coin_walk(700, seed=5, start="2019-01-01"),))
    plan = load_plan(file)
    found = contest(plan, plan.base, library=Library(load=lambda _: given))
    assert found.failures.total() == 1
    assert "the history is too short" in next(iter(found.failures))
    assert found.best == 0
    assert np.isnan(found.rank(0))
