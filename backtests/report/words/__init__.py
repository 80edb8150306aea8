"""What may be said of a run: every sentence that judges it, chosen here from numbers alone."""

from backtests.report.words.judgement import RunJudgement, judge_run
from backtests.report.words.phrases import RunFacts
from backtests.report.words.verdict import break_even, standing

__all__ = ["RunFacts", "RunJudgement", "break_even", "judge_run", "standing"]
