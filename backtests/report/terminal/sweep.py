"""A sweep on the terminal, as text: the verdict, the best rows, and what they are worth."""

import textwrap
from collections.abc import Sequence
from typing import Final

import pandas as pd

from backtests.report.words import notation as written
from backtests.report.words import sweep as words
from backtests.report.words.labels import list_words, names, notation
from backtests.search.bars import UsedBars
from backtests.search.judging.judgement import Judgement
from backtests.search.outcomes import Outcome, best_outcomes
from backtests.search.plan import Plan
from backtests.search.space import value_text
from backtests.search.store import Store

TOP: Final = 5
WIDTH: Final = 100
FIGURES: Final = ("cagr", "max_drawdown", "trades")


def summary_text(store: Store, judgement: Judgement | None, used: UsedBars) -> str:
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
        *(words.lines(judgement) if judgement else [words.UNJUDGED]),
        "",
        *([] if store.has_all_rows else textwrap.wrap(words.rows_kept(plan.trials), WIDTH)),
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
