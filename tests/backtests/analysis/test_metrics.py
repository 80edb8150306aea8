import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backtests.analysis import metrics
from backtests.analysis.metrics import drawdowns

returns_drawn = arrays(np.float64, st.integers(2, 60), elements=st.floats(-0.6, 1.5))


def series(values, start="2024-01-01"):
    return pd.Series(values, index=pd.date_range(start, periods=len(values), tz="UTC"), dtype=float)


def test_cagr_constant_growth_is_the_growth():
    daily = 1.21 ** (1 / 365.25) - 1
    returns = np.full(1461, daily)  # four years
    assert metrics.cagr(returns, years=4) == pytest.approx(0.21, rel=1e-12)
    assert metrics.total_return(returns) == pytest.approx(1.21**4 - 1, rel=1e-12)


@given(returns_drawn)
def test_figures_any_returns_agree_with_empyrical(values):
    if np.ptp(values) < 1e-6 or np.cumprod(1 + values).min() < 1e-6:
        return
    ours = metrics.return_figures(values, periods_per_year=365, years=0.3, cash_return=0.0001)
    theirs = {
        "total_return": empyrical.cum_returns_final(values),
        "volatility": empyrical.annual_volatility(values, annualization=365),
        "sharpe_ratio": empyrical.sharpe_ratio(values, risk_free=0.0001, annualization=365),
        "sortino_ratio": empyrical.sortino_ratio(values, required_return=0.0001, annualization=365),
        "max_drawdown": empyrical.max_drawdown(values),
    }
    for name, expected in theirs.items():
        if np.isfinite(expected):
            np.testing.assert_allclose(ours[name], expected, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    ("returns", "figure"),
    [
        ([0.01] * 5, "sharpe_ratio"),  # never varies
        ([1e-4, 1e-4 + 1e-16, 1e-4], "sharpe_ratio"),  # nor here, but for the last digit
        ([0.1, 0.2, 0.3], "sortino_ratio"),  # never loses
        ([0.1, 0.2, 0.3], "calmar_ratio"),
        ([0.1], "volatility"),
        ([0.1], "sharpe_ratio"),
        ([], "max_drawdown"),
    ],
)
def test_figures_undefined_is_nan(returns, figure):
    values = metrics.return_figures(
        np.array(returns), periods_per_year=365, years=len(returns) / 365.25
    )
    assert np.isnan(values[figure])


def test_underwater_loss_on_the_first_bar_counts_from_the_initial_cash():
    np.testing.assert_allclose(metrics.underwater(np.array([-0.5, 1.0, 0.1])), [-0.5, 0, 0])


def test_max_drawdown_total_loss_is_minus_one():
    returns = np.array([0.5, -1.0, 0.0])
    assert metrics.max_drawdown(returns) == -1
    assert metrics.cagr(returns, years=0.01) == -1


def test_drawdowns_tape_lists_spells_deepest_first():
    # equity: 110, 99, 110, 121, 60.5, 90.75
    table = drawdowns(series([0.1, -0.1, 1 / 9, 0.1, -0.5, 0.5]))
    assert table["depth"].tolist() == pytest.approx([-0.5, -0.1])
    day = "2024-01-0{}".format
    assert table["peak"].dt.strftime("%Y-%m-%d").tolist() == [day(4), day(1)]
    assert table["trough"].dt.strftime("%Y-%m-%d").tolist() == [day(5), day(2)]
    assert pd.isna(table["recovery"][0])
    assert table["recovery"][1] == pd.Timestamp(day(3), tz="UTC")
    assert table["days"].tolist() == [2, 2]


def test_drawdowns_never_under_water_is_an_empty_table():
    assert drawdowns(series([0.1, 0.0, 0.2])).empty


@given(returns_drawn)
def test_drawdowns_deepest_is_the_max_drawdown(values):
    table = drawdowns(series(values))
    deepest = table["depth"].min() if len(table) else 0.0
    assert deepest == metrics.max_drawdown(values)
    assert (table["days"] >= 0).all()


def test_turnover_one_round_trip_a_year_at_constant_equity_is_one():
    fills = pd.DataFrame({"units": [10.0, 10.0], "price": [10.0, 10.0]})
    equity = pd.Series([100.0] * 4)
    assert metrics.turnover(fills, equity=equity, years=1.0) == pytest.approx(1.0)


def test_costs_paid_is_commission_plus_slippage_from_the_open():
    times = pd.date_range("2024-01-01", periods=2, tz="UTC")
    fills = pd.DataFrame(
        {
            "time": times,
            "symbol": ["ETH-USD", "SOL-USD"],
            "units": [10.0, 10.0],
            "price": [10.1, 11.9],
            "commission": [1.0, 2.0],
        }
    )
    opens = pd.DataFrame({"ETH-USD": [10.0, 99.0], "SOL-USD": [99.0, 12.0]}, index=times)
    assert metrics.costs_paid(fills, opens=opens) == pytest.approx(3 + 1 + 1)
