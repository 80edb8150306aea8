"""Timing: what an earlier or later entry after the index's events would have earned.

An entry before the event is known uses the future and is a diagnostic only: it shows
whether the coin had already moved when the signal came.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.bootstrap import Interval
from backtests.analysis.episodes import episodes
from backtests.analysis.event_effects import LEVEL, Placement, effect_against_random, outcomes
from backtests.analysis.event_study import Events
from backtests.analysis.forward_returns import (
    NO_ENTRY,
    AssetPrices,
    delayed_growth,
    entry_positions,
)
from feeds.arrays import Floats, Integers

DELAYS: Final[Integers] = np.arange(-30, 121)
_DELAY_KEY: Final = 2_000_000  # beyond any horizon that is used as a key


def entry_delays(
    asset: AssetPrices,
    events: Events,
    *,
    placement: Placement,
    horizon_days: int,
    delays: Integers = DELAYS,
) -> pd.DataFrame:
    """Return the growth over `horizon_days` from an entry `delay` days after the first open.

    A row a delay: `delay_days`, `uses_future` (below 0), `episodes`, `geometric_mean`,
    `random_mean` (of random dates), `excess` with its interval, and `p_value`. Returns are
    simple fractions. With this many delays some look good by chance alone.
    """
    own = episodes(np.flatnonzero(events.occurred), gap=placement.gap)
    entries = entry_positions(asset, available_at=events.available_at)
    rows = []
    for delay in delays:
        growth = delayed_growth(asset, entries, delay=float(delay), days=horizon_days)
        effect = effect_against_random(outcomes(growth, own), placement=placement, key=_DELAY_KEY)
        rows.append(
            {
                "delay_days": int(delay),
                "uses_future": bool(delay < 0),
                "episodes": effect.episodes,
                "geometric_mean": float(np.expm1(effect.mean)),
                "random_mean": float(np.expm1(effect.random_mean)),
                "excess": float(np.expm1(effect.excess)),
                "excess_low": float(np.expm1(effect.low)),
                "excess_high": float(np.expm1(effect.high)),
                "p_value": effect.p_value,
            }
        )
    return pd.DataFrame(rows)


LAGS: Final = 20
SHORT_LAGS: Final = 5
ROLLING_SESSIONS: Final = 252
ROLLING_STEP: Final = 5


@dataclass(frozen=True, slots=True)
class PairedReturns:
    """Log returns of index and coin over the same sessions, shape (sessions,) each."""

    sessions: pd.DatetimeIndex
    index: Floats
    coin: Floats


@dataclass(frozen=True, slots=True)
class LeadLag:
    """Correlations by lag, how lead and lag compare, and which leads.

    `table` has a row a lag: `lag` in sessions (above 0 the index comes first),
    `correlation`, `low`, `high` and `p_value`. `asymmetry` is the sum of the correlations at
    lags 1 to `SHORT_LAGS` minus that at -1 to -`SHORT_LAGS`. `strongest` is the lag with the
    smallest p-value among those that stand up to their number (Bonferroni), NaN if none.
    """

    table: pd.DataFrame
    asymmetry: Interval
    strongest: float
    leader: str


def paired_returns(
    asset: AssetPrices,
    *,
    sessions: pd.DatetimeIndex,
    available_at: Integers,
    close: Floats,
) -> PairedReturns:
    """Return the log returns of index and coin between consecutive index closes.

    Of a basket, the coin's return is the mean log return of the members that trade at both
    ends.
    """
    entries = entry_positions(asset, available_at=available_at)
    # two sessions in a hole of the coin's bars would share one open
    fresh = (entries[1:] > entries[:-1]) & (entries[:-1] != NO_ENTRY)
    begin, end = entries[:-1][fresh], entries[1:][fresh]
    steps = np.log(asset.prices[end] / asset.prices[begin])
    steps = np.where(asset.trades[begin], steps, np.nan)
    known = np.isfinite(steps)
    coin = np.where(known, steps, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    kept = known.any(axis=1)
    return PairedReturns(sessions[1:][fresh][kept], np.diff(np.log(close))[fresh][kept], coin[kept])


def lead_lag(pairs: PairedReturns, *, confidence: float = 0.95, lags: int = LAGS) -> LeadLag:
    """Return correlations of the index with the coin `lag` sessions later, and who leads."""
    numbers = np.arange(-lags, lags + 1)
    found = [_lagged_correlation(pairs, int(lag)) for lag in numbers]
    table = pd.DataFrame(
        [
            {"lag": lag, **_row(estimate, influence, confidence)}
            for lag, (estimate, influence) in zip(numbers, found, strict=True)
        ]
    )
    asymmetry = _asymmetry(pairs, confidence=confidence)
    # the farther from zero in errors, the smaller p; p itself underflows to ties
    standing = table["p_value"].to_numpy() <= LEVEL / len(table)
    distance = np.where(standing, np.abs(table["distance"].to_numpy()), -np.inf)
    strongest = float(numbers[distance.argmax()]) if standing.any() else np.nan
    return LeadLag(table.drop(columns="distance"), asymmetry, strongest, _leader(asymmetry))


def rolling_relation(
    pairs: PairedReturns,
    *,
    window: int = ROLLING_SESSIONS,
    step: int = ROLLING_STEP,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return correlation and beta over the `window` sessions to each `step`-th session.

    Columns `correlation`, `beta` (coin's log return for one of the index) and their `_low`
    and `_high`; index = the window's last session. Empty where the history is shorter.
    """
    ends = np.arange(window, pairs.index.size + 1, step)
    rows = []
    for end in ends:
        x, y = pairs.index[end - window : end], pairs.coin[end - window : end]
        correlation = _interval(*correlation_influence(x, y), confidence)
        beta = _interval(*beta_influence(x, y), confidence)
        rows.append({**_name_values("correlation", correlation), **_name_values("beta", beta)})
    return pd.DataFrame(
        rows,
        columns=[
            f"{name}{end}" for name in ("correlation", "beta") for end in ("", "_low", "_high")
        ],
        index=pairs.sessions[ends - 1],
    )


