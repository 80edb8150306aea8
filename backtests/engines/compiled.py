"""The fast engine: the twin of `backtests.engines.event_driven`, compiled, with the same `Account`.

It calls the same rule, upkeep and orders, and adds up cash in the order the broker does, so
that both agree to the last digits. backtrader stays the reference.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.engines.account import Account, account_of, fills_table, upkeep_of
from backtests.engines.compiling import compile_function, family
from backtests.engines.parts import Coins, Money, Part, Signals, money_of, part_of
from backtests.market.tape import Tape
from feeds.arrays import Floats, Integers
from strategies import fills, portfolio, position_rule, targets
from strategies.position_rule import STAY, Moment, Rule, State, rule_of
from strategies.targets import (
    HALTED,
    NOTHING,
    Book,
    Stance,
    Start,
    Upkeep,
    Wanted,
    fresh_start,
    reason_name,
)


class Positions(NamedTuple):
    """What is held of each coin, shape (coins,): units, and the average price paid for them."""

    units: Floats
    paid: Floats


class Ledger(NamedTuple):
    """What an account did: cash (bars,) and units (bars, coins) at each bar's end.

    `traded` are the signed units bought at its open, `reasons` (bars + 1,) why; the last is
    what was planned after the last bar. `judged` (bars, 2) is what the stops compare at each
    bar's end, the close or level and the entry price, NaN where nothing is held. `state` and
    `stance` are those after the last bar.
    """

    cash: Floats
    units: Floats
    traded: Floats
    reasons: Integers
    judged: Floats
    state: State
    stance: Stance


def simulate(tape: Tape, config: Config) -> Account:
    """Run the config's rule over a tape and return its account.

    The same as the event-driven engine's. An order the broker would refuse cannot arise: units
    are affordable by construction.
    """
    ledger = ledger_of(tape, config)
    return account_of(
        tape,
        cash=ledger.cash,
        units=ledger.units,
        fills=fills_table(_fills(tape, ledger, config)),
        initial_cash=config.costs.initial_cash,
        pending=reason_name(int(ledger.reasons[-1])),
    )


def ledger_of(tape: Tape, config: Config) -> Ledger:
    """Run the config's rule over a tape, from the state after the bars before it."""
    rule, upkeep, money = rule_of(config.rules), upkeep_of(config, tape), money_of(tape, config)
    start = fresh_start(upkeep)
    for some in tape.parts:
        part = part_of(some, config)
        ledger = kept(rule, upkeep, part, money, start)
        start = opened(upkeep, part, ledger)
    return ledger


def _fills(
    tape: Tape, ledger: Ledger, config: Config
) -> Iterator[tuple[pd.Timestamp, Any, str, float, float, float, str]]:
    costs, symbols, times = config.costs, list(tape.coins), tape.times
    rows, coins = np.nonzero(ledger.traded)
    units = ledger.traded[rows, coins]
    prices = fills.fill_prices(
        units,
        tape.matrix("open")[rows, coins],
        slippage=costs.slippage,
        impact=costs.impact_factor * tape.matrix("impact")[rows, coins],
    )
    paid = np.abs(units) * costs.commission * prices
    for at in np.lexsort((coins, units > 0, rows)):  # sells go before buys
        yield (
            times[rows[at]],
            symbols[coins[at]],
            "buy" if units[at] > 0 else "sell",
            abs(units[at]),
            prices[at],
            paid[at],
            reason_name(int(ledger.reasons[rows[at]])),
        )


def _buy(cash: float, units: float, price: float, commission: float) -> float:
    """Return the cash left."""
    return cash - units * price - units * commission * price


def _sell(cash: float, units: float, paid: float, price: float, commission: float) -> float:
    """Return the cash there is then; `paid` is the average price the units were bought at."""
    # first the value at cost, then the profit: the broker's order of adding up
    cash = cash + (units * paid + units * (price - paid))
    return cash - units * commission * price


def _fill(
    trades: Floats, prices: Floats, positions: Positions, cash: float, commission: float
) -> tuple[float, float]:
    """Carry out trades, changing the positions; return cash and the money that went in."""
    units, paid = positions
    went_in = 0.0
    for coin in range(trades.size):
        if trades[coin] < 0:
            cash = sold(cash, -trades[coin], paid[coin], prices[coin], commission)
            units[coin] += trades[coin]
            went_in += trades[coin] * prices[coin]
    for coin in range(trades.size):
        if trades[coin] > 0:
            cash = bought(cash, trades[coin], prices[coin], commission)
            before = paid[coin] * units[coin] if units[coin] > 0 else 0.0
            units[coin] += trades[coin]
            paid[coin] = (before + trades[coin] * prices[coin]) / units[coin]
            went_in += trades[coin] * prices[coin]
    return cash, went_in


def _moment(signals: Signals, row: int, close: float) -> Moment:
    return Moment(
        signals.bar_end[row],
        close,
        signals.index_close[row],
        signals.session[row],
        signals.trigger_session[row],
        signals.lost_session[row],
        signals.gate[row],
        signals.leave[row],
    )


