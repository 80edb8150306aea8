"""The backtrader engine: orders at the next open, costs, cash, and the ledger of a run.

The only user of Cerebro. Events and alignment are computed before it, figures after it.
"""

import math

import backtrader as bt
import numpy as np

from backtests.config.config import Config
from backtests.config.plugins import strategy_of
from backtests.config.run_settings import CostSettings
from backtests.engines.account import (
    OWN_REASON,
    Account,
    Closing,
    account_of,
    fills_table,
    interest_of,
    upkeep_of,
)
from backtests.market.tape import Tape
from feeds.combined import CoinFeed, CombinedFeed
from strategies.orders_and_fills import LEAST_FETCHED
from strategies.position_rule import State, rule_of, step
from strategies.russell_risk_on import RussellRiskOn
from strategies.target_weights import Start, Upkeep, Wanted, opening


def simulate(tape: Tape, config: Config) -> Account:
    """Run the config's rule over a tape on backtrader and return its account.

    It opens in the state in which the rule would be after the bars before the tape.
    """
    return closing(tape, config).account


def closing(tape: Tape, config: Config) -> Closing:
    """Run the config's rule over a tape and return how it stands after the last bar."""
    strategy = _run(tape, config, upkeep_of(config, tape))
    ledger: _Ledger = strategy.analyzers.ledger
    times = tape.times
    account = account_of(
        tape,
        cash=np.array(ledger.cash),
        units=np.array(ledger.units, dtype=np.float64),
        fills=fills_table((times[row], *fill) for row, *fill in ledger.fills),
        initial_cash=config.costs.initial_cash,
        refused=ledger.refused,
        pending=getattr(strategy, "planned_reason", ""),
    )
    waiting = [order for order in strategy.broker.pending if order is not None]
    ordered = {order.data._name: float(order.size) for order in waiting}
    state, planned = getattr(strategy, "state", None), getattr(strategy, "planned", None)
    return Closing(account, state if isinstance(state, State) else None, planned, ordered)


def _run(tape: Tape, config: Config, upkeep: Upkeep) -> bt.Strategy:
    """Return the strategy as it is after the last bar: ours, or a class of one's own."""
    costs = config.costs
    gap_interest, bar_interest = interest_of(tape, config)
    lines = {**tape.lines, "gap_interest": gap_interest}
    cerebro = bt.Cerebro(stdstats=False, cheat_on_open=True)
    cerebro.broker = _broker(costs, bar_interest)
    feed = CombinedFeed
    for symbol, own in tape.coins.items():
        cerebro.adddata(feed(dataname={**lines, **own}), name=symbol)
        feed = CoinFeed  # only the first carries the index
    judge = strategy_of(config.strategy) if config.strategy else step
    if isinstance(judge, type):
        cerebro.addstrategy(judge)
    else:
        cerebro.addstrategy(
            RussellRiskOn,
            rule=rule_of(config.rules),
            upkeep=upkeep,
            start=_start(tape, config, upkeep),
            commission=costs.commission,
            slippage=costs.slippage,
            impact=costs.impact_factor,
            step=judge,
        )
    cerebro.addanalyzer(_Ledger, _name="ledger")
    strategy: bt.Strategy
    (strategy,) = cerebro.run()
    return strategy


def _start(tape: Tape, config: Config, upkeep: Upkeep) -> Start | None:
    """Return the state after the bars before a tape, None where there are none."""
    if tape.before is None:
        return None
    ended = _run(tape.before, config, upkeep)
    lines = {name: values[-1] for name, values in tape.before.lines.items()}
    wanted = Wanted(
        weight=lines["weight"],
        kind=int(lines["trigger_kind"]),
        is_rebalanced=lines["rebalance"] > 0,
        on_weights=tape.before.matrix("on_weight")[-1],
        idle_weights=tape.before.matrix("idle_weight")[-1],
        alive=tape.before.matrix("alive")[-1],
    )
    return opening(upkeep, ended.state, ended.stance, wanted, lines["index_close"])


def _broker(costs: CostSettings, bar_interest: float) -> bt.brokers.BackBroker:
    # backtrader's own where nothing is added to it: it is called on every bar
    broker = (
        _Broker(bar_interest=bar_interest, impact=costs.impact_factor)
        if bar_interest or costs.impact_factor
        else bt.brokers.BackBroker()
    )
    broker.setcash(costs.initial_cash)
    broker.setcommission(commission=costs.commission)
    # uncapped: by default backtrader would cap slippage at the bar's high or low
    broker.set_slippage_perc(costs.slippage, slip_open=True, slip_match=True, slip_out=True)
    return broker


class _Broker(bt.brokers.BackBroker):  # type: ignore[misc]
    """A broker that charges impact, and pays interest on the cash held through each bar."""

    params = (("bar_interest", 0.0), ("impact", 0.0))

    def next(self) -> None:
        super().next()
        self.cash += self.cash * self.p.bar_interest

    def _try_exec_market(self, order: bt.Order, popen: float, *prices: float) -> None:
        # backtrader knows one slippage for all orders: tell it that of this one
        plain, impact = self.p.slip_perc, self.p.impact * order.data.lines.impact[0]
        moved = impact * math.sqrt(abs(order.size) * popen)
        most = math.inf if order.isbuy() else 1 - LEAST_FETCHED - plain
        self.p.slip_perc = plain + min(moved, most)
        super()._try_exec_market(order, popen, *prices)
        self.p.slip_perc = plain


class _Ledger(bt.Analyzer):  # type: ignore[misc]
    """Cash and units at each bar's end, every fill, and the orders refused."""

    def start(self) -> None:
        self.cash: list[float] = []
        self.units: list[list[float]] = []
        self.fills: list[tuple[int, str, str, float, float, float, str]] = []
        self.refused = 0

    def next(self) -> None:
        broker = self.strategy.broker
        self.cash.append(broker.cash)
        held = broker.positions
        self.units.append([held[data].size if data in held else 0.0 for data in self.datas])

    def notify_order(self, order: bt.Order) -> None:
        if order.status in (order.Margin, order.Rejected, order.Canceled):
            self.refused += 1
        elif order.status == order.Completed:
            done = order.executed
            # it values on every bar what it has ever been asked for: let it forget what is sold
            if not self.strategy.broker.positions[order.data]:
                del self.strategy.broker.positions[order.data]
            self.fills.append(
                (
                    len(self.data) - 1,
                    order.data._name,
                    "buy" if order.isbuy() else "sell",
                    abs(done.size),
                    done.price,
                    done.comm,
                    order.info.get("reason", OWN_REASON),
                )
            )
