"""When a trial is in the market: spans of bars, from the shared events of its signals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backtests.compiled import compiled
from backtests.fast import step
from backtests.sweep.ranges import Floats, Integers, Tape
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


def _trial_at(events: Events, trials: Trials, number: int) -> Trial:
    """Return one trial out of many."""
    group = trials.group[number]
    rule = Rule(
        trials.hold_seconds[number],
        trials.exit_on_support_lost[number],
        trials.stop_loss[number],
        trials.trailing_stop[number],
        trials.index_drawdown[number],
    )
    return Trial(
        events.offset[group],
        events.offset[group + 1],
        events.first[group],
        events.stop[group],
        rule,
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


# Both return how many spans there are, after filling `spans` with the first bar held and
# the bar of the sale; a span still open at the end has `stop` as the bar of its sale.


def _spans_between_events(  # noqa: C901 (one pass over the events; cut up, it is harder to check)
    tape: Tape, events: Events, trial: Trial, spans: Integers
) -> int:
    """Find the spans of a rule without stops: only its events and its window's end matter."""
    at, last, stop = trial.events_from, trial.events_to, trial.stop
    hold, heeds_lost = trial.rule.hold_seconds, trial.rule.exit_on_support_lost
    blocked, count = NONE, 0
    while at < last:
        if heeds_lost and events.lost[at] > blocked:
            blocked = events.lost[at]
        entry = events.bar[at] + 1
        triggered = events.trigger[at] > blocked
        at += 1
        if not triggered:
            continue
        if entry >= stop:
            break
        window_end = events.time[at - 1] + hold
        decided = NONE
        while decided == NONE and at < last and events.before[at] < window_end:
            lost = heeds_lost and events.lost[at] > NONE
            if lost and events.lost[at] > blocked:
                blocked = events.lost[at]
            if events.trigger[at] > blocked:
                window_end = events.time[at] + hold
            elif lost or events.time[at] >= window_end:
                decided = events.bar[at]
                blocked = max(blocked, tape.session[decided]) if lost else blocked
            at += 1
        if decided == NONE:
            decided = first_end(tape.bar_end, window_end, entry, stop)
        spans[count, 0] = entry
        spans[count, 1] = min(decided + 1, stop)
        count += 1
    return count


def _spans_bar_by_bar(
    tape: Tape, events: Events, trial: Trial, spans: Integers, weight: Floats
) -> int:
    """Find the spans of any rule: ask the step function on every bar of a span.

    `weight` is NaN where no entry can be made; empty, there is no such bar.
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
            True,  # a config with filters is run in full
            False,
        )
        at += here
        state, planned = step(rule, state, moment, entry_price)
        bar += 1
        if planned == ENTER and weight.size > 0 and np.isnan(weight[bar - 1]):
            planned = STAY
        if planned == STAY and np.isnan(entry_price) and tape.bar_end[bar - 1] >= state.window_end:
            # nothing held and no window open: nothing happens until the next event
            bar = events.bar[at] if at < last else stop
    if not np.isnan(entry_price):
        spans[count, 1] = stop
        count += 1
    return count


trial_at = compiled(_trial_at)
first_end = compiled(_first_end)
spans_between_events = compiled(_spans_between_events)
spans_bar_by_bar = compiled(_spans_bar_by_bar)
