"""Why a finding has its verdict, what is left of it among all others, and in all readings."""

from math import expm1, isfinite, isnan
from typing import Final

from backtests.analysis.curve import SpecificationCurve
from backtests.analysis.effects import LEVEL
from backtests.claims.answers import evidence
from backtests.claims.runner import MECHANISM
from backtests.claims.verdicts import FEWEST_EPISODES, Finding, Placebo
from backtests.report.words.answers import INTERVAL, interval, probability, size, sizes_apart
from backtests.report.words.notation import count_noun, percent, true_minus

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
    until = published or "now"
    since = f" from {finding.dates[0][:4]} to {until}" if finding.dates else ""
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
    text = f"With all {findings} findings of this page counted (Holm), p is {adjusted_p:.2f}"
    if p_value <= LEVEL < adjusted_p:
        return f"{text}: among so many, luck alone can bring one such."
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
