"""A run's course: what week ends and years keep, and what is refused as no course."""

import json

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.periods import yearly_returns
from backtests.engines.account import Account
from backtests.records.weekly_equity import Course, course_json, read_course, week_ends


def account_of(equity, *, start, cash=1_000.0):
    index = pd.date_range(start, periods=len(equity), freq="D", tz="UTC")
    bars = pd.DataFrame({"equity": equity, "cash": equity, "weight": 0.0}, index=index)
    return Account(bars, pd.DataFrame({"ETH-USD": 0.0}, index=index), pd.DataFrame(), cash)


def manifest_of(**changes):
    account = account_of(1_000.0 * 1.01 ** np.arange(1, 801), start="2023-12-20")
    return {"course": {"strategy": course_json(account) | changes}}


def test_week_ends_of_constant_growth_are_its_powers_from_the_starting_cash_on():
    # 2024-03-06 is a Wednesday: the first week has five bars, the next ones seven
    equity = account_of(1_000.0 * 1.01 ** np.arange(1, 21), start="2024-03-06").equity
    weeks = week_ends(equity, start=1_000.0)
    assert [f"{day:%m-%d %a}" for day in weeks.index[:2]] == ["03-03 Sun", "03-10 Sun"]
    np.testing.assert_allclose(weeks, 1.01 ** np.array([0, 5, 12, 19, 20]), rtol=1e-12)


def test_week_without_bars_keeps_what_the_one_before_ended_with():
    equity = account_of([1.0, 2.0, 3.0], start="2024-03-06").equity.drop(
        pd.Timestamp("2024-03-07", tz="UTC")
    )
    equity.index = pd.DatetimeIndex(["2024-03-06", "2024-03-20"], tz="UTC")
    assert week_ends(equity, start=1.0).tolist() == [1.0, 1.0, 1.0, 3.0]


@pytest.mark.parametrize("weeks", [2, 3, 4, 5])
def test_course_of_any_length_is_read_back_with_its_years(weeks):
    account = account_of(1_000.0 * 1.01 ** np.arange(1, 7 * weeks), start="2023-12-25")
    manifest = json.loads(json.dumps({"course": {"strategy": course_json(account)}}))
    course = read_course(manifest, "strategy")
    assert isinstance(course, Course)
    kept = week_ends(account.equity, start=1_000.0)
    np.testing.assert_allclose(course.values, kept, rtol=1e-7)
    assert course.first == f"{kept.index[0]:%Y-%m-%d}"
    years = yearly_returns(account.returns)
    assert course.years == {str(year): made for year, made in years.items()}


@pytest.mark.parametrize(
    "changes",
    [
        {"first_week": "soon"},
        {"first_week": 5},
        {"week_ends": "not base64!"},
        {"week_ends": "A" * 13},
        {"week_ends": "AAAAAA=="},  # one number is no course
        {"week_ends": "A" * 32_000},
        {"week_ends": "A" * 16_000 + "!"},
        {"week_ends": "A" * 12 + "AAA\n"},
        {"week_ends": "A" * 15 + "\u0391"},
        {"week_ends": None},
        {"years": {"first": 0.1}},
        {"years": {"2024": "much"}},
        {"years": {"2024": 10**400}},
        {"years": [1]},
    ],
)
def test_what_is_no_course_is_none(changes):
    assert read_course(manifest_of(), "strategy") is not None
    assert read_course(manifest_of(**changes), "strategy") is None


@pytest.mark.parametrize("manifest", [{}, {"course": 5}, {"course": {"strategy": []}}])
def test_manifest_without_a_course_has_none(manifest):
    assert read_course(manifest, "strategy") is None
