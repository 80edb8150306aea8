"""Calendar figures against hand-made returns and pandas' own measures."""

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.periods import calendar_figures, recent_returns, yearly_returns


def constant(days, *, rate=0.01, start="2020-01-01"):
    return pd.Series(rate, index=pd.date_range(start, periods=days, tz="UTC"))


def test_recent_returns_compound_the_days_of_the_stretch():
    found = recent_returns(constant(400))
    assert found["1 month"] == pytest.approx(1.01**31 - 1)  # 4 January to 3 February
    assert found["All"] == pytest.approx(1.01**400 - 1)
    assert found["This year"] == pytest.approx(1.01 ** (400 - 366) - 1)
    assert np.isnan(found["3 years"])


def test_yearly_returns_have_a_row_a_calendar_year():
    years = yearly_returns(constant(400))
    assert years.to_dict() == pytest.approx({2020: 1.01**366 - 1, 2021: 1.01**34 - 1})


def test_calendar_figures_of_twice_the_benchmark():
    noise = np.random.default_rng(3).normal(0, 0.02, 500)
    held = pd.Series(noise, index=pd.date_range("2020-01-01", periods=500, tz="UTC"))
    found = calendar_figures(2 * held, benchmark=held, invested=held != held.iloc[0])
    assert found["beta"] == pytest.approx(2)
    assert found["correlation"] == pytest.approx(1)
    assert found["expected_shortfall"] == pytest.approx(np.sort(2 * noise)[:25].mean())
    assert found["skewness"] == pytest.approx(held.skew())
    assert found["worst_month"] <= found["best_month"]


def test_calendar_figures_without_variation_are_undefined():
    flat = constant(40, rate=0.0)
    found = calendar_figures(flat, benchmark=flat, invested=flat != 0)
    assert np.isnan(found["beta"])
    assert np.isnan(found["correlation"])
