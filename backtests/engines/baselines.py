"""What a run is compared with: holding the same thing."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from backtests.config.config import ALTS, Config
from backtests.config.settings import CostSettings
from backtests.engines.account import Account, account_of, fills_table
from backtests.market.tape import Tape
from feeds.arrays import Flags
from strategies.execution import bought_units, buying_factor
from strategies.targets import ALIVE

Simulate = Callable[[Tape, Config], Account]


def buy_and_hold(tape: Tape, *, costs: CostSettings) -> Account:
    """Buy with all cash at the open of the first bar, pay the costs once, hold untouched.

    A basket is bought in equal money, each coin known to be in it at that open, and left
    untouched; a coin that dies keeps its loss, and what is left of it stays where it is.
    """
    opens, wanted = tape.matrix("open"), _wanted_first(tape)
    impact = costs.impact_factor * tape.matrix("impact")[0]
    cash, units, rows = costs.initial_cash, np.zeros(len(tape.coins)), []
    share = costs.initial_cash / max(1, int(wanted.sum()))
    for place, symbol in enumerate(tape.coins):
        if not wanted[place]:
            continue
        opened, moved = float(opens[0, place]), float(impact[place])
        units[place] = bought_units(
            min(share, cash),
            opened=opened,
            slippage=costs.slippage,
            impact=moved,
            commission=costs.commission,
        )
        price = opened * buying_factor(units[place] * opened, slippage=costs.slippage, impact=moved)
        commission = units[place] * costs.commission * price
        cash -= units[place] * price + commission
        rows.append((tape.times[0], symbol, "buy", units[place], price, commission, "hold"))
    return account_of(
        tape,
        cash=np.full(len(tape), max(cash, 0.0)),
        units=np.tile(units, (len(tape), 1)),
        fills=fills_table(rows),
        initial_cash=costs.initial_cash,
    )


def _wanted_first(tape: Tape) -> Flags:
    """Return which coins can be bought at the first open: they weigh something, and trade then."""
    known = tape if tape.before is None else tape.before
    row = 0 if tape.before is None else -1
    trades = tape.matrix("alive")[0] == ALIVE
    return np.asarray((known.matrix("on_weight")[row] > 0) & trades)


def benchmark(tape: Tape, config: Config, *, simulate: Simulate) -> Account:
    """Hold what the rule trades, all the time: the coin, or the basket at its weights."""
    if config.asset == ALTS:
        return always_in(tape, config, simulate=simulate)
    return buy_and_hold(tape, costs=config.costs)


def always_in(tape: Tape, config: Config, *, simulate: Simulate) -> Account:
    """Hold what the signal would hold, all the time: same weights, rebalancing and costs."""
    return simulate(_without_signal(_always_wanted(tape)), _by_the_rule(config))


def hold_idle(tape: Tape, config: Config, *, simulate: Simulate) -> Account:
    """Hold what is held while the signal is off, all the time."""
    return simulate(_without_signal(tape), _by_the_rule(config))


def _by_the_rule(config: Config) -> Config:
    """Return the config without a strategy of one's own, which might trade without a signal."""
    return config.model_copy(update={"strategy": None}) if config.strategy else config


def _always_wanted(tape: Tape) -> Tape:
    before = None if tape.before is None else _always_wanted(tape.before)
    coins = {
        symbol: {**own, "idle_weight": own["on_weight"], "on_weight": np.zeros(len(tape))}
        for symbol, own in tape.coins.items()
    }
    return replace(tape, coins=coins, before=before)


def _without_signal(tape: Tape) -> Tape:
    before = None if tape.before is None else _without_signal(tape.before)
    never = np.full(len(tape), -1.0)
    lines = {**tape.lines, "trigger_session": never, "lost_session": never}
    return replace(tape, lines=lines, before=before)
