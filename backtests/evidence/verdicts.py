"""From figures to a verdict: supported, not supported, or too little data to tell.

Support needs a p-value of at most `LEVEL` in the claimed direction that no single episode
carries alone. A claim is not supported if the interval rules out an effect as large as claimed.
All else is too little data, however the estimate looks: absence of evidence is not evidence of
absence. Writers seldom say how much and by when: horizons and claimed sizes are our reading, made
with earlier tables in view, and stand in each claim's file for others to change.
"""

from dataclasses import dataclass
from math import isfinite, isnan, nan
from typing import Final, Literal

from backtests.analysis.effects import LEVEL
from backtests.format import percent

Verdict = Literal["supported", "not supported", "too little data to tell"]

SUPPORTED: Final = "supported"
NOT_SUPPORTED: Final = "not supported"
TOO_LITTLE: Final = "too little data to tell"

FEWEST_EPISODES: Final = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What one measurement found; all sizes in the claim's own unit, NaN where undefined.

    `figure` is the finding in words. `estimate`, `low` and `high` are the effect with its
    interval, `claimed` what the claim amounts to, `detectable` what so many episodes could
    show, `left_out` the smallest estimate when any one episode is left out. `index`, `event`,
    `asset` and `horizon_days` say what was looked at; `unit` is "growth" for a fraction
    beyond random dates, "share" or "correlation". `decided` and `reason` are set where the
    verdict does not follow from these figures.
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


def verdict(finding: Finding, *, adjusted_p: float = nan) -> tuple[Verdict, str]:
    """Return the verdict and the reason for it in one sentence.

    `adjusted_p` is the p-value after counting all claims tested together, where there are
    others: one in twenty claims without substance reaches `LEVEL` alone.
    """
    if finding.decided is not None:
        return finding.decided, finding.reason
    if finding.episodes < FEWEST_EPISODES or isnan(finding.p_value):
        return TOO_LITTLE, f"Only {_count(finding.episodes)} with a known outcome."
    if finding.p_value <= LEVEL and finding.estimate > 0:
        return _found(finding, adjusted_p)
    size, claimed = _size(finding.high, finding), _size(finding.claimed, finding)
    if finding.high < finding.claimed:
        return NOT_SUPPORTED, (
            f"The interval ends at {size}, short of the claimed {claimed}; "
            f"{finding.p_value * 100:.0f} % of random dates did as well."
        )
    return TOO_LITTLE, (
        f"{_count(finding.episodes).capitalize()} could show only an effect of "
        f"{_size(finding.detectable, finding)} or more; the interval does not rule out the "
        f"claimed {claimed}, nor is the effect told from luck."
    )


def _found(finding: Finding, adjusted_p: float) -> tuple[Verdict, str]:
    alone = f"{percent(finding.p_value)} of random dates did as well"
    if isfinite(finding.left_out) and finding.left_out <= 0:
        return TOO_LITTLE, f"Only {alone}, but without one episode nothing of the effect is left."
    if adjusted_p > LEVEL:
        return TOO_LITTLE, (
            f"Only {alone}, but with all claims counted that is a p-value of {adjusted_p:.2f}: "
            "among so many, one such is to be expected by luck."
        )
    return SUPPORTED, f"Only {alone}, and no single episode carries it."


def _size(value: float, finding: Finding) -> str:
    unit = "points" if finding.unit == "share" else "%"
    return f"{value * 100:+.0f} {unit}" if isfinite(value) else "an unknown size"


def _count(episodes: int) -> str:
    return f"{episodes} episode{'' if episodes == 1 else 's'}"
