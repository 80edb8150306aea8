"""From figures to a verdict: supported, not supported, or too little data to tell.

Support needs a p-value of at most `LEVEL` in the claimed direction that no single episode
carries alone. A claim is not supported if the interval rules out an effect as large as claimed.
All else is too little data, however the estimate looks: absence of evidence is not evidence of
absence. Writers seldom say how much and by when: horizons and claimed sizes are our reading, made
with earlier tables in view, and stand in each claim's file for others to change.

A verdict rests on its finding alone, so that a question has one answer, whether it is put alone
or among others. What is left of it once all findings of a page are counted is a line of its own.
Where nothing is claimed, an event is beyond luck or not told from it.
"""

from dataclasses import dataclass
from math import isfinite, isnan, nan
from typing import Final, Literal

from backtests.analysis.effects import LEVEL
from backtests.report.words.notation import percent

Verdict = Literal[
    "supported", "not supported", "too little data to tell", "beyond luck", "not told from luck"
]

SUPPORTED: Final = "supported"
NOT_SUPPORTED: Final = "not supported"
TOO_LITTLE: Final = "too little data to tell"
BEYOND_LUCK: Final = "beyond luck"
NOT_TOLD: Final = "not told from luck"

FEWEST_EPISODES: Final = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What one measurement found; all sizes in the claim's own unit, NaN where undefined.

    `figure` is the finding in words. `estimate`, `low` and `high` are the effect with its
    interval, `claimed` what the claim amounts to (NaN: nothing is claimed), `detectable` what
    so many episodes could show, `left_out` the smallest estimate when any one episode is left
    out. `index`, `event`, `asset` and `horizon_days` say what was looked at; `unit` is "growth"
    for a fraction beyond random dates, "share" or "correlation". `decided` and `reason` are set
    where the verdict does not follow from these figures.
    """

    asset: str
    figure: str
    index: str = ""
    event: str = ""
    horizon_days: int = 0
    estimate: float = nan
    low: float = nan
    high: float = nan
    p_value: float = nan
    claimed: float = nan
    detectable: float = nan
    left_out: float = nan
    episodes: int = 0
    unit: Literal["growth", "share", "correlation"] = "growth"
    reason: str = ""
    decided: Verdict | None = None


def verdict(finding: Finding) -> tuple[Verdict, str]:
    """Return the verdict and the reason for it in one sentence."""
    if finding.decided is not None:
        return finding.decided, finding.reason
    if finding.episodes < FEWEST_EPISODES or isnan(finding.p_value):
        return TOO_LITTLE, f"Only {_count(finding.episodes)} with a known outcome."
    if finding.p_value <= LEVEL and finding.estimate > 0:
        return _found(finding)
    as_well = f"{finding.p_value * 100:.0f} % of random dates did as well"
    could_show = (
        f"{_count(finding.episodes).capitalize()} could show only an effect of "
        f"{_size(finding.detectable, finding)} or more"
    )
    if isnan(finding.claimed):
        return NOT_TOLD, f"{could_show}; {as_well}."
    size, claimed = _size(finding.high, finding), _size(finding.claimed, finding)
    if finding.high < finding.claimed:
        return NOT_SUPPORTED, (
            f"The interval ends at {size}, short of the claimed {claimed}; {as_well}."
        )
    return TOO_LITTLE, (
        f"{could_show}; the interval does not rule out the claimed {claimed}, nor is the effect "
        "told from luck."
    )


def counted(p_value: float, adjusted_p: float, *, findings: int) -> str:
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


def _found(finding: Finding) -> tuple[Verdict, str]:
    alone = f"Only {percent(finding.p_value)} of random dates did as well"
    if not isfinite(finding.left_out):
        return TOO_LITTLE, f"{alone}, but no episode can be left out to see what is left."
    if finding.left_out <= 0:
        return TOO_LITTLE, f"{alone}, but without one episode nothing of the effect is left."
    found: Verdict = BEYOND_LUCK if isnan(finding.claimed) else SUPPORTED
    left = _size(finding.left_out, finding)
    return found, (
        f"{alone}, and no single episode carries it: without any one, at least {left} is left."
    )


def _size(value: float, finding: Finding) -> str:
    unit = "points" if finding.unit == "share" else "%"
    return f"{value * 100:+.0f} {unit}" if isfinite(value) else "an unknown size"


def _count(episodes: int) -> str:
    return f"{episodes} episode{'' if episodes == 1 else 's'}"
