"""The figures of many trials on one tape, compiled: what `backtests.analysis.metrics` says.

All money in, all money out: then a span multiplies equity by a ratio of prices, and its
figures are looked up. A trial with another weight is added up bar by bar.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from backtests.analysis.metrics import ROUNDING
from backtests.engines.compiled import affordable_units, bought, sold
from backtests.engines.compiling import compile_function
from backtests.market import elapsed
from backtests.search.trials.ranges import TrialTape, spanned
from backtests.search.trials.spans import (
    Trial,
    TrialEvents,
    Trials,
    spans_bar_by_bar,
    spans_between_events,
    trial_at,
)
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


class Counted(NamedTuple):
    """Sums over a trial's bars but for those after a hole.

    `returns` and `squares` are of returns beyond what cash earns through a bar, `excess` and
    `excess_squares` of those beyond all that cash earned by that bar's end: the same unless
    bars are missing.
    """

    returns: float
    squares: float
    excess: float
    excess_squares: float
    losses: float  # squares of the negative excess


class Sums(NamedTuple):
    """What all figures follow from."""

    growth: float  # final equity over initial cash
    counted: Counted
    deepest: float  # lowest equity over the peak before it
    bars_held: int
    wins: int


class RunScale(NamedTuple):
    """What turns sums into figures."""

    bars: int
    counted: int  # of them, those not after a hole
    initial_cash: float
    years: float
    periods_per_year: float


def _looked_up(tape: TrialTape, trial: Trial, spans: Integers) -> Sums:
    """Add up a trial that always holds all or nothing."""
    first, stop, through = trial.first, trial.stop, tape.bar_interest
    into = 1 / ((1 + trial.slippage) * (1 + trial.commission))
    out = (1 - trial.slippage) * (1 - trial.commission)
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
    return Sums(growth, counted, deepest, held, wins)


def _counted_in(tape: TrialTape, trial: Trial, spans: Integers) -> Counted:
    """Add up the returns once more, where bars are missing.

    Cash earns while they are, held or not, and a bar after a hole does not count.
    """
    first, stop, through = trial.first, trial.stop, tape.bar_interest
    into = 1 / ((1 + trial.slippage) * (1 + trial.commission))
    out = (1 - trial.slippage) * (1 - trial.commission)
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


def _flat(tape: TrialTape, first: int, stop: int) -> Counted:
    """Return the sums of a trial that holds nothing: only cash over gaps has a return."""
    returns = tape.idle[stop - 1] - tape.idle[first]
    squares = tape.idle_squares[stop - 1] - tape.idle_squares[first]
    return Counted(returns, squares, 0.0, 0.0, 0.0)


def _add(sums: Counted, change: float, missed: float) -> Counted:
    """Count a bar's return in the place of what cash would have earned over a gap before it."""
    beyond = change - missed
    return Counted(
        sums.returns + beyond,
        sums.squares + change * change - missed * missed,
        sums.excess + beyond,
        sums.excess_squares + beyond * beyond,
        sums.losses + min(beyond, 0.0) ** 2,
    )


