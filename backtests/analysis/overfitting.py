"""Whether the best of many trials is more than the luckiest.

Everything here takes a matrix of per-bar returns, shape (bars, trials). A trial that is never
in the market has no Sharpe ratio; it counts as one of 0, because not trading is a choice.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from backtests.analysis.bootstrap import Sampling
from backtests.analysis.bootstrap_draws import stationary_indices
from feeds.arrays import Floats, Integers

NORMAL_95: Final = 1.959963984540054
FEWEST_SHARED: Final = 30
_DRAWS_AT_ONCE: Final = 500_000  # another number draws other resamples
_BARS_AT_ONCE: Final = 512
_RATIOS_AT_ONCE: Final = 16_000  # too few for BLAS to start threads, which cost more here


@dataclass(frozen=True, slots=True)
class Overfitting:
    """What choosing the best in one half of the bars says about the other half.

    `probability` (PBO) is the share of splits in which the best in sample is in the lower
    half out of sample, `low` and `high` bound it at 95 %. `loss_probability` is the share
    with a negative Sharpe ratio out of sample, `degradation` the slope of the chosen
    trial's ratio out of sample on that in sample: below 0, more promise brings less.
    `in_sample` and `out_of_sample` hold the chosen ratios, per bar, of each split.
    """

    probability: float
    low: float
    high: float
    loss_probability: float
    degradation: float
    in_sample: Floats
    out_of_sample: Floats


@dataclass(frozen=True, slots=True)
class Superiority:
    """P-values of "no trial beats the benchmark": small ones speak for the best trial.

    `lower` <= `consistent` <= `upper` are Hansen's, `reality_check` is White's.
    """

    lower: float
    consistent: float
    upper: float
    reality_check: float


def effective_trials(returns: Floats, *, population: int | None = None) -> float:
    """Return how many independent trials the correlated ones amount to, 1 to their number.

    The participation ratio of the correlation matrix: (sum of eigenvalues)^2 over the sum of
    their squares. Trials that never vary are left out; NaN if all are.

    Parameters
    ----------
    returns
        NaN where a trial has no bar: each pair is correlated on the bars it shares, and one
        that shares fewer than `FEWEST_SHARED` is independent.
    population
        How many trials these are drawn from at random, if they are a sample. The ratio is then
        that of all of them: of a sample it could not exceed the sample's size.
    """
    varies = np.fmax.reduce(returns, axis=0) > np.fmin.reduce(returns, axis=0)
    count = int(varies.sum())
    if count < 2:
        return 1.0 if count else math.nan
    squares = _correlation(returns)[np.ix_(varies, varies)] ** 2
    # the eigenvalues add up to their number, their squares to those of all correlations
    alike = (float(squares.sum()) - count) / (count * (count - 1))
    number = count if population is None else max(population, count)
    return 1 / (1 / number + (1 - 1 / number) * alike)


def _correlation(returns: Floats) -> Floats:
    """Return the correlation of each pair on the bars it shares; 0 where it is undefined."""
    trials = returns.shape[1]
    mean = np.nansum(returns, axis=0) / np.maximum(1, np.sum(~np.isnan(returns), axis=0))
    # row i, column j: of what trial i earned on the bars that trial j has, too
    shared, sums, squares, products = np.zeros((4, trials, trials))
    for start in range(0, returns.shape[0], _BARS_AT_ONCE):
        part = returns[start : start + _BARS_AT_ONCE] - mean
        known = (~np.isnan(part)).astype(np.float64)
        centred = np.nan_to_num(part, copy=False)
        shared += known.T @ known
        sums += centred.T @ known
        products += centred.T @ centred
        squares += (centred**2).T @ known
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = products - sums * sums.T / shared
        variance = squares - sums**2 / shared
        correlation = covariance / np.sqrt(variance * variance.T)
    # sums cancel: what is left of a trial that stands still on those bars is rounding
    moves = variance > 1e-12 * squares
    is_defined = (shared >= FEWEST_SHARED) & moves & moves.T
    found = np.where(is_defined, np.clip(correlation, -1.0, 1.0), 0.0)
    np.fill_diagonal(found, 1.0)
    return found


def backtest_overfitting(returns: Floats, *, blocks: int = 16) -> Overfitting:
    """Judge the choice of the best by combinatorially symmetric cross-validation.

    The bars are cut into `blocks` (even) blocks; every half of them is once the sample in
    which the best trial is chosen, by Sharpe ratio, and the other half once the test
    (Bailey, Borwein, Lopez de Prado and Zhu, 2017). The bounds come from a jackknife that
    leaves out pairs of blocks, because splits overlap and their number says nothing about
    certainty.

    Raises
    ------
    ValueError
        If there are fewer than two trials, or two bars a block.
    """
    if blocks % 2 or blocks < 6 or returns.shape[0] < 2 * blocks or returns.shape[1] < 2:
        raise ValueError(
            f"cross-validation needs an even number of at least 6 blocks of two bars and two "
            f"trials, received {blocks} blocks of a matrix of shape {returns.shape}"
        )
    sums, squares, sizes = _block_sums(returns, blocks)
    inside, outside, logits = _splits(sums, squares, sizes)
    probability = float(np.mean(logits <= 0))
    left_out = np.array(
        [
            np.mean(_splits(sums[keep], squares[keep], sizes[keep])[2] <= 0)
            for keep in _without_pairs(blocks)
        ]
    )
    groups = left_out.size
    error = math.sqrt((groups - 1) / groups * float(np.sum((left_out - left_out.mean()) ** 2)))
    varies = np.ptp(inside) > 0
    return Overfitting(
        probability=probability,
        low=max(0.0, probability - NORMAL_95 * error),
        high=min(1.0, probability + NORMAL_95 * error),
        loss_probability=float(np.mean(outside < 0)),
        degradation=float(np.polyfit(inside, outside, 1)[0]) if varies else math.nan,
        in_sample=inside,
        out_of_sample=outside,
    )


def superior_ability(
    returns: Floats, *, benchmark: Floats, sampling: Sampling, studentised: bool = True
) -> Superiority:
    """Test whether any trial beats the benchmark, all trials considered.

    Hansen, "A Test for Superior Predictive Ability" (2005), with the stationary bootstrap;
    its statistic is the largest mean excess over its standard error, and trials hopelessly
    behind do not count. White, "A Reality Check for Data Snooping" (2000), does neither.
    """
    excess = returns - benchmark[:, None]
    bars = excess.shape[0]
    mean = excess.mean(axis=0)
    drawn = _drawn_means(excess, sampling) - mean
    spread = math.sqrt(bars) * np.sqrt(np.mean(drawn**2, axis=0))
    spread = np.where(spread > 0, spread, np.inf)
    scale = spread if studentised else np.ones_like(spread)
    hopeless = mean < -spread / math.sqrt(bars) * math.sqrt(2 * math.log(math.log(bars)))
    # what each trial's mean is moved to under the hypothesis: never above 0
    centres = {
        "lower": np.minimum(mean, 0),
        "consistent": np.where(hopeless, mean, 0),
        "upper": np.zeros_like(mean),
    }
    found = {name: _share_above(drawn + centre, mean, scale) for name, centre in centres.items()}
    return Superiority(
        lower=found["lower"],
        consistent=found["consistent"],
        upper=found["upper"],
        reality_check=_share_above(drawn, mean, np.ones_like(mean), floor=-math.inf),
    )


def _share_above(drawn: Floats, mean: Floats, scale: Floats, *, floor: float = 0.0) -> float:
    """Return the share of draws whose best trial is at least as good as the best there is."""
    best = max(float(np.max(mean / scale)), floor)
    return float(np.mean(np.maximum((drawn / scale).max(axis=1), floor) >= best))


def _drawn_means(excess: Floats, sampling: Sampling) -> Floats:
    """Return the mean of each trial in each resample, shape (draws, trials)."""
    rng = np.random.default_rng(sampling.seed)
    bars = excess.shape[0]
    # how often each bar was drawn: then all means are one product of matrices
    means = [
        _times_drawn(bars, draws, sampling, rng) @ excess / bars
        for draws in _portions(sampling.draws, bars, cells=_DRAWS_AT_ONCE)
    ]
    return np.concatenate(means)


def _times_drawn(bars: int, draws: int, sampling: Sampling, rng: np.random.Generator) -> Floats:
    rows = stationary_indices(bars, block=sampling.block_bars, draws=draws, rng=rng)
    rows += np.arange(draws)[:, None] * bars
    return np.bincount(rows.ravel(), minlength=rows.size).reshape(rows.shape).astype(np.float64)


def _portions(total: int, width: int, *, cells: int) -> Iterator[int]:
    rows = max(1, cells // width)
    for begin in range(0, total, rows):
        yield min(rows, total - begin)


def _block_sums(returns: Floats, blocks: int) -> tuple[Floats, Floats, Floats]:
    """Return each block's sums and sums of squares, shape (blocks, trials), and its bars."""
    cut = np.array_split(returns, blocks)
    sums = np.array([part.sum(axis=0) for part in cut])
    squares = np.array([(part**2).sum(axis=0) for part in cut])
    return sums, squares, np.array([len(part) for part in cut], np.float64)


