"""Risk figures against empyrical, pandas and hand-made trades."""

import empyrical
import numpy as np
import pandas as pd
import pytest

from backtests.analysis import risk


@pytest.fixture(scope="module")
def pair():
    noise = np.random.default_rng(5).normal(0.001, 0.03, (2, 500))
    days = pd.date_range("2020-01-01", periods=500, tz="UTC")
    held = pd.Series(noise[0], index=days)
    return 0.4 * held + 0.2 * pd.Series(noise[1], index=days), held


@pytest.fixture(scope="module")
def figures(pair):
    own, held = pair
    return risk.risk_figures(own, benchmark=held, periods_per_year=365)


def test_tails_are_those_of_empyrical(pair, figures):
    own, _ = pair
    assert figures["value_at_risk"] == pytest.approx(empyrical.value_at_risk(own), rel=1e-12)
    shortfall = empyrical.conditional_value_at_risk(own)
    assert figures["expected_shortfall"] == pytest.approx(shortfall, rel=1e-12)
    months = empyrical.aggregate_returns(own, "monthly")
    at_risk = empyrical.value_at_risk(months)
    assert figures["value_at_risk_month"] == pytest.approx(at_risk, rel=1e-12)


def test_link_to_the_benchmark_is_that_of_empyrical(pair, figures):
    own, held = pair
    alpha, beta = empyrical.alpha_beta(own, held, annualization=365)
    assert figures["beta"] == pytest.approx(beta, rel=1e-12)
    assert figures["alpha"] == pytest.approx(alpha, rel=1e-9)
    ratio = empyrical.excess_sharpe(own, held) * np.sqrt(365)
    assert figures["information_ratio"] == pytest.approx(ratio, rel=1e-12)
    error = empyrical.annual_volatility(own - held, annualization=365)
    assert figures["tracking_error"] == pytest.approx(error, rel=1e-12)


def test_alpha_counts_returns_over_cash(pair):
    own, held = pair
    rate = 1e-4
    found = risk.risk_figures(own, benchmark=held, periods_per_year=365, cash_returns=rate)
    alpha = empyrical.alpha(own, held, risk_free=rate, annualization=365)
    assert found["alpha"] == pytest.approx(alpha, rel=1e-9)


def test_risk_of_twice_the_benchmark(pair):
    _, held = pair
    found = risk.risk_figures(2 * held, benchmark=held, periods_per_year=365)
    assert found["beta"] == pytest.approx(2)
    assert found["correlation"] == pytest.approx(1)
    assert found["expected_shortfall"] == pytest.approx(np.sort(2 * held.to_numpy())[:25].mean())
    assert found["skewness"] == pytest.approx(held.skew())
    assert found["kurtosis"] == pytest.approx(held.kurt())
    assert found["alpha"] == pytest.approx(0, abs=1e-12)


def test_risk_of_the_benchmark_itself_has_no_information_ratio(pair):
    _, held = pair
    found = risk.risk_figures(held, benchmark=held, periods_per_year=365)
    assert found["beta"] == pytest.approx(1)
    assert found["tracking_error"] == 0
    assert np.isnan(found["information_ratio"])


def test_risk_without_variation_is_undefined():
    flat = pd.Series(0.0, index=pd.date_range("2020-01-01", periods=40, tz="UTC"))
    found = risk.risk_figures(flat, benchmark=flat, periods_per_year=365)
    undefined = ("beta", "correlation", "alpha", "information_ratio")
    assert np.isnan([found[name] for name in undefined]).all()
    assert found["value_at_risk"] == found["gaining_days_streak"] == 0


def test_bars_after_a_hole_are_no_part_of_the_link(pair):
    own, held = pair
    jumped = own.copy()
    jumped.iloc[7] = 3.0
    is_seven = np.arange(own.size) == 7
    seen, clean = (
        risk.risk_figures(each, benchmark=held, periods_per_year=365, left_out=is_seven)
        for each in (jumped, own)
    )
    for name in ("beta", "alpha", "correlation", "tracking_error", "information_ratio"):
        assert seen[name] == clean[name]
    assert seen["kurtosis"] > clean["kurtosis"]


def test_days_in_a_row_are_days_and_one_without_a_change_ends_them():
    hours = pd.date_range("2020-01-01", periods=7 * 24, freq="h", tz="UTC")
    gains = np.repeat([0.1, 0.1, 0.0, 0.1, -0.1, -0.1, -0.1], 24) / 100
    hourly = pd.Series(gains, index=hours)
    found = risk.risk_figures(hourly, benchmark=hourly, periods_per_year=8760)
    assert (found["gaining_days_streak"], found["losing_days_streak"]) == (2, 3)


@pytest.mark.parametrize(
    ("flags", "longest"), [([], 0), ([0, 0], 0), ([1, 1, 0, 1], 2), ([0, 1, 1, 1], 3)]
)
def test_longest_streak_counts_true_values_in_a_row(flags, longest):
    assert risk.longest_streak(np.array(flags, np.bool_)) == longest


def test_trade_figures_of_four_trades():
    found = risk.trade_figures(
        np.array([0.10, 0.30, -0.05, 0.20]), profits=np.array([100.0, 330.0, -70.0, 270.0])
    )
    assert found == pytest.approx(
        {
            "profit_factor": 700 / 70,
            "payoff_ratio": 0.2 / 0.05,
            "winning_trades_streak": 2,
            "losing_trades_streak": 1,
        }
    )


def test_trade_figures_without_a_loss_or_a_trade_are_undefined():
    won = risk.trade_figures(np.array([0.1]), profits=np.array([10.0]))
    assert np.isnan(won["profit_factor"])
    assert np.isnan(won["payoff_ratio"])
    assert (won["winning_trades_streak"], won["losing_trades_streak"]) == (1, 0)
    none = risk.trade_figures(np.empty(0), profits=np.empty(0))
    assert np.isnan(list(none.values())).all()
