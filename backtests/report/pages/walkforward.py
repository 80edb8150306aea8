"""The sheet of a walk-forward: what choosing on the past and trading the future came to."""

import dataclasses
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.report.charts.figure_dicts import (
    LIGHT,
    PERCENT_AXIS,
    Spec,
    layout,
    line,
    log_ticks,
    milliseconds,
    plain,
    stamp,
)
from backtests.report.charts.sweep import figure_axis, figure_scale
from backtests.report.pages.page_base import mailable, render
from backtests.report.pages.page_parts import (
    Banner,
    Heading,
    Panel,
    Row,
    heading,
    numeric,
    text_row,
)
from backtests.report.words import notation as written
from backtests.report.words import walkforward as words
from backtests.report.words.labels import FIGURES, notation, title
from backtests.search.parameter_space import value_text
from backtests.search.plan import Plan
from backtests.search.walkforward.walk import WalkForward, WalkStep
from backtests.search.walkforward.windows import WindowSettings

NAMES: Final = {"walk_forward": "Walk-forward", "buy_and_hold": "Buy-and-hold"}
COMPARED: Final = ("total_return", "cagr", "volatility", "sharpe_ratio", "max_drawdown")
FIRST_COLUMNS: Final = (
    "traded on", "in sample", "out of sample", "median", "rank", "trades", "gain", "holding",
)  # fmt: skip


def walk_sheet(found: WalkForward, plan: Plan, settings: WindowSettings) -> str:
    """Return the page; the same walk gives the same bytes."""
    specs = {
        "equity": equity(found),
        "promised": promised_and_kept(found, objective=plan.settings.objective),
        "stability": stability(found),
    }
    return render(
        "walkforward.html.j2",
        _content(found, plan, settings),
        banner=Banner(found.used.is_sample, words.problems(found, plan)),
        panels={name: Panel(name, spec) for name, spec in specs.items()},
    )


def _content(found: WalkForward, plan: Plan, settings: WindowSettings) -> dict[str, Any]:
    return {
        "plan": plan,
        "traded": words.traded_text(plan),
        "span": words.span(found.returns.index[0], found.returns.index[-1]),
        "objective": title(plan.settings.objective),
        "verdict": words.verdict(found, plan),
        "basis": f"{words.basis(found)} {words.retention(found, plan)}",
        "used": found.used,
        "names": list(NAMES.values()),
        "figures": _figures(found),
        "undefined": words.undefined_text(found),
        "missing": missing(found),
        "keys": words.setting_names(plan.keys),
        "columns": _columns(plan),
        "rows": [_row(step, plan) for step in found.steps],
        "conduct": words.conduct(plan, settings),
        "terms": words.TERMS,
        "bars": bars_table(found),
        "toml": shown_plan(plan),
    }


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
    axis = {"type": "log", "title": {"text": "Growth of 1"}, "tickformat": ",~g", **ticks}
    return {
        "data": traces,
        "layout": layout(height=420, xaxis={"type": "date"}, yaxis=axis, hovermode="x unified"),
    }


def promised_and_kept(found: WalkForward, *, objective: str) -> Spec:
    """Return each step's chosen figure in sample and out of sample, and the median there."""
    steps = found.steps
    marks = {
        "In sample": ([step.in_sample for step in steps], "hold", "circle-open"),
        "Median of all trials": ([step.median for step in steps], "muted", "line-ew-open"),
        "Out of sample": ([step.out_of_sample for step in steps], "strategy", "circle"),
    }
    shown = notation(objective)
    scale = figure_scale(shown)
    times = [stamp(step.window.test_start) for step in steps]
    texts = [_describe(step, objective) for step in steps]
    traces: list[Spec] = [_links(steps, times)]
    for name, (values, colour, symbol) in marks.items():
        edge = {"color": LIGHT[colour], "width": 2}
        style = {"color": LIGHT[colour], "symbol": symbol, "size": 11, "line": edge}
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": times,
                "y": [None if np.isnan(value) else scale * value for value in values],
                "text": texts,
                "hovertemplate": "%{text}<extra></extra>",
                "marker": style,
            }
        )
    title = {"text": plain(shown.label)}
    axis = {"title": title, **figure_axis(shown), "zeroline": True, "zerolinecolor": LIGHT["line"]}
    return {"data": traces, "layout": layout(height=420, xaxis={"type": "date"}, yaxis=axis)}


