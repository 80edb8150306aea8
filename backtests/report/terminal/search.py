"""Sweeps and walk-forwards on the terminal, as text: the verdict, then the figures it rests on."""

import textwrap
from collections.abc import Sequence
from typing import Final

import pandas as pd

from backtests.report.terminal import WIDTH
from backtests.report.words import notation as written
from backtests.report.words import sweep as sweep_words
from backtests.report.words import walkforward as walk_words
from backtests.report.words.labels import list_words, names, notation, title
from backtests.report.words.notation import multiple, percent, warning_lines
from backtests.search.bars_used import UsedBars
from backtests.search.judging.judge import Judgement
from backtests.search.outcomes import Outcome, best_outcomes
from backtests.search.parameter_space import value_text
from backtests.search.plan import Plan
from backtests.search.store import Store
from backtests.search.walkforward.walk import WalkForward
from backtests.search.walkforward.windows import WindowSettings

TOP: Final = 5
FIGURES: Final = ("cagr", "max_drawdown", "trades")


def sweep_summary(store: Store, judgement: Judgement | None, used: UsedBars) -> str:
    """Return warnings, the best distinct results, how far to trust them, and where all is."""
    plan, failures = store.plan, store.failures()
    best = best_outcomes(store, count=TOP)
    objective = notation(plan.settings.objective)
    lines = [
        *(["WARNING  sample data: not a verdict on the idea"] if used.is_sample else []),
        *written.warning_lines(used.warnings),
        f"{plan.trials:,} trials, {sum(failures.values()):,} failed. "
        f"The best by {objective.inside}:",
        "",
        *(_table(best, plan) if best else ["none: no trial has one"]),
        *(f"{count:,} failed: {reason}" for reason, count in failures.items()),
        "",
        *(sweep_words.lines(judgement) if judgement else [sweep_words.UNJUDGED]),
        "",
        *([] if store.has_all_rows else textwrap.wrap(sweep_words.rows_kept(plan.trials), WIDTH)),
        *([_again(store)] if best else []),
        f"Sheet: {store.folder / 'sheet.html'}",
    ]
    return "\n".join(lines)


def _again(store: Store) -> str:
    return f"Run a row again: python -m backtests.run --from-trial {store.folder}:TRIAL"


def _table(best: Sequence[Outcome], plan: Plan) -> list[str]:
    """Return a line of figures a result, and below it its settings."""
    figures = tuple(dict.fromkeys((plan.settings.objective, *FIGURES)))
    rows = [
        {"trial": outcome.trial}
        | {notation(name).label: notation(name).write(outcome.figures[name]) for name in figures}
        for outcome in best
    ]
    heading, *texts = pd.DataFrame(rows).to_string(index=False).splitlines()
    lines = [heading]
    for text, outcome in zip(texts, best, strict=True):
        lines += [text, *_settings(outcome, plan)]
    return lines


def _settings(outcome: Outcome, plan: Plan) -> list[str]:
    called = names(plan.keys)
    values = [
        f"{called[key].clear} {list_words([value_text(value) for value in taken], last='or')}"
        for key, taken in outcome.values.items()
    ]
    same = f" ({written.count(outcome.trials)} trials alike)" if outcome.trials > 1 else ""
    indent = " " * 6
    return textwrap.wrap(
        ", ".join(values) + same, WIDTH, initial_indent=indent, subsequent_indent=indent
    )


def walk_summary(found: WalkForward, plan: Plan, settings: WindowSettings) -> str:
    """Return the verdict first, then the figures, the steps, what was chosen, and warnings."""
    banner = ["WARNING  sample data: not a verdict on the idea"] if found.used.is_sample else []
    lines = [
        *banner,
        walk_words.verdict(found, plan),
        f"{walk_words.basis(found)} {walk_words.retention(found, plan)}",
        "",
        *_figure_lines(found),
        "",
        _step_table(found, plan),
        "",
        *_chosen_lines(found, plan),
        "",
        "; ".join(
            f"{name.lower()}: {text}" for name, text in walk_words.conduct(plan, settings).items()
        ),
        *warning_lines(walk_words.problems(found, plan)),
    ]
    return "\n".join(lines)


def _figure_lines(found: WalkForward) -> list[str]:
    lines = [
        f"{name.replace('_', ' ')}: {multiple(figures['total_return'])} the money, "
        f"{walk_words.figure('cagr', figures['cagr'])} per year, Sharpe ratio "
        f"{walk_words.figure('sharpe_ratio', figures['sharpe_ratio'])}, worst drawdown "
        f"{walk_words.figure('max_drawdown', figures['max_drawdown'])}"
        for name, figures in found.figures.items()
    ]
    return [*lines, *filter(None, [walk_words.undefined_text(found)])]


def _step_table(found: WalkForward, plan: Plan) -> str:
    objective = plan.settings.objective
    rows = [
        {
            "traded on": walk_words.span(step.window.test_start, step.window.test_end),
            "in sample": walk_words.figure(objective, step.in_sample),
            "out of sample": walk_words.figure(objective, step.out_of_sample),
            "median": walk_words.figure(objective, step.median),
            "rank": walk_words.share(step.rank),
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
    names = walk_words.setting_names(plan.keys)
    lines = []
    for step in found.steps:
        values = [f"{names[key]} {value_text(value)}" for key, value in step.values.items()]
        chosen = f"trial {step.trial}: {', '.join(values)}" if values else "nothing: in cash"
        lines.append(f"chosen for {walk_words.day(step)}: {chosen}")
    stable = ", ".join(
        f"{names[key]} {walk_words.share(own)}" for key, own in found.stability().items()
    )
    return [*lines, f"Choices that took the most frequent value: {stable}."]
