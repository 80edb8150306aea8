"""Resistance turned into support: one broken level at a time, followed session by session.

Only numbers, arrays and tuples of numbers, so that the same source runs as it stands and
compiled.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from feeds.arrays import Flags, Floats


class SupportRule(NamedTuple):
    """When a broken resistance is held as support; see `SignalSettings`."""

    tolerance: float
    clearance: float
    confirm: int
    window: int
    retest: bool


class SupportTest(NamedTuple):
    """The one level being followed, NaN when there is none, and what has happened since."""

    level: float
    age: int
    streak: int
    held: bool
    cleared: bool
    touched: bool


Follow = Callable[[Floats, Floats, Flags, Floats, SupportRule], tuple[Floats, Flags, Flags]]


def follow_support(
    close: Floats, low: Floats, breakout: Flags, prior_high: Floats, rule: SupportRule
) -> tuple[Floats, Flags, Flags]:
    """Follow each broken resistance; see `strategies.signals.support`."""
    level = np.full(close.size, np.nan)
    held = np.zeros(close.size, dtype=np.bool_)
    lost = np.zeros(close.size, dtype=np.bool_)
    test = _start(np.nan, rule)
    for t in range(close.size):
        if not math.isnan(test.level):
            was_held = test.held
            test = _follow(test, close[t], low[t], rule)
            held[t] = test.held and not was_held
            lost[t] = was_held and math.isnan(test.level)
        if breakout[t]:
            test = _start(prior_high[t], rule)
        level[t] = test.level
    return level, held, lost


def _start(level: float, rule: SupportRule) -> SupportTest:
    return SupportTest(level, 0, 0, False, False, not rule.retest)


def _follow(test: SupportTest, close: float, low: float, rule: SupportRule) -> SupportTest:
    """Judge one session; a level that failed, lapsed or was lost is NaN afterwards."""
    level = test.level
    if close < level * (1 - rule.tolerance):
        return _start(np.nan, rule)
    if test.held:
        return test
    cleared = test.cleared or bool(close >= level * (1 + rule.clearance))
    touched = test.touched or (cleared and bool(low <= level * (1 + rule.tolerance)))
    streak = test.streak + 1 if touched and close >= level else 0
    held = streak >= rule.confirm
    if not held and test.age + 1 >= rule.window:
        return _start(np.nan, rule)
    return SupportTest(level, test.age + 1, streak, held, cleared, touched)
