"""The fast engine: `backtests.engines.twin`, compiled.

The same functions in the same order, so the same bytes; worth its import where tapes are large
or many.
"""

from backtests.config.config import Config
from backtests.engines import twin
from backtests.engines.account import Account
from backtests.engines.compiling import compile_function, family
from backtests.engines.twin import Ledger, account_from, ledger_by
from backtests.market.tape import Tape
from strategies import execution, position_rule, targets

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
    execution.buying_factor,
    execution.selling_factor,
    execution.fill_prices,
    execution.affordable_units,
    execution.bought_units,
)
buying_factor, selling_factor = _pricing["buying_factor"], _pricing["selling_factor"]
fill_prices, affordable_units = _pricing["fill_prices"], _pricing["affordable_units"]
orders = compile_function(execution.orders, **_pricing, **family(execution.sum_in_order))
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
_filling = family(twin.buy, twin.sell, is_inlined=True)
bought, sold = _filling["buy"], _filling["sell"]
_filled = compile_function(twin.fill, is_inlined=True, **_filling)
_judged = compile_function(twin.judge, is_inlined=True, next_stance=next_stance)
wanted_at = compile_function(twin.wanted_at)
opened = compile_function(twin.open_after, is_entry=True, wanted_at=wanted_at, opening=opening)
kept = compile_function(
    twin.keep,
    is_entry=True,
    orders=orders,
    fill_prices=fill_prices,
    fill=_filled,
    judge=_judged,
    step=step,
    moment_at=compile_function(twin.moment_at, is_inlined=True),
    is_tended=is_tended,
    wanted_at=wanted_at,
    due=due,
    targets=targets_of,
)
