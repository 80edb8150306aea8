"""The fast engine: the twin of `backtests.engine`, compiled, with the same `Account`.

It calls the same step function and the same sizing, and adds up cash in the order the
broker does, so that both agree to the last digit. backtrader stays the reference.
"""

import numpy as np
from numpy.typing import NDArray

from backtests.compiled import compiled
from backtests.config import ALTS, Config
from backtests.engine import Account, account_of, fills_table
from backtests.tape import Tape
from feeds.errors import ConfigError
from feeds.sessions import periods_per_year
from strategies import rules, sizing
from strategies.rules import ENTER, EXIT_REASONS, STAY, TRIGGER_KINDS, Moment, Rule, State, rule_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

step = compiled(rules.step, _stop=compiled(rules._stop))
affordable_units = compiled(sizing.affordable_units)


def simulate(tape: Tape, config: Config) -> Account:
    """Run the config's rule over the tape of one coin and return its account.

    The same as `backtests.engine.simulate`. An order the broker would refuse cannot arise:
    units are affordable by construction.

    Raises
    ------
    ConfigError
        If the config needs more than one coin all in or all out: that is backtrader's.
    """
    require_simple(config)
    lines, costs = tape.lines, config.costs
    ((symbol, coin),) = tape.coins.items()
    cash, units, actions, prices, kinds = _ledger(
        (rule_of(config.rules), State()),
        tuple(_floats(lines[name]) for name in ("bar_end", "open", "close", "index_close")),
        (
            tuple(
                lines[name].astype(np.int64)
                for name in ("session", "trigger_session", "lost_session", "trigger_kind")
            ),
            lines["gate"] > 0,
            lines["leave"] > 0,
        ),
        _floats(lines["weight"] * coin["on_weight"]),
        (
            costs.initial_cash,
            costs.commission,
            costs.slippage,
            costs.cash_return(periods_per_year(config.data.timeframe)),
        ),
    )
    times = tape.times
    rows = np.flatnonzero(actions[:-1] != STAY)
    bought = actions[rows] == ENTER
    traded = np.where(bought, units[rows], units[rows - 1])
    paid = traded * costs.commission * prices[rows]
    reasons = [_reason(int(actions[row]), int(kinds[row])) for row in rows]
    sides = np.where(bought, "buy", "sell")
    columns = (times[rows], [symbol] * rows.size, sides, traded, prices[rows], paid, reasons)
    return account_of(
        tape,
        cash=cash,
        units=units[:, np.newaxis],
        fills=fills_table(zip(*columns, strict=True)),
        initial_cash=costs.initial_cash,
        pending="" if actions[-1] == STAY else _reason(int(actions[-1]), int(kinds[-1])),
    )


def require_simple(config: Config) -> None:
    """Refuse a config whose positions are more than one coin all in or all out."""
    size = config.size
    beyond = {
        "asset": config.asset == ALTS,
        "idle.asset": bool(config.idle.asset),
        "size.scale_in_days": size.scale_in_days > 1,
        "size.rebalance_threshold": size.rebalance_threshold > 0,
        "size.max_weight": size.max_weight < 1,
    }
    for name, is_beyond in beyond.items():
        if is_beyond:
            raise ConfigError(
                f"`{name}` is not known to the fast engine, which holds one coin or nothing. "
                "Use --engine backtrader."
            )


def _floats(values: Floats) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float64)


def _reason(action: int, kind: int) -> str:
    return TRIGGER_KINDS[kind] if action == ENTER else EXIT_REASONS[action]


def _bought(money: float, cash: float, price: float, commission: float) -> tuple[float, float]:
    units = affordable_units(money, price=price, commission=commission)
    return cash - units * price - units * commission * price, units


def _sold(units: float, cash: float, entry: float, price: float, commission: float) -> float:
    # first the value at cost, then the profit: the broker's order of adding up
    cash = cash + (units * entry + units * (price - entry))
    return cash - units * commission * price


bought = compiled(_bought)
sold = compiled(_sold)


def _simulated(
    start: tuple[Rule, State],
    prices: tuple[Floats, ...],
    events: tuple[tuple[Integers, ...], Flags, Flags],
    weight: Floats,
    money: tuple[float, ...],
) -> tuple[Floats, Floats, Integers, Floats, Integers]:
    """Return lines, one value a bar: cash and units at its end, and what was filled at its open.

    The fill is an action (STAY: none), its price, and the kind of the latest trigger by
    then. Actions and kinds have one value more: what is planned after the last bar.
    """
    rule, state = start
    bar_end, opens, close, index_close = prices
    (session, trigger_session, lost_session, trigger_kind), gate, leave = events
    cash, commission, slippage, cash_return = money
    bars = close.size
    cash_line, units_line, price_line = np.empty(bars), np.empty(bars), np.full(bars, np.nan)
    actions, kinds = np.zeros(bars + 1, np.int64), np.zeros(bars + 1, np.int64)
    units, entry, planned = 0.0, np.nan, STAY
    for row in range(bars):
        if planned == ENTER:
            price = opens[row] * (1 + slippage)
            cash, units = bought(weight[row - 1] * cash, cash, price, commission)
            planned = ENTER if units > 0 else STAY
            entry = price if units > 0 else np.nan
            price_line[row] = price
        elif planned != STAY:
            price_line[row] = opens[row] * (1 - slippage)
            cash = sold(units, cash, entry, price_line[row], commission)
            units, entry = 0.0, np.nan
        actions[row] = planned
        cash += cash * cash_return
        cash_line[row], units_line[row] = cash, units
        kinds[row + 1] = trigger_kind[row] if trigger_kind[row] > 0 else kinds[row]
        known = session[row], trigger_session[row], lost_session[row]
        judged = bar_end[row], close[row], index_close[row]
        moment = Moment(
            judged[0], judged[1], judged[2], known[0], known[1], known[2], gate[row], leave[row]
        )
        state, planned = step(rule, state, moment, entry)
        if planned == ENTER and np.isnan(weight[row]):
            planned = STAY
    actions[bars] = planned
    return cash_line, units_line, actions, price_line, kinds


_ledger = compiled(_simulated)
