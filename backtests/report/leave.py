"""Leave a run's results folder: tables, config, manifest and tearsheet, all at once."""

from pathlib import Path

import pandas as pd

from backtests.analysis.summary import Summary
from backtests.backtest import Result
from backtests.report.files import manifest_json, run_files
from backtests.report.folder import run_id, write_folder
from backtests.report.tearsheet import tearsheet


def leave(result: Result, summary: Summary, *, out: Path) -> Path:
    """Write the results folder under `out` and return it."""
    now = pd.Timestamp.now(tz="UTC")
    files = {
        **run_files(result, summary),
        "manifest.json": manifest_json(result, created=now),
        "tearsheet.html": tearsheet(result, summary),
    }
    name = run_id(asset=result.asset, config_hash=result.config.short_hash, now=now)
    return write_folder(out, name, files)
