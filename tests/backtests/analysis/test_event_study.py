"""Event studies on simulated markets: size, coverage and power, with algebra as the oracle."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from backtests.analysis.episodes import Episodes, episodes
from backtests.analysis.event_effects import (
    Outcomes,
    Placement,
    detectable_effect,
    effect_against_random,
    holm,
    left_out_effects,
    outcomes,
)
from backtests.analysis.event_study import Events, EventStudy, StudyDesign, event_study
from backtests.analysis.forward_returns import asset_prices
from tests.markets import closes_known, coin_bars, weekdays

HORIZON = 20
PLACEMENT = Placement(gap=20, draws=300, confidence=0.9)


def market(rng: np.random.Generator, *, effect: float = 0.0) -> Outcomes:
    """A coin of 1,000 sessions; six episodes after which it gains `effect` (log) in 20."""
    returns = rng.normal(0.001, 0.03, 1000 + HORIZON)
    starts = np.sort(rng.choice(19, 6, replace=False)) * 50 + rng.integers(0, 10, 6)
    for start in starts:
        returns[start : start + HORIZON] += effect / HORIZON
    level = np.concatenate(([0.0], np.cumsum(returns)))
    values = level[HORIZON:-1] - level[: -HORIZON - 1]
    return outcomes(values, Episodes(starts, starts + 3, np.full(6, 4)))


def study_of(returns: np.ndarray, days: list[int]) -> EventStudy:
    dates = weekdays(returns.size)
    occurred = np.zeros(dates.size, np.bool_)
    occurred[days] = True
    events = Events("test", dates, closes_known(dates), occurred)
    asset = asset_prices("A", {"A": coin_bars("A", returns)})
    design = StudyDesign(Placement(gap=20, draws=200, seed=1), horizons=(5, 20))
    return event_study(asset, events, design=design)


def test_p_values_are_uniform_without_an_effect() -> None:
    rng = np.random.default_rng(1)
    found = [effect_against_random(market(rng), placement=PLACEMENT).p_value for _ in range(400)]
    assert scipy.stats.kstest(found, "uniform").pvalue > 0.01


def test_intervals_cover_a_planted_effect_at_their_rate() -> None:
    rng = np.random.default_rng(2)
    covered = []
    for _ in range(300):
        found = effect_against_random(market(rng, effect=0.3), placement=PLACEMENT)
        # random dates hold some of the effect too: 6 windows of 20 among 1,000 sessions
        covered.append(found.low <= 0.3 * (1 - 6 * HORIZON / 1000) <= found.high)
    assert np.mean(covered) == pytest.approx(0.9, abs=0.06)


def test_power_rises_with_the_effect_and_is_as_stated() -> None:
    rng = np.random.default_rng(3)
    stated = effect_against_random(market(rng), placement=PLACEMENT).detectable
    quantiles = scipy.stats.norm.ppf(0.95) + scipy.stats.norm.ppf(0.8)
    assert stated == pytest.approx(quantiles * 0.03 * HORIZON**0.5 / 6**0.5, rel=0.2)
    power = []
    for size in (0.0, 0.5 * stated, stated):
        found = [
            effect_against_random(market(rng, effect=size), placement=PLACEMENT).p_value
            for _ in range(150)
        ]
        power.append(np.mean(np.array(found) <= 0.05))
    assert power[0] < 0.11
    assert power[0] < power[1] < power[2]
    # planting the effect also widens what random dates show, which costs some power
    assert power[2] == pytest.approx(0.75, abs=0.12)


def test_shifting_the_coin_in_time_destroys_the_effect() -> None:
    rng = np.random.default_rng(4)
    planted = market(rng, effect=0.8)
    moved = replace(planted, values=np.roll(planted.values, 25))
    assert effect_against_random(planted, placement=PLACEMENT).p_value < 0.01
    assert effect_against_random(moved, placement=PLACEMENT).p_value > 0.05


def test_one_episode_that_carries_all_is_seen_when_it_is_left_out() -> None:
    values = np.random.default_rng(5).normal(0, 0.1, 1000)
    own = Episodes(*np.array([[100, 300, 500, 700], [100, 300, 500, 700], [1, 1, 1, 1]]))
    values[own.starts] = [0.0, 0.0, 2.0, 0.0]
    found = left_out_effects(outcomes(values, own), placement=PLACEMENT)
    assert [round(one.mean, 3) for one in found] == [0.667, 0.667, 0.0, 0.667]
    assert found[2].p_value > 0.2


def test_detectable_effect_of_a_normal_placebo_is_the_textbook_figure() -> None:
    drawn = np.random.default_rng(6).normal(0, 0.2, 200_000)
    expected = (scipy.stats.norm.ppf(0.95) + scipy.stats.norm.ppf(0.8)) * 0.2
    assert detectable_effect(drawn) == pytest.approx(expected, rel=0.01)


def test_holm_steps_down_and_keeps_undefined_ones() -> None:
    found = holm(np.array([0.01, np.nan, 0.04, 0.03]))
    assert found[[0, 2, 3]] == pytest.approx([0.03, 0.06, 0.06])
    assert np.isnan(found[1])


def test_study_measures_from_the_open_after_the_first_event_of_an_episode() -> None:
    returns = np.full(400, 0.01)
    found = study_of(returns, [50, 52, 150])
    assert found.episodes["events"].tolist() == [2, 1]
    assert found.episodes["entry_time"].iloc[0] == pd.Timestamp("2015-03-13", tz="UTC")
    assert found.episodes["return_5d"].tolist() == pytest.approx([1.01**5 - 1] * 2)
    row = found.horizons.iloc[1]
    assert row["mean"] == pytest.approx(1.01**20 - 1)
    assert row["other_mean"] == pytest.approx(1.01**20 - 1)
    assert row["excess"] == pytest.approx(0.0, abs=1e-9)
    assert row["hit_rate"] == 1.0
    assert row["p_value"] == 1.0
    # 400 days, less one that opens before a close is known, less the last 20: on weekdays
    assert row["other_dates"] == pytest.approx(271 - 2 - 2, abs=1)


def test_study_finds_the_planted_path() -> None:
    returns = np.random.default_rng(7).normal(0, 0.002, 900)
    days = [100, 250, 400, 520]
    dates = weekdays(900)
    for day in days:
        at = (dates[day] - dates[0]).days + 1
        returns[at : at + 20] += 0.02
    found = study_of(returns, days)
    assert found.horizons["p_value"].iloc[1] < 0.02
    path = found.path
    assert path.loc[20, "mean"] == pytest.approx(1.02**20 - 1, abs=0.05)
    assert path.loc[20, "mean"] > path.loc[20, "random_high"]
    assert path.loc[-60:0, "mean"].abs().max() < 0.06
    assert list(found.paths.columns) == [f"{dates[day]:%Y-%m-%d}" for day in days]


def test_study_without_events_says_so_with_empty_tables() -> None:
    found = study_of(np.full(300, 0.01), [])
    assert found.episodes.empty
    assert found.horizons["episodes"].tolist() == [0, 0]
    assert found.horizons["p_value"].isna().all()
    assert found.path["mean"].isna().all()


def test_study_is_reproducible() -> None:
    returns = np.random.default_rng(8).normal(0, 0.03, 500)
    first, second = (study_of(returns, [60, 200]) for _ in range(2))
    pd.testing.assert_frame_equal(first.horizons, second.horizons)
    pd.testing.assert_frame_equal(first.path, second.path)


def test_episodes_of_the_study_are_those_of_the_gap() -> None:
    assert len(episodes(np.array([50, 52, 150]), gap=20)) == 2
