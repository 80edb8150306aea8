"""The effect of events against random dates: size, interval, p-value, and a verdict's power.

Everything is judged against random episodes (see `placebo`), whose spread is learned from
the whole history and not from the five to eight episodes there are. The interval inverts
the test: it holds every effect that, taken off the episodes, leaves them unremarkable. Tests are
one-sided at `LEVEL`, so each end is a one-sided bound at `LEVEL` and the interval one of
1 - 2 `LEVEL`: it begins above 0 exactly where p is at most `LEVEL`.
Values are log growth, so a mean is that of compounding and one huge year does not decide.
"""

import functools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.episodes import Episodes
from backtests.analysis.placebo import Alternative, drawn_means, p_value, random_episodes
from feeds.arrays import Floats, Integers

LEVEL: Final = 0.05
POWER: Final = 0.80
CONFIDENCE: Final = 1 - 2 * LEVEL
SHARES: Final = (0.0, 0.2, 0.5, 1.0)  # of the claimed effect


@dataclass(frozen=True, slots=True)
class Placement:
    """How random episodes are placed and what is made of them."""

    gap: int
    draws: int = 10_000
    confidence: float = CONFIDENCE
    seed: int = 0
    alternative: Alternative = "greater"

    def rng(self, *key: int) -> np.random.Generator:
        """Return a generator of its own for each use, whatever was drawn before."""
        return np.random.default_rng([self.seed, *key])


@dataclass(frozen=True, slots=True)
class Effect:
    """How far episodes lie above random dates, in log growth; NaN where undefined.

    `detectable` is the smallest effect that a one-sided test at `LEVEL` would find with
    probability `POWER` with this many episodes.
    """

    episodes: int
    mean: float
    random_mean: float
    low: float
    high: float
    p_value: float
    detectable: float

    @property
    def excess(self) -> float:
        """Mean of the episodes minus that of random dates."""
        return self.mean - self.random_mean


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Episodes with a known outcome: `values` of all eligible sessions, episodes among them.

    `values` has shape (eligible sessions,), as has `sessions`, their number among all sessions;
    `starts` and `spans` have shape (episodes,); `kept` is the number of each of these episodes
    among all, shape (episodes,).
    """

    values: Floats
    starts: Integers
    spans: Integers
    kept: Integers
    sessions: Integers

    def without(self, number: int) -> "Outcomes":
        """Return the same with one episode left out."""
        return Outcomes(
            self.values,
            np.delete(self.starts, number),
            np.delete(self.spans, number),
            np.delete(self.kept, number),
            self.sessions,
        )

    @property
    def own(self) -> Floats:
        """The values of the episodes."""
        return self.values[self.starts]


def outcomes(values: Floats, episodes: Episodes) -> Outcomes:
    """Return the sessions whose outcome is known, and the episodes that began on them.

    `values` has a value a session, NaN where the coin did not trade yet or the horizon is
    not over. The coin's bull and bear years are eligible alike.
    """
    eligible = np.flatnonzero(np.isfinite(values))
    kept = np.flatnonzero(np.isin(episodes.starts, eligible))
    return Outcomes(
        values=values[eligible],
        starts=np.searchsorted(eligible, episodes.starts[kept]),
        spans=(episodes.ends - episodes.starts)[kept],
        kept=kept,
        sessions=eligible,
    )


def random_starts(sample: Outcomes, *, placement: Placement, key: int = 0) -> Integers:
    """Return random episodes like those of the sample, shape (draws, episodes), read-only."""
    return _drawn_starts(sample.values.size, tuple(sample.spans.tolist()), placement, key)


# neighbouring delays and horizons mostly have as many sessions to draw from
@functools.lru_cache(maxsize=8)
def _drawn_starts(
    positions: int, spans: tuple[int, ...], placement: Placement, key: int
) -> Integers:
    starts = random_episodes(
        positions=positions,
        spans=np.array(spans, np.int64),
        gap=placement.gap,
        draws=placement.draws,
        rng=placement.rng(key, len(spans)),
    )
    starts.flags.writeable = False
    return starts


def effect_against_random(
    sample: Outcomes, *, placement: Placement, key: int = 0, starts: Integers | None = None
) -> Effect:
    """Return the episodes' effect against random episodes of the same kind.

    `starts` are random episodes already drawn by `random_starts`.
    """
    if sample.starts.size == 0:
        return Effect(0, *[math.nan] * 6)
    if starts is None:
        starts = random_starts(sample, placement=placement, key=key)
    drawn = drawn_means(sample.values, starts)
    return effect_of(float(sample.own.mean()), drawn, count=sample.starts.size, placement=placement)


def effect_of(actual: float, drawn: Floats, *, count: int, placement: Placement) -> Effect:
    """Return the effect of a statistic `actual` whose value on random dates is `drawn`."""
    if drawn.size == 0:
        return Effect(count, actual, *[math.nan] * 5)
    low, high = effect_bounds(actual, drawn, confidence=placement.confidence)
    return Effect(
        episodes=count,
        mean=actual,
        random_mean=float(drawn.mean()),
        low=low,
        high=high,
        p_value=p_value(actual, drawn, alternative=placement.alternative),
        detectable=detectable_effect(drawn),
    )


def effect_bounds(
    actual: float, drawn: Floats, *, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the smallest and the largest effect that, taken off `actual`, leave it unremarkable.

    They invert `p_value` draw by draw: the lower one is above 0 exactly where its p is at most
    half of 1 - `confidence`. NaN where there are too few draws for such a p.
    """
    # rounding must not lose the draw on which the level falls
    rank = int((1 - confidence) / 2 * (1 + drawn.size) + 1e-9)
    if rank == 0:
        return math.nan, math.nan
    ordered = np.partition(drawn, [rank - 1, drawn.size - rank])
    return actual - float(ordered[drawn.size - rank]), actual - float(ordered[rank - 1])


