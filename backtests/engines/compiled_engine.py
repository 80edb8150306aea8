"""The fast engine: `backtests.engines.twin_engine`, compiled.

The same functions in the same order, so the same bytes; worth its import where tapes are large
or many.
"""

from backtests.config.config import Config
from backtests.engines import twin_engine
from backtests.engines.account import Account
from backtests.engines.compile_cache import compile_function, family
from backtests.engines.twin_engine import Ledger, account_from, ledger_by
from backtests.market.tape import Tape
from strategies import orders_and_fills, position_rule, target_weights

__all__ = [
    "Ledger",
    "affordable_units",
    "bought",
    "buying_factor",
    "kept",
    "ledger_of",
    "new_stance",
    "opened",
    "selling_factor",
    "simulate",
    "sold",
    "step",
    "stopped_by",
    "targets_of",
    "wanted_at",
]


def simulate(tape: Tape, config: Config) -> Account:
    """Run the config's rule over a tape and return its account, as the twin does."""
    return account_from(tape, config, ledger_of(tape, config))


def ledger_of(tape: Tape, config: Config) -> Ledger:
    """Run the config's rule over a tape, from the state after the bars before it."""
    return ledger_by(kept, opened, tape, config)


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
    orders_and_fills.buying_factor,
    orders_and_fills.selling_factor,
    orders_and_fills.fill_prices,
    orders_and_fills.affordable_units,
    orders_and_fills.bought_units,
)
buying_factor, selling_factor = _pricing["buying_factor"], _pricing["selling_factor"]
fill_prices, affordable_units = _pricing["fill_prices"], _pricing["affordable_units"]
orders = compile_function(
    orders_and_fills.orders, **_pricing, **family(orders_and_fills.sum_in_order)
)
_judging = family(
    target_weights.new_stance,
    target_weights.worth,
    target_weights.next_stance,
    target_weights.wanted_weight,
    target_weights.is_stray,
    target_weights.is_tended,
    target_weights.bound_left,
    target_weights.upkeep_reason,
    target_weights.due,
    is_inlined=True,
)
new_stance, next_stance, is_tended, due = (
    _judging[name] for name in ("new_stance", "next_stance", "is_tended", "due")
)
targets_of = compile_function(target_weights.targets, **_judging)
opening = compile_function(target_weights.opening, targets=targets_of, **_judging)
_filling = family(twin_engine.buy, twin_engine.sell, is_inlined=True)
bought, sold = _filling["buy"], _filling["sell"]
_filled = compile_function(twin_engine.fill, is_inlined=True, **_filling)
_judged = compile_function(twin_engine.judge, is_inlined=True, next_stance=next_stance)
wanted_at = compile_function(twin_engine.wanted_at)
opened = compile_function(
    twin_engine.open_after, is_entry=True, wanted_at=wanted_at, opening=opening
)
kept = compile_function(
    twin_engine.keep,
    is_entry=True,
    orders=orders,
    fill_prices=fill_prices,
    fill=_filled,
    judge=_judged,
    step=step,
    moment_at=compile_function(twin_engine.moment_at, is_inlined=True),
    is_tended=is_tended,
    wanted_at=wanted_at,
    due=due,
    targets=targets_of,
)
