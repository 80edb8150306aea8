"""What is said of a claim: its answers, why a finding has its verdict, and what followed."""

from collections import Counter
from collections.abc import Sequence
from math import expm1, isfinite, isnan
from typing import Final

from backtests.analysis.event_effects import LEVEL
from backtests.analysis.specification_curve import SpecificationCurve
from backtests.claims.answers import SincePublished, evidence
from backtests.claims.runner import MECHANISM
from backtests.claims.verdicts import FEWEST_EPISODES, AsStated, Evidence, Finding, Placebo
from backtests.config.claims import ClaimSettings
from backtests.report.words.labels import list_words
from backtests.report.words.notation import UNDEFINED, count_noun, decimal, percent, true_minus

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
ALIKE: Final[dict[Placebo, str]] = {
    "all": "random dates",
    "era": "random dates of the same four-year era",
    "matched": "random dates with the same trend and volatility",
}
# what stands out against all dates, and what a harder placebo says of it
OVERTURNED: Final[dict[Placebo, str]] = {
    "era": "the event is not told from its times",
    "matched": "the event is not told from the market it fell into",
}
ONE_PLACEBO: Final = (
    " Dates of the whole history are the only placebo here: eras and the state of the market are "
    "not held against it."
)
# beyond this share on one side of zero the readings agree, whatever chance makes of it
AGREEMENT: Final = 0.9
LEAST_DAYS: Final = 2
ROUNDS_TO_ZERO: Final = 0.005
NEAR_LEVEL: Final = 0.0005  # which three decimals would not tell from it
INTERVAL: Final = "90 % interval"  # each end bounds to one side at 5 %, as p tests
P_HEADING: Final = "p (all dates / era / matched)"


def size(value: float, unit: str, *, decimals: int = 0) -> str:
    """Return an effect in its unit, with a sign; what is not zero does not read as zero."""
    if unit == "correlation":
        return decimal(value, 2, plus=True)
    if decimals == 0 and 0 < abs(value) < ROUNDS_TO_ZERO:
        decimals = 1
    return decimal(value * 100, decimals, unit=UNITS[unit], plus=True)


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
        return UNDEFINED
    low = size(found.low, found.unit).removesuffix(UNITS[found.unit])
    return f"{low} to {size(found.high, found.unit)}"


def probability(value: float) -> str:
    """Return a p-value with the digits it has."""
    if not isfinite(value):
        return UNDEFINED
    # near the level a rounded 0.05 would not say on which side it is
    is_near_level = abs(value - LEVEL) < NEAR_LEVEL
    decimals = 4 if value < 0.01 or is_near_level else 3 if value < 0.1 else 2
    return f"{value:.{decimals}f}"


def p_values(found: Finding) -> str:
    """Return the p-values against each placebo, as `P_HEADING` names them."""
    known = list(found.p_values.values())
    if not any(map(isfinite, known)):
        return UNDEFINED
    return " / ".join(map(probability, known))


def evidence_in_words(found: Finding) -> str:
    """Return in a few words whether a finding is evidence, with the size that is ruled out."""
    return {
        "supported": "supported",
        "ruled_out": f"{size(found.claimed, found.unit)} ruled out",
        "too_little": "too little to tell",
    }[evidence(found)]


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
    held = f"{name} made {percent(since.value)} {span}, cash {percent(0.0)}"
    if isnan(since.share_below):
        return f"{held}."
    horizon = (
        f"over the claim's {claim.horizon_days} days it made {percent(since.at_horizon)}"
        if isfinite(since.at_horizon)
        else f"the claim's {claim.horizon_days} days are not over"
    )
    return (
        f"{held}; the median of all earlier spans as long is {percent(since.usual)}, and "
        f"{percent(since.share_below, decimals=0)} of them made less; {horizon}."
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
        f"Of {count_noun(len(found), noun)}, as stated: {list_words(true)}; "
        f"as evidence: {list_words(judged)}."
    )
    if ups:
        text += f" Since publication, at most {days:.0f} days, the coin went up for {sum(ups)} of "
        text += f"{len(ups)}, which share few dates."
    return text


def reason(finding: Finding) -> str:
    """Return the reason for a finding's verdict."""
    if finding.decided is not None:
        return true_minus(finding.reason)
    is_only = isfinite(finding.p_value) and isnan(finding.p_era) and isnan(finding.p_matched)
    return f"{_rule_applied(finding)}{ONE_PLACEBO if is_only else ''}"


def _rule_applied(finding: Finding) -> str:
    if finding.episodes < FEWEST_EPISODES or isnan(finding.p_value):
        return f"Only {count_noun(finding.episodes, 'episode')} with a known outcome."
    if finding.hardest_p <= LEVEL and finding.estimate > 0:
        return _beyond_luck(finding)
    as_well = f"{finding.hardest_p * 100:.0f} % of {ALIKE[finding.hardest]} did as well"
    harder = _harder_placebo(finding)
    could_show = (
        f"{count_noun(finding.episodes, 'episode').capitalize()} could show only an effect of "
        f"{_size(finding.detectable, finding)} or more"
    )
    if isnan(finding.claimed):
        return f"{harder}{could_show}; {as_well}."
    high, claimed = sizes_apart(finding.high, finding.claimed, finding.unit)
    if finding.high < finding.claimed:
        return f"{harder}The interval ends at {high}, short of the claimed {claimed}; {as_well}."
    return (
        f"{harder}{could_show}; the interval does not rule out the claimed {claimed}, nor is the "
        "effect told from luck."
    )