def _without_pairs(blocks: int) -> Iterator[Integers]:
    everything = np.arange(blocks)
    for first in range(0, blocks, 2):
        yield np.delete(everything, [first, first + 1])


def _splits(sums: Floats, squares: Floats, sizes: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the chosen ratio in sample and out of sample, and its logit, of every split."""
    blocks, trials = sums.shape
    halves = np.array(list(itertools.combinations(range(blocks), blocks // 2)))
    # in this order the n-th half from the end is what the n-th leaves: each serves as both
    halves = halves[: len(halves) // 2]
    chosen = np.zeros((len(halves), blocks))
    chosen[np.arange(len(halves))[:, None], halves] = 1
    there, back = [], []
    start = 0
    for rows in _portions(len(halves), trials, cells=_RATIOS_AT_ONCE):
        part = chosen[start : start + rows]
        start += rows
        one = _ratios(part @ sums, part @ squares, part @ sizes)
        rest = 1 - part
        other = _ratios(rest @ sums, rest @ squares, rest @ sizes)
        there.append(_choose(one, other))
        back.append(_choose(other, one))
    first, last = np.concatenate(there, axis=1), np.concatenate(back, axis=1)
    inside, outside, logits = np.concatenate((first, last[:, ::-1]), axis=1)
    return inside, outside, logits


def _choose(inside: Floats, outside: Floats) -> Floats:
    """Return the best ratio inside, that trial's outside, and its logit; shape (3, splits)."""
    splits, trials = inside.shape
    at, best = np.arange(splits), inside.argmax(axis=1)
    promised, kept = inside[at, best], outside[at, best]
    # ties share a rank, so that trials which are the same do not look bad or good
    below = (outside < kept[:, None]).sum(axis=1)
    equal = (outside == kept[:, None]).sum(axis=1)
    rank = (below + (equal + 1) / 2) / (trials + 1)
    return np.array([promised, kept, np.log(rank / (1 - rank))])


def _ratios(sums: Floats, squares: Floats, size: Floats) -> Floats:
    mean = sums / size[:, None]
    variance = (squares - sums * mean) / (size[:, None] - 1)
    # sums cancel: what is left of a trial that never varies is rounding
    nothing = variance <= 1e-12 * squares / size[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(nothing, 0.0, mean / np.sqrt(variance))
