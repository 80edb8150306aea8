"""Why a finding has its verdict, what is left of it among all others, and in all readings."""

from math import expm1, isfinite, isnan
from typing import Final

from backtests.analysis.curve import SpecificationCurve
from backtests.analysis.effects import LEVEL
from backtests.claims.verdicts import FEWEST_EPISODES, Finding, Placebo
from backtests.report.words.answers import size
from backtests.report.words.notation import count_noun, percent, true_minus

ALIKE: Final[dict[Placebo, str]] = {
    "all": "random dates",
    "era": "random dates of the same four-year era",
    "matched": "random dates with the coin's same trend and volatility",
}
# what stands out against all dates, and what a harder placebo says of it
OVERTURNED: Final[dict[Placebo, str]] = {
    "era": "the event is not told from its times",
    "matched": "the event is not told from the market it fell into",
}
# beyond this share on one side of zero the readings agree, whatever chance makes of it
AGREEMENT: Final = 0.9


def reason(finding: Finding) -> str:
    """Return the reason for a finding's verdict."""
    if finding.decided is not None:
        return true_minus(finding.reason)
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
    high, claimed = _size(finding.high, finding), _size(finding.claimed, finding)
    if finding.high < finding.claimed:
        return f"{harder}The interval ends at {high}, short of the claimed {claimed}; {as_well}."
    return (
        f"{harder}{could_show}; the interval does not rule out the claimed {claimed}, nor is the "
        "effect told from luck."
    )


def among_all(p_value: float, adjusted_p: float, *, findings: int) -> str:
    """Return what is left of a p-value once all findings of a page are counted (Holm).

    Empty where it is the only one, or none. One in twenty findings without substance reaches
    `LEVEL` alone.
    """
    if findings < 2 or not isfinite(adjusted_p):
        return ""
    text = f"With all {findings} findings of this page counted (Holm), p is {adjusted_p:.2f}"
    if p_value <= LEVEL < adjusted_p:
        return f"{text}: among so many, one such is to be expected by luck."
    return f"{text}."


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
        "whose median over all readings is at least as large."
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
        f"Against {ALIKE[finding.hardest]} p is {finding.hardest_p:.2f}: "
        f"{OVERTURNED[finding.hardest]} (against all dates p is {finding.p_value:.2g}). "
    )


def _beyond_luck(finding: Finding) -> str:
    alone = f"Only {percent(finding.hardest_p)} of {ALIKE[finding.hardest]} did as well"
    if not isfinite(finding.left_out):
        return f"{alone}, but no episode can be left out to see what is left."
    if finding.left_out <= 0:
        return f"{alone}, but without one episode nothing of the effect is left."
    left = _size(finding.left_out, finding)
    return f"{alone}, and no single episode carries it: without any one, at least {left} is left."


def _size(value: float, finding: Finding) -> str:
    return size(value, finding.unit) if isfinite(value) else "an unknown size"
