"""How often each verdict comes out, against the normal distribution's own figures."""

import numpy as np
import pytest
from scipy.stats import norm

from backtests.analysis.effects import SHARES, verdict_rates


def test_rates_of_a_normal_placebo_are_those_of_the_normal_distribution() -> None:
    spread, claimed = 0.2, 0.5
    drawn = np.random.default_rng(1).normal(0.03, spread, 200_000)
    found = verdict_rates(drawn, claimed=claimed)
    for share in SHARES:
        size = np.log1p(claimed * share)
        supported = norm.sf(norm.ppf(0.95) - size / spread)
        row = found.loc[claimed * share]
        # the interval ends below the claimed effect where the actual one lies low
        ends = norm.cdf(np.log1p(claimed) / spread - norm.ppf(0.95) - size / spread)
        assert row["ruled_out"] == pytest.approx(ends, abs=0.005)
        assert row["supported"] == pytest.approx(min(supported, 1 - ends), abs=0.005)
    assert found.sum(axis=1).to_numpy() == pytest.approx(1)


def test_rates_without_an_effect_err_at_their_level() -> None:
    drawn = np.random.default_rng(2).standard_t(3, 20_000)
    assert verdict_rates(drawn, claimed=0.5).loc[0.0, "supported"] == pytest.approx(0.05, abs=1e-3)


@pytest.mark.parametrize(("drawn", "claimed"), [(np.empty(0), 0.5), (np.ones(9), 0.0)])
def test_rates_of_nothing_are_none(drawn: np.ndarray, claimed: float) -> None:
    assert verdict_rates(drawn, claimed=claimed).empty
