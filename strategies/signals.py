"""Signals of the index: pure functions of its sessions, arrays in, arrays out.

A value at session t depends on sessions up to t only. Prices are split-adjusted but never
dividend-adjusted, because adjusting for dividends rewrites old highs.

Support is followed session by session, one broken level at a time, with nothing but numbers,
arrays and tuples of numbers, so that the same source runs as it stands and compiled.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from feeds.arrays import Flags, Floats
from strategies.registry import built_in
from strategies.rule_settings import SignalSettings

Lookback = int | Literal["all"]
SUPPORT_KEYS: Final = ("tolerance", "confirm", "window", "retest", "clearance")


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


@dataclass(frozen=True, slots=True)
class IndexSignals:
    """All signals of one index, each an array of shape (sessions,).

    `prior_high` and `resistance_age` are NaN until defined; `support_level` is the level
    under test or held at a session's end, NaN where there is none. `own` are the signals of
    plug-ins that the config uses, by name.
    """

    prior_high: Floats
    resistance_age: Floats
    new_high: Flags
    breakout: Flags
    support_level: Floats
    support_held: Flags
    support_lost: Flags
    own: Mapping[str, Flags] = field(default_factory=dict)

    def event(self, name: str) -> Flags:
        """Return where an event falls, by the name it is registered under."""
        found: Flags = self.own[name] if name in self.own else getattr(self, name)
        return found


def index_signals(
    *, close: Floats, low: Floats, settings: SignalSettings, follow: Follow = follow_support
) -> IndexSignals:
    """Return every signal of an index from its closes and lows, shape (sessions,) each.

    `follow` is `follow_support` or the same compiled.
    """
    high, age = prior_high(close, lookback=settings.lookback, min_history=settings.min_history)
    record = new_high(close, prior_high=high)
    broken = breakout(record, resistance_age=age, base=settings.base)
    level, held, lost = support(
        close, low, breakout=broken, prior_high=high, settings=settings, follow=follow
    )
    return IndexSignals(high, age, record, broken, level, held, lost)


def prior_high(
    close: Floats, *, lookback: Lookback, min_history: int = 252
) -> tuple[Floats, Floats]:
    """Return the highest close of the sessions before each, and its age.

    Parameters
    ----------
    close
        Closes, shape (sessions,).
    lookback
        How many sessions before t count, or "all" of them.
    min_history
        With "all", how many sessions must exist before the high is defined.

    Returns
    -------
    The high, in price units, and the sessions from the latest session that closed at it to
    t (at least 1); both NaN until `lookback` (or `min_history`) sessions exist.
    """
    if lookback == "all":
        return _highest_ever(close, min_history)
    high = np.full(close.size, np.nan)
    age = np.full(close.size, np.nan)
    if close.size > lookback:
        # reversed, so that the first maximum found is the latest session at that close
        windows = sliding_window_view(close, lookback)[:-1, ::-1]
        back = windows.argmax(axis=1)
        high[lookback:] = windows[np.arange(back.size), back]
        age[lookback:] = back + 1
    return high, age


def _highest_ever(close: Floats, min_history: int) -> tuple[Floats, Floats]:
    running = np.maximum.accumulate(close)
    sessions = np.arange(close.size)
    latest = np.maximum.accumulate(np.where(close == running, sessions, 0))
    high = np.full(close.size, np.nan)
    age = np.full(close.size, np.nan)
    high[min_history:] = running[min_history - 1 : -1]
    age[min_history:] = (sessions[1:] - latest[:-1])[min_history - 1 :]
    return high, age


@built_in("signal", "new_high", settings=("signal.lookback", "signal.min_history"))
def new_high(close: Floats, *, prior_high: Floats) -> Flags:
    """Return where the close is above the prior high; never where that is undefined."""
    return close > prior_high


@built_in("signal", "breakout", settings=("signal.base",))
def breakout(new_high: Flags, *, resistance_age: Floats, base: int) -> Flags:
    """Return where a new high breaks a resistance at least `base` sessions old."""
    return new_high & (resistance_age >= base)


def support(
    close: Floats,
    low: Floats,
    *,
    breakout: Flags,
    prior_high: Floats,
    settings: SignalSettings,
    follow: Follow = follow_support,
) -> tuple[Floats, Flags, Flags]:
    """Follow each broken resistance until it is held as support, fails, lapses or is lost.

    From the session after a breakout its level R is under test. Each session, in order: a
    close below R(1 - tolerance) ends it (and is `support_lost` if R was held); with
    `retest`, a touch of R is awaited after a close at R(1 + clearance) or more; `confirm`
    consecutive closes at R or above make it held; `window` sessions without that let it
    lapse. A later breakout replaces R.

    Returns
    -------
    The level under test or held at each session's end (NaN where none), `support_held` and
    `support_lost`, shape (sessions,) each.
    """
    rule = SupportRule(
        tolerance=settings.tolerance,
        clearance=settings.clearance,
        confirm=settings.confirm,
        window=settings.window,
        retest=settings.retest,
    )
    return follow(close, low, breakout, prior_high, rule)


@built_in("signal", "support_held", settings=tuple(f"signal.{key}" for key in SUPPORT_KEYS))
def support_held(signals: IndexSignals) -> Flags:
    """Return where a broken resistance has held as support, see `support`."""
    return signals.support_held


@built_in("signal", "support_lost", settings=("signal.tolerance",), only_event=True)
def support_lost(signals: IndexSignals) -> Flags:
    """Return where a support that was held is lost, see `support`."""
    return signals.support_lost


@built_in("signal", "relative_high", only_event=True)
def relative_high(close: Floats, *, prior_high: Floats) -> Flags:
    """Return where the ratio to the S&P 500 closes above its highest of a year."""
    return close > prior_high
