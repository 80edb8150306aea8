"""The sheet of a walk-forward: what choosing on the past and trading the future came to."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests import format as written
from backtests.report import palette
from backtests.report.page import plotly_payload, render, script_json
from backtests.report.palette import LIGHT
from backtests.report.spec import Spec, layout, line, log_ticks, milliseconds, plain
from backtests.sweep.charts import scatter
from backtests.sweep.plan import Plan
from backtests.sweep.walk import Step, WalkForward

NAMES: Final = {"walk_forward": "Walk-forward", "buy_and_hold": "Buy-and-hold"}
FIGURES: Final[dict[str, tuple[str, Callable[[float], str]]]] = {
    "total_return": ("Total return", written.percent),
    "cagr": ("CAGR", written.percent),
    "sharpe_ratio": ("Sharpe ratio", written.ratio),
    "max_drawdown": ("Worst drawdown", written.percent),
}


def walk_sheet(found: WalkForward, plan: Plan) -> str:
    """Return the page; the same walk gives the same bytes."""
    objective = plan.settings.objective
    charts = {
        "equity": equity(found),
        "scatter": in_and_out(found, objective=objective),
        "stability": stability(found),
    }
    drawn = {name: spec for name, spec in charts.items() if spec is not None}
    return render(
        "walkforward.html.j2",
        plan=plan,
        objective=objective,
        verdict=verdict(found, plan),
        drawn=drawn,
        charts=script_json({"figures": drawn, "dark": palette.dark_for_light()}),
        names=list(NAMES.values()),
        figures=_figures(found),
        columns=_columns(found.steps[0]),
        rows=[_row(step) for step in found.steps],
        toml=plan.to_toml(),
        plotly=plotly_payload(),
    )


def verdict(found: WalkForward, plan: Plan) -> str:
    """Return in words whether choosing on the past paid."""
    own, held = (found.figures[name] for name in NAMES)
    ahead = own["cagr"] - held["cagr"]
    word = "beat" if ahead > 0 else "trailed"
    kept = found.efficiency
    left = (
        f"Of the {plan.settings.objective} promised in sample, {kept:.0%} was left afterwards."
        if np.isfinite(kept)
        else f"The {plan.settings.objective} in sample promised nothing that could be kept."
    )
    return (
        f"Choosing the best of {plan.trials:,} trials on each window and trading it on the next "
        f"{word} holding {plan.base.asset} by {abs(ahead) * 100:.1f} percentage points a year. "
        f"{left} These are {len(found.steps)} choices, so little can be told from them."
    )


def equity(found: WalkForward) -> Spec:
    """Return the growth of 1 by the walk and by holding, on bars out of sample only."""
    lines = {"walk_forward": found.returns, "buy_and_hold": found.held}
    colours = {"walk_forward": "strategy", "buy_and_hold": "hold"}
    grown = {name: (1 + returns).cumprod() for name, returns in lines.items()}
    traces = [
        line(
            NAMES[name],
            values,
            color=colours[name],
            x={"x": milliseconds(pd.DatetimeIndex(values.index))},
        )
        for name, values in grown.items()
    ]
    ticks = log_ticks(np.concatenate([values.to_numpy() for values in grown.values()]))
    axis = {"type": "log", "title": {"text": "growth of 1"}, **ticks}
    return {
        "data": traces,
        "layout": layout(height=420, xaxis={"type": "date"}, yaxis=axis, hovermode="x unified"),
    }


def in_and_out(found: WalkForward, *, objective: str) -> Spec | None:
    """Return each step's chosen figure in sample and out of sample; None if all are undefined."""
    pairs = np.array([(step.in_sample, step.out_of_sample) for step in found.steps])
    known = np.isfinite(pairs).all(axis=1)
    if not known.any():
        return None
    texts = [f"traded from {step.window.test_start:%Y-%m-%d}" for step in found.steps]
    return scatter(
        pairs[known, 0],
        pairs[known, 1],
        x=f"{objective} where it was chosen",
        y=f"{objective} where it was traded",
        texts=[text for text, is_known in zip(texts, known, strict=True) if is_known],
        size=9,
    )


def stability(found: WalkForward) -> Spec:
    """Return for each setting the share of steps that chose its most frequent value."""
    shares = found.stability()
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": [plain(key) for key in shares],
        "x": list(shares.values()),
        "marker": {"color": LIGHT["strategy"]},
        "hovertemplate": "%{y}: %{x:.0%}<extra></extra>",
    }
    axes: Spec = {
        "xaxis": {"range": [0, 1], "tickformat": ".0%"},
        "yaxis": {"automargin": True, "autorange": "reversed"},
    }
    return {"data": [trace], "layout": layout(height=80 + 36 * len(shares), **axes)}


def _figures(found: WalkForward) -> list[tuple[str, list[str]]]:
    return [
        (title, [shown(found.figures[name][key]) for name in NAMES])
        for key, (title, shown) in FIGURES.items()
    ]


def _columns(step: Step) -> list[str]:
    ends = ("chosen on", "traded on", "trial")
    return [*ends, *step.values, "in sample", "out of sample", "median of all", "rank"]


def _row(step: Step) -> list[str]:
    window = step.window
    figures: tuple[float, ...] = (step.in_sample, step.out_of_sample, step.median)
    values: list[Any] = list(step.values.values())
    return [
        f"{window.train_start:%Y-%m-%d} to {window.train_end:%Y-%m-%d}",
        f"{window.test_start:%Y-%m-%d} to {window.test_end:%Y-%m-%d}",
        str(step.trial),
        *(f"{value:.4g}" if isinstance(value, float) else str(value) for value in values),
        *("n/a" if np.isnan(figure) else f"{figure:.3g}" for figure in figures),
        "n/a" if np.isnan(step.rank) else f"{step.rank:.0%}",
    ]
