"""The twin of the backtrader engine: a plain loop over the bars, the same `Account`.

It calls the same rule, upkeep and orders, and adds up cash in the order the broker does, so
that both give the same bytes. backtrader stays the reference for the account a user asks for;
the accounts beside it, and an evening's, are kept here. Its functions compile as they stand
(`backtests.engines.compiled_engine`), to the same bytes again.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.engines.account import Account, Closing, account_of, fills_table, upkeep_of
from backtests.engines.tape_arrays import Coins, Money, Part, Signals, money_of, part_of
from backtests.market.tape import Tape
from feeds.arrays import Floats, Integers
from strategies import orders_and_fills
from strategies.orders_and_fills import fill_prices, orders
from strategies.position_rule import STAY, Moment, Rule, State, rule_of, step
from strategies.target_weights import (
    HALTED,
    NOTHING,
    Book,
    Stance,
    Start,
    Upkeep,
    Wanted,
    due,
    fresh_start,
    is_tended,
    next_stance,
    opening,
    reason_name,
    targets,
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
    `stance` are those after the last bar, `planned` the weights last wanted, shape (coins,), due
    at the next open if there is a reason.
    """

    cash: Floats
    units: Floats
    traded: Floats
    reasons: Integers
    judged: Floats
    state: State
    stance: Stance
    planned: Floats


def simulate(tape: Tape, config: Config) -> Account:
    """Run the config's rule over a tape and return its account.

    The same as the event-driven engine's. An order the broker would refuse cannot arise: units
    are affordable by construction.
    """
    return account_from(tape, config, ledger_of(tape, config))


def closing(tape: Tape, config: Config) -> Closing:
    """Run the config's rule over a tape and return how it stands after the last bar."""
    ledger = ledger_of(tape, config)
    is_due = ledger.reasons[-1] != NOTHING
    planned = ledger.planned if is_due else None
    return Closing(account_from(tape, config, ledger), ledger.state, planned, {})


def account_from(tape: Tape, config: Config, ledger: Ledger) -> Account:
    """Return the account whose ledger was kept over a tape."""
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
    with np.errstate(all="ignore"):  # as compiled code
        return ledger_by(keep, open_after, tape, config, prepare=as_lists)


def ledger_by(
    keeping: Callable[[Rule, Upkeep, Part, Money, Start], Ledger],
    carrying: Callable[[Upkeep, Part, Ledger], Start],
    tape: Tape,
    config: Config,
    *,
    prepare: Callable[[Part], Part] = lambda part: part,
) -> Ledger:
    """Keep the ledger with `keep` and `open_after`, plain or compiled."""
    rule, upkeep, money = rule_of(config.rules), upkeep_of(config, tape), money_of(tape, config)
    start = fresh_start(upkeep)
    for some in tape.parts:
        part = prepare(part_of(some, config))
        ledger = keeping(rule, upkeep, part, money, start)
        start = carrying(upkeep, part, ledger)
    return ledger


def as_lists(part: Part) -> Part:
    """Return a part whose lines are lists, of which plain Python reads a number twice as fast."""
    signals = Signals(*(cast("Any", line.tolist()) for line in part.signals))
    return part._replace(signals=signals, gap_interest=cast("Any", part.gap_interest.tolist()))


def _fills(
    tape: Tape, ledger: Ledger, config: Config
) -> Iterator[tuple[pd.Timestamp, Any, str, float, float, float, str]]:
    costs, symbols, times = config.costs, list(tape.coins), tape.times
    rows, coins = np.nonzero(ledger.traded)
    units = ledger.traded[rows, coins]
    prices = orders_and_fills.fill_prices(
        units,
        tape.matrix("open")[rows, coins],
        slippage=costs.slippage,
        impact=costs.impact_factor * tape.matrix("impact")[rows, coins],
    )
    paid = np.abs(units) * costs.commission * prices
    prices = prices * units / units  # the broker reports value over units, to the last digit
    order = np.lexsort((coins, units > 0, rows))  # sells go before buys
    units, rows = units[order], rows[order]
    yield from zip(
        times[rows],
        [symbols[coin] for coin in coins[order]],
        ["buy" if bought > 0 else "sell" for bought in units],
        np.abs(units),
        prices[order],
        paid[order],
        [reason_name(int(reason)) for reason in ledger.reasons[rows]],
        strict=True,
    )


