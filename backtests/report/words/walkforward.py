"""What a walk-forward says in words and written figures, for the terminal and the page alike."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.config.config import ALTS
from backtests.report.words import notation
from backtests.report.words import notation as written
from backtests.report.words.labels import FIGURES, names, title
from backtests.report.words.notation import count_noun, standing
from backtests.search.plan import Plan
from backtests.search.walkforward.walk import WalkForward, WalkStep
from backtests.search.walkforward.windows import WindowSettings

UNKNOWN: Final = "n/a"
UNDEFINED: Final = "no growth is defined"
PAST_TENSE: Final = {"beats": "beat", "trails": "trailed", "equals": "equalled"}
FEW: Final = 10

TERMS: Final = {
    "Trial": "One set of values for all settings that vary.",
    "Step": "One choice on past days and the days after it on which that choice is traded; days "
    "traded are separate, but days chosen on overlap, so choices are not wholly independent.",
    "In sample": "The days a choice was made on; the best of many always looks good there.",
    "Out of sample": "The days after, which the choice could not know.",
    "Traded nothing": "A trial without a trade counts as what cash is worth, a ratio of 0; it "
    "cannot be chosen, because it has shown nothing.",
    "Median": "The figure out of sample that half of all trials exceed: what a blind pick gets.",
    "Rank": "The share of the other trials that the chosen one is ahead of out of sample, equals "
    "counting half; 50 % is what a blind pick gets on average.",
    "Promised": "The mean of the chosen figure in sample, each step weighted by the days it was "
    "then traded.",
    "Kept": "The same figure of all days traded, put together to one account.",
    "Embargo": "Days before each test that are not chosen on, so that nothing of them reaches "
    "into the test.",
    "Each step's start": "A step opens in the state its rule would be in: in the market at the "
    "first open, bought there with costs, if a window is live. What it still holds on its last day "
    "is sold at the close, with costs.",
}


def verdict(found: WalkForward, plan: Plan) -> str:
    """Return whether choosing on the past beat buy-and-hold, by how much and how deep it fell."""
    own, held = found.figures["walk_forward"], found.figures["buy_and_hold"]
    days = _days(found)
    growths = [notation.growth_of(figures, days=days) for figures in (own, held)]
    if not found.traded:
        return (
            f"Choosing on the past traded nothing, so it says nothing about the choice; holding "
            f"{traded_text(plan)} {notation.growth_phrase(growths[1], days=days)}."
        )
    gap = growths[0] - growths[1]
    if np.isnan(gap):
        coin = traded_text(plan)
        return f"Choosing on the past cannot be compared with holding {coin}: {UNDEFINED}."
    word = PAST_TENSE[standing(*growths)]
    by = f" by {notation.gap_in_words(gap, days=days)}" if gap else ""
    money = (
        f" ({written.multiple(own['total_return'])} against "
        f"{written.multiple(held['total_return'])} the money)"
    )
    return (
        f"Choosing on the past {word} holding {traded_text(plan)}{by}: "
        f"{written.percent(growths[0])} against {notation.rate(growths[1], days=days)}"
        f"{money if notation.is_annual(days) else ' in less than a year'}, with a worst drawdown "
        f"of {figure('max_drawdown', own['max_drawdown'])} against "
        f"{figure('max_drawdown', held['max_drawdown'])}."
    )


def _days(found: WalkForward) -> float:
    """Return the days from the first bar traded on to the last."""
    times = found.returns.index
    return float((times[-1] - times[0]) / pd.Timedelta(days=1)) + 1


def basis(found: WalkForward) -> str:
    """Return how many steps the verdict rests on, and how many of them say anything."""
    steps, idle = len(found.steps), len(found.steps) - len(found.traded)
    ahead = sum(step.gain > step.held for step in found.steps)
    tested = steps - idle
    nothing = (
        f", but {idle} of them traded nothing, so that {count_noun(tested, 'choice')} "
        f"{'was' if tested == 1 else 'were'} put to the test"
        if idle
        else ""
    )
    few = " So few say little." if tested < FEW else ""
    return (
        f"This rests on {steps} steps on separate days{nothing}; {ahead} of the {steps} ended "
        f"ahead of holding.{few}"
    )


def retention(found: WalkForward, plan: Plan) -> str:
    """Return how much was left of what the choices promised."""
    name, judged = plan.settings.objective, found.efficiency
    promised = (
        f"In sample the choices promised a {title(name)} of {figure(name, judged.promised)} on "
        "average"
    )
    if judged.reason:
        return f"{promised}; which share of it was kept is {UNKNOWN}: {judged.reason}."
    became = f"{promised}; out of sample it was {figure(name, judged.kept)}"
    if not found.traded:
        return f"{became}: none of it was left, because nothing was traded."
    if judged.share < 0:
        return f"{became}: none of it was left, it turned into a loss."
    if judged.share > 1:
        return f"{became}: more than was promised."
    return f"{became}: {judged.share * 100:.0f} % of it was left."


def undefined_text(found: WalkForward) -> str:
    """Return why the walk has no Sharpe ratio; empty where it has one."""
    if np.isfinite(found.figures["walk_forward"]["sharpe_ratio"]):
        return ""
    return f"The walk's Sharpe ratio is {UNKNOWN}, because its returns never varied."


def conduct(plan: Plan, settings: WindowSettings) -> dict[str, str]:
    """Return how the walk was done, by the name of each part."""
    train = count_noun(settings.train_days, "day")
    best = "shallowest" if plan.settings.objective == "max_drawdown" else "highest"
    return {
        "Windows": "anchored: every choice looks back to the first day"
        if settings.anchored
        else f"rolling: every choice looks back {train}",
        "Chosen on": f"at least {train}" if settings.anchored else train,
        "Traded on": f"{count_noun(settings.test_days, 'day')} after, perhaps fewer in the last "
        "step",
        "Embargo": f"{count_noun(settings.embargo_days, 'day')} before each test not chosen on"
        if settings.embargo_days
        else "none, 0 days",
        "Chosen from": f"{count_noun(plan.trials, 'trial')} ({plan.settings.search})",
        "Objective": f"the {best} {title(plan.settings.objective)} in sample",
    }


def problems(found: WalkForward, plan: Plan) -> list[str]:
    """Return all warnings: of the bars, of trials that failed, of steps without a choice."""
    empty = [day(step) for step in found.steps if step.trial is None]
    cash = (
        f"no trial had traded with a defined {title(plan.settings.objective)} before "
        f"{', '.join(empty)}: nothing was chosen and the days after spent in cash"
    )
    return [*found.used.warnings, *_failures(found, plan), *([cash] if empty else [])]


def _failures(found: WalkForward, plan: Plan) -> list[str]:
    """Return how many trials failed, and why most of them did, or nothing."""
    if not found.failures:
        return []
    (reason, _), *_ = found.failures.most_common(1)
    tries = 2 * len(found.steps) * plan.trials
    return [
        f"{found.failures.total():,} of {tries:,} tries of a trial on a window failed and were "
        f"left out, the most frequent reason: {reason}"
    ]


def day(step: WalkStep) -> str:
    """Return the day a step begins to trade."""
    return written.date(step.window.test_start)


def span(first: Any, last: Any) -> str:
    """Return two dates as one text."""
    return f"{written.date(first)} to {written.date(last)}"


def traded_text(plan: Plan) -> str:
    """Return what people call what is traded."""
    return "the altcoin basket" if plan.base.asset == ALTS else plan.base.asset


def figure(name: str, value: float) -> str:
    """Return a figure as it is printed, `UNKNOWN` where it is undefined."""
    return FIGURES[name].text(value) if np.isfinite(value) else UNKNOWN


def share(fraction: float) -> str:
    """Return a share in whole percent."""
    return written.percent(fraction, decimals=0) if np.isfinite(fraction) else UNKNOWN


def setting_names(keys: Sequence[str]) -> dict[str, str]:
    """Return each setting's name in words."""
    return {key: name.clear for key, name in names(keys).items()}
