"""All reasonable readings of a claim: which events, horizons, starts and delays it could mean."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.analysis.episodes import episodes
from backtests.analysis.forward_returns import NO_ENTRY, delayed_growth, entry_positions
from backtests.analysis.specification_curve import (
    SHIFTS,
    Choices,
    EventReading,
    OutcomeReading,
    SpecificationCurve,
    specification_curve,
)
from backtests.claims.question import Question
from backtests.claims.study_data import RELATIVE_LOOKBACK
from feeds.arrays import Flags, Floats, Integers
from strategies.signals import Lookback, breakout, index_signals, new_high, prior_high

# measures that ask what grew after an event; others have no readings of this kind
MEASURES_WITH_CURVE: Final = frozenset(
    {"average", "event", "against_asset", "every_episode", "one_episode"}
)

BASES: Final = (1, 20, 60, 126, 252, 504)
LOOKBACKS: Final[tuple[Lookback, ...]] = ("all", 252, 504)
TOLERANCES: Final = (0.01, 0.02, 0.04)
CONFIRMATIONS: Final = (3, 5, 10)
GAPS: Final = (20, 60, 120)
HORIZONS_DAYS: Final = (10, 30, 60, 90, 180, 365)
DELAYS_DAYS: Final = (0, 1, 5)
WHOLE: Final = "all"
STARTS: Final = (WHOLE, "2013", "2015", "2017")

SUPPORT_EVENTS: Final = ("support_held", "support_lost")


def claim_curve(question: Question) -> SpecificationCurve | None:
    """Return the curve of every reading of a claim; None where its measure has none.

    The events are those of the whole index. What is shifted is their calendar within the
    sessions on which any of the assets could be bought.
    """
    if question.claim.measure not in MEASURES_WITH_CURVE:
        return None
    inside = _tradable_sessions(question)
    if inside.size == 0:
        return None
    return specification_curve(
        event_readings(question, inside),
        list(_outcomes(question, inside)),
        own=own_choices(question),
        shifts=min(SHIFTS, question.placement.draws),
        seed=question.placement.seed,
    )


def event_readings(question: Question, inside: Integers) -> list[EventReading]:
    """Return every way to read the event, its episodes counted within the sessions `inside`."""
    gaps = _with_own(GAPS, question.claim.gap_sessions)
    return [
        EventReading({**choices, "gap_sessions": gap}, _starts(occurred, gap, inside))
        for choices, occurred in _occurrences(question)
        for gap in gaps
    ]


def own_choices(question: Question) -> dict[str, object]:
    """Return the reading in which a claim is put."""
    claim, signal = question.claim, question.world.config.signal
    own: dict[str, object] = {
        "gap_sessions": claim.gap_sessions,
        "horizon_days": claim.horizon_days,
        "delay_days": 0,
        "start": WHOLE,
        "statistic": "mean",
    }
    if claim.event == "relative_high":
        return own | {"lookback": RELATIVE_LOOKBACK, "base": 1}
    if claim.event in SUPPORT_EVENTS:
        settings = {"tolerance": signal.tolerance, "confirm": signal.confirm}
        return own | {"lookback": signal.lookback, **settings}
    return own | {
        "lookback": signal.lookback,
        "base": signal.base if claim.event == "breakout" else 1,
    }


def curve_row(curve: SpecificationCurve | None) -> dict[str, Any] | None:
    """Return what a curve amounts to as plain values; `median` is growth as a fraction."""
    if curve is None:
        return None
    return {
        "readings": curve.readings,
        "median": float(np.expm1(curve.median)),
        "share_above_zero": curve.share_above_zero,
        "p": curve.p,
    }


def _occurrences(question: Question) -> Iterator[tuple[Choices, Flags]]:
    """Yield each way to read the event, and on which sessions of the index it occurred."""
    own = own_choices(question)
    for lookback in _lookbacks(own["lookback"]):
        if question.claim.event in SUPPORT_EVENTS:
            yield from _support_occurrences(question, lookback, own)
        else:
            yield from _high_occurrences(question, lookback, own)


def _high_occurrences(
    question: Question, lookback: Lookback, own: Choices
) -> Iterator[tuple[Choices, Flags]]:
    close = _closes(question)
    known = np.isfinite(close)
    high, age = prior_high(
        close[known], lookback=lookback, min_history=question.world.config.signal.min_history
    )
    record = new_high(close[known], prior_high=high)
    for base in _with_own(BASES, own["base"]):
        occurred = np.zeros(close.size, np.bool_)
        occurred[known] = breakout(record, resistance_age=age, base=base)
        yield {"lookback": lookback, "base": base}, occurred


def _support_occurrences(
    question: Question, lookback: Lookback, own: Choices
) -> Iterator[tuple[Choices, Flags]]:
    bars, signal = question.world.index(), question.world.config.signal
    close, low = (bars.frame[name].to_numpy(np.float64) for name in ("close", "low"))
    tolerances = _with_own(TOLERANCES, own["tolerance"])
    confirmations = _with_own(CONFIRMATIONS, own["confirm"])
    for tolerance, confirm in itertools.product(tolerances, confirmations):
        settings = {"tolerance": tolerance, "confirm": confirm}
        read = signal.model_copy(update={"lookback": lookback, **settings})
        signals = index_signals(close=close, low=low, settings=read)
        yield {"lookback": lookback, **settings}, getattr(signals, question.claim.event)


def _closes(question: Question) -> Floats:
    """Return what makes the highs: the index's closes, or their ratio to the market's."""
    bars = question.world.index()
    if question.claim.event == "relative_high":
        return question.world.relative_close(bars)
    return bars.frame["close"].to_numpy(np.float64)


def _starts(occurred: Flags, gap: int, inside: Integers) -> Integers:
    """Return the first sessions of the episodes, counted within the sessions `inside`."""
    starts = episodes(np.flatnonzero(occurred), gap=gap).starts
    return np.flatnonzero(np.isin(inside, starts))


def _outcomes(question: Question, inside: Integers) -> Iterator[OutcomeReading]:
    """Yield growth for every asset, horizon, delay and start of the history."""
    sessions = pd.DatetimeIndex(question.world.index().frame.index)[inside]
    horizons = _with_own(HORIZONS_DAYS, question.claim.horizon_days)
    for name, days, delay in itertools.product(
        sorted(set(question.claim.assets)), horizons, DELAYS_DAYS
    ):
        growth = _growth(question, name, inside, days=days, delay=delay)
        if question.claim.measure == "against_asset":
            growth = growth - _growth(
                question, question.claim.against, inside, days=days, delay=delay
            )
        for start in STARTS:
            early = sessions < pd.Timestamp("1900" if start == WHOLE else start)
            choices = {"asset": name, "horizon_days": days, "delay_days": delay, "start": start}
            yield OutcomeReading(choices, np.where(early, np.nan, growth))


def _growth(question: Question, name: str, inside: Integers, *, days: int, delay: int) -> Floats:
    asset, known_at = question.asset(name), question.world.known_at()
    entries = entry_positions(asset, available_at=known_at[inside])
    return delayed_growth(asset, entries, delay=delay, days=days)


def _tradable_sessions(question: Question) -> Integers:
    """Return the sessions from the first to the last on which any of the assets can be bought."""
    known_at = question.world.known_at()
    rows = [
        np.flatnonzero(entry_positions(question.asset(name), available_at=known_at) != NO_ENTRY)
        for name in question.claim.assets
    ]
    every = np.concatenate(rows)
    return np.arange(every.min(), every.max() + 1) if every.size else every


def _with_own(values: Iterable[Any], own: Any) -> list[Any]:
    """Return the values a reasonable person could choose, the claim's own among them."""
    return sorted({*values, own})


def _lookbacks(own: Any) -> list[Lookback]:
    return [WHOLE, *sorted({*LOOKBACKS, own} - {WHOLE})]