def missing(found: WalkForward) -> str:
    """Return which steps the chart of promises cannot show whole, and why; else nothing."""
    cash = [words.day(step) for step in found.steps if step.trial is None]
    other = [
        words.day(step)
        for step in found.steps
        if step.trial is not None and np.isnan([step.in_sample, step.out_of_sample]).any()
    ]
    texts = [
        f"Without a promise, as nothing could be chosen: {', '.join(cash)}." if cash else "",
        f"Without a figure out of sample, as it is undefined there: {', '.join(other)}."
        if other
        else "",
    ]
    return " ".join(text for text in texts if text)


def stability(found: WalkForward) -> Spec:
    """Return for each setting the share of choices that took its most frequent value."""
    shares = found.stability()
    names = words.setting_names(list(shares))
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": [plain(names[key]) for key in shares],
        "x": [100 * share for share in shares.values()],
        "marker": {"color": LIGHT["strategy"]},
        "hovertemplate": "%{y}: %{x}<extra></extra>",
    }
    axes: Spec = {
        "xaxis": {**PERCENT_AXIS, "range": [0, 102], "hoverformat": ".0f"},
        "yaxis": {"automargin": True, "autorange": "reversed"},
    }
    return {"data": [trace], "layout": layout(height=80 + 36 * len(shares), **axes)}


def bars_table(found: WalkForward) -> list[list[str]]:
    """Return symbol, bar length, source, dates and number of all bars used."""
    return [
        [
            bars.instrument.symbol,
            bars.timeframe,
            bars.source,
            words.span(bars.frame.index[0], bars.frame.index[-1]),
            written.count(len(bars)),
        ]
        for bars in found.used.bars
    ]


def shown_plan(plan: Plan) -> str:
    """Return the plan as TOML, of an absolute data folder only its name."""
    return dataclasses.replace(plan, base=mailable(plan.base)).to_toml()


def _links(steps: tuple[WalkStep, ...], times: list[str]) -> Spec:
    """Return a thin line from what each step promised to what it kept."""
    pairs = [(step.in_sample, step.out_of_sample) for step in steps]
    ends = [[None if np.isnan(value) else value for value in pair] for pair in pairs]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [time for time in times for _ in range(3)],
        "y": [value for pair in ends for value in (*pair, None)],
        "line": {"color": LIGHT["line"], "width": 2},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _describe(step: WalkStep, objective: str) -> str:
    figures = ("in_sample", "out_of_sample", "median")
    lines = [
        f"{words.figure(objective, getattr(step, name))} {written.words(name)}" for name in figures
    ]
    traded = "traded nothing" if not step.trades else f"{step.trades} trades"
    return plain(f"from {words.day(step)}, {traded}") + "".join(f"<br>{text}" for text in lines)


def _figures(found: WalkForward) -> list[Row]:
    return [
        text_row(
            FIGURES[name].label, *(words.figure(name, found.figures[own][name]) for own in NAMES)
        )
        for name in COMPARED
    ]


def _columns(plan: Plan) -> list[Heading]:
    settings = words.setting_names(plan.keys)
    return [
        heading(FIRST_COLUMNS[0]),
        *numeric(FIRST_COLUMNS[1:]),
        *(Heading(name, True, key) for key, name in settings.items()),
        *numeric(["trial"]),
        heading("chosen on"),
    ]


def _row(step: WalkStep, plan: Plan) -> dict[str, Any]:
    objective = plan.settings.objective
    figures = (step.in_sample, step.out_of_sample, step.median)
    return {
        "cells": [
            words.span(step.window.test_start, step.window.test_end),
            *(words.figure(objective, value) for value in figures),
            words.share(step.rank),
            str(step.trades) if step.trades else "none",
            written.percent(step.gain),
            written.percent(step.held),
        ],
        "settings": [value_text(step.values[key]) for key in plan.keys] if step.values else [],
        "trial": words.UNKNOWN if step.trial is None else f"{step.trial:,}",
        "trained": (written.date(step.window.train_start), written.date(step.window.train_end)),
    }
