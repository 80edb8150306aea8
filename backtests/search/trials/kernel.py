"""The figures of many trials on one tape, compiled: what `backtests.analysis.metrics` says.

A span multiplies equity by a ratio, and its figures are looked up: of all money in, all money
out from running sums of prices, of any other position from its path.
"""

from typing import Final, NamedTuple

import numpy as np

from backtests.engines.compiling import compile_function
from backtests.engines.parts import Money
from backtests.market import elapsed
from backtests.search.trials.events import Trial, TrialEvents, Trials, trial_at
from backtests.search.trials.laying import KeptBars, laid_missed
from backtests.search.trials.paths import (
    BEGUN,
    DEEPEST,
    EQUITY,
    EXCESS_SQUARES,
    HELD,
    HIGHEST,
    IN_CASH,
    LOSSES,
    LOWEST,
    MISSED,
    RETURNS,
    SOLD,
    SQUARES,
    TAKEN,
    TRADES,
    UNCLEAR,
    WINS,
    Paths,
    PathStart,
    found,
)
from backtests.search.trials.ranges import TrialTape, spanned
from backtests.search.trials.spans import spans_between_events
from backtests.search.trials.sums import Counted, RunScale, Sums, added, figured, flat
from feeds.arrays import Floats, Integers
from strategies.portfolio import LAST_DIGITS
from strategies.position_rule import NONE

FIGURES: Final = (
    "total_return",
    "cagr",
    "volatility",
    "sharpe_ratio",
    "sortino_ratio",
    "max_drawdown",
    "calmar_ratio",
    "time_in_market",
    "trades",
    "win_rate",
    "final_equity",
)


def _looked_up(tape: TrialTape, trial: Trial, spans: Integers) -> Sums:
    """Add up a trial that always holds all or nothing."""
    first, stop, through = trial.first, trial.stop, tape.bar_interest
    into = 1 / ((1 + trial.money.slippage) * (1 + trial.money.commission))
    out = (1 - trial.money.slippage) * (1 - trial.money.commission)
    growth, returns, squares, losses = 1.0, 0.0, 0.0, 0.0
    level, deepest = 1.0, 1.0  # equity over its peak so far, and the lowest that was
    held, wins, flat_since = 0, 0, tape.time[first]
    for number in range(spans.shape[0]):
        entry, sale = spans[number, 0], spans[number, 1]
        units, gap = into * tape.per_open[entry], 0.0
        if through > 0 and entry > first:
            waited = np.exp(tape.interest_rate * (tape.bar_end[entry - 1] - flat_since))
            growth *= waited
            level = min(1.0, level * waited)
            gap = tape.gap_interest[entry]
        owned = units * (1 + gap)
        low, high, fall = spanned(tape.close, tape.table, tape.level, entry, sale - 1)
        deepest = min(deepest, fall, level * owned * low)
        change = tape.close[entry] * owned - 1 - through
        returns += change + tape.returns[sale - 1] - tape.returns[entry]
        squares += change * change + tape.squares[sale - 1] - tape.squares[entry]
        loss = min(change - gap * (1 + through), 0.0)
        losses += loss * loss + tape.losses[sale - 1] - tape.losses[entry]
        held += sale - entry
        if sale == stop:
            wins += tape.close[sale - 1] * units > 1
            growth *= tape.close[sale - 1] * owned
            flat_since = tape.bar_end[stop - 1]
            break
        change = tape.overnight[sale] * out * (1 + through) - 1 - through
        returns += change
        squares += change * change
        losses += min(change - tape.gap_interest[sale] * (1 + through), 0.0) ** 2
        grown = tape.open[sale] * out
        wins += grown * units > 1
        grown *= owned * (1 + through)
        growth *= grown
        level = min(1.0, level * grown / max(1.0, level * owned * high))
        deepest = min(deepest, level)
        flat_since = tape.bar_end[sale]
    if through > 0:
        growth *= np.exp(tape.interest_rate * (tape.bar_end[stop - 1] - flat_since))
    counted = Counted(returns, squares, returns, squares, losses)
    if not tape.is_even:
        counted = counted_in(tape, trial, spans)
    return Sums(growth, counted, deepest, held, spans.shape[0], wins)


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
            leg = followed(tape, paths, leg, entry=idle, sale=entry)
        elif entry > here:
            leg = rested(tape, trial, leg, here, entry)
        if not is_last:
            held = PathStart(entry, spans[number, 2], entry == first, True)
            here = spans[number, 1]
            leg = followed(tape, paths, leg, entry=held, sale=here)
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


def _follow(tape: TrialTape, paths: Paths, leg: Leg, *, entry: PathStart, sale: int) -> Leg:
    """Return the account after a position from its entry to the open at which it is sold."""
    count = sale - entry.bar
    place = found(paths, entry, count)[0] + count - 1
    row = paths.rows[min(place, paths.rows.shape[0] - 1)]  # of a path that is missing none is
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


def _add_up(
    tape: TrialTape,
    events: TrialEvents,
    trial: Trial,
    *,
    paths: Paths,
    bars: KeptBars,
    spans: Integers,
) -> tuple[int, Sums]:
    """Find the spans of a trial and add them up; return how many there are, and the sums.

    `paths.state` then says whether only the whole account can tell.
    """
    times_full = 0
    while True:
        paths.state[UNCLEAR], paths.state[MISSED] = 0, NONE
        count = spans_between_events(tape, events, paths, trial, spans)
        if paths.places.size == 0:
            return count, looked_up(tape, trial, spans[:count])
        sums = walked(tape, paths, trial, spans[:count])
        if paths.state[MISSED] == NONE or paths.state[UNCLEAR] > 0 or times_full > 1:
            return count, sums
        times_full += laid_missed(paths, bars, trial.money)


def _run(
    tape: TrialTape,
    events: TrialEvents,
    trials: Trials,
    *,
    paths: Paths,
    bars: KeptBars,
    out: Floats,
) -> None:
    """Fill `out`, shape (trials, len(FIGURES)); NaN where only the whole account can tell.

    Trials of equal costs follow each other, or their paths are laid again and again.
    """
    spans = np.empty((tape.close.size // 2 + 2, 3), np.int64)
    before = Money(np.nan, np.nan, np.nan, np.nan, np.nan)
    for number in range(out.shape[0]):
        trial = trial_at(events, trials, number, tape.bar_interest)
        if trial.money.commission != before.commission or trial.money.slippage != before.slippage:
            paths.places[:] = NONE
            paths.state[TAKEN], before = 0, trial.money
        _, sums = added_up(tape, events, trial, paths=paths, bars=bars, spans=spans)
        length = trial.stop - trial.first
        years = years_between(tape.time[trial.first], tape.bar_end[trial.stop - 1])
        per_year = bars_per_year(length, years=years, nominal=tape.nominal_bars)
        counted = length - int(tape.holes[trial.stop - 1] - tape.holes[trial.first])
        scale = RunScale(length, counted, trial.initial_cash, years, per_year)
        figured(scale, sums, out[number])
        if paths.state[UNCLEAR] > 0 or paths.state[MISSED] > NONE:
            out[number] = np.nan


years_between = compile_function(elapsed.years_between, is_inlined=True)
bars_per_year = compile_function(elapsed.bars_per_year, is_inlined=True)
counted_in = compile_function(_counted_in, is_inlined=True)
looked_up = compile_function(_looked_up, is_inlined=True)
rested = compile_function(_rest, is_inlined=True)
followed = compile_function(_follow, is_inlined=True)
walked = compile_function(_walk, is_inlined=True)
added_up = compile_function(_add_up, is_inlined=True)
run = compile_function(_run)
