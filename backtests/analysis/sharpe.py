"""How far a Sharpe ratio can be trusted: its sampling error, and luck among many trials.

All Sharpe ratios here are per period, never annualised, kurtosis is raw (normal = 3) and
variances belong to per-period Sharpe ratios: mixing these units is the usual mistake.
Formulas: Bailey and Lopez de Prado, "The Sharpe Ratio Efficient Frontier" (2012) and "The
Deflated Sharpe Ratio" (2014); Bailey, Borwein, Lopez de Prado and Zhu, "Pseudo-Mathematics
and Financial Charlatanism" (2014). The normal distribution comes from the standard
library, because importing scipy costs more than everything computed here.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

EULER_GAMMA: Final = 0.5772156649015329
NORMAL_KURTOSIS: Final = 3.0

_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class SharpeSample:
    """A Sharpe ratio per period with what its sampling error depends on.

    `periods` is the number of returns, `kurtosis` is raw. A constant or too short series
    has a NaN `sharpe_ratio`.
    """

    sharpe_ratio: float
    periods: int
    skewness: float = 0.0
    kurtosis: float = NORMAL_KURTOSIS

    @property
    def variance_factor(self) -> float:
        """1 - g3 SR + (g4 - 1) / 4 SR^2: the variance of SR times (periods - 1)."""
        ratio = self.sharpe_ratio
        return 1 - self.skewness * ratio + (self.kurtosis - 1) / 4 * ratio**2


def sharpe_sample(
    returns: NDArray[np.float64], *, cash_return: NDArray[np.float64] | float = 0.0
) -> SharpeSample:
    """Return the Sharpe ratio (ddof 1) of per-period returns with their higher moments.

    Skewness and raw kurtosis are the plain moment estimates (ddof 0). All are NaN below two
    returns or where they never vary.
    """
    excess = returns - cash_return
    if excess.size < 2 or np.ptp(excess) == 0:
        return SharpeSample(math.nan, excess.size, math.nan, math.nan)
    centred = excess - excess.mean()
    second = float(np.mean(centred**2))
    return SharpeSample(
        sharpe_ratio=float(excess.mean() / np.std(excess, ddof=1)),
        periods=excess.size,
        skewness=float(np.mean(centred**3)) / second**1.5,
        kurtosis=float(np.mean(centred**4)) / second**2,
    )


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


def minimum_backtest_length(*, trials: float, sharpe_ratio: float) -> float:
    """Return the years of history below which the best of `trials` reaches a ratio by luck.

    (E[max_N] / SR)^2 with `sharpe_ratio` annual; infinite for a ratio of 0 or below.
    """
    if sharpe_ratio <= 0:
        return math.inf
    return (expected_maximum_factor(trials) / sharpe_ratio) ** 2
