"""How far a Sharpe ratio can be trusted: its sampling error, and luck among many trials.

All Sharpe ratios here are per period, never annualised, kurtosis is raw (normal = 3) and
variances belong to per-period Sharpe ratios: mixing these units is the usual mistake.
Formulas: Bailey and Lopez de Prado, "The Sharpe Ratio Efficient Frontier" (2012) and "The
Deflated Sharpe Ratio" (2014); Bailey, Borwein, Lopez de Prado and Zhu, "Pseudo-Mathematics
and Financial Charlatanism" (2014). They take returns for independent. For returns that are not,
Lo, "The Statistics of Sharpe Ratios" (2002), puts a long-run variance in the place of the plain
one; here it is that of the stationary bootstrap the intervals are drawn with. The normal
distribution comes from the standard library, because importing scipy costs more than everything
computed here.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from feeds.arrays import Floats

EULER_GAMMA: Final = 0.5772156649015329
NORMAL_KURTOSIS: Final = 3.0

_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class SharpeSample:
    """A Sharpe ratio per period with what its sampling error depends on.

    `periods` is the number of returns, `kurtosis` is raw. A constant or too short series
    has a NaN `sharpe_ratio`. `dependence` is how many times as much the ratio varies as that of
    independent returns would: 1 for these, above 1 where good and bad times cluster.
    """

    sharpe_ratio: float
    periods: int
    skewness: float = 0.0
    kurtosis: float = NORMAL_KURTOSIS
    dependence: float = 1.0

    @property
    def variance_factor(self) -> float:
        """The variance of SR times (periods - 1): (1 - g3 SR + (g4 - 1) / 4 SR^2) dependence."""
        ratio = self.sharpe_ratio
        independent = 1 - self.skewness * ratio + (self.kurtosis - 1) / 4 * ratio**2
        return independent * self.dependence

    @property
    def effective_periods(self) -> float:
        """How many independent returns would tell as much about the ratio."""
        return self.periods / self.dependence


def sharpe_sample(
    returns: Floats,
    *,
    cash_return: Floats | float = 0.0,
    block: float = 1.0,
) -> SharpeSample:
    """Return the Sharpe ratio (ddof 1) of per-period returns with what its error depends on.

    Skewness and raw kurtosis are the plain moment estimates (ddof 0). All are NaN below two
    returns or where they never vary. With a mean `block` above 1 the dependence of the returns
    is measured, by what each adds to the ratio (its influence, to first order):
    z - SR / 2 (z^2 - 1) with z the standardised return, whose plain variance is
    1 - g3 SR + (g4 - 1) / 4 SR^2.
    """
    excess = returns - cash_return
    if excess.size < 2 or np.ptp(excess) == 0:
        return SharpeSample(math.nan, excess.size, math.nan, math.nan)
    centred = excess - excess.mean()
    second = float(np.mean(centred**2))
    standard = centred / math.sqrt(second)
    ratio = float(excess.mean() / np.std(excess, ddof=1))
    influence = standard - ratio / 2 * (standard**2 - 1)
    return SharpeSample(
        sharpe_ratio=ratio,
        periods=excess.size,
        skewness=float(np.mean(standard**3)),
        kurtosis=float(np.mean(standard**4)),
        dependence=long_run_variance(influence, block=block) / float(np.var(influence)),
    )


def long_run_variance(values: Floats, *, block: float) -> float:
    """Return the variance of sqrt(n) times the mean of dependent values, shape (n,).

    That of the stationary bootstrap with mean block length `block`, without drawing: R(0) + 2
    sum of b(k) R(k), b(k) = (1 - k/n) (1 - p)^k + (k/n) (1 - p)^(n-k), p = 1 / block, R the
    autocovariances (Politis and Romano, "The Stationary Bootstrap", 1994, lemma 1). It is
    never negative; with a block of 1 it is the plain variance (ddof 0).
    """
    size = values.size
    transformed = np.fft.rfft(values - values.mean(), 2 * size)
    covariance = np.fft.irfft(np.abs(transformed) ** 2)[:size] / size
    lags = np.arange(1, size)
    stays = 1 - 1 / block
    weights = (1 - lags / size) * stays**lags + lags / size * stays ** (size - lags)
    return float(covariance[0] + 2 * weights @ covariance[1:])


def probabilistic_sharpe_ratio(sample: SharpeSample, *, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio exceeds `benchmark` (per period).

    PSR = Phi[(SR - SR*) sqrt(T - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)]. NaN where the
    Sharpe ratio is undefined or its variance estimate is not positive.
    """
    variance = sample.variance_factor
    if not variance > 0 or math.isnan(benchmark):
        return math.nan
    distance = (sample.sharpe_ratio - benchmark) * math.sqrt(sample.periods - 1)
    return _NORMAL.cdf(distance / math.sqrt(variance))


def minimum_track_record_length(
    sample: SharpeSample, *, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Return how many periods would show the Sharpe ratio to exceed `benchmark`.

    MinTRL = 1 + (1 - g3 SR + (g4 - 1) / 4 SR^2) (Phi^-1(confidence) / (SR - SR*))^2, in
    periods. Infinite where the Sharpe ratio does not exceed the benchmark, NaN where it is
    undefined.
    """
    variance = sample.variance_factor
    if not variance > 0 or math.isnan(benchmark):
        return math.nan
    edge = sample.sharpe_ratio - benchmark
    if edge <= 0:
        return math.inf
    return 1 + variance * (_NORMAL.inv_cdf(confidence) / edge) ** 2


def expected_maximum_factor(trials: float) -> float:
    """Return the expected maximum of `trials` independent standard normal draws.

    (1 - gamma) Phi^-1(1 - 1/N) + gamma Phi^-1(1 - 1/(N e)); 0 for one trial, NaN below.
    `trials` may be an effective number and need not be whole. The formula is made for many and
    falls below 0 for fewer than about 1.3, which the best of several cannot: then it is 0.
    """
    if not trials >= 1:
        return math.nan
    if trials == 1:
        return 0.0
    best = _NORMAL.inv_cdf(1 - 1 / trials)
    spread = _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return max(0.0, (1 - EULER_GAMMA) * best + EULER_GAMMA * spread)


def expected_maximum_sharpe(*, trials: float, variance: float) -> float:
    """Return the Sharpe ratio the best of `trials` skill-less trials is expected to show.

    `variance` is that of the trials' Sharpe ratios, per period; so is the result.
    """
    return math.sqrt(variance) * expected_maximum_factor(trials)


def luck_variance(*, periods: int) -> float:
    """Return the variance of a Sharpe ratio per period that luck alone gives a trial.

    (1 - g3 SR + (g4 - 1) / 4 SR^2) / (T - 1) at SR = 0, which is no skill: 1 / (T - 1),
    whatever the moments. The ratios of trials that are nearly the same, or that a search has
    drawn together, spread less than this, although each of them could have been as lucky;
    the deflated Sharpe ratio of their best needs at least this variance.
    """
    return 1 / (periods - 1) if periods > 1 else math.nan


def deflated_sharpe_ratio(sample: SharpeSample, *, trials: float, variance: float) -> float:
    """Return the probability that the best of `trials` trials is more than the luckiest.

    PSR against `expected_maximum_sharpe`. `trials` counts everything ever tried, re-runs by
    hand included.
    """
    benchmark = expected_maximum_sharpe(trials=trials, variance=variance)
    return probabilistic_sharpe_ratio(sample, benchmark=benchmark)
