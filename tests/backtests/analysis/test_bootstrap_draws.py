"""Oracle: every draw gone through bar by bar, with the same positions."""

import math
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.analysis import bootstrap_draws
from backtests.analysis.bootstrap_draws import ReturnSeries, figures_of_draws, stationary_blocks

PPY, YEARS = 365.0, 2.0
BARS_AT_ONCE = 900  # several parts of draws


def figures_of_bars(excess: np.ndarray, growth: np.ndarray, counts: np.ndarray) -> list[float]:
    level, peak, deepest = 0.0, 0.0, 0.0
    for each in growth:
        level += each
        peak = max(peak, level)
        deepest = min(deepest, level - peak)
    if np.isnan(growth).any():
        return [math.nan] * 3
    counted = excess[counts > 0]
    is_flat = np.ptp(counted) < 1e-12
    sharpe = math.nan if is_flat else counted.mean() / counted.std(ddof=1) * math.sqrt(PPY)
    return [math.expm1(level / YEARS), sharpe, math.expm1(deepest)]


def series_of(returns: np.ndarray, *, left_out: np.ndarray | None = None) -> ReturnSeries:
    excess, counts = returns - 0.0001, np.ones(returns.shape[1])
    if left_out is not None:
        excess[:, left_out], counts[left_out] = 0.0, 0.0
    with np.errstate(divide="ignore"):
        return ReturnSeries(excess, np.log1p(returns), counts, YEARS, PPY)


def reference(series: ReturnSeries, *, block: float, draws: int, seed: int) -> np.ndarray:
    size, rng = series.counts.size, np.random.default_rng(seed)
    rows = max(1, BARS_AT_ONCE // size)
    parts = [
        bootstrap_draws.stationary_indices(size, block=block, draws=min(rows, draws - at), rng=rng)
        for at in range(0, draws, rows)
    ]
    found = [
        [figures_of_bars(own[at], grown[at], series.counts[at]) for at in np.concatenate(parts)]
        for own, grown in zip(series.excess, series.growth, strict=True)
    ]
    return np.array(found).transpose(2, 0, 1)


def drawn_figures(series: ReturnSeries, *, block: float, draws: int, seed: int) -> np.ndarray:
    with (
        mock.patch.object(bootstrap_draws, "_CELLS_AT_ONCE", BARS_AT_ONCE),
        mock.patch.object(bootstrap_draws, "_BLOCKS_AT_ONCE", 40),
    ):
        return figures_of_draws(series, block=block, draws=draws, seed=seed)


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(20, 150),
    block=st.floats(6, 80),
    seed=st.integers(0, 2**32 - 1),
    held=st.floats(0.2, 1),
    holes=st.floats(0, 0.2),
)
def test_figures_of_blocks_equal_those_of_their_bars(
    size: int, block: float, seed: int, held: float, holes: float
) -> None:
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.002, 0.03, (2, size))
    # in and out of the market by turns, as accounts are
    is_out = np.repeat(rng.random(size) > held, 7)[:size]
    returns[1, is_out] = rng.normal(0, 1e-4, is_out.sum())
    series = series_of(returns, left_out=rng.random(size) < holes)
    found = drawn_figures(series, block=block, draws=12, seed=seed)
    expected = reference(series, block=block, draws=12, seed=seed)
    # a figure near 0 is the rest of a subtraction: it agrees to 1e-12 of what was subtracted
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("block", [3.0, 20.0])
def test_figures_of_lost_and_undefined_series_equal_those_of_their_bars(block: float) -> None:
    returns = np.random.default_rng(1).normal(0.001, 0.02, (4, 120))
    returns[1, 60], returns[1, 61:] = -1.0, 0.0
    returns[2], returns[3] = np.nan, 0.0001
    series = series_of(returns)
    found = drawn_figures(series, block=block, draws=40, seed=2)
    expected = reference(series, block=block, draws=40, seed=2)
    assert (found[0, 1] == -1.0).any()
    assert (found[0, 1] > -1.0).any()
    assert np.isnan(found[1, 3]).all()
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_figures_of_series_that_only_rises_have_no_drawdown() -> None:
    series = series_of(np.random.default_rng(3).uniform(0.001, 0.02, (1, 300)))
    assert (drawn_figures(series, block=25, draws=50, seed=4)[2] == 0).all()


def test_positions_of_some_draws_are_those_of_all() -> None:
    drawn = stationary_blocks(30, block=8.0, draws=9, rng=np.random.default_rng(6))
    rows = np.array([0, 4, 8])
    assert (drawn.positions(rows) == drawn.positions()[rows]).all()
    assert (drawn.starts + drawn.lengths > 30).any()  # some go past the end
