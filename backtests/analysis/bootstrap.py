"""Intervals by the stationary bootstrap: what the same bars could have shown by chance.

Blocks of random length are drawn with replacement and wrapped around the end (Politis and
Romano, "The Stationary Bootstrap", 1994), so that volatility clusters survive. Series are
resampled with the same draws, because their difference is what is asked about.

arch's bootstrap takes 2.5 s or more to import and calls back into Python for every draw, which
a run's two seconds do not allow: it serves as the oracle of the tests.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from backtests.analysis.bootstrap_draws import (
    FIGURES,
    ReturnSeries,
    figures_of_bars,
    figures_of_draws,
    stationary_indices,
)
from feeds.arrays import Flags, Floats


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence bounds; all NaN where undefined."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to resample: mean block length in bars, number of draws, confidence, seed."""

    block_bars: float
    draws: int = 1_000
    confidence: float = 0.95
    seed: int = 0


@dataclass(frozen=True, slots=True)
class PairedIntervals:
    """Intervals by series (`figures`) or pair (`differences`) -> figure name (`FIGURES`)."""

    figures: dict[str, dict[str, Interval]]
    differences: dict[str, dict[str, Interval]]


def paired_intervals(
    series: Mapping[str, Floats],
    *,
    years: float,
    periods_per_year: float,
    cash_return: Floats | float,
    sampling: Sampling,
    left_out: Flags | None = None,
    pairs: Mapping[str, tuple[str, str]] | None = None,
) -> PairedIntervals:
    """Return percentile intervals of figures and of differences between series.

    Parameters
    ----------
    series
        Name -> simple per-bar returns; all of one length, same bars.
    years
        The time all bars take together; a resample takes as long.
    cash_return
        What cash earned on each bar, or on every one.
    left_out
        Bars whose returns span a hole: growth has them, the Sharpe ratio has not.
    pairs
        Name -> (one, other): one minus the other. By default the first series minus each other.

    Notes
    -----
    CAGR and Sharpe ratio are estimates of something that exists beyond these bars. A deepest
    drawdown is not: its interval says how deep the same bars could have gone in another
    order. A resample that never varies has no Sharpe ratio and is left out of its interval.
    """
    names = list(series)
    matrix = np.array([series[name] for name in names])
    if matrix.shape[1] < 2:
        actual = np.full((len(FIGURES), len(names)), np.nan)
        drawn = actual[:, :, np.newaxis]
    else:
        excess, counts = matrix - cash_return, np.ones(matrix.shape[1])
        if left_out is not None:
            excess[:, left_out], counts[left_out] = 0.0, 0.0
        own = ReturnSeries(excess, _log_growth(matrix), counts, years, periods_per_year)
        actual = figures_of_bars(own)
        drawn = figures_of_draws(
            own, block=sampling.block_bars, draws=sampling.draws, seed=sampling.seed
        )
    figures = {
        name: _by_figure(actual[:, row], drawn[:, row], sampling.confidence)
        for row, name in enumerate(names)
    }
    rows = {
        name: (names.index(own), names.index(other))
        for name, (own, other) in (pairs or {name: (names[0], name) for name in names[1:]}).items()
    }
    differences = {
        name: _by_figure(
            actual[:, a] - actual[:, b], drawn[:, a] - drawn[:, b], sampling.confidence
        )
        for name, (a, b) in rows.items()
    }
    return PairedIntervals(figures, differences)


def percentile_interval(estimate: float, drawn: Floats, *, confidence: float) -> Interval:
    """Return the central `confidence` share of the draws, NaN draws left out."""
    finite = drawn[~np.isnan(drawn)]
    if finite.size == 0 or math.isnan(estimate):
        return Interval(estimate, math.nan, math.nan)
    tail = (1 - confidence) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return Interval(estimate, float(low), float(high))


def small_sample_interval(
    values: Floats,
    *,
    statistic: Callable[..., Floats],
    sampling: Sampling,
) -> Interval:
    """Return a bootstrap interval of a statistic of a handful of values, widened for their few.

    Percentiles of five to eight values are too narrow, because a resample's spread has n and
    not n - 1 degrees of freedom. The tails are therefore moved out to
    Phi(-sqrt(n / (n - 1)) t(tail, n - 1)), Hesterberg's "expanded percentile" interval ("What
    Teachers Should Know about the Bootstrap", 2015).

    Parameters
    ----------
    statistic
        A numpy reduction with an `axis` argument, such as `np.mean` or `np.median`.
    sampling
        Its block length counts values; above 1 where neighbours overlap.
    """
    if values.size == 0:
        return Interval(math.nan, math.nan, math.nan)
    estimate = float(statistic(values, axis=0))
    if values.size < 3:
        return Interval(estimate, math.nan, math.nan)
    rng = np.random.default_rng(sampling.seed)
    rows = stationary_indices(values.size, block=sampling.block_bars, draws=sampling.draws, rng=rng)
    drawn = np.asarray(statistic(values[rows], axis=1))
    confidence = widened_confidence(sampling.confidence, size=values.size)
    return percentile_interval(estimate, drawn, confidence=confidence)


def widened_confidence(confidence: float, *, size: int) -> float:
    """Return the share of bootstrap draws that covers at `confidence` with `size` values."""
    from scipy.special import ndtr, stdtrit

    degrees = size - 1
    tail = math.sqrt(size / degrees) * stdtrit(degrees, (1 - confidence) / 2)
    return 1 - 2 * float(ndtr(tail))


def _log_growth(returns: Floats) -> Floats:
    with np.errstate(divide="ignore"):  # a total loss is -inf
        return np.log1p(returns)


def _by_figure(actual: Floats, drawn: Floats, confidence: float) -> dict[str, Interval]:
    return {
        name: percentile_interval(float(actual[row]), drawn[row], confidence=confidence)
        for row, name in enumerate(FIGURES)
    }