def _wanted_now(signals: Signals, coins: Coins, row: int) -> Wanted:
    return Wanted(
        signals.weight[row],
        signals.trigger_kind[row],
        signals.rebalance[row],
        coins.on_weight[row],
        coins.idle_weight[row],
        coins.alive[row],
    )


def _judge(
    upkeep: Upkeep, stance: Stance, book: Book, paid: Floats, went_in: float
) -> tuple[Stance, float, float]:
    """Return the stance and what the stops compare: prices of one coin, a level of a basket."""
    if upkeep.is_single:
        return stance, book.closes[0], paid[0] if book.units[0] > 0 else np.nan
    if stance.is_on or stance.value != 0 or went_in != 0:
        stance = next_stance(stance, book, went_in)
    return stance, stance.level, 1.0 if stance.is_on else np.nan


def _open(upkeep: Upkeep, part: Part, ledger: Ledger) -> Start:
    """Return what a run after these bars opens with."""
    signals, last = part.signals, part.gap_interest.size - 1
    wanted = wanted_at(signals, part.coins, last)
    return opening(upkeep, ledger.state, ledger.stance, wanted, signals.index_close[last])


def _keep(rule: Rule, upkeep: Upkeep, part: Part, money: Money, start: Start) -> Ledger:
    """Keep the account of some bars, bar by bar."""
    signals, coins, gap_interest = part
    bars, count = coins.close.shape
    cash_line, unit_lines = np.empty(bars), np.zeros((bars, count))
    traded, reasons = np.zeros((bars, count)), np.zeros(bars + 1, np.int64)
    compared = np.full((bars, 2), np.nan)
    cash, units, paid = money.initial_cash, np.zeros(count), np.full(count, np.nan)
    state, stance, reasons[0], planned = start
    row = 0
    while row < bars:
        went_in = 0.0
        cash += cash * gap_interest[row]
        if reasons[row] != NOTHING:
            impact = money.impact * coins.impact[row]
            traded[row] = orders(
                cash=cash,
                units=units,
                opens=coins.open[row],
                targets=np.where(coins.alive[row] == HALTED, np.nan, planned),
                threshold=upkeep.threshold,
                commission=money.commission,
                slippage=money.slippage,
                impact=impact,
            )
            prices = fill_prices(
                traded[row], coins.open[row], slippage=money.slippage, impact=impact
            )
            positions = Positions(units, paid)
            cash, went_in = filled(traded[row], prices, positions, cash, money.commission)
        cash += cash * money.bar_interest
        cash_line[row], unit_lines[row] = cash, units
        book = Book(cash, units, coins.close[row])
        stance, close, entry = judged(upkeep, stance, book, paid, went_in)
        compared[row, 0], compared[row, 1] = close, entry
        state, action = step(rule, state, moment(signals, row, close), entry)
        row += 1
        if action != STAY or is_tended(upkeep, stance, units):
            wanted = wanted_at(signals, coins, row - 1)
            stance, reasons[row] = due(upkeep, stance, action, wanted, book)
            if reasons[row] != NOTHING:
                planned = targets_of(upkeep, stance, reasons[row], wanted, units)
        elif np.isnan(entry):
            # nothing held and no window open: nothing happens until the next event
            while row < bars and signals.trigger_session[row] < 0 and signals.lost_session[row] < 0:
                cash += cash * gap_interest[row]
                cash += cash * money.bar_interest
                cash_line[row] = cash
                row += 1
    return Ledger(cash_line, unit_lines, traded, reasons, compared, state, stance)


# From the plain functions to compiled ones that call each other.
stopped_by = compile_function(
    position_rule._stop,
    is_inlined=True,
    **family(
        position_rule.stop_loss,
        position_rule.trailing_stop,
        position_rule.index_drawdown,
        is_inlined=True,
    ),
)
step = compile_function(position_rule.step, is_inlined=True, _stop=stopped_by)
_pricing = family(
    fills.buying_factor,
    fills.selling_factor,
    fills.fill_prices,
    fills.affordable_units,
    fills.bought_units,
)
buying_factor, selling_factor = _pricing["buying_factor"], _pricing["selling_factor"]
fill_prices, affordable_units = _pricing["fill_prices"], _pricing["affordable_units"]
orders = compile_function(portfolio.orders, **_pricing)
_judging = family(
    targets.new_stance,
    targets.worth,
    targets.next_stance,
    targets.wanted_weight,
    targets.is_stray,
    targets.is_tended,
    targets.bound_left,
    targets.upkeep_reason,
    targets.due,
    is_inlined=True,
)
new_stance, next_stance, is_tended, due = (
    _judging[name] for name in ("new_stance", "next_stance", "is_tended", "due")
)
targets_of = compile_function(targets.targets, **_judging)
opening = compile_function(targets.opening, targets=targets_of, **_judging)
_filling = family(_buy, _sell, is_inlined=True)
bought, sold = _filling["_buy"], _filling["_sell"]
filled = compile_function(_fill, is_inlined=True)
judged = compile_function(_judge, is_inlined=True, next_stance=next_stance)
moment, wanted_at = compile_function(_moment, is_inlined=True), compile_function(_wanted_now)
opened, kept = compile_function(_open), compile_function(_keep)
