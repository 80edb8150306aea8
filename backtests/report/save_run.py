"""Write a run's results folder: tables, config, manifest and tearsheet, all at once."""

from pathlib import Path

import pandas as pd

from backtests.analysis.cost_sensitivity import CostSensitivity
from backtests.analysis.run_figures import Summary
from backtests.analysis.run_significance import Significance
from backtests.engines.backtest import Run
from backtests.records.atomic_writing import run_id, write_folder
from backtests.records.run_files import manifest_json, run_files
from backtests.report.pages.tearsheet import significance_section, tearsheet
from backtests.report.pyfolio_sheets.process import SheetWorker
from backtests.report.words.judgement import RunJudgement


def run_page(
    result: Run,
    summary: Summary,
    significance: Significance,
    judged: RunJudgement,
    costs: CostSensitivity,
    *,
    worker: SheetWorker | None = None,
) -> str:
    """Return the tearsheet with all its sections."""
    sections = [significance_section(significance, judged)]
    return tearsheet(result, summary, judged, costs, worker=worker, sections=sections)


def write_run(
    result: Run,
    summary: Summary,
    significance: Significance,
    judged: RunJudgement,
    costs: CostSensitivity,
    *,
    out: Path,
    name: str = "",
    worker: SheetWorker | None = None,
) -> Path:
    """Write the results folder under `out` and return it; `name` stands in its manifest."""
    now = pd.Timestamp.now(tz="UTC")
    files = {
        **run_files(
            result,
            summary,
            significance,
            verdict=judged.verdict,
            conclusion=judged.conclusion,
        ),
        "manifest.json": manifest_json(result, created=now, name=name),
        "tearsheet.html": run_page(result, summary, significance, judged, costs, worker=worker),
    }
    folder = run_id(asset=result.asset, config_hash=result.config.short_hash, now=now)
    return write_folder(out, folder, files)
