"""Claims about particular dates: one episode, the last few, and the tops of a coin."""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.analysis.episodes import Episodes
from backtests.analysis.event_effects import (
    LEVEL,
    effect_of,
    left_out_effects,
    outcomes,
    random_starts,
)
from backtests.analysis.forward_returns import NO_ENTRY, AssetPrices, entry_positions
from backtests.analysis.placebo import drawn_means, p_value
from backtests.claims.question import Question
from backtests.claims.verdicts import NOT_SUPPORTED, SUPPORTED, Finding
from feeds.arrays import DAY_IN_NANOSECONDS, Flags, Floats, Integers
from feeds.errors import ConfigError

TOP_REACH_DAYS: Final = 180
TOP_FALL: Final = 0.30
TOP_FEWEST_DAYS: Final = 60
NEAR_DAYS: Final = 30


def one_episode(question: Question) -> list[Finding]:
    """Find the best price within the horizon of one episode, and how usual that was that year."""
    claim, events = question.claim, question.events()
    row = int(events.sessions.searchsorted(pd.Timestamp(claim.session or "1900-01-01")))
    if row >= events.sessions.size or not events.occurred[row]:
        raise ConfigError(
            f"`claim.session` must be a session with the event {claim.event}, "
            f"received {claim.session!r}. Run the study of the event to see them."
        )
    found = []
    for name in claim.assets:
        asset = question.asset(name)
        known = events.available_at[row : row + 1]
        entry = int(entry_positions(asset, available_at=known)[0])
        if entry == NO_ENTRY:
            found.append(question.unknown("No bars on that day.", asset=name))
        else:
            found.append(_best_after(question, asset, entry))
    return found


def every_episode(question: Question) -> list[Finding]:
    """Count after how many of the last few episodes before a date a coin rose."""
    claim, events, own = question.claim, question.events(), question.episodes()
    found = []
    for name in claim.assets:
        growth = question.growth(name)
        early = events.sessions[own.starts] < pd.Timestamp(claim.before or "2100-01-01")
        kept = np.flatnonzero(early & np.isfinite(growth[own.starts]))[-claim.last :]
        if kept.size == 0:
            found.append(question.unknown("No episode before that date.", asset=name))
            continue
        chosen = Episodes(own.starts[kept], own.ends[kept], own.events[kept])
        sample = outcomes(growth, chosen)
        rises = (sample.values > 0).astype(np.float64)
        starts = random_starts(sample, placement=question.placement, key=claim.horizon_days)
        drawn = drawn_means(rises, starts)
        effect = effect_of(
            float(rises[sample.starts].mean()),
            drawn,
            count=kept.size,
            placement=question.placement,
        )
        dates = ", ".join(
            f"{events.sessions[start]:%Y-%m-%d} {np.expm1(growth[start]) * 100:+.0f} %"
            for start in chosen.starts
        )
        rose = f"{effect.mean * kept.size:.0f} of {kept.size}"
        figure = f"{rose} rose in {claim.horizon_days} days: {dates}"
        without = left_out_effects(
            replace(sample, values=rises), placement=question.placement, key=claim.horizon_days
        )
        finding = question.shared(
            name,
            effect,
            figure=figure,
            claimed=1 - effect.random_mean,
            left_out=min((one.excess for one in without), default=np.nan),
        )
        if effect.mean < 1:  # a statement of fact: one fall and it is wrong
            reason = "Not each was followed by a rise; of random dates "
            reason += f"{effect.random_mean * 100:.0f} % were."
            finding = replace(finding, decided=NOT_SUPPORTED, reason=reason)
        raised = replace(sample, values=rises)
        found.append(question.against_all_placebos(finding, name, raised, drawn=drawn))
    return found


def tops(question: Question) -> list[Finding]:
    """Count how many of a coin's tops fall near the index's events, and near shifted ones."""
    events = question.events()
    found = []
    for name in question.claim.assets:
        days, price = _daily(question.asset(name))
        near = _near(days, events.available_at[events.occurred])
        rows = top_days(price)
        if rows.size == 0:
            found.append(question.unknown("The coin has had no top.", asset=name))
            continue
        shifted = np.array([np.roll(near, shift)[rows].mean() for shift in range(1, near.size)])
        effect = effect_of(
            float(near[rows].mean()), shifted, count=rows.size, placement=question.placement
        )
        dates = ", ".join(f"{pd.Timestamp(day):%Y-%m-%d}" for day in days[rows])
        figure = (
            f"{near[rows].sum()} of {rows.size} tops ({dates}) within {NEAR_DAYS} days of an "
            f"event, as are {near.mean() * 100:.0f} % of all days"
        )
        found.append(
            question.shared(
                name,
                effect,
                figure=figure,
                claimed=question.claim.effect,
                left_out=_least_without_one(near[rows]) - float(shifted.mean()),
            )
        )
    return found


def tops_less_beginnings(question: Question) -> list[Finding]:
    """Count how much more of a coin's tops than of its beginnings fall near the index's events."""
    events = question.events()
    found = []
    for name in question.claim.assets:
        days, price = _daily(question.asset(name))
        near = _near(days, events.available_at[events.occurred])
        pair = top_days(price), beginning_days(price)
        if min(rows.size for rows in pair) == 0:
            found.append(question.unknown("The coin has had no top or no beginning.", asset=name))
            continue
        actual, *shifted = [
            float(moved[pair[0]].mean() - moved[pair[1]].mean())
            for moved in (np.roll(near, shift) for shift in range(near.size))
        ]
        count = min(rows.size for rows in pair)
        drawn = np.array(shifted)
        effect = effect_of(actual, drawn, count=count, placement=question.placement)
        without = min(
            _least_without_one(near[pair[0]]) - near[pair[1]].mean(),
            near[pair[0]].mean() + _least_without_one(~near[pair[1]]) - 1,
        )
        found.append(
            question.shared(
                name,
                effect,
                figure=_near_both(near, days, pair),
                claimed=question.claim.effect,
                left_out=float(without) - float(drawn.mean()),
            )
        )
    return found


