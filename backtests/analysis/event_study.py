"""Event study: what a coin did after the index's events, against all other dates.

Forward returns run from the first open that can be traded once the event is known, before
costs, over calendar days. Days of a cluster are no sample: the first event of each episode
counts, the others are neither events nor "other dates".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.bootstrap import Interval, Sampling, small_sample_interval
from backtests.analysis.episodes import Episodes, episodes
from backtests.analysis.event_effects import (
    Effect,
    Outcomes,
    Placement,
    effect_against_random,
    holm,
    left_out_effects,
    outcomes,
    random_starts,
)
from backtests.analysis.forward_returns import (
    NO_ENTRY,
    AssetPrices,
    adverse_excursion,
    entry_positions,
    event_paths,
    forward_growth,
)
from backtests.analysis.placebo import p_value
from feeds.arrays import Flags, Floats, Integers

HORIZONS: Final = (5, 10, 20, 30, 60, 90, 180, 365)
INTERVAL_DRAWS: Final = 2_000
SESSIONS_PER_DAY: Final = 252 / 365


@dataclass(frozen=True, slots=True)
class Events:
    """An event of the index: whether it fell on each session, and when that was known.

    `sessions` are dates, `available_at` nanoseconds since 1970 (UTC), shape (sessions,).
    """

    name: str
    sessions: pd.DatetimeIndex
    available_at: Integers
    occurred: Flags


@dataclass(frozen=True, slots=True)
class StudyDesign:
    """Horizons in calendar days, and how random episodes are placed."""

    placement: Placement
    horizons: tuple[int, ...] = HORIZONS


@dataclass(frozen=True, slots=True)
class EventStudy:
    """The tables of a study; returns are simple fractions, NaN where not known.

    `episodes` has a row an episode, `horizons` a row a horizon, `left_out` a row a horizon
    and episode left out, `path` a row per day with the mean and its bands, `paths` a column per
    episode.
    """

    asset: str
    event: str
    episodes: pd.DataFrame
    horizons: pd.DataFrame
    left_out: pd.DataFrame
    path: pd.DataFrame
    paths: pd.DataFrame


def event_study(asset: AssetPrices, events: Events, *, design: StudyDesign) -> EventStudy:
    """Return forward returns after the events' episodes against all other dates."""
    measured = _measure(asset, events, design)
    rows = [
        {"horizon_days": days, **_horizon_row(measured, days, design.placement)}
        for days in design.horizons
    ]
    horizons = pd.DataFrame(rows)
    horizons["p_holm"] = holm(horizons["p_value"].to_numpy(np.float64))
    path, paths = event_paths(
        asset,
        measured.entries,
        measured.own,
        sessions=events.sessions,
        placement=design.placement,
    )
    return EventStudy(
        asset=asset.name,
        event=events.name,
        episodes=_episode_table(measured, asset, events.sessions),
        horizons=horizons,
        left_out=_left_out_table(measured, events.sessions),
        path=path,
        paths=paths,
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    """Entry and growth after every session, and the deepest low after each episode."""

    own: Episodes
    entries: Integers
    growth: dict[int, Floats]
    adverse: dict[int, Floats]
    left_out: dict[int, list[Effect]]


def _measure(asset: AssetPrices, events: Events, design: StudyDesign) -> _Measured:
    own = episodes(np.flatnonzero(events.occurred), gap=design.placement.gap)
    entries = entry_positions(asset, available_at=events.available_at)
    starts = entries[own.starts]
    growth = {days: forward_growth(asset, entries, days=days) for days in design.horizons}
    return _Measured(
        own,
        entries,
        growth,
        {days: adverse_excursion(asset, starts, days=days) for days in design.horizons},
        {
            days: left_out_effects(outcomes(values, own), placement=design.placement, key=days)
            for days, values in growth.items()
        },
    )


def _episode_table(
    measured: _Measured, asset: AssetPrices, sessions: pd.DatetimeIndex
) -> pd.DataFrame:
    own = measured.own
    entries = measured.entries[own.starts]
    columns: dict[str, object] = {
        "session": sessions[own.starts],
        "last_event": sessions[own.ends],
        "events": own.events,
        "entry_time": pd.to_datetime(asset.times[entries], utc=True),
    }
    for days, values in measured.growth.items():
        columns[f"return_{days}d"] = np.expm1(values[own.starts])
        columns[f"adverse_{days}d"] = measured.adverse[days]
    return pd.DataFrame(columns).take(np.flatnonzero(entries != NO_ENTRY)).reset_index(drop=True)


def _horizon_row(measured: _Measured, days: int, placement: Placement) -> dict[str, float]:
    growth, own = measured.growth[days], measured.own
    sample = outcomes(growth, own)
    returns = np.expm1(sample.own)
    others = np.expm1(growth[_other_dates(growth, own)])
    starts = random_starts(sample, placement=placement, key=days)
    effect = effect_against_random(sample, placement=placement, starts=starts)
    drawn, without = sample.values[starts], measured.left_out[days]
    found = measured.adverse[days][sample.kept]
    row: dict[str, float] = {
        "episodes": effect.episodes,
        "independent": _independent(sample.starts, days),
        **_bounds("mean", _interval(returns, np.mean, sample, days, placement)),
        **_bounds("median", _interval(returns, np.median, sample, days, placement)),
        "geometric_mean": float(np.expm1(effect.mean)),
        "hit_rate": _mean(returns > 0),
        "other_dates": others.size,
        "other_mean": _mean(others),
        "other_median": float(np.median(others)) if others.size else np.nan,
        "other_hit_rate": _mean(others > 0),
        "excess": float(np.expm1(effect.excess)),
        "excess_low": float(np.expm1(effect.low)),
        "excess_high": float(np.expm1(effect.high)),
        "p_value": effect.p_value,
        "p_median": _p_of(np.median, returns, drawn, placement),
        "p_hit_rate": _p_of(np.mean, _hits(returns), _hits(drawn), placement),
        "detectable": float(np.expm1(effect.detectable)),
        "adverse_mean": _mean(found),
        "adverse_worst": float(found.min()) if found.size else np.nan,
        "left_out_low": float(np.expm1(min((one.excess for one in without), default=np.nan))),
        "left_out_high": float(np.expm1(max((one.excess for one in without), default=np.nan))),
        "left_out_p": max((one.p_value for one in without), default=np.nan),
    }
    return row


def _other_dates(growth: Floats, own: Episodes) -> Flags:
    other = np.isfinite(growth)
    for start, end in zip(own.starts, own.ends, strict=True):
        other[start : end + 1] = False
    return other


def _independent(starts: Integers, days: int) -> int:
    """Count episodes whose windows do not overlap, taken in order of time."""
    window = days * SESSIONS_PER_DAY
    count, free_from = 0, -np.inf
    for start in starts:
        if start >= free_from:
            count, free_from = count + 1, start + window
    return count


def _interval(
    returns: Floats,
    statistic: Callable[..., Floats],
    sample: Outcomes,
    days: int,
    placement: Placement,
) -> Interval:
    # episodes whose windows overlap are resampled together
    window = days * SESSIONS_PER_DAY
    ahead = np.searchsorted(sample.starts, sample.starts + window) - np.arange(sample.starts.size)
    sampling = Sampling(
        block_bars=max(1.0, float(ahead.mean())) if ahead.size else 1.0,
        draws=INTERVAL_DRAWS,
        confidence=placement.confidence,
        seed=placement.seed,
    )
    return small_sample_interval(returns, statistic=statistic, sampling=sampling)


def _p_of(
    statistic: Callable[..., Floats], own: Floats, drawn: Floats, placement: Placement
) -> float:
    if own.size == 0 or drawn.size == 0:
        return np.nan
    actual = float(statistic(own, axis=0))
    return p_value(actual, statistic(drawn, axis=1), alternative=placement.alternative)


def _hits(growth: Floats) -> Floats:
    return (growth > 0).astype(np.float64)


def _left_out_table(measured: _Measured, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    rows = []
    for days, found in measured.left_out.items():
        kept = outcomes(measured.growth[days], measured.own).kept
        rows += [
            {
                "horizon_days": days,
                "left_out": sessions[measured.own.starts[number]],
                "excess": float(np.expm1(effect.excess)),
                "p_value": effect.p_value,
            }
            for number, effect in zip(kept[: len(found)], found, strict=True)
        ]
    return pd.DataFrame(rows, columns=["horizon_days", "left_out", "excess", "p_value"])


def _bounds(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _mean(values: Floats | Flags) -> float:
    return float(values.mean()) if values.size else np.nan
