"""The average path of a coin around the index's events, with what random dates would show."""

from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.bootstrap import widened_confidence
from backtests.analysis.effects import Placement, outcomes, random_starts
from backtests.analysis.episodes import Episodes
from backtests.analysis.forward import NO_ENTRY, AssetPrices, growth_paths
from backtests.analysis.resamples import stationary_indices
from feeds.arrays import Floats, Integers

PATH_DAYS: Final = np.arange(-60.0, 181.0)
BAND_DRAWS: Final = 1_000

_RESAMPLES = 0
_PLACEBOS = 1_000_000  # beyond any horizon that is used as a key


def event_paths(
    asset: AssetPrices,
    entries: Integers,
    own: Episodes,
    *,
    sessions: pd.DatetimeIndex,
    placement: Placement,
    days: Floats = PATH_DAYS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the mean path with its bands, and every episode's path.

    Both are simple returns from the entry's open, index `day`. `mean` compounds (it is the
    geometric mean) and takes only episodes whose whole path is known; `low` and `high` are
    its bootstrap interval day by day, `random_low`, `random_mean` and `random_high` those of
    as many random episodes. Days before 0 lie before the event was known.
    """
    growth = growth_paths(asset, entries, days=days)
    traded = own.starts[entries[own.starts] != NO_ENTRY]
    paths = pd.DataFrame(
        np.expm1(growth[traded]).T,
        index=pd.Index(days.astype(int), name="day"),
        columns=[f"{session:%Y-%m-%d}" for session in sessions[traded]],
    )
    bands = _bands(growth, own, placement)
    table = pd.DataFrame({name: np.expm1(band) for name, band in bands.items()}, index=paths.index)
    return table, paths


def _bands(growth: Floats, own: Episodes, placement: Placement) -> dict[str, Floats]:
    complete = np.isfinite(growth).all(axis=1)
    whole = growth[complete]
    sample = outcomes(np.where(complete, 0.0, np.nan), own)
    undefined = np.full(growth.shape[1], np.nan)
    bands = dict.fromkeys(
        ("mean", "low", "high", "random_low", "random_mean", "random_high"), undefined
    )
    if sample.starts.size == 0:
        return bands
    chosen = whole[sample.starts]
    bands["mean"] = chosen.mean(axis=0)
    if len(chosen) > 2:
        rows = stationary_indices(
            len(chosen), block=1.0, draws=BAND_DRAWS, rng=placement.rng(_RESAMPLES)
        )
        confidence = widened_confidence(placement.confidence, size=len(chosen))
        bands["low"], bands["high"] = _quantiles(_mean_paths(chosen, rows), confidence)
    starts = random_starts(sample, placement=placement, key=_PLACEBOS)[:BAND_DRAWS]
    if starts.size:
        drawn = _mean_paths(whole, starts)
        bands["random_mean"] = drawn.mean(axis=0)
        bands["random_low"], bands["random_high"] = _quantiles(drawn, placement.confidence)
    return bands


def _mean_paths(paths: Floats, rows: Integers) -> Floats:
    """Return the mean path of each draw, shape (draws, days)."""
    total = paths[rows[:, 0]]
    for column in range(1, rows.shape[1]):
        total = total + paths[rows[:, column]]
    return np.asarray(total / rows.shape[1])


def _quantiles(drawn: Floats, confidence: float) -> Floats:
    tail = (1 - confidence) / 2
    return np.quantile(drawn, [tail, 1 - tail], axis=0)