def _near_both(near: Flags, days: NDArray[np.datetime64], pair: tuple[Integers, Integers]) -> str:
    tops, beginnings = (f"{near[rows].sum()} of {rows.size}" for rows in pair)
    dates = ", ".join(_day(day) for day in days[pair[1]])
    return (
        f"{tops} tops and {beginnings} beginnings ({dates}) within {NEAR_DAYS} days of an event, "
        f"as are {near.mean() * 100:.0f} % of all days"
    )


def beginning_days(price: Floats) -> Integers:
    """Return the rows of major beginnings of daily prices: tops seen in a mirror.

    A beginning is the lowest price within `TOP_REACH_DAYS` before and after that was followed by
    a rise which makes good a fall of `TOP_FALL`. Hindsight, as of tops.
    """
    return top_days(1 / price)


def _least_without_one(near: Flags) -> float:
    """Return the smallest share that is left when any one is left out; NaN for one alone."""
    if near.size < 2:
        return np.nan
    return min(float(np.delete(near, row).mean()) for row in range(near.size))


def top_days(price: Floats) -> Integers:
    """Return the rows of major tops of daily prices.

    A top is the highest price within `TOP_REACH_DAYS` before and after (as far as the data
    reach, but `TOP_FEWEST_DAYS` before at least) that was followed by a fall of `TOP_FALL` or
    more within `TOP_REACH_DAYS`.
    Hindsight: a top is only known later, so this describes and trades nothing.
    """
    series = pd.Series(price)
    width = 2 * TOP_REACH_DAYS + 1
    highest = series.rolling(width, center=True, min_periods=TOP_REACH_DAYS).max()
    lowest = series[::-1].rolling(TOP_REACH_DAYS + 1, min_periods=1).min()[::-1]
    is_top = (series == highest) & (lowest <= price * (1 - TOP_FALL))
    is_top[:TOP_FEWEST_DAYS] = False
    return np.flatnonzero(is_top)


def _best_after(question: Question, asset: AssetPrices, entry: int) -> Finding:
    claim = question.claim
    days, price = _daily(asset)
    first = int(np.searchsorted(days, pd.Timestamp(asset.times[entry]).to_datetime64()))
    best = _best_growth(price, claim.horizon_days)
    growth = float(best[first])
    peak = first + int(price[first : first + claim.horizon_days + 1].argmax())
    year = np.asarray(pd.DatetimeIndex(days).year == pd.Timestamp(claim.session).year)
    others = best[year & np.isfinite(best) & (np.arange(best.size) != first)]
    share = p_value(growth, others)
    early_enough = np.flatnonzero(price[:peak] * (1 + claim.effect) <= price[peak])
    latest = f"by {_day(days[early_enough[-1]])}" if early_enough.size else "before the first bar"
    return Finding(
        asset=asset.name,
        figure=f"{growth * 100:+.0f} % at best, from {price[first]:,.0f} ({_day(days[first])}) "
        f"to {price[peak]:,.0f} ({_day(days[peak])})",
        index=question.index,
        event=claim.event,
        horizon_days=claim.horizon_days,
        estimate=growth,
        p_value=share,
        claimed=claim.effect,
        episodes=1,
        decided=SUPPORTED if growth >= claim.effect and share <= LEVEL else NOT_SUPPORTED,
        reason=f"{claim.effect * 100:+.0f} % to that top needs an entry {latest}; "
        f"{share * 100:.0f} % of the days of {claim.session[:4]} did at least as well as the "
        "signal's. One episode is no evidence either way.",
    )


def _day(day: np.datetime64) -> str:
    return f"{pd.Timestamp(day):%Y-%m-%d}"


def _best_growth(price: Floats, days: int) -> Floats:
    """Return the best growth within `days` after each day, NaN where the data end before."""
    ahead = pd.Series(price)[::-1].rolling(days + 1).max()[::-1].to_numpy()
    return np.asarray(ahead / price - 1)


def _daily(asset: AssetPrices) -> tuple[NDArray[np.datetime64], Floats]:
    """Return midnights (UTC) and the price there; a basket is rebalanced every day."""
    midnight = asset.times % DAY_IN_NANOSECONDS == 0
    prices = asset.prices[midnight]
    steps = prices[1:] / np.where(asset.trades[midnight][:-1], prices[:-1], np.nan)
    known = np.isfinite(steps)
    means = np.where(known, steps, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    if prices.shape[1] == 1:
        level = prices[:, 0]
    else:
        level = np.concatenate(([1.0], np.cumprod(np.where(known.any(axis=1), means, 1.0))))
    return asset.times[midnight].astype("datetime64[ns]"), level


def _near(days: NDArray[np.datetime64], events_at: Integers) -> Flags:
    """Return whether an event became known within `NEAR_DAYS` of each day."""
    instants = days.astype(np.int64)
    following = np.searchsorted(events_at, instants - NEAR_DAYS * DAY_IN_NANOSECONDS)
    found = np.append(events_at, np.iinfo(np.int64).max)[following]
    return np.asarray(found <= instants + NEAR_DAYS * DAY_IN_NANOSECONDS)
