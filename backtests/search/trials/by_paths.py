"""Trials whose positions have paths, followed from look-up to look-up, compiled."""

from typing import NamedTuple

import numpy as np

from backtests.engines.compile_cache import compile_function
from backtests.search.trials.figure_sums import Counted, Sums, added, flat
from backtests.search.trials.position_paths import (
    BEGUN,
    DEEPEST,
    EQUITY,
    EXCESS_SQUARES,
    HELD,
    HIGHEST,
    IN_CASH,
    LOSSES,
    LOWEST,
    RETURNS,
    SOLD,
    SQUARES,
    TRADES,
    UNCLEAR,
    WINS,
    Paths,
    PathStart,
    sale_found,
)
from backtests.search.trials.range_tables import TrialTape
from backtests.search.trials.trial_events import Trial
from feeds.arrays import Integers
from strategies.orders_and_fills import LAST_DIGITS


class Leg(NamedTuple):
    """An account as far as it has been followed: up to a close, and the open after it."""

    growth: float  # equity at that close over initial cash
    level: float  # and over its peak so far
    opening: float  # cash at that open, when everything was sold, over equity at the close
    in_cash: float  # how much of it was cash before, a fraction
    counted: Counted
    deepest: float
    held: int
    trades: int
    wins: int


def _walk(tape: TrialTape, paths: Paths, trial: Trial, spans: Integers) -> Sums:
    """Add up a trial whose positions have paths: a look-up per span and one between spans."""
    first, stop = trial.first, trial.stop
    leg, here = Leg(1.0, 1.0, 1.0, 0.0, flat(tape, first, stop), 1.0, 0, 0, 0), first
    for number in range(spans.shape[0] + 1):
        is_last = number == spans.shape[0]
        entry = stop if is_last else spans[number, 0]
        if entry > here and paths.idles:
            idle = PathStart(here, 0, here == first, False)
            leg = followed(tape, paths, leg, idle, sale_found(paths, idle, entry)[0])
        elif entry > here:
            leg = rested(tape, trial, leg, here, entry)
        if not is_last:
            held = PathStart(entry, spans[number, 2], entry == first, True)
            row, here = sale_found(paths, held, spans[number, 1])
            leg = followed(tape, paths, leg, held, row)
            if number + 1 < spans.shape[0] and spans[number, 1] < here >= spans[number + 1, 0]:
                paths.state[UNCLEAR] = 1  # what was left over is sold while the next is held
    return Sums(leg.growth, leg.counted, leg.deepest, leg.held, leg.trades, leg.wins)


def _rest(tape: TrialTape, trial: Trial, leg: Leg, bar: int, stop: int) -> Leg:
    """Return the account after it was in cash from one bar's open to the close before another's."""
    through, since = tape.bar_interest, tape.time[trial.first]
    counted, grown, deepest = leg.counted, 1.0, leg.deepest
    level = leg.level
    if bar > trial.first:
        since, grown = tape.bar_end[bar], leg.opening * (1 + through)
        level = min(1.0, level * grown)
        deepest = min(deepest, level)
        if not tape.after_hole[bar]:
            missed = tape.gap_interest[bar] * (1 + through)
            counted = added(counted, grown - 1 - through, missed)
    if through > 0:
        waited = np.exp(tape.interest_rate * (tape.bar_end[stop - 1] - since))
        grown *= waited
        level = min(1.0, level * waited)
    return Leg(
        leg.growth * grown, level, 1.0, 0.0, counted, deepest, leg.held, leg.trades, leg.wins
    )


def _follow(tape: TrialTape, paths: Paths, leg: Leg, entry: PathStart, place: int) -> Leg:
    """Return the account after a position that a row tells, from its entry until it is sold."""
    row = paths.rows[place]
    through, counted = tape.bar_interest, leg.counted
    if entry.is_first or not tape.after_hole[entry.bar]:
        missed = 0.0 if entry.is_first else tape.gap_interest[entry.bar] * (1 + through)
        counted = added(counted, leg.opening * row[BEGUN] - 1 - through, missed)
    # a path takes all before it to have been sold; what had been in cash is bought with to the end
    more = LAST_DIGITS * leg.in_cash
    level, scale = leg.level * leg.opening, 1 + more
    equity = row[EQUITY] * scale - more
    peak = max(1.0, level * (row[HIGHEST] * scale - more))
    return Leg(
        leg.growth * leg.opening * equity,
        level * equity / peak,
        row[SOLD] / row[EQUITY] if row[EQUITY] > 0 else np.nan,
        row[IN_CASH],
        Counted(
            counted.returns + row[RETURNS] * scale,
            counted.squares + row[SQUARES] * scale**2,
            counted.excess + row[RETURNS] * scale,
            counted.excess_squares + row[EXCESS_SQUARES] * scale**2,
            counted.losses + row[LOSSES] * scale**2,
        ),
        min(leg.deepest, row[DEEPEST], level * (row[LOWEST] * scale - more)),
        leg.held + int(row[HELD]),
        leg.trades + int(row[TRADES]),
        leg.wins + int(row[WINS]),
    )


rested = compile_function(_rest, is_inlined=True)
followed = compile_function(_follow, is_inlined=True)
walked = compile_function(_walk, is_inlined=True)