def detectable_effect(drawn: Floats, *, level: float = LEVEL, power: float = POWER) -> float:
    """Return the smallest effect found with `power` by a one-sided test at `level`.

    The statistic under the effect is taken to spread as it does on random dates: the
    distance from the mean to the (1 - level) quantile plus that from the (1 - power)
    quantile to the mean. NaN without draws.
    """
    if drawn.size == 0:
        return math.nan
    critical, missed = np.quantile(drawn, [1 - level, 1 - power])
    return float(critical - missed)


def left_out_effects(sample: Outcomes, *, placement: Placement, key: int = 0) -> list[Effect]:
    """Return the effect without each episode in turn; empty below two episodes."""
    if sample.starts.size < 2:
        return []
    return [
        effect_against_random(sample.without(number), placement=placement, key=key)
        for number in range(sample.starts.size)
    ]


def holm(p_values: Floats) -> Floats:
    """Return p-values adjusted for their number by Holm's step-down method; NaN stays NaN."""
    adjusted = np.full(p_values.size, np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p_values[order]))
    return adjusted


def verdict_rates(drawn: Floats, *, claimed: float, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Return how often each verdict comes out if the true effect is a share of the claimed one.

    Every arrangement of random dates is taken once for the real one, with the effect added to it,
    and judged against all of them: an interval that ends below the claimed effect ("ruled_out"),
    else significant at `LEVEL` ("supported", before the question whether one episode carries it),
    or neither ("too_little").

    Parameters
    ----------
    drawn
        Mean log growth on random dates, shape (draws,).
    claimed
        The claimed effect, a fraction above 0.

    Returns
    -------
    A row per share of `SHARES`, indexed by the effect as a fraction; empty without draws.
    """
    if drawn.size == 0 or not claimed > 0:
        return pd.DataFrame(columns=["supported", "ruled_out", "too_little"], dtype=np.float64)
    ordered = np.sort(drawn)
    _, reach = effect_bounds(0.0, drawn, confidence=confidence)
    rows = {}
    for share in SHARES:
        size = np.log1p(claimed * share)
        actual = drawn + size
        above = drawn.size - np.searchsorted(ordered, actual, side="left")
        is_ruled_out = actual + reach < np.log1p(claimed)
        is_supported = ~is_ruled_out & ((1 + above) / (1 + drawn.size) <= LEVEL)
        supported, ruled_out = float(is_supported.mean()), float(is_ruled_out.mean())
        rows[claimed * share] = (supported, ruled_out, 1 - supported - ruled_out)
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=["supported", "ruled_out", "too_little"]
    )
