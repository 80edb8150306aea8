"""One function per kind of claim: from the question to findings, one per asset."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.bootstrap import Interval
from backtests.analysis.entry_timing import lead_lag, paired_returns
from backtests.analysis.episodes import Episodes
from backtests.analysis.event_effects import (
    Effect,
    Outcomes,
    effect_against_random,
    effect_of,
    left_out_effects,
    outcomes,
    random_starts,
)
from backtests.analysis.placebo import drawn_means
from backtests.claims import dated_claims
from backtests.claims.question import Question
from backtests.claims.verdicts import NOT_SUPPORTED, SUPPORTED, TOO_LITTLE, Finding, Verdict
from feeds.arrays import Flags, Floats
from feeds.message_text import count_noun

_FIRST: Final = 1  # keys of independent draws
_SECOND: Final = 2

CONDITIONS: Final = (" with the condition met", " without")


def measure(question: Question) -> list[Finding]:
    """Return the findings of a claim; the order of its assets changes nothing in them."""
    if reason := question.untested:
        return [question.unknown(reason)]
    return MEASURES[question.claim.measure](question)


def average(question: Question) -> list[Finding]:
    """Compare growth after the event's episodes with random dates."""
    own = question.episodes()
    return [
        _against_random(question, name, outcomes(question.growth(name), own))
        for name in question.claim.assets
    ]


def against_asset(question: Question) -> list[Finding]:
    """Compare growth beyond that of another asset, after episodes, with random dates."""
    own, other = question.episodes(), question.growth(question.claim.against)
    return [
        _against_random(
            question,
            name,
            outcomes(question.growth(name) - other, own),
            beyond=question.claim.against,
        )
        for name in question.claim.assets
    ]


def against_index(question: Question) -> list[Finding]:
    """Compare growth after one index's episodes with that after another index's."""
    other = question.claim.against
    return [
        _difference(
            question,
            name,
            outcomes(question.growth(name), question.episodes()),
            outcomes(question.growth(name, index=other), question.episodes(index=other)),
            second_index=other,
        )
        for name in question.claim.assets
    ]


def against_event(question: Question) -> list[Finding]:
    """Compare growth after one event with that after another that is not the first as well."""
    own, other = question.episodes(), question.episodes(question.claim.against)
    plain = _choose(other, ~np.isin(other.starts, own.starts))
    found = []
    for name in question.claim.assets:
        growth = question.growth(name)
        found.append(_difference(question, name, outcomes(growth, own), outcomes(growth, plain)))
    return found


def condition(question: Question) -> list[Finding]:
    """Compare growth after episodes while a filter is open with that while it is closed.

    Each kind is set against random dates of the same state, or the filter's own bearing on
    the coin would count as one of the signal.
    """
    own, world = question.episodes(), question.world
    state, notes = world.gate(question.claim.filter)
    if np.isnan(state).all():
        return [question.unknown(" ".join(notes) or "The filter is never known.")]
    found = []
    for name in question.claim.assets:
        growth = question.growth(name)
        pair = [
            outcomes(
                np.where(state == value, growth, np.nan), _choose(own, state[own.starts] == value)
            )
            for value in (1.0, 0.0)
        ]
        found.append(_difference(question, name, *pair, kinds=CONDITIONS))
    return found


def lead(question: Question) -> list[Finding]:
    """Compare how the index's returns go with the coin's next sessions and with those before."""
    bars = question.world.index()
    found = []
    for name in question.claim.assets:
        pairs = paired_returns(
            question.asset(name),
            sessions=pd.DatetimeIndex(bars.frame.index),
            available_at=question.world.known_at(),
            close=bars.frame["close"].to_numpy(),
        )
        result = lead_lag(pairs, confidence=question.placement.confidence)
        sums = result.asymmetry
        now = result.table.set_index("lag")["correlation"].loc[0]
        leads = "neither leads" if result.leader == "neither" else f"the {result.leader} leads"
        found.append(
            Finding(
                asset=name,
                figure=f"correlation {now:.2f} in the same session; with the next five sessions "
                f"minus with the five before {sums.estimate:+.2f}",
                index=question.index,
                event="returns",
                estimate=sums.estimate,
                low=sums.low,
                high=sums.high,
                unit="correlation",
                claimed=question.claim.effect,
                decided=_lead_verdict(sums, claimed=question.claim.effect),
                reason=f"Over {pairs.index.size:,} sessions {leads}.",
            )
        )
    return found


