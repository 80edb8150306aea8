"""The trials drawn to stand for a sweep: random, none twice, and none that failed."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backtests.config.config import Config
from backtests.search.chunk_summary import Tally, TrialSummary, total_of
from backtests.search.judging import contenders as draws
from backtests.search.judging.contenders import random_trials, random_values, reach
from backtests.search.parameter_space import Axis, Choice, Range
from backtests.search.plan import Plan
from backtests.search.sweep_settings import SearchSettings
from backtests.search.trials.evaluate import Evaluated
from backtests.search.trials.kernel import FIGURES

HOLD = Choice("rules.hold_days", tuple(range(1, 76)))
DELAY = Choice("rules.entry_delay_days", (0, 1, 2, 3))
STOP = Choice("rules.stop_loss", (0.0, 0.15, 0.25, 0.4))


def plan_of(*axes: Axis, **settings: Any) -> Plan:
    return Plan(Config(), axes, SearchSettings.model_validate({"chunk": 100, **settings}))


def store_of(plan: Plan, *, failed: Sequence[int] = ()) -> Any:
    def summaries() -> Iterator[TrialSummary]:
        for chunk in range(plan.chunks):
            trials = range(*plan.bounds(chunk))
            failures = [None if trial not in failed else "no bars" for trial in trials]
            figures = np.full((len(trials), len(FIGURES)), np.nan)
            tally = Tally(plan, first=trials[0])
            tally.add(trials[0], plan.columns(chunk), Evaluated(figures, failures))
            yield tally.summary()

    return SimpleNamespace(plan=plan, total=lambda: total_of(summaries(), plan=plan))


def test_random_trials_of_a_grid_have_every_value_about_as_often() -> None:
    # an even step through the trials met the same two of the four stops again and again
    plan = plan_of(HOLD, DELAY, STOP)
    trials = random_trials(store_of(plan))
    assert trials.size == 400
    assert np.unique(trials).size == 400
    assert np.bincount(trials % 4).tolist() == pytest.approx([100] * 4, abs=30)
    assert np.bincount(trials // 4 % 4).tolist() == pytest.approx([100] * 4, abs=30)
    assert np.bincount(trials // 16, minlength=75).min() >= 1


def test_random_trials_depend_on_the_seed_alone() -> None:
    one, again, other = (
        random_trials(store_of(plan_of(HOLD, DELAY, STOP, seed=seed))) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert np.intersect1d(one, other).size < 250


def test_random_trials_are_all_that_did_not_fail_if_they_fit() -> None:
    trials = random_trials(store_of(plan_of(HOLD, DELAY), failed=[3, 150]))
    assert trials.tolist() == [trial for trial in range(300) if trial not in (3, 150)]


def test_random_values_are_settings_the_axes_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draws, "MOST_DRAWN", 50)
    values = random_values(plan_of(STOP, Range("rules.hold_days", 5, 9), search="guided"))
    assert len(values) == 50
    assert {one["rules.stop_loss"] for one in values} == set(STOP.values)
    assert {one["rules.hold_days"] for one in values} == {5, 6, 7, 8, 9}


@pytest.mark.parametrize(
    ("search", "axes", "expected"),
    [
        ("grid", (HOLD, STOP), 300),
        ("random", (HOLD, STOP), 1_000),
        ("guided", (HOLD, DELAY, STOP), 1_200),
        ("guided", (HOLD, Range("rules.stop_loss", 0.0, 0.5)), 7_500),
        ("guided", (Range("rules.hold_days", 1, 9),), 1_000),
    ],
)
def test_reach_of_a_guided_search_is_its_whole_space(
    search: str, axes: tuple[Axis, ...], expected: int
) -> None:
    assert reach(plan_of(*axes, search=search)) == expected
