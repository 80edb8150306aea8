"""The position rule: one step function, called by every engine when a coin's bar ends.

Everything here is a number or a tuple of numbers, and nothing is changed in place, so that
the same function can be compiled.
"""

import math
import threading
from typing import Final, NamedTuple

import numpy as np

from feeds.arrays import Integers
from strategies.registry import built_in, trigger_parts
from strategies.rule_settings import RuleSettings
from strategies.signals import IndexSignals

NONE: Final = -1  # no session

STAY: Final = 0
ENTER: Final = 1
EXIT_WINDOW: Final = 2
EXIT_SUPPORT_LOST: Final = 3
EXIT_STOP_LOSS: Final = 4
EXIT_TRAILING_STOP: Final = 5
EXIT_INDEX_DRAWDOWN: Final = 6
EXIT_FILTER: Final = 7

EXIT_REASONS: Final = {
    EXIT_WINDOW: "window",
    EXIT_SUPPORT_LOST: "support_lost",
    EXIT_STOP_LOSS: "stop_loss",
    EXIT_TRAILING_STOP: "trailing_stop",
    EXIT_INDEX_DRAWDOWN: "index_drawdown",
    EXIT_FILTER: "filter",
}

TRIGGER_KINDS: Final = {1: "new_high", 2: "breakout", 3: "support_held"}

# codes from here on are of own signals and exits, in the order in which they are met
FIRST_OWN: Final = 1_000
_own: Final[dict[int, str]] = {}
_lock: Final = threading.Lock()

_DAY: Final = 86_400.0


class Rule(NamedTuple):
    """When to be in the market; a stop of 0 is off."""

    hold_seconds: float  # inf: until an exit
    exit_on_support_lost: bool
    stop_loss: float
    trailing_stop: float
    index_drawdown: float


class Moment(NamedTuple):
    """What is known when a coin's bar ends."""

    time: float  # that instant, seconds since 1970, UTC
    close: float  # of the coin; of a basket, its level since entry
    index_close: float  # of the latest index session known, NaN before the first
    session: int  # number of that session, NONE before the first
    trigger_session: int  # the trigger that takes effect with this bar, else NONE
    lost_session: int  # the lost support that becomes known with this bar, else NONE
    gate: bool  # whether the filters let an entry pass
    leave: int  # EXIT_FILTER, or an own exit as -`code_of` it, where one wants out, else STAY


class State(NamedTuple):
    """What the rule remembers from one bar to the next."""

    window_end: float = -np.inf  # seconds since 1970; in the market while before it
    blocked_through: int = NONE  # triggers up to this session no longer count
    highest_close: float = -np.inf  # of the coin since entry
    index_high: float = -np.inf  # highest index close since entry


def rule_of(settings: RuleSettings) -> Rule:
    """Return the numbers `step` works with."""
    return Rule(
        hold_seconds=settings.hold_days * _DAY if settings.hold_days else np.inf,
        exit_on_support_lost=settings.exit_on_support_lost,
        stop_loss=settings.stop_loss,
        trailing_stop=settings.trailing_stop,
        index_drawdown=settings.index_drawdown,
    )


def code_of(name: str) -> int:
    """Return the number of a kind of trigger or an exit by its name, the same in one process.

    Those of own signals and exits are given when they are first asked for.
    """
    for codes in (TRIGGER_KINDS, _own):
        for code, known in codes.items():
            if known == name:
                return code
    with _lock:
        return next((code for code, own in _own.items() if own == name), None) or _new_code(name)


def _new_code(name: str) -> int:
    code = FIRST_OWN + len(_own)
    _own[code] = name
    return code


def own_name(code: int) -> str:
    """Return the name of an own signal or exit by its number."""
    return _own[code]


def triggers(signals: IndexSignals, *, trigger: str) -> Integers:
    """Return the kind of trigger on each session (see `code_of`), 0 where there is none.

    Of several, a session on which more than one fires counts as the last of them: with "any",
    that is `support_held`, the rarer. Where all must fire their names are one kind.
    """
    how, names = trigger_parts(trigger)
    kinds = np.zeros(signals.new_high.size, np.int64)
    if how == "all":
        together = np.logical_and.reduce([signals.event(name) for name in names])
        return np.where(together, code_of(" and ".join(names)), kinds)
    for name in names:
        kinds[signals.event(name)] = code_of(name)
    return kinds


def step(rule: Rule, state: State, moment: Moment, entry_price: float) -> tuple[State, int]:
    """Judge the bar that just ended; the answer is carried out at the next bar's open.

    Parameters
    ----------
    entry_price
        The price paid for the open position, NaN when there is none.

    Returns
    -------
    The new state, and STAY, ENTER or one of the EXIT codes.
    """
    blocked = state.blocked_through
    lost = rule.exit_on_support_lost and moment.lost_session > NONE
    if lost:
        blocked = max(blocked, moment.lost_session)
    flat = math.isnan(entry_price)
    triggered = moment.trigger_session > blocked and (moment.gate or not flat)
    window_end = moment.time + rule.hold_seconds if triggered else state.window_end

    if flat:
        if lost and not triggered:
            window_end = -np.inf
        action = ENTER if moment.time < window_end else STAY
        return State(window_end, blocked, -np.inf, moment.index_close), action

    highest = max(state.highest_close, moment.close)
    index_high = max(state.index_high, moment.index_close)
    if lost and not triggered:
        action = EXIT_SUPPORT_LOST
    elif moment.leave != STAY:
        action = moment.leave
    else:
        action = _stop(rule, moment, entry_price, highest, index_high)
    if action == STAY:
        action = EXIT_WINDOW if moment.time >= window_end else STAY
    else:
        window_end = -np.inf
        blocked = max(blocked, moment.session)
    return State(window_end, blocked, highest, index_high), action


def _stop(rule: Rule, moment: Moment, entry_price: float, highest: float, index_high: float) -> int:
    if stop_loss(rule, moment, entry_price):
        return EXIT_STOP_LOSS
    if trailing_stop(rule, moment, highest):
        return EXIT_TRAILING_STOP
    if index_drawdown(rule, moment, index_high):
        return EXIT_INDEX_DRAWDOWN
    return STAY


@built_in("exit", "stop_loss", settings=("rules.stop_loss",))
def stop_loss(rule: Rule, moment: Moment, entry_price: float) -> bool:
    """Sell when the coin closes this fraction below the price paid."""
    return rule.stop_loss > 0 and moment.close <= entry_price * (1 - rule.stop_loss)


@built_in("exit", "trailing_stop", settings=("rules.trailing_stop",))
def trailing_stop(rule: Rule, moment: Moment, highest: float) -> bool:
    """Sell when the coin closes this fraction below its highest close since entry."""
    return rule.trailing_stop > 0 and moment.close <= highest * (1 - rule.trailing_stop)


@built_in("exit", "index_drawdown", settings=("rules.index_drawdown",))
def index_drawdown(rule: Rule, moment: Moment, index_high: float) -> bool:
    """Sell when the index closes this fraction below its highest close since entry."""
    return rule.index_drawdown > 0 and moment.index_close <= index_high * (1 - rule.index_drawdown)
