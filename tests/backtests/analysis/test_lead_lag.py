"""Lead and lag on pairs with a planted lag; numpy, scipy and White as oracles."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from backtests.analysis.entry_timing import (
    PairedReturns,
    beta_influence,
    correlation_influence,
    lead_lag,
    paired_returns,
    rolling_relation,
    standard_error,
)
from backtests.analysis.forward_returns import asset_prices
from tests.markets import closes_known, coin_bars, weekdays


def pairs(
    rng: np.random.Generator, size: int, *, lag: int = 0, share: float = 0.0
) -> PairedReturns:
    """Return pairs whose coin follows the index `lag` sessions later with weight `share`."""
    index = rng.standard_t(4, size)
    coin = share * np.roll(index, lag) + rng.standard_t(4, size)
    return PairedReturns(weekdays(2 * size)[:size], index, coin)


@pytest.mark.parametrize(("lag", "leader"), [(3, "index"), (-2, "coin"), (0, "neither")])
def test_planted_lag_is_found(lag: int, leader: str) -> None:
    found = lead_lag(pairs(np.random.default_rng(1), 1500, lag=lag, share=0.5))
    assert found.strongest == lag
    assert found.leader == leader


def test_shifting_the_coin_in_time_shifts_the_lag() -> None:
    planted = pairs(np.random.default_rng(2), 1500, lag=3, share=0.5)
    moved = PairedReturns(planted.sessions, planted.index, np.roll(planted.coin, 4))
    assert lead_lag(moved).strongest == 7


def test_independent_series_have_no_lag_that_stands_up_to_their_number() -> None:
    rng = np.random.default_rng(3)
    found = [lead_lag(pairs(rng, 600)) for _ in range(60)]
    assert np.mean([np.isfinite(one.strongest) for one in found]) <= 0.15
    assert np.mean([one.leader != "neither" for one in found]) <= 0.15


def test_correlations_equal_numpy() -> None:
    own = pairs(np.random.default_rng(4), 300, lag=1, share=0.3)
    table = lead_lag(own).table.set_index("lag")["correlation"]
    assert table[0] == pytest.approx(np.corrcoef(own.index, own.coin)[0, 1])
    assert table[5] == pytest.approx(np.corrcoef(own.index[:-5], own.coin[5:])[0, 1])
    assert table[-5] == pytest.approx(np.corrcoef(own.index[5:], own.coin[:-5])[0, 1])


def test_beta_equals_least_squares_and_its_robust_error() -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal(4000)
    y = 0.7 * x + rng.standard_normal(4000) * (1 + np.abs(x))
    beta, influence = beta_influence(x, y)
    line = scipy.stats.linregress(x, y)
    assert beta == pytest.approx(line.slope)
    # heteroskedastic: White's error is larger than the textbook one
    residual = y - line.intercept - line.slope * x
    centred = x - x.mean()
    white = np.sqrt(np.sum((centred * residual) ** 2)) / np.sum(centred**2)
    assert standard_error(influence) == pytest.approx(white, rel=0.1)
    assert white > 1.3 * line.stderr


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_intervals_of_correlations_cover_at_their_rate(share: float) -> None:
    rng = np.random.default_rng(6)
    truth = share / np.sqrt(1 + share**2)
    covered = []
    for _ in range(400):
        x = rng.standard_t(8, 400)
        y = share * x + rng.standard_t(8, 400)
        estimate, influence = correlation_influence(x, y)
        covered.append(abs(estimate - truth) <= 1.645 * standard_error(influence))
    assert np.mean(covered) == pytest.approx(0.9, abs=0.05)


def test_rolling_relation_follows_a_change() -> None:
    rng = np.random.default_rng(7)
    calm, tied = pairs(rng, 300), pairs(rng, 300, share=2.0)
    both = PairedReturns(
        weekdays(1000)[:600],
        np.concatenate((calm.index, tied.index)),
        np.concatenate((calm.coin, tied.coin)),
    )
    found = rolling_relation(both, window=200, step=50)
    assert len(found) == 9
    assert found["correlation"].iloc[0] < 0.2
    assert found["beta_low"].iloc[-1] < 2.0 < found["beta_high"].iloc[-1]
    assert found["correlation_low"].iloc[-1] > 0.6


def test_rolling_relation_of_a_short_history_is_empty() -> None:
    assert rolling_relation(pairs(np.random.default_rng(8), 50)).empty


def test_a_side_that_never_varies_has_no_correlation() -> None:
    flat = PairedReturns(weekdays(80)[:50], np.zeros(50), np.arange(50.0))
    found = lead_lag(flat, lags=2)
    assert found.table["correlation"].isna().all()
    assert found.leader == "neither"


def test_pairs_span_from_one_tradable_open_to_the_next() -> None:
    returns = np.log1p(np.full(12, 0.01))
    dates = weekdays(12)
    found = paired_returns(
        asset_prices("A", {"A": coin_bars("A", np.expm1(returns))}),
        sessions=dates,
        available_at=closes_known(dates),
        close=np.arange(100.0, 100.0 + dates.size),
    )
    # from Thursday 1 January: a weekend's three days belong to Monday
    expected = {"2015-01-02": 1, "2015-01-05": 3, "2015-01-06": 1, "2015-01-12": 3}
    spans = pd.Series(found.coin / returns[0], index=found.sessions.strftime("%Y-%m-%d"))
    # the twelfth day's open is the last that can be traded
    assert spans.loc["2015-01-02":"2015-01-06"].round(9).to_dict() == {
        day: expected[day] for day in ("2015-01-02", "2015-01-05", "2015-01-06")
    }
    assert found.index[0] == pytest.approx(np.log(101 / 100))
