"""A walk-forward on the terminal, as text."""

import pandas as pd

from backtests.report.words import walkforward as words
from backtests.report.words.labels import title
from backtests.report.words.notation import multiple, percent, warning_lines
from backtests.search.plan import Plan
from backtests.search.space import value_text
from backtests.search.walkforward.walk import WalkForward
from backtests.search.walkforward.windows import WindowSettings


def summary_text(found: WalkForward, plan: Plan, settings: WindowSettings) -> str:
    """Return the verdict first, then the figures, the steps, what was chosen, and warnings."""
    banner = ["WARNING  sample data: not a verdict on the idea"] if found.used.is_sample else []
    lines = [
        *banner,
        words.verdict(found, plan),
        f"{words.basis(found)} {words.retention(found, plan)}",
        "",
        *_figure_lines(found),
        "",
        _step_table(found, plan),
        "",
        *_chosen_lines(found, plan),
        "",
        "; ".join(
            f"{name.lower()}: {text}" for name, text in words.conduct(plan, settings).items()
        ),
        *warning_lines(words.problems(found, plan)),
    ]
    return "\n".join(lines)


def _figure_lines(found: WalkForward) -> list[str]:
    lines = [
        f"{name.replace('_', ' ')}: {multiple(figures['total_return'])} the money, "
        f"{words.figure('cagr', figures['cagr'])} per year, Sharpe ratio "
        f"{words.figure('sharpe_ratio', figures['sharpe_ratio'])}, worst drawdown "
        f"{words.figure('max_drawdown', figures['max_drawdown'])}"
        for name, figures in found.figures.items()
    ]
    return [*lines, *filter(None, [words.undefined_text(found)])]


def _step_table(found: WalkForward, plan: Plan) -> str:
    objective = plan.settings.objective
    rows = [
        {
            "traded on": words.span(step.window.test_start, step.window.test_end),
            "in sample": words.figure(objective, step.in_sample),
            "out of sample": words.figure(objective, step.out_of_sample),
            "median": words.figure(objective, step.median),
            "rank": words.share(step.rank),
            "trades": step.trades or "none",
            "gain": percent(step.gain),
            "holding": percent(step.held),
        }
        for step in found.steps
    ]
    note = (
        f"In sample, out of sample and median are the {title(objective)}; "
        "a rank of 50 % is a blind pick's."
    )
    return f"{pd.DataFrame(rows).to_string(index=False)}\n{note}"


def _chosen_lines(found: WalkForward, plan: Plan) -> list[str]:
    """Return the settings chosen for each step, and how often the same were."""
    names = words.setting_names(plan.keys)
    lines = []
    for step in found.steps:
        values = [f"{names[key]} {value_text(value)}" for key, value in step.values.items()]
        chosen = f"trial {step.trial}: {', '.join(values)}" if values else "nothing: in cash"
        lines.append(f"chosen for {words.day(step)}: {chosen}")
    stable = ", ".join(f"{names[key]} {words.share(own)}" for key, own in found.stability().items())
    return [*lines, f"Choices that took the most frequent value: {stable}."]
