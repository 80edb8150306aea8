"""The two answers to a claim in a line each, and what followed since it was published."""

from collections.abc import Sequence
from math import isfinite, isnan
from typing import Final

from backtests.claims.answers import SincePublished, evidence
from backtests.claims.verdicts import AsStated, Evidence, Finding
from backtests.config.claims import ClaimSettings
from backtests.report.words import notation as written

STATED: Final[dict[AsStated, str]] = {
    "true": "true",
    "false": "false",
    "not_reproducible": "not reproducible",
}
UNITS: Final = {"growth": " %", "share": " points", "correlation": ""}
LEAST_DAYS: Final = 2
P_HEADING: Final = "p (all dates / era / matched)"


def size(value: float, unit: str) -> str:
    """Return an effect in its unit, with a sign."""
    if unit == "correlation":
        return written.decimal(value, 2, plus=True)
    return written.decimal(value * 100, 0, unit=UNITS[unit], plus=True)


def interval(found: Finding) -> str:
    """Return the bounds of an effect, the unit named once."""
    if not isfinite(found.low):
        return written.UNDEFINED
    low = size(found.low, found.unit).removesuffix(UNITS[found.unit])
    return f"{low} to {size(found.high, found.unit)}"


def probability(value: float) -> str:
    """Return a p-value with the digits it has."""
    if not isfinite(value):
        return written.UNDEFINED
    # near the level a rounded 0.05 would not say on which side it is
    decimals = 4 if value < 0.01 else 3 if value < 0.1 else 2
    return f"{value:.{decimals}f}"


def p_values(found: Finding) -> str:
    """Return the p-values against each placebo, as `P_HEADING` names them."""
    known = list(found.p_values.values())
    if not any(map(isfinite, known)):
        return written.UNDEFINED
    return " / ".join(map(probability, known))


def evidence_in_words(found: Finding) -> str:
    """Return in a few words whether a finding is evidence, with the size that is ruled out."""
    answers: dict[Evidence, str] = {
        "supported": "supported",
        "ruled_out": f"{size(found.claimed, found.unit)} ruled out",
        "too_little": "too little to tell",
    }
    return answers[evidence(found)]


def ruled_out(found: Finding) -> str:
    """Return which sizes the interval rules out and which it does not."""
    if not (isfinite(found.high) and isfinite(found.low)):
        return ""
    high, low = size(found.high, found.unit), size(found.low, found.unit)
    claimed = size(found.claimed, found.unit)
    if found.high < found.claimed:
        return f"{claimed} is ruled out, up to {high} is not."
    fitting = f"Any effect from {low} to {high} fits these bars"
    is_inside = found.low <= found.claimed <= found.high
    return f"{fitting}, the claimed {claimed} too." if is_inside else f"{fitting}."


def since_in_words(name: str, claim: ClaimSettings, since: SincePublished | None) -> str:
    """Return what followed since a claim was published; empty where that day is not known."""
    if not claim.published:
        return ""
    if since is None or since.days < LEAST_DAYS:
        return f"{name}: published on {claim.published}; no bars of the time after it yet."
    span = f"from {since.first:%Y-%m-%d} to {since.last:%Y-%m-%d}"
    held = f"{name} made {written.percent(since.value)} {span}, cash {written.percent(0.0)}"
    if isnan(since.share_below):
        return f"{held}."
    horizon = (
        f"over the claim's {claim.horizon_days} days it made {written.percent(since.at_horizon)}"
        if isfinite(since.at_horizon)
        else f"the claim's {claim.horizon_days} days are not over"
    )
    return (
        f"{held}; the median of all earlier spans as long is {written.percent(since.usual)}, and "
        f"{written.percent(since.share_below, decimals=0)} of them made less; {horizon}."
    )


def tally(answers: Sequence[tuple[AsStated, Evidence]], ups: Sequence[bool]) -> str:
    """Return the one line to take home: how many claims are so, are evidence, and went up since.

    `answers` has one pair per claim, `ups` says of each with bars after its publication whether
    its asset rose.
    """
    stated = [one for one, _ in answers]
    proven = [two for _, two in answers]
    text = (
        f"Of {written.count_noun(len(answers), 'claim')}, as stated {stated.count('true')} are "
        f"true, {stated.count('false')} false and {stated.count('not_reproducible')} not "
        f"reproducible; as evidence {proven.count('supported')} are supported, the size of "
        f"{proven.count('ruled_out')} is ruled out, and {proven.count('too_little')} rest on too "
        "little to tell."
    )
    if ups:
        text += f" Since publication {sum(ups)} of {len(ups)} went up."
    return text
