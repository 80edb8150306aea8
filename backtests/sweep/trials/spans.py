"""When a trial is in the market: spans of bars, from the shared events of its signals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backtests.compiled import compiled
from backtests.fast import step
from backtests.sweep.trials.ranges import Floats, Integers, Tape
from backtests.sweep.trials.stops import stopped
from strategies.rules import ENTER, NONE, STAY, Moment, Rule, State


class Events(NamedTuple):
    """The bars on which a signal arrives, for all groups of trials in one array.

    Group g owns `bar[offset[g]:offset[g + 1]]` (ascending), with the session that triggers
    there and the one that lost support, else NONE. It trades bars `first[g]` to
    `stop[g]` - 1.
    """

    bar: Integers
    trigger: Integers
    lost: Integers
    time: Floats  # when the bar ends
    before: Floats  # when the bar before it ended
    offset: Integers
    first: Integers
    stop: Integers


class Trials(NamedTuple):
    """What each trial does with its group's signals, shape (trials,) each."""

    group: Integers
    hold_seconds: Floats
    exit_on_support_lost: NDArray[np.bool_]
    stop_loss: Floats
    trailing_stop: Floats
    index_drawdown: Floats
    commission: Floats
    slippage: Floats
    initial_cash: Floats
    weight: Integers  # a row of the weights, NONE for all of equity always


class Trial(NamedTuple):
    """One trial: where its events are, which bars it trades, what it does."""

    events_from: int
    events_to: int
    first: int
    stop: int
    rule: Rule
    commission: float
    slippage: float
    initial_cash: float


def _rule_at(trials: Trials, number: int) -> Rule:
    """Return the rule of one trial out of many."""
    return Rule(
        trials.hold_seconds[number],
        trials.exit_on_support_lost[number],
        trials.stop_loss[number],
        trials.trailing_stop[number],
        trials.index_drawdown[number],
    )


def _trial_at(events: Events, trials: Trials, number: int) -> Trial:
    """Return one trial out of many."""
    group = trials.group[number]
    return Trial(
        events.offset[group],
        events.offset[group + 1],
        events.first[group],
        events.stop[group],
        rule_at(trials, number),
        trials.commission[number],
        trials.slippage[number],
        trials.initial_cash[number],
    )


def _first_end(bar_end: Floats, time: float, first: int, stop: int) -> int:
    """Return the first bar from `first` on that ends at `time` or later; `stop` if none does."""
    if bar_end[stop - 1] < time:
        return stop
    # bars are evenly spaced but for gaps: the guess is right or too late by what is missing
    bar = first + int((time - bar_end[first]) / (bar_end[first] - bar_end[first - 1]))
    bar = max(first, min(bar, stop - 1))
    while bar_end[bar] < time:
        bar += 1
    while bar > first and bar_end[bar - 1] >= time:
        bar -= 1
    return bar


# Both functions named spans return how many there are, after filling `spans` with the first bar
# held and the bar of the sale; a span still open at the end has `stop` as the bar of its sale.


def _spans_between_events(tape: Tape, events: Events, trial: Trial, spans: Integers) -> int:
    """Find the spans of a rule that holds all or nothing: from event to event, stops looked up."""
    at, last, stop, rule = trial.events_from, trial.events_to, trial.stop, trial.rule
    has_stops = rule.stop_loss > 0 or rule.trailing_stop > 0 or rule.index_drawdown > 0
    blocked, count = NONE, 0
    while at < last:
        if rule.exit_on_support_lost and events.lost[at] > blocked:
            blocked = events.lost[at]
        entry = events.bar[at] + 1
        triggered = events.trigger[at] > blocked
        at += 1
        if not triggered:
            continue
        if entry >= stop:
            break
        before = at, blocked
        at, blocked, decided = held(tape, events, trial, before, stop)
        if has_stops:
            entry_price = tape.open[entry] * (1 + trial.slippage)
            end = min(decided + 1, stop)
            exit_bar = stopped(tape, rule, entry, end, entry_price)
            if exit_bar < end:
                # only what was known by then counts: a later trigger is for a later span
                at, blocked, _ = held(tape, events, trial, before, exit_bar)
                blocked = max(blocked, tape.session[exit_bar])
                decided = exit_bar
        spans[count, 0] = entry
        spans[count, 1] = min(decided + 1, stop)
        count += 1
    return count


def _held(
    tape: Tape, events: Events, trial: Trial, start: tuple[int, int], through: int
) -> tuple[int, int, int]:
    """Follow a span from event to event through a bar, without its stops.

    `start` is the event after the one that triggered, and the session triggers are blocked
    through. Return both as the span leaves them, and the bar that decides to leave.
    """
    at, blocked = start
    last, heeds_lost, hold = (
        trial.events_to,
        trial.rule.exit_on_support_lost,
        trial.rule.hold_seconds,
    )
    entry, window_end = events.bar[at - 1] + 1, events.time[at - 1] + hold
    while at < last and events.before[at] < window_end and events.bar[at] <= through:
        lost = heeds_lost and events.lost[at] > NONE
        if lost and events.lost[at] > blocked:
            blocked = events.lost[at]
        at += 1
        if events.trigger[at - 1] > blocked:
            window_end = events.time[at - 1] + hold
        elif lost:
            decided = events.bar[at - 1]
            return at, max(blocked, tape.session[decided]), decided
        elif events.time[at - 1] >= window_end:
            return at, blocked, events.bar[at - 1]
    return at, blocked, first_end(tape.bar_end, window_end, entry, trial.stop)


def _spans_bar_by_bar(
    tape: Tape, events: Events, trial: Trial, spans: Integers, weight: Floats
) -> int:
    """Find the spans of any rule: ask the step function on every bar of a span.

    `weight` is NaN where no entry can be made.
    """
    at, last, stop, rule = trial.events_from, trial.events_to, trial.stop, trial.rule
    state = State(-np.inf, NONE, -np.inf, -np.inf)
    entry_price, planned, count, bar = np.nan, STAY, 0, stop
    if at < last:
        bar = events.bar[at]
    while bar < stop:
        if planned == ENTER:
            entry_price = tape.open[bar] * (1 + trial.slippage)
            spans[count, 0] = bar
        elif planned != STAY:
            entry_price = np.nan
            spans[count, 1] = bar
            count += 1
        here = at < last and events.bar[at] == bar
        moment = Moment(
            tape.bar_end[bar],
            tape.close[bar],
            tape.index_close[bar],
            tape.session[bar],
            events.trigger[at] if here else NONE,
            events.lost[at] if here else NONE,
            True,  # a config with filters is kept bar by bar elsewhere
            False,
        )
        at += here
        state, planned = step(rule, state, moment, entry_price)
        bar += 1
        if planned == ENTER and np.isnan(weight[bar - 1]):
            planned = STAY
        if planned == STAY and np.isnan(entry_price) and tape.bar_end[bar - 1] >= state.window_end:
            # nothing held and no window open: nothing happens until the next event
            bar = events.bar[at] if at < last else stop
    if not np.isnan(entry_price):
        spans[count, 1] = stop
        count += 1
    return count


rule_at = compiled(_rule_at, is_inlined=True)
trial_at = compiled(_trial_at, is_inlined=True)
first_end = compiled(_first_end, is_inlined=True)
held = compiled(_held, is_inlined=True)
spans_between_events = compiled(_spans_between_events, is_inlined=True)
spans_bar_by_bar = compiled(_spans_bar_by_bar, is_inlined=True)
