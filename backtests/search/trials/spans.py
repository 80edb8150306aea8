"""When a trial is in the market: spans of bars, from the shared events of its signals."""

from typing import Final, NamedTuple

import numpy as np

from backtests.engines.compiled import step
from backtests.engines.compiling import compile_function
from backtests.search.trials.ranges import TrialTape, stopped
from feeds.arrays import Flags, Floats, Integers
from strategies.position_rule import ENTER, NONE, STAY, Moment, Rule, State

LEAD: Final = ("bar_end", "trigger_session", "lost_session", "gate")


class TrialEvents(NamedTuple):
    """The bars on which a signal arrives, for all groups of trials in one array.

    Group g owns `bar[offset[g]:offset[g + 1]]` (ascending), with the session that triggers
    there and the one that lost support, else NONE. It trades bars `first[g]` to
    `stop[g]` - 1. `lead`, shape (groups, len(LEAD), rows), is what came before the first bar.
    """

    bar: Integers
    trigger: Integers
    lost: Integers
    time: Floats  # when the bar ends
    before: Floats  # when the bar before it ended
    offset: Integers
    lead: Floats
    first: Integers
    stop: Integers


class Trials(NamedTuple):
    """What each trial does with its group's signals, shape (trials,) each."""

    group: Integers
    hold_seconds: Floats
    exit_on_support_lost: Flags
    stop_loss: Floats
    trailing_stop: Floats
    index_drawdown: Floats
    commission: Floats
    slippage: Floats
    impact: Floats  # its coefficient, 0 for none; the kernel charges none
    initial_cash: Floats
    weight: Integers  # a row of the weights, NONE for all of equity always


class Trial(NamedTuple):
    """One trial: where its events are, which bars it trades, what it does.

    `window_end` and `blocked` are what its rule remembers when the first bar of all opens.
    """

    window_end: float
    blocked: int
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


def _trial_at(events: TrialEvents, trials: Trials, number: int) -> Trial:
    """Return one trial out of many."""
    group, rule = trials.group[number], rule_at(trials, number)
    state = State(-np.inf, NONE, -np.inf, -np.inf)
    for row in range(events.lead.shape[2]):
        time, trigger, lost, gate = events.lead[group, :, row]
        moment = Moment(time, np.nan, np.nan, NONE, int(trigger), int(lost), gate > 0, False)
        state, _ = step(rule, state, moment, np.nan)
    return Trial(
        state.window_end,
        state.blocked_through,
        events.offset[group],
        events.offset[group + 1],
        events.first[group],
        events.stop[group],
        rule,
        trials.commission[number],
        trials.slippage[number],
        trials.initial_cash[number],
    )


def _first_end(tape: TrialTape, time: float, first: int, stop: int) -> int:
    """Return the first bar from `first` on that ends at `time` or later; `stop` if none does."""
    bar_end = tape.bar_end
    if bar_end[stop - 1] < time:
        return stop
    # bars are evenly spaced but for gaps: the guess is right or too late by what is missing
    bar = first + int((time - bar_end[first]) / (bar_end[first] - tape.time[first]))
    bar = max(first, min(bar, stop - 1))
    while bar_end[bar] < time:
        bar += 1
    while bar > first and bar_end[bar - 1] >= time:
        bar -= 1
    return bar


class TrialSpan(NamedTuple):
    """A span being followed, and where its trial is among its events."""

    at: int  # the next event
    blocked: int  # the session through which triggers no longer count
    entry: int  # the first bar held; the trial's `stop` if there is none
    window_end: float


def _open(tape: TrialTape, events: TrialEvents, trial: Trial) -> TrialSpan:
    """Return the span that is open when the first bar of all opens, or the first after it."""
    span = TrialSpan(trial.events_from, trial.blocked, 0, trial.window_end)
    return span if tape.time[0] < trial.window_end else entered(events, trial, span)


def _enter(events: TrialEvents, trial: Trial, span: TrialSpan) -> TrialSpan:
    """Return the span that the next trigger opens."""
    at, blocked = span.at, span.blocked
    while at < trial.events_to:
        if trial.rule.exit_on_support_lost and events.lost[at] > blocked:
            blocked = events.lost[at]
        at += 1
        if events.trigger[at - 1] > blocked:
            window_end = events.time[at - 1] + trial.rule.hold_seconds
            return TrialSpan(at, blocked, events.bar[at - 1] + 1, window_end)
    return TrialSpan(at, blocked, trial.stop, -np.inf)


# Both functions named spans return how many there are, after filling `spans` with the first bar
# held and the bar of the sale; a span still open at the end has `stop` as the bar of its sale.
# They follow the rule from the first bar of all. Where it is in the market when trading begins,
# the trial buys at that bar's open, and its stops measure from there.


