"""From figures to a verdict: supported, not supported, or too little data to tell.

Support needs p-values of at most `LEVEL` in the claimed direction, against random dates of all, of
the same era and of the same market state, that no single episode carries alone. A claim is not
supported if the interval rules out an effect as large as claimed. The interval holds every effect
that any of the three leaves open at `LEVEL` to either side, so it begins above zero exactly where
all three p-values are at most `LEVEL`: verdict and interval cannot differ. All else is too little,
however the estimate looks: absence of evidence is not evidence of absence. Writers seldom say how
much and by when: horizons and claimed sizes are our reading, made with earlier tables in view, and
stand in each claim's file for others to change.

A verdict rests on its finding alone, so that a question has one answer, whether it is put alone
or among others. What is left of it once all findings of a page are counted is a line of its own.
Where nothing is claimed, an event is beyond luck or not told from it.
"""

from dataclasses import dataclass
from math import isnan, nan
from typing import Final, Literal

from backtests.analysis.event_effects import LEVEL

Verdict = Literal[
    "supported", "not supported", "too little data to tell", "beyond luck", "not told from luck"
]

AsStated = Literal["true", "false", "not_reproducible"]
Evidence = Literal["supported", "ruled_out", "too_little"]
Placebo = Literal["all", "era", "matched"]

PLACEBOS: Final[tuple[Placebo, ...]] = ("all", "era", "matched")

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
    interval; `p_value` sets it against random dates of the whole history, `p_era` of the same
    era between halvings, `p_matched` with the coin's same trend and volatility. `claimed` is what
    the claim amounts to (NaN: nothing is claimed). The estimate is that beyond all dates; `low`
    and `high`, `detectable` (what so many episodes could show) and `left_out` (the smallest
    effect when any one episode is left out) are those of the least favourable of the three.
    `rates` has how often each verdict comes out by true effect: rows of the effect and of the
    shares supported, ruled out and too little. `index`, `event`, `asset`
    and `horizon_days` say what was looked at; `unit` is "growth"
    for a fraction beyond random dates, "share" or "correlation". `decided` and `reason` are set
    where the verdict does not follow from these figures. `reading` is what the claim is taken to
    mean, `dates` are the first sessions of its episodes, `as_stated` whether what was stated is so
    and `stated_figure` the sentence on a figure the claim itself gives.
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
    p_era: float = nan
    p_matched: float = nan
    claimed: float = nan
    detectable: float = nan
    left_out: float = nan
    episodes: int = 0
    unit: Literal["growth", "share", "correlation"] = "growth"
    reason: str = ""
    decided: Verdict | None = None
    reading: str = ""
    dates: tuple[str, ...] = ()
    as_stated: AsStated = "not_reproducible"
    stated_figure: str = ""
    rates: tuple[tuple[float, ...], ...] = ()

    @property
    def first_asset(self) -> str:
        """The asset it is about: of a difference the first of the two, of several the first."""
        return self.asset.split(" - ")[0].split(", ")[0]

    @property
    def p_values(self) -> dict[Placebo, float]:
        """The p-value against each placebo."""
        return {"all": self.p_value, "era": self.p_era, "matched": self.p_matched}

    @property
    def hardest(self) -> Placebo:
        """The placebo with the largest p-value, which decides; the first of equal ones."""
        found = self.p_values
        return max(PLACEBOS, key=lambda name: -1.0 if isnan(found[name]) else found[name])

    @property
    def hardest_p(self) -> float:
        """The largest of the p-values that are defined; NaN if none is."""
        return self.p_values[self.hardest]


def verdict(finding: Finding) -> Verdict:
    """Return the verdict on a finding."""
    if finding.decided is not None:
        return finding.decided
    if finding.episodes < FEWEST_EPISODES or isnan(finding.p_value):
        return TOO_LITTLE
    if finding.high < finding.claimed:  # even where it is beyond luck
        return NOT_SUPPORTED
    if finding.hardest_p <= LEVEL and finding.estimate > 0:
        if not finding.left_out > 0:
            return TOO_LITTLE
        return BEYOND_LUCK if isnan(finding.claimed) else SUPPORTED
    return NOT_TOLD if isnan(finding.claimed) else TOO_LITTLE