def _lead_verdict(sums: Interval, *, claimed: float) -> Verdict:
    if sums.low > 0:
        return SUPPORTED
    return NOT_SUPPORTED if sums.high < claimed else TOO_LITTLE


def no_data(question: Question) -> list[Finding]:
    """Say what there is no data for."""
    return [question.unknown(f"There is no data: {question.claim.missing}.")]


MEASURES: Final[dict[str, Callable[[Question], list[Finding]]]] = {
    "event": average,
    "average": average,
    "one_episode": dated_claims.one_episode,
    "every_episode": dated_claims.every_episode,
    "against_asset": against_asset,
    "against_index": against_index,
    "against_event": against_event,
    "condition": condition,
    "lead": lead,
    "tops": dated_claims.tops,
    "tops_less_beginnings": dated_claims.tops_less_beginnings,
    "no_data": no_data,
}


def _choose(own: Episodes, kept: Flags) -> Episodes:
    return Episodes(own.starts[kept], own.ends[kept], own.events[kept])


def _against_random(
    question: Question, asset: str, sample: Outcomes, *, beyond: str = ""
) -> Finding:
    days = question.claim.horizon_days
    starts = random_starts(sample, placement=question.placement, key=days)
    drawn = drawn_means(sample.values, starts)
    effect = effect_against_random(sample, placement=question.placement, starts=starts)
    without = left_out_effects(sample, placement=question.placement, key=days)
    more = f" beyond {beyond}" if beyond else ""
    finding = question.grown(
        f"{asset} - {beyond}" if beyond else asset,
        effect,
        figure=f"{_percent(effect.mean)}{more} in {days} days after "
        f"{count_noun(effect.episodes, 'episode')}, {_percent(effect.random_mean)} after random "
        "dates",
        left_out=min((one.excess for one in without), default=np.nan),
    )
    return question.against_all_placebos(finding, asset, sample, drawn=drawn)


def _difference(
    question: Question,
    name: str,
    first: Outcomes,
    second: Outcomes,
    *,
    second_index: str = "",
    kinds: tuple[str, str] = ("", ""),
) -> Finding:
    """Return how much more followed the first kind of episode than the second."""
    counts = first.starts.size, second.starts.size
    if min(counts) == 0:
        both = [f"{count} episodes{kind}" for count, kind in zip(counts, kinds, strict=True)]
        reason = f"Nothing to compare: {both[0]} against {both[1]}."
        return question.unknown(reason, asset=name)
    drawn = _drawn_gaps(question, first, second)
    effect = _gap(question, first, second)
    without = [_gap(question, first.without(row), second) for row in _rows(first)]
    without += [_gap(question, first, second.without(row)) for row in _rows(second)]
    means = float(first.own.mean()), float(second.own.mean())
    finding = question.grown(
        name,
        effect,
        figure=f"{_percent(means[0])} ({counts[0]} episodes{kinds[0]}) against "
        f"{_percent(means[1])} ({counts[1]}{kinds[1]}) in {question.claim.horizon_days} days",
        left_out=min((one.excess for one in without), default=np.nan),
    )
    return question.against_all_placebos(
        finding, name, first, second, drawn=drawn, second_index=second_index
    )


def _gap(question: Question, first: Outcomes, second: Outcomes) -> Effect:
    return effect_of(
        float(first.own.mean() - second.own.mean()),
        _drawn_gaps(question, first, second),
        count=min(first.starts.size, second.starts.size),
        placement=question.placement,
    )


def _drawn_gaps(question: Question, first: Outcomes, second: Outcomes) -> Floats:
    drawn = [
        drawn_means(sample.values, random_starts(sample, placement=question.placement, key=key))
        for sample, key in ((first, _FIRST), (second, _SECOND))
    ]
    fitting = min(one.size for one in drawn)
    return np.asarray(drawn[0][:fitting] - drawn[1][:fitting])


def _rows(sample: Outcomes) -> range:
    """Return the episodes that can be left out: none where it is the only one."""
    return range(sample.starts.size if sample.starts.size > 1 else 0)


def _percent(growth: float) -> str:
    percent = np.expm1(growth) * 100
    # what is not zero does not read as zero
    return f"{percent:+.{int(0 < abs(percent) < 0.5)}f} %"
