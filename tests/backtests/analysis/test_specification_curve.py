"""Specification curve: by hand, against one reading at a time, and how often its p errs."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.episodes import episodes
from backtests.analysis.specification_curve import (
    EventReading,
    OutcomeReading,
    SpecificationCurve,
    shift_steps,
    specification_curve,
)

MARKETS = 60
SESSIONS = 700
OWN = {"gap_sessions": 20, "days": 20, "statistic": "mean"}


def calendars(occurred: np.ndarray) -> list[EventReading]:
    events = np.flatnonzero(occurred)
    return [
        EventReading({"gap_sessions": gap}, episodes(events, gap=gap).starts) for gap in (5, 20, 40)
    ]


def outcomes(returns: np.ndarray, name: str = "A") -> list[OutcomeReading]:
    """Return log growth over 10, 20 and 40 sessions after each, NaN where they are not over."""
    level = np.concatenate(([0.0], np.cumsum(returns)))
    readings = []
    for days in (10, 20, 40):
        growth = np.full(returns.size, np.nan)
        growth[: returns.size + 1 - days] = level[days:] - level[:-days]
        readings.append(OutcomeReading({"asset": name, "days": days}, growth))
    return readings


def market(seed: int, *, effect: float = 0.0) -> tuple[list[EventReading], list[OutcomeReading]]:
    """Return clustered events that tell nothing of noisy returns, or `effect` more of them."""
    rng = np.random.default_rng(seed)
    occurred = np.zeros(SESSIONS, np.bool_)
    for first in rng.choice(SESSIONS - 60, 9, replace=False):
        occurred[first : first + 3] = True
    returns = rng.normal(0.001, 0.03, SESSIONS)
    for start in episodes(np.flatnonzero(occurred), gap=20).starts:
        returns[start : start + 10] += effect / 10
    return calendars(occurred), outcomes(returns)


def curve_of(seed: int, *, effect: float = 0.0, shifts: int = 99) -> SpecificationCurve:
    return specification_curve(*market(seed, effect=effect), own=OWN, shifts=shifts)


def test_curve_of_a_small_market_has_the_effects_computed_by_hand() -> None:
    growth = np.array([np.nan, 1.0, 2.0, 4.0, 8.0, 0.0, 3.0, np.nan])
    events = [
        EventReading({"base": 1}, np.array([1, 2, 4, 7])),
        EventReading({"base": 2}, np.array([2, 7])),
    ]
    found = specification_curve(
        events, [OutcomeReading({"asset": "A"}, growth)], own={"base": 1, "statistic": "mean"}
    )
    assert (found.readings, found.left_out, found.repeated, found.shifts) == (2, 2, 0, 7)
    rows = found.effects.set_index("statistic")
    assert rows["effect"].to_dict() == pytest.approx({"mean": 11 / 3 - 3, "median": 2 - 2.5})
    assert rows["own"].to_dict() == {"mean": True, "median": False}
    assert (rows["episodes"] == 3).all()
    assert found.median == pytest.approx((2 / 3 - 0.5) / 2)
    assert found.share_above_zero == 0.5


def test_p_is_that_of_every_shift_computed_one_reading_at_a_time() -> None:
    events, growths = market(3)
    found = specification_curve(events, growths, own=OWN, shifts=SESSIONS)

    def median(shift: int) -> float:
        effects = []
        for event, growth in itertools.product(
            {e.starts.tobytes(): e for e in events}.values(), growths
        ):
            values = growth.growth[(event.starts + shift) % SESSIONS]
            values = values[np.isfinite(values)]
            if values.size >= 3:
                effects.append(values.mean() - np.nanmean(growth.growth))
                effects.append(np.median(values) - np.nanmedian(growth.growth))
        return float(np.median(effects))

    real = median(0)
    assert found.median == pytest.approx(real)
    above = sum(median(shift) >= real - 1e-9 for shift in range(1, SESSIONS))
    assert found.p == (1 + above) / SESSIONS


def test_planted_effect_is_found_and_an_absent_one_no_more_often_than_its_level() -> None:
    absent = np.array([curve_of(seed).p for seed in range(MARKETS)])
    # of 60 with a chance of 5 % each, more than 7 come in less than 2 % of all cases
    assert (absent <= 0.05).sum() <= 7
    assert 0.35 < absent.mean() < 0.65
    assert 0.25 <= (absent <= 0.5).mean() <= 0.75
    planted = np.array([curve_of(seed, effect=0.25).p for seed in range(15)])
    assert (planted <= 0.05).mean() >= 0.8


def test_order_of_readings_changes_nothing() -> None:
    events, growths = market(1)
    growths += outcomes(np.random.default_rng(9).normal(0, 0.02, SESSIONS), "B")
    first = specification_curve(events, growths, own=OWN, shifts=99)
    second = specification_curve(events[::-1], growths[::-1], own=OWN, shifts=99)
    pd.testing.assert_frame_equal(first.effects, second.effects[list(first.effects)])
    assert (first.median, first.p, first.left_out) == (second.median, second.p, second.left_out)


def test_choices_that_come_to_the_same_are_one_reading_under_those_nearest_to_the_own() -> None:
    events, growths = market(1)
    same = [EventReading({"gap_sessions": 1}, events[1].starts), *events]
    found = specification_curve(same, growths, own=OWN, shifts=50)
    plain = specification_curve(events, growths, own=OWN, shifts=50)
    pd.testing.assert_frame_equal(found.effects, plain.effects)
    assert found.repeated == plain.repeated + 2 * len(growths)
    assert found.p == plain.p
    assert found.effects["own"].sum() == 1


def test_curve_without_three_episodes_is_undefined() -> None:
    few = [EventReading({"gap_sessions": 20}, np.array([3, 9]))]
    found = specification_curve(few, market(1)[1], own=OWN, shifts=20)
    assert (found.readings, found.left_out) == (0, 6)
    assert np.isnan([found.median, found.share_above_zero, found.p]).all()


@pytest.mark.parametrize(("sessions", "wanted"), [(0, []), (1, []), (4, [1, 2, 3])])
def test_short_history_is_shifted_by_every_number_of_sessions(
    sessions: int, wanted: Sequence[int]
) -> None:
    assert shift_steps(sessions, shifts=10, seed=0).tolist() == wanted


def test_long_history_is_shifted_by_different_numbers_that_a_seed_repeats() -> None:
    steps = shift_steps(5000, shifts=100, seed=7)
    assert np.unique(steps).size == 100
    assert 1 <= steps.min() <= steps.max() < 5000
    np.testing.assert_array_equal(steps, shift_steps(5000, shifts=100, seed=7))
