"""A tape as the compiled engine reads it: arrays in tuples, and what cash earns on them."""

from typing import NamedTuple

import numpy as np

from backtests.config.config import Config
from backtests.engines.account import interest_of
from backtests.market.tape import Tape
from feeds.arrays import Flags, Floats, Integers


class Signals(NamedTuple):
    """What is known when each bar ends, shape (bars,): the lines of a tape of these names."""

    bar_end: Floats
    index_close: Floats
    session: Integers
    trigger_session: Integers
    trigger_kind: Integers
    lost_session: Integers
    gate: Flags
    leave: Integers
    weight: Floats
    rebalance: Flags


class Coins(NamedTuple):
    """Prices and weights of each coin, shape (bars, coins)."""

    open: Floats
    close: Floats
    alive: Floats
    on_weight: Floats
    idle_weight: Floats
    impact: Floats


class Money(NamedTuple):
    """Cash and costs: fractions per side, impact's coefficient, what cash earns through a bar."""

    initial_cash: float
    commission: float
    slippage: float
    impact: float
    bar_interest: float


class Part(NamedTuple):
    """Some bars: what is known, the coins, and what cash earns before each open.

    `gap_interest`, shape (bars,), is 0 but where bars are missing.
    """

    signals: Signals
    coins: Coins
    gap_interest: Floats


def part_of(tape: Tape, config: Config) -> Part:
    """Return the bars of a tape, without those before it."""
    gap_interest = interest_of(tape, config)[0] if len(tape) else np.empty(0)
    return Part(signals_of(tape), coins_of(tape), gap_interest)


def signals_of(tape: Tape) -> Signals:
    """Return the lines the compiled engine reads, in its types."""
    kinds = {Integers: np.int64, Flags: np.bool_, Floats: np.float64}
    return Signals(
        **{
            name: np.ascontiguousarray(tape.lines[name], kinds[kind])
            for name, kind in Signals.__annotations__.items()
        }
    )


def coins_of(tape: Tape) -> Coins:
    """Return the lines of all coins as matrices."""
    return Coins(*(np.ascontiguousarray(tape.matrix(name)) for name in Coins._fields))


def money_of(tape: Tape, config: Config) -> Money:
    """Return the config's cash and costs."""
    costs = config.costs
    _, bar_interest = interest_of(tape, config)
    return Money(
        costs.initial_cash, costs.commission, costs.slippage, costs.impact_factor, bar_interest
    )


def cut_part(part: Part, first: int, stop: int) -> Part:
    """Return some rows of a part; what cash earns over gaps is a copy."""
    signals, coins, gap_interest = part
    return Part(
        Signals(
            signals.bar_end[first:stop],
            signals.index_close[first:stop],
            signals.session[first:stop],
            signals.trigger_session[first:stop],
            signals.trigger_kind[first:stop],
            signals.lost_session[first:stop],
            signals.gate[first:stop],
            signals.leave[first:stop],
            signals.weight[first:stop],
            signals.rebalance[first:stop],
        ),
        Coins(
            coins.open[first:stop],
            coins.close[first:stop],
            coins.alive[first:stop],
            coins.on_weight[first:stop],
            coins.idle_weight[first:stop],
            coins.impact[first:stop],
        ),
        gap_interest[first:stop].copy(),
    )
