"""The two answers to a claim in a line each, and what followed since it was published."""

from collections import Counter
from collections.abc import Sequence
from math import isfinite, isnan
from typing import Final

from backtests.analysis.effects import LEVEL
from backtests.claims.answers import SincePublished, evidence
from backtests.claims.verdicts import AsStated, Evidence, Finding
from backtests.config.claims import ClaimSettings
from backtests.report.words import notation as written
from backtests.report.words.labels import list_words

STATED: Final[dict[AsStated, str]] = {
    "true": "true",
    "false": "false",
    "not_reproducible": "not reproducible",
}
TALLIED: Final[dict[Evidence, str]] = {
    "supported": "{} supported",
    "ruled_out": "{} with the claimed size ruled out",
    "too_little": "{} too little to tell",
}
UNITS: Final = {"growth": " %", "share": " points", "correlation": ""}
LEAST_DAYS: Final = 2
ROUNDS_TO_ZERO: Final = 0.005
NEAR_LEVEL: Final = 0.0005  # which three decimals would not tell from it
INTERVAL: Final = "90 % interval"  # each end bounds to one side at 5 %, as p tests
P_HEADING: Final = "p (all dates / era / matched)"


def size(value: float, unit: str, *, decimals: int = 0) -> str:
    """Return an effect in its unit, with a sign; what is not zero does not read as zero."""
    if unit == "correlation":
        return written.decimal(value, 2, plus=True)
    if decimals == 0 and 0 < abs(value) < ROUNDS_TO_ZERO:
        decimals = 1
    return written.decimal(value * 100, decimals, unit=UNITS[unit], plus=True)


def sizes_apart(first: float, second: float, unit: str) -> tuple[str, str]:
    """Return two different effects with as many decimals as tell them apart."""
    pairs = [
        (size(first, unit, decimals=digits), size(second, unit, decimals=digits))
        for digits in (0, 1, 2)
    ]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[-1])


def stated_in_words(found: Finding) -> str:
    """Return whether a claim is so as stated; what these bars cannot tell is not tested."""
    if isnan(found.estimate) and not found.stated_figure:
        return "not tested"
    return STATED[found.as_stated]


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
    is_near_level = abs(value - LEVEL) < NEAR_LEVEL
    decimals = 4 if value < 0.01 or is_near_level else 3 if value < 0.1 else 2
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
    low = size(found.low, found.unit)
    high, claimed = sizes_apart(found.high, found.claimed, found.unit)
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


def tally(
    found: Sequence[Finding], *, noun: str, ups: Sequence[bool] = (), days: float = 0.0
) -> str:
    """Return the one line to take home: how many claims are so, are evidence, and went up since.

    `found` has one finding per `noun`, `ups` says of each with bars after its publication whether
    its asset rose, `days` how long ago the first of them was published.
    """
    stated = Counter(one.as_stated for one in found)
    proven = Counter(map(evidence, found))
    true = [f"{stated[key]} {word}" for key, word in STATED.items() if stated[key]]
    judged = [text.format(proven[key]) for key, text in TALLIED.items() if proven[key]]
    text = (
        f"Of {written.count_noun(len(found), noun)}, as stated: {list_words(true)}; "
        f"as evidence: {list_words(judged)}."
    )
    if ups:
        text += f" Since publication, at most {days:.0f} days, the coin went up for {sum(ups)} of "
        text += f"{len(ups)}, which share few dates."
    return text
