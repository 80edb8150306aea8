"""What all figures of a trial follow from: sums over its bars, compiled."""

import math
from typing import NamedTuple

import numpy as np

from backtests.analysis.metrics import ROUNDING
from backtests.engines.compile_cache import compile_function
from backtests.search.trials.range_tables import TrialTape
from feeds.arrays import Floats


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
    trades: int
    wins: int


class RunScale(NamedTuple):
    """What turns sums into figures."""

    bars: int
    counted: int  # of them, those not after a hole
    initial_cash: float
    years: float
    periods_per_year: float


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


def _figure(scale: RunScale, sums: Sums, row: Floats) -> None:
    """Write the figures of one trial, in the order of FIGURES; undefined is NaN."""
    trades = sums.trades
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


flat = compile_function(_flat, is_inlined=True)
added = compile_function(_add, is_inlined=True)
spread = compile_function(_spread, is_inlined=True)
figured = compile_function(_figure, is_inlined=True)