def correlation_influence(x: Floats, y: Floats) -> tuple[float, Floats]:
    """Return the correlation and each pair's influence on it; NaN where a side never varies.

    psi = zx zy - r (zx^2 + zy^2) / 2 with z the standardised values (ddof 0): the delta
    method, valid whatever the distribution.
    """
    if x.size < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan, np.full(x.size, np.nan)
    zx, zy = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    correlation = float(np.mean(zx * zy))
    return correlation, zx * zy - correlation * (zx**2 + zy**2) / 2


def beta_influence(x: Floats, y: Floats) -> tuple[float, Floats]:
    """Return the slope of y on x and each pair's influence on it."""
    if x.size < 3 or np.ptp(x) == 0:
        return np.nan, np.full(x.size, np.nan)
    cx, cy = x - x.mean(), y - y.mean()
    variance = float(np.mean(cx**2))
    beta = float(np.mean(cx * cy)) / variance
    return beta, cx * (cy - beta * cx) / variance


def standard_error(influence: Floats) -> float:
    """Return the Newey-West standard error of a mean, Bartlett weights, 4 (n / 100)^(2/9) lags."""
    size = influence.size
    if size < 3 or np.isnan(influence).any():
        return np.nan
    centred = influence - influence.mean()
    widest = min(int(4 * (size / 100) ** (2 / 9)), size - 1)
    total = float(centred @ centred)
    for lag in range(1, widest + 1):
        total += 2 * (1 - lag / (widest + 1)) * float(centred[lag:] @ centred[:-lag])
    return float(np.sqrt(max(total, 0.0)) / size)


def _lagged_correlation(pairs: PairedReturns, lag: int) -> tuple[float, Floats]:
    size = pairs.index.size
    x = pairs.index[max(0, -lag) : size - max(0, lag)]
    y = pairs.coin[max(0, lag) : size - max(0, -lag)]
    return correlation_influence(x, y)


def _asymmetry(pairs: PairedReturns, *, confidence: float) -> Interval:
    """Return lead minus lag, each pair's influences added up over the lags it is part of."""
    size = pairs.index.size
    total, influence = 0.0, np.zeros(size)
    for lag in range(1, SHORT_LAGS + 1):
        for sign in (1, -1):
            estimate, own = _lagged_correlation(pairs, sign * lag)
            total += sign * estimate
            # on the common calendar, by the later of the two sessions
            influence[lag:] += sign * own
    return _interval(total, influence, confidence)


def _leader(asymmetry: Interval) -> str:
    if asymmetry.low > 0:
        return "index"
    if asymmetry.high < 0:
        return "coin"
    return "neither"


def _row(estimate: float, influence: Floats, confidence: float) -> dict[str, float]:
    interval = _interval(estimate, influence, confidence)
    error = standard_error(influence)
    distance = estimate / error if error > 0 else np.nan
    p_value = 2 * NormalDist().cdf(-abs(distance)) if np.isfinite(distance) else np.nan
    return {**_name_values("correlation", interval), "p_value": p_value, "distance": distance}


def _interval(estimate: float, influence: Floats, confidence: float) -> Interval:
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * standard_error(influence)
    return Interval(estimate, estimate - reach, estimate + reach)


def _name_values(name: str, interval: Interval) -> dict[str, float]:
    bounds = (interval.estimate, interval.low, interval.high)
    return dict(zip(_names(name), bounds, strict=True))


def _names(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"
