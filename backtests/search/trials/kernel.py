"""The figures of many trials on one tape, compiled: what `backtests.analysis.metrics` says.

A span multiplies equity by a ratio, and its figures are looked up: of all money in, all money
out from running sums of prices, of any other position from its path.
"""

from typing import Final

import numpy as np

from backtests.engines.compiling import compile_function
from backtests.engines.tape_arrays import Money
from backtests.market import elapsed
from backtests.search.trials.events import Trial, TrialEvents, Trials, trial_at
from backtests.search.trials.laying import KeptBars, laid_missed
from backtests.search.trials.paths import MISSED, SALES, TAKEN, UNCLEAR, Paths
from backtests.search.trials.ranges import TrialTape, spanned
from backtests.search.trials.spans import spans_between_events
from backtests.search.trials.sums import Counted, RunScale, Sums, added, figured, flat
from backtests.search.trials.walks import walked
from feeds.arrays import Floats, Integers
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
            paths.state[TAKEN], paths.state[SALES], before = 0, 0, trial.money
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
added_up = compile_function(_add_up, is_inlined=True, is_entry=True)
run = compile_function(_run, is_entry=True)
