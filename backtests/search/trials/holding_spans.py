"""When a trial is in the market: spans of bars, from the shared events of its signals."""

from typing import NamedTuple

import numpy as np

from backtests.engines.compile_cache import compile_function
from backtests.search.trials.position_paths import Paths, PathStart, stopped_on_path
from backtests.search.trials.range_tables import TrialTape, stopped, stopped_by_index
from backtests.search.trials.trial_events import Trial, TrialEvents
from feeds.arrays import Integers
from strategies.position_rule import NONE


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
    bar: int  # the first bar held, or the one that decides to leave; `stop` if there is none
    window_end: float


def _next_trigger(events: TrialEvents, trial: Trial, span: TrialSpan) -> TrialSpan:
    """Return the span that the next trigger opens which the filters let pass."""
    at, blocked = span.at, span.blocked
    while at < trial.events_to:
        if trial.rule.exit_on_support_lost and events.lost[at] > blocked:
            blocked = events.lost[at]
        at += 1
        if events.trigger[at - 1] > blocked and events.opens[at - 1 + trial.opens_from]:
            window_end = events.time[at - 1] + trial.rule.hold_seconds
            return TrialSpan(at, blocked, events.bar[at - 1] + 1, window_end)
    return TrialSpan(at, blocked, trial.stop, -np.inf)


def _await(
    tape: TrialTape, events: TrialEvents, paths: Paths, trial: Trial, span: TrialSpan
) -> TrialSpan:
    """Return the span from the first bar on that can be bought while its window is open.

    Its bar is the trial's `stop` if there is none.
    """
    at, blocked, bar, window_end = span
    while True:
        entry = paths.possible[bar]
        if at == trial.events_to or events.bar[at] >= entry:
            asked = tape.bar_end[entry - 1] if entry > 0 else tape.time[0]
            is_open = entry < trial.stop and asked < window_end
            return TrialSpan(at, blocked, entry if is_open else trial.stop, window_end)
        lost = trial.rule.exit_on_support_lost and events.lost[at] > NONE
        if lost:
            blocked = max(blocked, events.lost[at])
        at += 1
        if events.trigger[at - 1] > blocked and events.opens[at - 1 + trial.opens_from]:
            window_end = events.time[at - 1] + trial.rule.hold_seconds
        elif lost:
            return TrialSpan(at, blocked, trial.stop, -np.inf)
        bar = events.bar[at - 1] + 1


def _find_spans(
    tape: TrialTape, events: TrialEvents, paths: Paths, trial: Trial, spans: Integers
) -> int:
    """Find the spans of a trial, from event to event, and return how many there are.

    `spans`, shape (spans, 3), is filled with the first bar held, the bar of the sale (`stop`
    for one still open at the end), and for how many bars the rule had been in by then. It is
    followed from the first bar of all. Where it is in the market when trading begins, the trial
    buys at that bar's open, and its stops measure from there.
    """
    stop, first, count = trial.stop, trial.first, 0
    bar = 0 if tape.time[0] < trial.window_end else stop
    span = TrialSpan(trial.events_from, trial.blocked, bar, trial.window_end)
    while True:
        if span.bar >= stop:
            span = next_trigger(events, trial, span)
            if span.bar >= stop:
                return count
        if not is_possible(paths, span.bar):
            span = awaited(tape, events, paths, trial, span)
            continue
        leaves = wanted_out(events, trial, span.bar)
        left = held(tape, events, trial, span, leaves)
        end = min(left.bar + 1, leaves, stop)
        exit_bar = own_stop(tape, paths, trial, span.bar, end)
        # nothing can be bought where trading begins: the rule asks again
        is_barred = span.bar < first <= min(left.bar, exit_bar) and not is_possible(paths, first)
        if exit_bar < end or is_barred:
            # only what was known by then counts: a later trigger is for a later span
            known = held(tape, events, trial, span, first - 1 if is_barred else exit_bar)
            if is_barred:
                span = TrialSpan(known.at, known.blocked, first + 1, known.window_end)
                continue
            left = known
        if exit_bar < min(left.bar + 1, stop):
            blocked = max(left.blocked, tape.session[exit_bar])
            left = TrialSpan(left.at, blocked, exit_bar, -np.inf)
        count += write_span(spans[count], trial, span.bar, left.bar)
        span = TrialSpan(left.at, left.blocked, stop, -np.inf)


