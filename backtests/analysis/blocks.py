"""How long the blocks of a bootstrap must be to keep what follows one another together."""

import math
from collections.abc import Mapping

import numpy as np

from feeds.arrays import Floats


def optimal_block_length(series: Floats) -> float:
    """Return the mean block length that suits a series, in observations, at least 1.

    Politis and White (2004) with the correction of Patton, Politis and White (2009), for
    the stationary bootstrap: b = (2 G^2 / D)^(1/3) n^(1/3), G = sum of lambda(k/m) |k| R(k)
    and D = 2 g(0)^2 over a flat-top window whose width m is twice the lag after which
    autocorrelations stay insignificant. 1 where the series never varies or is too short.
    """
    size = series.size
    if size < 10 or np.ptp(series) == 0:
        return 1.0
    centred = series - series.mean()
    quiet = max(5, int(math.log10(size)))
    widest = math.ceil(math.sqrt(size)) + quiet
    covariance = _autocovariance(centred, widest)
    half_width = _last_significant_lag(centred, covariance, quiet)
    width = min(2 * max(half_width, 1), widest)
    lags = np.arange(1, width + 1)
    flat_top = np.minimum(1.0, 2 * (1 - lags / width))
    slope = 2 * float((flat_top * lags) @ covariance[1 : width + 1])
    level = float(covariance[0] + 2 * (flat_top @ covariance[1 : width + 1]))
    longest = math.ceil(min(3 * math.sqrt(size), size / 3))
    if level == 0:
        return float(longest)
    length = (slope / level) ** 2 * size
    return float(np.clip(length ** (1 / 3), 1.0, longest))


def shared_block_length(series: Mapping[str, Floats]) -> float:
    """Return the longest of the lengths that suit the series and their absolute values.

    Returns hardly correlate from day to day, but their size does: a length chosen from
    returns alone would tear volatility clusters apart and make drawdowns look too shallow.
    """
    lengths = [
        optimal_block_length(values) for own in series.values() for values in (own, np.abs(own))
    ]
    return max(lengths, default=1.0)


def _autocovariance(centred: Floats, widest: int) -> Floats:
    """Return the autocovariances at the lags from 0 to `widest`, all of them by one transform."""
    size = centred.size
    # as many zeros behind that no lag meets the other end
    padded = 1 << (size + widest).bit_length()
    power = np.abs(np.fft.rfft(centred, padded)) ** 2
    return np.asarray(np.fft.irfft(power, padded)[: widest + 1] / size)


def _last_significant_lag(centred: Floats, covariance: Floats, quiet: int) -> int:
    """Return the first lag from which `quiet` autocorrelations in a row are insignificant."""
    size = centred.size
    bound = 2 * math.sqrt(math.log10(size) / size)
    squares = np.concatenate(([0.0], np.cumsum(centred**2)))
    lags = np.arange(covariance.size)
    # both halves are one value shorter than the overlap, as in the authors' own code
    product = (squares[-1] - squares[lags + 1]) * squares[size - lags - 1]
    significant = np.abs(covariance * size) >= bound * np.sqrt(product)
    for lag in range(covariance.size - quiet):
        if not significant[lag : lag + quiet].any():
            return lag
    return covariance.size
