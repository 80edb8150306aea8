import numpy as np
import pandas as pd

from strategies.settings import SizeSettings
from strategies.targets import target_weights


def test_target_weights_fraction_is_capped_by_max_weight():
    close = np.full(3, 10.0)
    settings = SizeSettings(fraction=0.9, max_weight=0.4)
    weights = target_weights(close, settings=settings, periods_per_year=365)
    np.testing.assert_array_equal(weights, [0.4] * 3)


def test_target_weights_vol_target_matches_the_formula_and_warms_up():
    close = np.exp(np.random.default_rng(3).normal(0, 0.05, 80).cumsum())
    settings = SizeSettings(mode="vol_target", vol_target=0.4, vol_lookback=20)
    weights = target_weights(close, settings=settings, periods_per_year=365)
    assert np.isnan(weights[:20]).all()
    returns = pd.Series(close).pct_change()
    for t in (20, 50, 79):
        volatility = np.std(returns[t - 19 : t + 1], ddof=1) * np.sqrt(365)
        np.testing.assert_allclose(weights[t], min(1.0, 0.4 / volatility), rtol=1e-9)


def test_target_weights_motionless_coin_takes_max_weight():
    settings = SizeSettings(mode="vol_target", max_weight=0.7)
    weights = target_weights(np.full(40, 5.0), settings=settings, periods_per_year=365)
    assert weights[-1] == 0.7
