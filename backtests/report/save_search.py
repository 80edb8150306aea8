"""What sweeps and walk-forwards leave in their folders."""

from typing import Any

import pandas as pd
import tomli_w

from backtests.analysis.exposure import with_start
from backtests.records.atomic_writing import as_csv, as_json, write_page
from backtests.records.run_files import provenance
from backtests.report.pages.sweep import sheet
from backtests.report.pages.walkforward import walk_sheet
from backtests.report.words.sweep import verdict as sweep_verdict
from backtests.report.words.walkforward import problems
from backtests.report.words.walkforward import verdict as walk_verdict
from backtests.search.bars_used import UsedBars
from backtests.search.judging.judge import Judgement
from backtests.search.plan import Plan
from backtests.search.store import Store
from backtests.search.walkforward.walk import WalkForward
from backtests.search.walkforward.windows import WindowSettings
from feeds.sessions import BAR_LENGTHS


def write_judged(store: Store, judgement: Judgement | None, used: UsedBars) -> None:
    """Write `overfitting.json`, where there is a judgement, and `sheet.html`."""
    if judgement is not None:
        figures = {**judgement.plain(), "verdict": sweep_verdict(judgement)}
        write_page(store.folder / "overfitting.json", as_json(figures))
    page = sheet(store, judgement, bars=used.bars, warnings=used.warnings)
    write_page(store.folder / "sheet.html", page)


def steps_table(found: WalkForward, plan: Plan) -> pd.DataFrame:
    """Return a row per window: its days, what was chosen on them, and what came of it."""
    return pd.DataFrame(
        [
            {
                "train_start": f"{step.window.train_start:%Y-%m-%d}",
                "train_end": f"{step.window.train_end:%Y-%m-%d}",
                "test_start": f"{step.window.test_start:%Y-%m-%d}",
                "test_end": f"{step.window.test_end:%Y-%m-%d}",
                "trial": step.trial,
                **{key: step.values.get(key) for key in plan.keys},
                "in_sample": step.in_sample,
                "out_of_sample": step.out_of_sample,
                "median_out_of_sample": step.median,
                "rank_out_of_sample": step.rank,
                "trades": step.trades,
                "total_return": step.gain,
                "buy_and_hold": step.held,
            }
            for step in found.steps
        ],
        dtype=object,  # a step without a choice must not turn whole numbers into fractions
    )


def walk_files(found: WalkForward, plan: Plan, settings: WindowSettings) -> dict[str, str]:
    """Return every file of the folder by name; the same walk gives the same bytes."""
    equity = pd.DataFrame(
        {"walk_forward": (1 + found.returns).cumprod(), "buy_and_hold": (1 + found.held).cumprod()}
    )
    length = BAR_LENGTHS[plan.base.data.timeframe]
    return {
        "steps.csv": as_csv(steps_table(found, plan)),
        "equity.csv": as_csv(with_start(equity, 1.0, length=length)),
        "walkforward.json": as_json(_summary(found, plan, settings)),
        "walkforward.html": walk_sheet(found, plan, settings),
        # the windows are no part of a sweep, which passes their table over
        "sweep.toml": "\n".join(
            (plan.to_toml(), tomli_w.dumps({"walkforward": settings.model_dump()}))
        ),
    }


def _summary(found: WalkForward, plan: Plan, settings: WindowSettings) -> dict[str, Any]:
    kept = found.efficiency
    return {
        "verdict": walk_verdict(found, plan),
        "objective": plan.settings.objective,
        "trials": plan.trials,
        "windows": settings.model_dump(),
        "steps": len(found.steps),
        "steps_traded": len(found.traded),
        "efficiency": kept.share,
        "promised": kept.promised,
        "kept": kept.kept,
        "stability": found.stability(),
        **found.figures,
        "bars": [provenance(bars) for bars in found.used.bars],
        "warnings": problems(found, plan),
    }