def _write_span(row: Integers, trial: Trial, entry: int, decided: int) -> int:
    """Write a span down, and return 1; 0 if it is over before trading begins."""
    if decided < trial.first:
        return 0
    row[0] = max(entry, trial.first)
    row[1] = min(decided + 1, trial.stop)
    row[2] = max(trial.first - entry, 0)
    return 1


def _is_possible(paths: Paths, bar: int) -> bool:
    """Return whether something can be bought at a bar's open."""
    return paths.possible.size == 0 or paths.possible[bar] == bar


def _want_out(events: TrialEvents, trial: Trial, bar: int) -> int:
    """Return the first bar from one on at which a filter or exit wants out, else `stop`."""
    low, high = trial.closed_from, trial.closed_to
    while low < high:
        middle = (low + high) // 2
        if events.closed[middle, 1] > bar:
            high = middle
        else:
            low = middle + 1
    return max(bar, events.closed[low, 0]) if low < trial.closed_to else trial.stop


def _own_stop(tape: TrialTape, paths: Paths, trial: Trial, bar: int, end: int) -> int:
    """Return the bar before `end` on which a span is stopped out, `end` if there is none.

    Its stops measure from the entry of the rule before trading begins, and from then on from the
    trial's own.
    """
    rule, first = trial.rule, trial.first
    if not (rule.stop_loss > 0 or rule.trailing_stop > 0 or rule.index_drawdown > 0):
        return end
    entry, last = PathStart(bar, 0, bar == first, True), min(end, first) if bar < first else end
    while True:
        stopped_at = stop_bar(tape, paths, trial, entry, last)
        if stopped_at < last:
            return stopped_at
        if last == end or not is_possible(paths, first):
            return end
        entry, last = PathStart(first, first - bar, True, True), end


def _stop_bar(tape: TrialTape, paths: Paths, trial: Trial, entry: PathStart, stop: int) -> int:
    """Return the bar before `stop` on which a position is stopped out, `stop` if there is none."""
    rule = trial.rule
    if rule.stop_loss > 0 or rule.trailing_stop > 0:
        if paths.places.size == 0:
            price = tape.open[entry.bar] * (1 + trial.money.slippage)
            stop = stopped(tape, rule, entry.bar, stop, price)
        else:
            stop = stopped_on_path(paths, rule, entry, stop)
    return stopped_by_index(tape, rule, entry.bar, stop) if rule.index_drawdown > 0 else stop


def _hold(
    tape: TrialTape, events: TrialEvents, trial: Trial, span: TrialSpan, through: int
) -> TrialSpan:
    """Follow a span from event to event through a bar, without its stops.

    Return how it is left, its bar the one that decides to leave.
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
            return TrialSpan(at, max(blocked, tape.session[decided]), decided, -np.inf)
        elif events.time[at - 1] >= window_end:
            return TrialSpan(at, blocked, events.bar[at - 1], window_end)
    return TrialSpan(at, blocked, first_end(tape, window_end, entry, trial.stop), window_end)


first_end = compile_function(_first_end, is_inlined=True)
awaited = compile_function(_await, is_inlined=True)
next_trigger = compile_function(_next_trigger, is_inlined=True)
write_span = compile_function(_write_span, is_inlined=True)
is_possible = compile_function(_is_possible, is_inlined=True)
wanted_out = compile_function(_want_out, is_inlined=True)
stop_bar = compile_function(_stop_bar, is_inlined=True)
own_stop = compile_function(_own_stop, is_inlined=True)
held = compile_function(_hold, is_inlined=True)
spans_between_events = compile_function(_find_spans, is_inlined=True)