def buy(cash: float, units: float, price: float, commission: float) -> float:
    """Return the cash left."""
    return cash - units * price - units * commission * price


def sell(cash: float, units: float, paid: float, price: float, commission: float) -> float:
    """Return the cash there is then; `paid` is the average price the units were bought at."""
    # first the value at cost, then the profit: the broker's order of adding up
    cash = cash + (units * paid + units * (price - paid))
    return cash - units * commission * price


def fill(
    trades: Floats, prices: Floats, positions: Positions, cash: float, commission: float
) -> tuple[float, float]:
    """Carry out trades, changing the positions; return cash and the money that went in."""
    units, paid = positions
    went_in = 0.0
    for coin in range(trades.size):
        if trades[coin] < 0:
            cash = sell(cash, -trades[coin], paid[coin], prices[coin], commission)
            units[coin] += trades[coin]
            went_in += trades[coin] * prices[coin]
    for coin in range(trades.size):
        if trades[coin] > 0:
            cash = buy(cash, trades[coin], prices[coin], commission)
            before = units[coin]
            units[coin] += trades[coin]
            if before > 0:
                paid[coin] = (paid[coin] * before + trades[coin] * prices[coin]) / units[coin]
            else:
                paid[coin] = prices[coin]
            went_in += trades[coin] * prices[coin]
    return cash, went_in


def moment_at(signals: Signals, row: int, close: float) -> Moment:
    """Return what the rule is told when a bar ends."""
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


def wanted_at(signals: Signals, coins: Coins, row: int) -> Wanted:
    """Return what is known of the weights when a bar ends."""
    return Wanted(
        signals.weight[row],
        signals.trigger_kind[row],
        signals.rebalance[row],
        coins.on_weight[row],
        coins.idle_weight[row],
        coins.alive[row],
    )


def judge(
    upkeep: Upkeep, stance: Stance, book: Book, paid: Floats, went_in: float
) -> tuple[Stance, float, float]:
    """Return the stance and what the stops compare: prices of one coin, a level of a basket."""
    if upkeep.is_single:
        return stance, book.closes[0], paid[0] if book.units[0] > 0 else np.nan
    if stance.is_on or stance.value != 0 or went_in != 0:
        stance = next_stance(stance, book, went_in)
    return stance, stance.level, 1.0 if stance.is_on else np.nan


def open_after(upkeep: Upkeep, part: Part, ledger: Ledger) -> Start:
    """Return what a run after these bars opens with."""
    signals, last = part.signals, len(part.gap_interest) - 1
    wanted = wanted_at(signals, part.coins, last)
    return opening(upkeep, ledger.state, ledger.stance, wanted, signals.index_close[last])


def keep(rule: Rule, upkeep: Upkeep, part: Part, money: Money, start: Start) -> Ledger:
    """Keep the account of some bars, bar by bar."""
    signals, coins, gap_interest = part
    bars, count = coins.close.shape
    cash_line, unit_lines = np.empty(bars), np.zeros((bars, count))
    traded, reasons = np.zeros((bars, count)), np.zeros(bars + 1, np.int64)
    cash, units, paid = money.initial_cash, np.zeros(count), np.full(count, np.nan)
    judged = np.full((bars, 2), np.nan)
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
            cash, went_in = fill(traded[row], prices, positions, cash, money.commission)
        cash += cash * money.bar_interest
        cash_line[row], unit_lines[row] = cash, units
        book = Book(cash, units, coins.close[row])
        stance, close, entry = judge(upkeep, stance, book, paid, went_in)
        judged[row, 0], judged[row, 1] = close, entry
        state, action = step(rule, state, moment_at(signals, row, close), entry)
        row += 1
        if action != STAY or is_tended(upkeep, stance, units):
            wanted = wanted_at(signals, coins, row - 1)
            stance, reasons[row] = due(upkeep, stance, action, wanted, book)
            if reasons[row] != NOTHING:
                planned = targets(upkeep, stance, reasons[row], wanted, units)
        elif math.isnan(entry):
            # nothing held and no window open: nothing happens until the next event
            while row < bars and signals.trigger_session[row] < 0 and signals.lost_session[row] < 0:
                cash += cash * gap_interest[row]
                cash += cash * money.bar_interest
                cash_line[row] = cash
                row += 1
    return Ledger(cash_line, unit_lines, traded, reasons, judged, state, stance, planned)
