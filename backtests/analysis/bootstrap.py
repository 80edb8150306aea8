"""Intervals by the stationary bootstrap: what the same bars could have shown by chance.

Blocks of random length are drawn with replacement and wrapped around the end (Politis and
Romano, "The Stationary Bootstrap", 1994), so that volatility clusters survive. Series are
resampled with the same draws, because their difference is what is asked about.

arch's bootstrap takes 2.5 s or more to import and calls back into Python for every draw, which
a run's two seconds do not allow: it serves as the oracle of the tests.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from backtests.analysis.metrics import ROUNDING
from feeds.arrays import Flags, Floats, Integers

FIGURES: Final = ("cagr", "sharpe_ratio", "max_drawdown")

# rows of draws times bars held at once: fits the processor's cache and spares memory
_CELLS_AT_ONCE: Final = 200_000


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


def stationary_indices(
    size: int, *, block: float, draws: int, rng: np.random.Generator
) -> Integers:
    """Return positions of the stationary bootstrap, shape (draws, size).

    Block lengths are geometric with mean `block`, starts uniform. One long sequence of
    blocks is cut at every `size` positions: a geometric length has no memory, so a block cut
    at a row's end leaves the next row to begin afresh with a length of the same law.
    """
    total = draws * size
    expected = total / block
    count = int(expected + 6 * math.sqrt(expected) + 16)
    ends = np.cumsum(rng.geometric(1 / block, count))
    while ends[-1] < total:
        ends = np.concatenate((ends, ends[-1] + np.cumsum(rng.geometric(1 / block, count))))
    begins_block = np.zeros(total, np.bool_)
    begins_block[ends[ends < total]] = True
    begins_block[::size] = True
    begins = np.flatnonzero(begins_block)
    offset = rng.integers(0, size, begins.size) - begins
    lengths = np.diff(begins, append=total)
    positions = np.repeat(offset, lengths)
    positions += np.arange(total)
    positions %= size
    return positions.reshape(draws, size)


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
    scale = _Scale(years, periods_per_year)
    excess = matrix - cash_return
    counts = np.ones(matrix.shape[1])
    if left_out is not None:
        excess[:, left_out], counts[left_out] = 0.0, 0.0
    if matrix.shape[1] < 2:
        actual = np.full((len(FIGURES), len(names)), np.nan)
        drawn = actual[:, :, np.newaxis]
    else:
        growth = _log_growth(matrix)
        every = np.arange(matrix.shape[1])[np.newaxis, :]
        actual = _resample(excess, growth, counts, every, scale)[:, :, 0]
        drawn = _drawn_figures(excess, growth, counts, scale, sampling)
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


@dataclass(frozen=True, slots=True)
class _Scale:
    years: float
    periods_per_year: float


def _drawn_figures(
    excess: Floats, growth: Floats, counts: Floats, scale: _Scale, sampling: Sampling
) -> Floats:
    """Return the figures of every resample, shape (figures, series, draws)."""
    rng = np.random.default_rng(sampling.seed)
    size = excess.shape[1]
    parts = []
    for rows in _chunks(sampling.draws, size):
        drawn = stationary_indices(size, block=sampling.block_bars, draws=rows, rng=rng)
        parts.append(_resample(excess, growth, counts, drawn, scale))
    return np.concatenate(parts, axis=2)


def _resample(
    excess: Floats, growth: Floats, counts: Floats, drawn: Integers, scale: _Scale
) -> Floats:
    """Return the figures of the bars drawn, shape (figures, series, draws)."""
    counted = np.full(len(drawn), drawn.shape[1]) if counts.all() else counts[drawn].sum(axis=1)
    # one series after the other in the same memory: what is made anew is slower than all sums
    own, level, room = np.empty(drawn.shape), np.empty(drawn.shape), np.empty(drawn.shape)
    found = np.empty((len(FIGURES), len(excess), len(drawn)))
    for series in range(len(excess)):
        np.take(excess[series], drawn, out=own, mode="clip")
        np.take(growth[series], drawn, out=level, mode="clip")
        found[:, series] = _figures(own, level, counted, scale, room=room)
    return found


def _chunks(draws: int, size: int) -> Iterator[int]:
    rows = max(1, _CELLS_AT_ONCE // size)
    for begin in range(0, draws, rows):
        yield min(rows, draws - begin)


def _log_growth(returns: Floats) -> Floats:
    with np.errstate(divide="ignore"):  # a total loss is -inf
        return np.log1p(returns)


def _figures(
    excess: Floats, growth: Floats, counted: Floats, scale: _Scale, *, room: Floats | None = None
) -> Floats:
    """Return `FIGURES` of (..., draws, bars) as (figures, ..., draws); uses up `growth`.

    `counted` is how many bars have an excess that counts, shape (draws,); others have 0. `room`
    is memory of the shape of `growth` to work in.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        level = np.cumsum(growth, axis=-1, out=growth)
        cagr = np.expm1(level[..., -1] / scale.years)
        peak = np.maximum.accumulate(level, axis=-1, out=room)
        np.maximum(peak, 0.0, out=peak)
        deepest = np.expm1(np.subtract(level, peak, out=peak).min(axis=-1))
        mean = excess.sum(axis=-1) / counted
        sharpe = mean / _spread(excess, mean, counted) * math.sqrt(scale.periods_per_year)
    return np.array([cagr, sharpe, deepest])


def _spread(excess: Floats, mean: Floats, counted: Floats) -> Floats:
    """Return the standard deviation (ddof 1) over the last axis, NaN where nothing varies."""
    squares = np.einsum("...t,...t->...", excess, excess)
    # raw sums are fast; where they cancel, only the values themselves tell zero from tiny
    variance = (squares - counted * mean**2) / (counted - 1)
    is_doubtful = (variance <= 1e-9 * squares) | (squares < counted * ROUNDING**2)
    for at in np.argwhere(is_doubtful):
        own = excess[tuple(at)]
        variance[tuple(at)] = np.nan if np.ptp(own) < ROUNDING else np.var(own, ddof=1)
    return np.asarray(np.sqrt(variance))


def _by_figure(actual: Floats, drawn: Floats, confidence: float) -> dict[str, Interval]:
    return {
        name: percentile_interval(float(actual[row]), drawn[row], confidence=confidence)
        for row, name in enumerate(FIGURES)
    }
