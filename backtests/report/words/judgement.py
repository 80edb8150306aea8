"""The judgement of one run: the same sentences on the terminal, on the page and in the files."""

from dataclasses import dataclass

from backtests.analysis.significance import Significance
from backtests.analysis.summary import Summary
from backtests.report.words import luck, verdict
from backtests.report.words.capacity import capacity
from backtests.report.words.phrases import RunFacts


@dataclass(frozen=True, slots=True)
class RunJudgement:
    """What is said of a run.

    `verdict` is the headline, `conclusion` what may be said of chance, `sample` what it all
    rests on and `capacity` for how much money the fills could have been made. `silence` is why
    nothing is said of chance, empty where something is; `notes` explain the figures of chance,
    and are empty with them.
    """

    verdict: str
    conclusion: str
    sample: str
    capacity: str
    silence: str
    notes: tuple[str, ...]


def judge_run(facts: RunFacts, summary: Summary, significance: Significance) -> RunJudgement:
    """Return everything that may be said of a run, from its numbers alone."""
    return RunJudgement(
        verdict=verdict.verdict(facts, summary),
        conclusion=luck.conclusion(facts, summary, significance),
        sample=verdict.sample(facts, summary),
        capacity=capacity(summary.capacity),
        silence=luck.silence(facts, summary, significance),
        notes=luck.notes(facts, summary, significance),
    )