def mechanism_sentence(finding: Finding | None, *, published: str = "") -> str:
    """Return what the mechanism shows where there are more episodes, and what that is worth.

    Of a claim that was `published`, up to that day.
    """
    if finding is None or not finding.episodes:
        return (
            "The mechanism behind it, small caps leading the Nasdaq 100 against the S&P 500 since "
            "long before any coin, is not tested: these bars lack NDX or SPX. With them, `python "
            f"-m backtests.study --claim {MECHANISM}` tests it."
        )
    since = f" from {finding.dates[0][:4]} to {published or 'now'}" if finding.dates else ""
    found = (
        f"The mechanism behind it, with more data: after {finding.episodes} breakouts of the "
        f"Russell 2000{since}, the Nasdaq 100 made "
        f"{size(finding.estimate, finding.unit)} beyond the S&P 500 and beyond random dates in "
        f"{finding.horizon_days} days ({INTERVAL} {interval(finding)}, p "
        f"{probability(finding.hardest_p)})"
    )
    if evidence(finding) == "supported":
        return f"{found}: small caps did lead risk, which says little about coins."
    return f"{found}: no lead is shown, so that the few episodes of a coin stand alone."


def among_all(p_value: float, adjusted_p: float, *, findings: int) -> str:
    """Return what is left of a p-value once all findings of a page are counted (Holm).

    Empty where it is the only one, or none.
    """
    if findings < 2 or not isfinite(adjusted_p):
        return ""
    luck = ": among so many, luck alone can bring one such" if p_value <= LEVEL < adjusted_p else ""
    return f"With all {findings} findings of this page counted (Holm), p is {adjusted_p:.2f}{luck}."


def curve_words(curve: SpecificationCurve | None) -> dict[str, str]:
    """Return what all readings say together, and of what; empty where there is no curve."""
    if curve is None:
        return {}
    return {"sentence": curve_sentence(curve), "details": curve_details(curve)}


def curve_sentence(curve: SpecificationCurve) -> str:
    """Return what all readings together say, in a sentence that can be quoted."""
    if not curve.readings:
        return "No reading has as many as three episodes with a known outcome."
    above = f"Of {curve.readings:,} readings {curve.share_above_zero * 100:.0f} % are above zero"
    median = f"the median is {percent(expm1(curve.median), decimals=0, plus=True)}"
    if not isfinite(curve.p):
        return f"{above}; {median}, and the history is too short for shifted calendars."
    shifted = "fewer than 1" if curve.p < 0.01 else f"{curve.p * 100:.0f}"
    return f"{above}; {median}, and {shifted} % of shifted calendars do as well: {_moral(curve)}."


def curve_details(curve: SpecificationCurve) -> str:
    """Return what was counted as a reading and what was not."""
    combinations = curve.readings + curve.repeated + curve.left_out
    return (
        f"Of {combinations:,} combinations of choices {curve.repeated:,} come to the same as "
        f"another and count once with it; {curve.left_out:,} have fewer than {FEWEST_EPISODES} "
        f"episodes and are left out. {curve.shifts:,} times the calendar is moved in a circle "
        "against the history, by as many sessions in every reading; those calendars do as well "
        "whose median over all readings is at least as large. They ignore eras and the state of "
        "the market, so this share is the easiest of the placebos: where the verdict above is "
        "stricter, the verdict counts."
    )


def _moral(curve: SpecificationCurve) -> str:
    if curve.p <= LEVEL and curve.median > 0:
        return "the result does not hang on the reading"
    if curve.share_above_zero >= AGREEMENT:
        return "the readings agree, but luck does as well"
    if curve.median <= 0:
        return "most readings show no rise beyond that of other dates"
    return "the result is the reading's, not the data's"


def _harder_placebo(finding: Finding) -> str:
    """Return the sentence on the placebo that decides against all dates; empty if none does."""
    if not finding.p_value <= LEVEL < finding.hardest_p or finding.estimate <= 0:
        return ""
    return (
        f"Against {ALIKE[finding.hardest]} p is {probability(finding.hardest_p)}: "
        f"{OVERTURNED[finding.hardest]} (against all dates p is {probability(finding.p_value)}). "
    )


def _beyond_luck(finding: Finding) -> str:
    alone = f"Only {percent(finding.hardest_p)} of {ALIKE[finding.hardest]} did as well"
    if not isfinite(finding.left_out):
        return f"{alone}, but no episode can be left out to see what is left."
    if finding.left_out <= 0:
        return f"{alone}, but without one episode nothing of the effect is left."
    left = _size(finding.left_out, finding)
    alone = f"{alone}, and no single episode carries it: without any one, at least {left} is left"
    if finding.high < finding.claimed:
        high, claimed = sizes_apart(finding.high, finding.claimed, finding.unit)
        return f"{alone}. But the interval ends at {high}, short of the claimed {claimed}."
    return f"{alone}."


def _size(value: float, finding: Finding) -> str:
    return size(value, finding.unit) if isfinite(value) else "an unknown size"
