"""How much of equity to hold: the target weight known when each bar ends."""

import numpy as np
import pandas as pd

from feeds.arrays import Floats
from strategies.registry import built_in, find
from strategies.settings import SizeSettings

PerYear = Floats | float


def target_weights(close: Floats, *, settings: SizeSettings, periods_per_year: PerYear) -> Floats:
    """Return the weight an entry decided at each bar's end would take, shape (bars,).

    `periods_per_year` are the bars per year as seen from each bar, or from every one. NaN where
    the weight is not known yet: no entry is made there.
    """
    found: Floats = find("sizing", settings.mode).function(close, settings, periods_per_year)
    return found


@built_in("sizing", "fraction", settings=("size.fraction",))
def fraction(close: Floats, settings: SizeSettings, periods_per_year: PerYear) -> Floats:
    """Return the same fraction of equity on every bar."""
    del periods_per_year
    return np.full(close.size, min(settings.fraction, settings.max_weight))


@built_in("sizing", "vol_target", settings=("size.vol_target", "size.vol_lookback"))
def vol_target(close: Floats, settings: SizeSettings, periods_per_year: PerYear) -> Floats:
    """Return min(max_weight, target / realised volatility) of the last `vol_lookback` returns.

    Volatility is annualised, ddof 1. A coin that did not move takes `max_weight`.
    """
    volatility = pd.Series(close).pct_change().rolling(settings.vol_lookback).std(
        ddof=1
    ).to_numpy() * np.sqrt(periods_per_year)
    with np.errstate(divide="ignore"):
        return np.asarray(np.minimum(settings.max_weight, settings.vol_target / volatility))
