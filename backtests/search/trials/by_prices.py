"""Trials whose positions are all of equity, added up from running sums of prices, compiled.

What a span brings does not depend on costs: it is looked up once, and every trial that is in the
market at the same time adds it up at its own.
"""

from typing import Final, NamedTuple

import numpy as np

from backtests.engines.compile_cache import compile_function
from backtests.search.trials.figure_sums import Counted, Sums, added, flat
from backtests.search.trials.range_tables import TrialTape, spanned
from backtests.search.trials.trial_events import Trial
from feeds.arrays import Floats, Integers

# The columns of what a span brings.
PER_OPEN: Final = 0  # 1 / open of the first bar,
CLOSE: Final = 1  # its close,
LOWEST: Final = 2  # the lowest and the highest close,
HIGHEST: Final = 3
DEEPEST: Final = 4  # the lowest over the highest before it
RETURNS: Final = 5  # running sums at the last close, and from 8 on at the first
SQUARES: Final = 6
LOSSES: Final = 7
BEGUN: Final = 8
LAST_CLOSE: Final = 11
SOLD: Final = 12  # open of the sale, NaN where there is none,
OVERNIGHT: Final = 13  # and over the close before it
WAITED: Final = 14  # what cash grew to between the sale before and the first bar,
GAP: Final = 15  # and what it earned right before that, over a gap,
GAP_SOLD: Final = 16  # and before the sale
BROUGHT: Final = 17


class SpanRoom(NamedTuple):
    """Room for the spans of a trial, shape (spans, 3), and what each brings."""

    spans: Integers
    brought: Floats


def _span_room(tape: TrialTape) -> SpanRoom:
    """Return room for as many spans as the bars allow."""
    most = tape.close.size // 2 + 2
    return SpanRoom(np.empty((most, 3), np.int64), np.empty((most, BROUGHT)))


def _look_up(tape: TrialTape, trial: Trial, room: SpanRoom, count: int) -> None:
    """Look up what each span of a trial brings."""
    earns, flat_since = trial.money.bar_interest > 0, tape.time[trial.first]
    for number in range(count):
        entry, sale = room.spans[number, 0], room.spans[number, 1]
        row, last = room.brought[number], sale - 1
        row[PER_OPEN], row[CLOSE] = tape.per_open[entry], tape.close[entry]
        row[LOWEST], row[HIGHEST], row[DEEPEST] = spanned(
            tape.close, tape.table, tape.level, entry, last
        )
        row[RETURNS], row[BEGUN] = tape.returns[last], tape.returns[entry]
        row[SQUARES], row[BEGUN + 1] = tape.squares[last], tape.squares[entry]
        row[LOSSES], row[BEGUN + 2] = tape.losses[last], tape.losses[entry]
        row[LAST_CLOSE], row[WAITED], row[GAP] = tape.close[last], 1.0, 0.0
        if earns and entry > trial.first:
            row[WAITED] = np.exp(tape.interest_rate * (tape.bar_end[entry - 1] - flat_since))
            row[GAP] = tape.gap_interest[entry]
        row[SOLD] = np.nan
        if sale < trial.stop:
            row[SOLD], row[OVERNIGHT] = tape.open[sale], tape.overnight[sale]
            row[GAP_SOLD] = tape.gap_interest[sale]
            flat_since = tape.bar_end[sale]


def _hold_whole(tape: TrialTape, trial: Trial, room: SpanRoom, count: int) -> Sums:
    """Add up a trial that always holds all or nothing, from what its spans bring."""
    first, stop, through = trial.first, trial.stop, trial.money.bar_interest
    into = 1 / ((1 + trial.money.slippage) * (1 + trial.money.commission))
    out = (1 - trial.money.slippage) * (1 - trial.money.commission)
    growth, returns, squares, losses = 1.0, 0.0, 0.0, 0.0
    level, deepest = 1.0, 1.0  # equity over its peak so far, and the lowest that was
    held, wins, flat_since = 0, 0, tape.time[first]
    for number in range(count):
        row, sale = room.brought[number], room.spans[number, 1]
        units, gap = into * row[PER_OPEN], row[GAP]
        growth *= row[WAITED]
        level = min(1.0, level * row[WAITED])
        owned = units * (1 + gap)
        deepest = min(deepest, row[DEEPEST], level * owned * row[LOWEST])
        change = row[CLOSE] * owned - 1 - through
        returns += change + row[RETURNS] - row[BEGUN]
        squares += change * change + row[SQUARES] - row[BEGUN + 1]
        loss = min(change - gap * (1 + through), 0.0)
        losses += loss * loss + row[LOSSES] - row[BEGUN + 2]
        held += sale - room.spans[number, 0]
        if sale == stop:
            wins += row[LAST_CLOSE] * units > 1
            growth *= row[LAST_CLOSE] * owned
            flat_since = tape.bar_end[stop - 1]
            break
        change = row[OVERNIGHT] * out * (1 + through) - 1 - through
        returns += change
        squares += change * change
        losses += min(change - row[GAP_SOLD] * (1 + through), 0.0) ** 2
        grown = row[SOLD] * out
        wins += grown * units > 1
        grown *= owned * (1 + through)
        growth *= grown
        level = min(1.0, level * grown / max(1.0, level * owned * row[HIGHEST]))
        deepest = min(deepest, level)
        flat_since = tape.bar_end[sale]
    if through > 0:
        growth *= np.exp(tape.interest_rate * (tape.bar_end[stop - 1] - flat_since))
    counted = Counted(returns, squares, returns, squares, losses)
    if not tape.is_even:
        counted = counted_in(tape, trial, room.spans[:count])
    return Sums(growth, counted, deepest, held, count, wins)


def _counted_in(tape: TrialTape, trial: Trial, spans: Integers) -> Counted:
    """Add up the returns once more, where bars are missing.

    Cash earns while they are, held or not, and a bar after a hole does not count.
    """
    first, stop, through = trial.first, trial.stop, tape.bar_interest
    into = 1 / ((1 + trial.money.slippage) * (1 + trial.money.commission))
    out = (1 - trial.money.slippage) * (1 - trial.money.commission)
    sums = flat(tape, first, stop)
    for number in range(spans.shape[0]):
        entry, sale = spans[number, 0], spans[number, 1]
        gap = tape.gap_interest[entry] if entry > first else 0.0
        if entry == first or not tape.after_hole[entry]:
            change = tape.close[entry] * into * tape.per_open[entry] * (1 + gap) - 1 - through
            sums = added(sums, change, gap * (1 + through))
        last = sale - 1
        sums = Counted(
            sums.returns
            + tape.returns[last]
            - tape.returns[entry]
            - (tape.idle[last] - tape.idle[entry]),
            sums.squares
            + tape.squares[last]
            - tape.squares[entry]
            - (tape.idle_squares[last] - tape.idle_squares[entry]),
            sums.excess + tape.excess[last] - tape.excess[entry],
            sums.excess_squares + tape.excess_squares[last] - tape.excess_squares[entry],
            sums.losses + tape.losses[last] - tape.losses[entry],
        )
        if sale < stop and not tape.after_hole[sale]:
            change = tape.overnight[sale] * out * (1 + through) - 1 - through
            sums = added(sums, change, tape.gap_interest[sale] * (1 + through))
    return sums


span_room = compile_function(_span_room)
counted_in = compile_function(_counted_in, is_inlined=True)
looked_up = compile_function(_look_up, is_inlined=True)
held_whole = compile_function(_hold_whole, is_inlined=True)