def _sum_in_order(tape: TrialTape, trial: Trial, spans: Integers, weight: Floats) -> Sums:
    """Add up a trial bar by bar, with the accounting of the fast engine."""
    commission, slippage, first, stop = trial.commission, trial.slippage, trial.first, trial.stop
    through = tape.bar_interest
    cash, peak, before = trial.initial_cash, trial.initial_cash, trial.initial_cash
    sums, deepest = flat(tape, first, stop), 1.0
    held, wins, flat_since = 0, 0, tape.time[first]
    for number in range(spans.shape[0]):
        entry, sale = spans[number, 0], spans[number, 1]
        if entry > first:
            cash *= np.exp(tape.interest_rate * (tape.bar_end[entry - 1] - flat_since))
        before, units, price = cash, 0.0, tape.open[entry] * (1 + slippage)
        paid, back = 0.0, 0.0
        peak = max(peak, before)
        for bar in range(entry, min(sale + 1, stop)):
            gap = tape.gap_interest[bar] if bar > first else 0.0
            cash += cash * gap
            if bar == entry:
                money = weight[entry] * cash
                units = affordable_units(money, price=price, commission=commission)
                cash = bought(cash, units, price, commission)
                paid = units * price * (1 + commission)
            elif bar == sale:
                proceeds = tape.open[bar] * (1 - slippage)
                cash = sold(cash, units, price, proceeds, commission)
                back, units = units * proceeds * (1 - commission), 0.0
            cash += cash * through
            equity = cash + units * tape.close[bar]
            if bar == first or not tape.after_hole[bar]:
                sums = added(sums, equity / before - 1 - through, gap * (1 + through))
            peak = max(peak, equity)
            deepest = min(deepest, equity / peak)
            before = equity
        if sale == stop:
            back = units * tape.close[stop - 1]
        wins += back > paid
        held += sale - entry
        flat_since = tape.bar_end[min(sale, stop - 1)]
    growth = before * np.exp(tape.interest_rate * (tape.bar_end[stop - 1] - flat_since))
    return Sums(growth / trial.initial_cash, sums, deepest, held, wins)


def _figure(scale: RunScale, sums: Sums, trades: int, row: Floats) -> None:
    """Write the figures of one trial, in the order of FIGURES; undefined is NaN."""
    bars, per_year, counted = scale.counted, np.sqrt(scale.periods_per_year), sums.counted
    deviation = spread(counted.returns, counted.squares, bars)
    apart = spread(counted.excess, counted.excess_squares, bars) if trades else 0.0
    mean, downside = counted.excess / bars, np.sqrt(counted.losses / bars)
    row[0] = sums.growth - 1
    row[1] = sums.growth ** (1 / scale.years) - 1
    row[2] = deviation * per_year
    row[3] = mean / apart * per_year if apart > 0 else np.nan
    row[4] = mean / downside * per_year if downside >= ROUNDING else np.nan
    row[5] = sums.deepest - 1
    row[6] = row[1] / -row[5] if row[5] < 0 else np.nan
    row[7] = sums.bars_held / scale.bars
    row[8] = trades
    row[9] = sums.wins / trades if trades else np.nan
    row[10] = sums.growth * scale.initial_cash


def _spread(total: float, squares: float, bars: int) -> float:
    """Return the standard deviation (ddof 1) that follows from sums."""
    return math.sqrt(max(squares - total * total / bars, 0.0) / (bars - 1))


def _run(
    tape: TrialTape, events: TrialEvents, trials: Trials, weights: Floats, out: Floats
) -> None:
    """Fill `out`, shape (trials, len(FIGURES)); trial t has weights[trials.weight[t]]."""
    spans = np.empty((tape.close.size // 2 + 2, 2), np.int64)
    for number in range(out.shape[0]):
        trial = trial_at(events, trials, number)
        row = trials.weight[number]
        if row > NONE:
            count = spans_bar_by_bar(tape, events, trial, spans, weights[row])
            sums = sum_in_order(tape, trial, spans[:count], weights[row])
        else:
            count = spans_between_events(tape, events, trial, spans)
            sums = looked_up(tape, trial, spans[:count])
        bars = trial.stop - trial.first
        years = years_between(tape.time[trial.first], tape.bar_end[trial.stop - 1])
        per_year = bars_per_year(bars, years=years, nominal=tape.nominal_bars)
        counted = bars - int(tape.holes[trial.stop - 1] - tape.holes[trial.first])
        scale = RunScale(bars, counted, trial.initial_cash, years, per_year)
        figured(scale, sums, count, out[number])


years_between = compile_function(elapsed.years_between, is_inlined=True)
bars_per_year = compile_function(elapsed.bars_per_year, is_inlined=True)
flat = compile_function(_flat, is_inlined=True)
added = compile_function(_add, is_inlined=True)
counted_in = compile_function(_counted_in, is_inlined=True)
spread = compile_function(_spread, is_inlined=True)
looked_up = compile_function(_looked_up, is_inlined=True)
sum_in_order = compile_function(_sum_in_order, is_inlined=True)
figured = compile_function(_figure, is_inlined=True)
run = compile_function(_run)
