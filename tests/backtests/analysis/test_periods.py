"""Calendar and rolling figures against hand-made returns, pandas' and empyrical's measures."""

import empyrical
import numpy as np
import pandas as pd
import pytest

from backtests.analysis import periods
from backtests.analysis.periods import calendar_figures, recent_returns, yearly_returns


def constant(days, *, rate=0.01, start="2020-01-01"):
    return pd.Series(rate, index=pd.date_range(start, periods=days, tz="UTC"))


@pytest.fixture(scope="module")
def noise():
    values = np.random.default_rng(3).normal(0.001, 0.02, 500)
    return pd.Series(values, index=pd.date_range("2019-11-15", periods=500, tz="UTC"))


def test_recent_returns_compound_the_days_of_the_stretch():
    found = recent_returns(constant(400))
    assert found["1 month"] == pytest.approx(1.01**31 - 1)  # 4 January to 3 February
    assert found["All"] == pytest.approx(1.01**400 - 1)
    assert found["This year"] == pytest.approx(1.01 ** (400 - 366) - 1)
    assert np.isnan(found["3 years"])


def test_yearly_returns_have_a_row_a_calendar_year():
    years = yearly_returns(constant(400))
    assert years.to_dict() == pytest.approx({2020: 1.01**366 - 1, 2021: 1.01**34 - 1})


def test_calendar_figures_are_those_of_months_and_years(noise):
    invested = pd.Series(noise.index < pd.Timestamp("2020-07-15", tz="UTC"), index=noise.index)
    found = calendar_figures(noise, invested=invested)
    months = (1 + noise).resample("MS").prod() - 1
    assert found["worst_month"] == pytest.approx(months.min())
    assert found["best_month"] == pytest.approx(months.max())
    assert found["worst_month"] <= found["best_month"]
    assert found["gaining_months"] == pytest.approx((months > 0).mean())
    assert found["cash_months"] == pytest.approx(8 / 17)  # August to March, of 17
    assert found["best_year"] == pytest.approx(yearly_returns(noise).max())
    assert found["worst_year"] == pytest.approx(yearly_returns(noise).min())


@pytest.mark.parametrize(
    ("period", "convert"), [("week", "weekly"), ("month", "monthly"), ("year", "yearly")]
)
def test_period_returns_are_those_of_empyrical(noise, period, convert):
    found = periods.period_returns(noise, period)
    wanted = empyrical.aggregate_returns(noise, convert)
    # empyrical numbers weeks within calendar years; those that span two are left out there
    shared = len(found) if period != "week" else 5
    np.testing.assert_allclose(found[:shared], wanted[:shared], rtol=1e-12)


def test_quarters_begin_in_january_and_days_hold_all_their_bars():
    hours = pd.Series(0.01, index=pd.date_range("2020-03-31", periods=48, freq="h", tz="UTC"))
    np.testing.assert_allclose(periods.period_returns(hours, "quarter"), [1.01**24 - 1] * 2)
    starts = periods.period_starts(constant(400), "quarter")
    assert starts.tolist() == [0, 91, 182, 274, 366]
    np.testing.assert_allclose(periods.period_returns(hours, "day"), [1.01**24 - 1] * 2)


def test_weeks_begin_on_monday(noise):
    starts = periods.period_starts(noise, "week")
    assert set(noise.index[starts[1:]].day_name()) == {"Monday"}
    weeks = (1 + noise).resample("W").prod() - 1
    np.testing.assert_allclose(periods.period_returns(noise, "week"), weeks, rtol=1e-12)


def test_period_spreads_are_numpy_s_of_each_kind_of_period(noise):
    found = periods.period_spreads(noise)
    assert list(found) == ["day", "week", "month", "quarter", "year"]
    assert [each.periods for each in found.values()] == [500, 72, 17, 6, 3]
    assert found["day"].quantiles[1] == pytest.approx(np.quantile(noise, 0.05))
    months = (1 + noise).resample("MS").prod() - 1
    assert found["month"].quantiles == pytest.approx(np.quantile(months, periods.QUANTILES))
    assert found["month"].gained == pytest.approx((months > 0).mean())


def test_worst_days_are_losses_alone_the_worst_first():
    returns = constant(6, rate=0.0)
    returns.iloc[[1, 3, 4]] = [-0.1, -0.3, 0.2]
    found = periods.worst_days(returns, most=10)
    assert [f"{day:%Y-%m-%d}" for day, _ in found] == ["2020-01-04", "2020-01-02"]
    assert [value for _, value in found] == pytest.approx([-0.3, -0.1])
    assert len(periods.worst_days(returns, most=1)) == 1


def test_yearly_figures_begin_each_year_anew():
    returns = constant(4, rate=0.0, start="2019-12-30")
    returns.iloc[:] = [0.5, -0.2, -0.1, 0.3]
    invested = pd.Series([True, True, False, True], index=returns.index)
    one, two = periods.yearly_figures(returns, invested=invested)
    assert (one.year, two.year) == (2019, 2020)
    assert one.total_return == pytest.approx(1.5 * 0.8 - 1)
    assert two.total_return == pytest.approx(0.9 * 1.3 - 1)
    # the fall of the first day of the year counts from the year's start, not from December's high
    assert (one.max_drawdown, two.max_drawdown) == pytest.approx((-0.2, -0.1))
    assert (one.time_in_market, two.time_in_market) == (1.0, 0.5)
    assert [f"{each:%m-%d}" for each in (one.first, one.last, two.first, two.last)] == [
        "12-30", "12-31", "01-01", "01-02",
    ]  # fmt: skip


def test_rolling_sortino_and_beta_end_at_empyrical_s_of_the_window(noise):
    held = 0.5 * noise + np.random.default_rng(4).normal(0, 0.01, noise.size)
    window = noise[-60:]
    sortino = periods.rolling_sortino(noise, bars=60)
    wanted = empyrical.sortino_ratio(window, annualization=60)
    assert sortino.iloc[-1] == pytest.approx(wanted, rel=1e-9)
    assert sortino.notna().to_numpy().nonzero()[0][0] == 59
    beta = periods.rolling_beta(noise, benchmark=held, bars=60)
    assert beta.iloc[-1] == pytest.approx(empyrical.beta(window, held[-60:]), rel=1e-9)


def test_rolling_sortino_and_beta_are_undefined_without_losses_or_variation():
    returns = pd.Series([0.01, -0.02, 0.01, 0.02, 0.03])
    assert periods.rolling_sortino(returns, bars=3).isna().tolist() == [True] * 2 + [False] * 2 + [
        True
    ]
    flat = periods.rolling_beta(returns, benchmark=returns * 0, bars=3)
    assert flat.isna().all()


def test_enough_invested_wants_a_tenth_of_the_window():
    invested = pd.Series([True] + [False] * 40 + [True] * 3)
    found = periods.is_enough_invested(invested, bars=20)
    assert not found[:19].any()  # the window is not full yet
    assert found[19:].tolist() == [False] * 23 + [True] * 2  # one bar of 20 is too few, two are not