def _spans_between_events(
    tape: TrialTape, events: TrialEvents, trial: Trial, spans: Integers
) -> int:
    """Find the spans of a rule that holds all or nothing: from event to event, stops looked up."""
    stop, first, rule, count = trial.stop, trial.first, trial.rule, 0
    has_stops = rule.stop_loss > 0 or rule.trailing_stop > 0 or rule.index_drawdown > 0
    span = opened(tape, events, trial)
    while span.entry < stop:
        at, blocked, decided = held(tape, events, trial, span, stop)
        if has_stops:
            end = min(decided + 1, stop)
            exit_bar = own_stop(tape, trial, span.entry, end)
            if exit_bar < end:
                # only what was known by then counts: a later trigger is for a later span
                at, blocked, _ = held(tape, events, trial, span, exit_bar)
                blocked = max(blocked, tape.session[exit_bar])
                decided = exit_bar
        if decided >= first:
            spans[count, 0] = max(span.entry, first)
            spans[count, 1] = min(decided + 1, stop)
            count += 1
        span = entered(events, trial, TrialSpan(at, blocked, stop, -np.inf))
    return count


def _own_stop(tape: TrialTape, trial: Trial, entry: int, end: int) -> int:
    """Return the bar before `end` on which a span is stopped out, `end` if there is none.

    Before trading begins by the entry of the rule, from then on by the trial's own.
    """
    paid = 1 + trial.slippage
    if entry < trial.first:
        last = min(end, trial.first)
        bar = stopped(tape, trial.rule, entry, last, tape.open[entry] * paid)
        if bar < last or end <= trial.first:
            return bar
        entry = trial.first
    return stopped(tape, trial.rule, entry, end, tape.open[entry] * paid)


def _hold(
    tape: TrialTape, events: TrialEvents, trial: Trial, span: TrialSpan, through: int
) -> tuple[int, int, int]:
    """Follow a span from event to event through a bar, without its stops.

    Return the next event and the session triggers are blocked through as the span leaves
    them, and the bar that decides to leave.
    """
    at, blocked, entry, window_end = span
    last, heeds_lost, hold = (
        trial.events_to,
        trial.rule.exit_on_support_lost,
        trial.rule.hold_seconds,
    )
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
    return at, blocked, first_end(tape, window_end, entry, trial.stop)


def _spans_bar_by_bar(
    tape: TrialTape, events: TrialEvents, trial: Trial, spans: Integers, weight: Floats
) -> int:
    """Find the spans of any rule: ask the step function on every bar of a span.

    `weight` is that of an entry at each bar's open, NaN where none can be made.
    """
    at, stop, count, begin, bar = trial.events_from, trial.stop, 0, 0, 0
    state = State(trial.window_end, trial.blocked, -np.inf, tape.index_known[0])
    entry_price = np.nan
    planned = possible(ENTER if tape.time[0] < trial.window_end else STAY, weight, 0)
    while bar < stop:
        if planned == ENTER:
            entry_price, begin = tape.open[bar] * (1 + trial.slippage), bar
        elif planned != STAY:
            entry_price = np.nan
            if bar > trial.first:
                spans[count, 0], spans[count, 1] = begin, bar
                count += 1
        if bar == trial.first and begin < bar:
            state, entry_price = owned(tape, trial, state, entry_price * weight[bar])
            begin = bar
        here = at < trial.events_to and events.bar[at] == bar
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
        state, planned = step(trial.rule, state, moment, entry_price)
        bar += 1
        planned = possible(planned, weight, bar)
        if planned == STAY and np.isnan(entry_price) and tape.bar_end[bar - 1] >= state.window_end:
            # nothing held and no window open: nothing happens until the next event
            bar = events.bar[at] if at < trial.events_to else stop
    if not np.isnan(entry_price):
        spans[count, 0], spans[count, 1] = begin, stop
        count += 1
    return count


def _possible(planned: int, weight: Floats, bar: int) -> int:
    """Return what is planned for a bar's open, but no entry where its weight is unknown."""
    is_unknown = planned == ENTER and bar < weight.size and np.isnan(weight[bar])
    return STAY if is_unknown else planned


def _own(tape: TrialTape, trial: Trial, state: State, held: float) -> tuple[State, float]:
    """Return state and entry price of the trial's own position where trading begins.

    There is none if `held` is NaN.
    """
    first = trial.first
    own = State(state.window_end, state.blocked_through, -np.inf, tape.index_known[first])
    price = tape.open[first] * (1 + trial.slippage)
    return own, np.nan if np.isnan(held) else price


rule_at = compile_function(_rule_at, is_inlined=True)
trial_at = compile_function(_trial_at, is_inlined=True)
first_end = compile_function(_first_end, is_inlined=True)
entered = compile_function(_enter, is_inlined=True)
opened = compile_function(_open, is_inlined=True)
own_stop = compile_function(_own_stop, is_inlined=True)
possible = compile_function(_possible, is_inlined=True)
owned = compile_function(_own, is_inlined=True)
held = compile_function(_hold, is_inlined=True)
spans_between_events = compile_function(_spans_between_events, is_inlined=True)
spans_bar_by_bar = compile_function(_spans_bar_by_bar, is_inlined=True)
