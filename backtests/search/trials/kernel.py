"""The figures of many trials on one tape, compiled: what `backtests.analysis.metrics` says.

A span multiplies equity by a ratio, and its figures are looked up: of all money in, all money
out from running sums of prices, of any other position from its path. Trials that follow each
other and differ in their costs alone share their spans.
"""

from typing import Final

import numpy as np

from backtests.engines.compile_cache import compile_function
from backtests.engines.tape_arrays import Money
from backtests.market import elapsed_time
from backtests.search.trials.by_paths import walked
from backtests.search.trials.by_prices import SpanRoom, held_whole, looked_up, span_room
from backtests.search.trials.figure_sums import RunScale, Sums, figured
from backtests.search.trials.holding_spans import spans_between_events
from backtests.search.trials.path_building import KeptBars, laid_missed
from backtests.search.trials.position_paths import CLEARED, MISSED, SALES, TAKEN, UNCLEAR, Paths
from backtests.search.trials.range_tables import TrialTape
from backtests.search.trials.trial_events import Trial, TrialEvents, Trials, rule_at, trial_at
from feeds.arrays import Floats
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


def _add_up(
    tape: TrialTape,
    events: TrialEvents,
    trial: Trial,
    *,
    paths: Paths,
    bars: KeptBars,
    room: SpanRoom,
    count: int,
) -> tuple[int, Sums]:
    """Find the spans of a trial and add them up; return how many there are, and the sums.

    `count` is how many of them are in `room` already, `NONE` where they have to be found.
    `paths.state` then says whether only the whole account can tell.
    """
    times_full, is_whole = 0, paths.places.size == 0
    while True:
        paths.state[UNCLEAR], paths.state[MISSED] = 0, NONE
        if count == NONE:
            count = spans_between_events(tape, events, paths, trial, room.spans)
            if is_whole:
                looked_up(tape, trial, room, count)
        if is_whole:
            return count, held_whole(tape, trial, room, count)
        sums = walked(tape, paths, trial, room.spans[:count])
        if paths.state[MISSED] == NONE or paths.state[UNCLEAR] > 0 or times_full > 1:
            return count, sums
        times_full += laid_missed(paths, bars, trial.money)
        count = NONE


def _shares_spans(trials: Trials, number: int) -> bool:
    """Return whether a trial is in the market when the one before it is, whatever their paths."""
    before = number - 1
    return (
        before >= 0
        and trials.group[before] == trials.group[number]
        and rule_at(trials, before) == rule_at(trials, number)
        and (trials.stop_loss[number] == 0 or trials.slippage[before] == trials.slippage[number])
    )


def _are_costs_of(paths: Paths, money: Money) -> bool:
    """Return whether all paths so far were laid for these costs and this interest."""
    costs = paths.costs
    return bool(
        money.commission == costs[0]
        and money.slippage == costs[1]
        and money.bar_interest == costs[2]
    )


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

    Trials of equal costs follow each other, or their paths are laid again and again. Paths that
    were laid before for the costs of the first are used.
    """
    room, is_whole, count = span_room(tape), paths.places.size == 0, NONE
    paths.state[SALES], paths.state[CLEARED] = 0, 0
    for number in range(out.shape[0]):
        trial = trial_at(events, trials, number, tape.bar_interest)
        if not are_costs_of(paths, trial.money):
            paths.costs[0], paths.costs[1] = trial.money.commission, trial.money.slippage
            paths.costs[2], paths.places[:] = trial.money.bar_interest, NONE
            paths.state[TAKEN], paths.state[SALES] = 0, 0
        if not (is_whole and shares_spans(trials, number)):
            count = NONE
        count, sums = added_up(tape, events, trial, paths=paths, bars=bars, room=room, count=count)
        length = trial.stop - trial.first
        years = years_between(tape.time[trial.first], tape.bar_end[trial.stop - 1])
        per_year = bars_per_year(length, years=years, nominal=tape.nominal_bars)
        counted = length - int(tape.holes[trial.stop - 1] - tape.holes[trial.first])
        scale = RunScale(length, counted, trial.initial_cash, years, per_year)
        figured(scale, sums, out[number])
        if paths.state[UNCLEAR] > 0 or paths.state[MISSED] > NONE:
            out[number] = np.nan


years_between = compile_function(elapsed_time.years_between, is_inlined=True)
bars_per_year = compile_function(elapsed_time.bars_per_year, is_inlined=True)
shares_spans = compile_function(_shares_spans, is_inlined=True)
are_costs_of = compile_function(_are_costs_of, is_inlined=True)
added_up = compile_function(_add_up, is_inlined=True, is_entry=True)
run = compile_function(_run, is_entry=True)
