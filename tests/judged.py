"""What a run's tests need to be judged, in one call."""

from backtests.analysis.cost_sensitivity import CostSensitivity, cost_sensitivity
from backtests.analysis.run_figures import Summary, summarise
from backtests.analysis.run_significance import Significance, significance
from backtests.config.run_settings import SignificanceSettings
from backtests.engines.backtest import Run
from backtests.engines.cost_runs import cost_runs
from backtests.records.run_files import run_files
from backtests.report.words.judgement import RunJudgement, judge_run
from backtests.report.words.prose import run_facts

FEW_DRAWS = SignificanceSettings(draws=100)


def judged(result: Run) -> tuple[Summary, Significance, RunJudgement]:
    """Return a run's figures, how sure they are, and what is said of them."""
    summary, found = summarise(result), significance(result, FEW_DRAWS)
    return summary, found, judge_run(run_facts(result), summary, found)


def sensitivity_of(result: Run) -> CostSensitivity:
    """Return what a run's figures are at other costs."""
    return cost_sensitivity(result, cost_runs(result))


def files_of(result: Run) -> dict[str, str]:
    """Return the tables and documents a run leaves, by name."""
    summary, found, said = judged(result)
    return run_files(result, summary, found, verdict=said.verdict, conclusion=said.conclusion)
