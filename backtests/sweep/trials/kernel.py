"""The figures of many trials on one tape, compiled: what `backtests.analysis.metrics` says.

All money in, all money out: then a span multiplies equity by a ratio of prices, and its
figures are looked up. A trial with another weight is added up bar by bar.
"""

from typing import Final, NamedTuple

import numpy as np

from backtests.analysis.metrics import ROUNDING
from backtests.compiled import compiled
from backtests.fast import affordable_units, bought, sold
from backtests.sweep.trials.ranges import Floats, Integers, Tape, spanned
from backtests.sweep.trials.spans import (
    Events,
    Trial,
    Trials,
    spans_bar_by_bar,
    spans_between_events,
    trial_at,
)
from strategies.rules import NONE

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


class Sums(NamedTuple):
    """What all figures follow from: sums over a trial's bars, flat bars left out."""

    growth: float  # final equity over initial cash
    returns: float
    squares: float
    losses: float  # squares of the negative excess over cash
    deepest: float  # lowest equity over the peak before it
    bars: int  # that are in the sums
    bars_held: int
    wins: int


class Scale(NamedTuple):
    """What turns sums into figures."""

    bars: int
    initial_cash: float
    cash_return: float
    periods_per_year: float
    years_per_bar: float


def _looked_up(tape: Tape, trial: Trial, spans: Integers) -> Sums:
    """Add up a trial that always holds all or nothing."""
    commission, slippage, stop = trial.commission, trial.slippage, trial.stop
    cash = tape.cash_return
    into = 1 / ((1 + slippage) * (1 + commission))
    out = (1 - slippage) * (1 - commission)
    growth, returns, squares, losses = 1.0, 0.0, 0.0, 0.0
    level, deepest = 1.0, 1.0  # equity over its peak so far, and the lowest that was
    held, sales, wins, flat_from = 0, 0, 0, trial.first
    for number in range(spans.shape[0]):
        entry, sale = spans[number, 0], spans[number, 1]
        if cash > 0:
            idle = (1 + cash) ** (entry - flat_from)
            growth *= idle
            level = min(1.0, level * idle)
        units = into * tape.per_open[entry]
        low, high, fall = spanned(tape.close, tape.table, tape.level, entry, sale - 1)
        deepest = min(deepest, fall, level * units * low)
        change = tape.close[entry] * units - 1
        returns += change + tape.returns[sale - 1] - tape.returns[entry]
        squares += change * change + tape.squares[sale - 1] - tape.squares[entry]
        losses += min(change - cash, 0.0) ** 2 + tape.losses[sale - 1] - tape.losses[entry]
        held += sale - entry
        peak = max(1.0, level * units * high)
        if sale == stop:
            grown = tape.close[sale - 1] * units
            wins += grown > 1
            growth *= grown
            flat_from = stop
            break
        change = tape.overnight[sale] * out * (1 + cash) - 1
        returns += change
        squares += change * change
        losses += min(change - cash, 0.0) ** 2
        grown = tape.open[sale] * out * units
        wins += grown > 1
        grown *= 1 + cash
        growth *= grown
        level = min(1.0, level * grown / peak)
        deepest = min(deepest, level)
        sales += 1
        flat_from = sale + 1
    if cash > 0:
        growth *= (1 + cash) ** (stop - flat_from)
    return Sums(growth, returns, squares, losses, deepest, held + sales, held, wins)


def _added_up(tape: Tape, trial: Trial, spans: Integers, weight: Floats) -> Sums:
    """Add up a trial bar by bar, with the accounting of the fast engine."""
    commission, slippage, stop = trial.commission, trial.slippage, trial.stop
    initial = trial.initial_cash
    cash, peak, before = initial, initial, initial
    returns, squares, losses, deepest = 0.0, 0.0, 0.0, 1.0
    held, sales, wins, flat_from = 0, 0, 0, trial.first
    for number in range(spans.shape[0]):
        entry, sale = spans[number, 0], spans[number, 1]
        cash *= (1 + tape.cash_return) ** (entry - flat_from)
        before, units, price = cash, 0.0, tape.open[entry] * (1 + slippage)
        peak = max(peak, before)
        units = affordable_units(weight[entry - 1] * cash, price=price, commission=commission)
        cash = bought(cash, units, price, commission)
        paid = units * price * (1 + commission)
        back = 0.0
        for bar in range(entry, min(sale + 1, stop)):
            if bar == sale:
                proceeds = tape.open[bar] * (1 - slippage)
                cash = sold(cash, units, price, proceeds, commission)
                back, units = units * proceeds * (1 - commission), 0.0
                sales += 1
            cash += cash * tape.cash_return
            equity = cash + units * tape.close[bar]
            change = equity / before - 1
            returns += change
            squares += change * change
            losses += min(change - tape.cash_return, 0.0) ** 2
            peak = max(peak, equity)
            deepest = min(deepest, equity / peak)
            before = equity
        if sale == stop:
            back = units * tape.close[stop - 1]
        wins += back > paid
        held += sale - entry
        flat_from = min(sale + 1, stop)
    grown = before * (1 + tape.cash_return) ** (stop - flat_from) / initial
    return Sums(grown, returns, squares, losses, deepest, held + sales, held, wins)


def _figured(scale: Scale, sums: Sums, trades: int, row: Floats) -> None:
    """Write the figures of one trial, in the order of FIGURES; undefined is NaN."""
    bars, cash, per_year = scale.bars, scale.cash_return, np.sqrt(scale.periods_per_year)
    flat = bars - sums.bars
    total, squares = sums.returns + flat * cash, sums.squares + flat * cash * cash
    mean = total / bars
    deviation = np.sqrt(max(squares - total * mean, 0.0) / (bars - 1)) if trades else 0.0
    downside = np.sqrt(sums.losses / bars)
    row[0] = sums.growth - 1
    row[1] = sums.growth ** (1 / (bars * scale.years_per_bar)) - 1
    row[2] = deviation * per_year
    row[3] = (mean - cash) / deviation * per_year if deviation > 0 else np.nan
    row[4] = (mean - cash) / downside * per_year if downside >= ROUNDING else np.nan
    row[5] = sums.deepest - 1
    row[6] = row[1] / -row[5] if row[5] < 0 else np.nan
    row[7] = sums.bars_held / bars
    row[8] = trades
    row[9] = sums.wins / trades if trades else np.nan
    row[10] = sums.growth * scale.initial_cash


def _run(tape: Tape, events: Events, trials: Trials, weights: Floats, out: Floats) -> None:
    """Fill `out`, shape (trials, len(FIGURES)); trial t has weights[trials.weight[t]]."""
    spans = np.empty((tape.close.size // 2 + 2, 2), np.int64)
    for number in range(out.shape[0]):
        trial = trial_at(events, trials, number)
        row = trials.weight[number]
        if row > NONE:
            count = spans_bar_by_bar(tape, events, trial, spans, weights[row])
            sums = added_up(tape, trial, spans[:count], weights[row])
        else:
            count = spans_between_events(tape, events, trial, spans)
            sums = looked_up(tape, trial, spans[:count])
        scale = Scale(
            trial.stop - trial.first,
            trial.initial_cash,
            tape.cash_return,
            tape.periods_per_year,
            tape.years_per_bar,
        )
        figured(scale, sums, count, out[number])


looked_up = compiled(_looked_up, is_inlined=True)
added_up = compiled(_added_up, is_inlined=True)
figured = compiled(_figured, is_inlined=True)
run = compiled(_run)
