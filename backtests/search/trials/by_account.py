"""The figures of trials from their whole account, for what the kernel cannot look up.

That is where fills pay for their size, where an idle asset is held beside something else, and
where a coin cannot be sold at once. The compiled engine keeps the account bar by bar.
"""

from typing import NamedTuple

import numpy as np

from backtests.config.config import Config
from backtests.engines.account import interest_of, upkeep_of
from backtests.engines.compile_cache import compile_function
from backtests.engines.compiled_engine import (
    Ledger,
    kept,
    new_stance,
    opened,
)
from backtests.engines.tape_arrays import Coins, Money, Part, part_of
from backtests.market.elapsed_time import after_hole, cash_returns
from backtests.market.tape import Tape
from backtests.search.trials.figure_sums import Counted, RunScale, Sums, figured
from backtests.search.trials.path_building import BOUGHT, is_won, traded
from backtests.search.trials.trial_events import Trials, rule_at
from feeds.arrays import Flags, Floats
from strategies import target_weights
from strategies.target_weights import Upkeep


class FullTape(NamedTuple):
    """Everything the trials of one set of shared settings have in common.

    `lead` is what was known before the first bar of all, `before` the bars from there to those
    that are traded, perhaps none.
    """

    lead: Part
    before: Part
    traded: Part
    upkeep: Upkeep
    bar_interest: float
    cash_returns: Floats
    after_hole: Flags
    years: float
    periods_per_year: float


def full_tape_of(traded: Tape, config: Config) -> FullTape:
    """Return a tradable tape and what went before it, as the trials read them."""
    lead, *rest = traded.parts
    before = rest[0] if len(rest) > 1 else traded.cut(slice(0, 0))
    times, ends = traded.lines["time"], traded.lines["bar_end"]
    return FullTape(
        lead=part_of(lead, config),
        before=part_of(before, config),
        traded=part_of(traded, config),
        upkeep=upkeep_of(config, traded),
        bar_interest=interest_of(traded, config)[1],
        cash_returns=cash_returns(times, ends, rate=config.costs.cash_rate),
        after_hole=after_hole(times, ends),
        years=traded.years,
        periods_per_year=traded.periods_per_year,
    )


def _sum(ledger: Ledger, tape: FullTape, scale: RunScale, trades: int, wins: int) -> Sums:
    """Add up the returns of an account; after a total loss they are 0."""
    close = tape.traded.coins.close
    before = peak = scale.initial_cash
    returns, squares, excess, excess_squares, losses = 0.0, 0.0, 0.0, 0.0, 0.0
    deepest, held = 1.0, 0
    for row in range(scale.bars):
        equity, is_held = ledger.cash[row], False
        for coin in range(close.shape[1]):
            equity += ledger.units[row, coin] * close[row, coin]
            is_held = is_held or ledger.units[row, coin] != 0
        change = equity / before - 1 if before > 0 else 0.0
        if not tape.after_hole[row]:
            beyond = change - tape.bar_interest
            returns += beyond
            squares += beyond * beyond
            beyond = change - tape.cash_returns[row]
            excess += beyond
            excess_squares += beyond * beyond
            losses += min(beyond, 0.0) ** 2
        peak = max(peak, equity)
        deepest = min(deepest, equity / peak)
        held += is_held
        before = equity
    growth = before / scale.initial_cash
    counted = Counted(returns, squares, excess, excess_squares, losses)
    return Sums(growth, counted, deepest, held, trades, wins)


def _trades(ledger: Ledger, coins: Coins, money: Money) -> tuple[int, int]:
    """Return how many round trips there are, and how many of them won."""
    trades = wins = 0
    trip = np.empty(4)
    bars, count = coins.close.shape
    for coin in range(count):
        trip[:] = 0.0
        for row in range(bars):
            units = ledger.traded[row, coin]
            if units != 0:
                impact = money.impact * coins.impact[row, coin]
                ended, won = traded(trip, units, coins.open[row, coin], money, impact)
                trades += ended
                wins += won
        if trip[BOUGHT] > 0:
            trades += 1
            wins += is_won(trip, coins.close[bars - 1, coin])
    return trades, wins


def _run(tape: FullTape, trials: Trials, out: Floats) -> None:
    """Fill `out`, shape (trials, len(FIGURES)); group and weight of the trials are not read."""
    coins, upkeep = tape.traded.coins, tape.upkeep
    for number in range(out.shape[0]):
        rule = rule_at(trials, number)
        money = Money(
            trials.initial_cash[number],
            trials.commission[number],
            trials.slippage[number],
            trials.impact[number],
            tape.bar_interest,
        )
        ledger = kept(rule, upkeep, tape.lead, money, fresh_start(upkeep))
        start = opened(upkeep, tape.lead, ledger)
        if tape.before.gap_interest.size > 0:
            ledger = kept(rule, upkeep, tape.before, money, start)
            start = opened(upkeep, tape.before, ledger)
        ledger = kept(rule, upkeep, tape.traded, money, start)
        scale = RunScale(
            coins.close.shape[0],
            coins.close.shape[0] - tape.after_hole.sum(),
            money.initial_cash,
            tape.years,
            tape.periods_per_year,
        )
        trades, wins = counted(ledger, coins, money)
        figured(scale, summed(ledger, tape, scale, trades, wins), out[number])


summed = compile_function(_sum, is_inlined=True)
counted = compile_function(_trades)
fresh_start = compile_function(target_weights.fresh_start, new_stance=new_stance)
run_in_full = compile_function(_run, is_entry=True)
