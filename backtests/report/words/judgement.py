"""The judgement of one run: the same sentences on the terminal, on the page and in the files."""

from dataclasses import dataclass
from math import isfinite, isnan

import pandas as pd

from backtests.analysis.run_figures import Summary
from backtests.analysis.run_significance import Significance
from backtests.engines.account import Capacity
from backtests.report.words import headline, luck
from backtests.report.words import notation as written
from backtests.report.words.notation import RunFacts


@dataclass(frozen=True, slots=True)
class RunJudgement:
    """What is said of a run.

    `headline` is the verdict in a sentence and `details` the rest of it; `conclusion` is what may
    be said of chance, and `timing` its part on whether it could be luck. `sample` is what it all
    rests on, `capacity` for how much money the fills could have been made. `silence` is why
    nothing is said of chance, empty where something is; `notes` explain the figures of chance,
    and are empty with them.
    """

    headline: str
    details: str
    conclusion: str
    timing: str
    sample: str
    capacity: str
    silence: str
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """The headline and its details, one paragraph."""
        return f"{self.headline} {self.details}".strip()


def judge_run(facts: RunFacts, summary: Summary, significance: Significance) -> RunJudgement:
    """Return everything that may be said of a run, from its numbers alone."""
    return RunJudgement(
        headline=headline.headline(facts, summary),
        details=headline.details(facts, summary),
        conclusion=luck.conclusion(facts, summary, significance),
        timing=luck.timing(facts, summary, significance),
        sample=headline.sample(facts, summary),
        capacity=capacity(summary.capacity),
        silence=luck.silence(facts, summary, significance),
        notes=luck.notes(facts, summary, significance),
    )


def capacity(found: Capacity) -> str:
    """Return the largest share of a day's volume, and up to which account the result stands."""
    if not found.fills:
        return ""
    if isnan(found.largest):
        return (
            "The dollar volume of the days with fills is unknown, so nobody can say for how much "
            f"money this result stands.{_impact(found)}"
        )
    unknown = f" The volume is unknown for {found.unknown} of {found.fills} fills."
    return (
        f"The largest fill took {_share(found.largest)} of its day's dollar volume "
        f"({written.coin(found.symbol)}, {written.date(found.time or pd.NaT)}).{_account(found)}"
        f"{unknown if found.unknown else ''}{_impact(found)}"
    )


def _account(found: Capacity) -> str:
    if not isfinite(found.largest_account):
        return ""
    return (
        f" Up to a starting cash of about {written.rounded_money(found.largest_account)} every "
        f"{'fill' if not found.unknown else 'fill of known volume'} stays within "
        f"{written.percent(found.limit, decimals=0)} of its day."
    )


def _impact(found: Capacity) -> str:
    if isnan(found.impact):
        return ""
    if found.uncharged == found.fills:
        return " No fill was charged impact: the volume, or the prices before, are unknown."
    paid = f" The fills paid {written.money(found.impact)} for moving the price"
    if not found.uncharged:
        return f"{paid}."
    return (
        f"{paid}; {found.uncharged} of {found.fills} paid nothing, because volume or earlier "
        "prices are unknown."
    )


def _share(share: float) -> str:
    return "less than 0.1 %" if share < 0.001 else written.percent(share)
