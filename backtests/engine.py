"""The backtrader engine: orders at the next open, costs, cash, and the ledger of a run.

The only user of Cerebro. Events and alignment are computed before it, figures after it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.config import Config, CostSettings
from backtests.elapsed import gaps, interest, years_between
from backtests.tape import Tape
from feeds.combined import CoinFeed, CombinedFeed
from feeds.sessions import BAR_LENGTHS
from strategies.fills import LEAST_FETCHED
from strategies.rules import rule_of
from strategies.russell_risk_on import RussellRiskOn
from strategies.targets import Start, Upkeep, Wanted, opening

FILL_COLUMNS = ("time", "symbol", "side", "units", "price", "commission", "reason")


@dataclass(frozen=True, slots=True)
class Account:
    """What an account did, bar by bar and fill by fill.

    `bars` has a row a bar (index: its opening instant, UTC) with cash, equity and weight
    (fraction of equity in coins) at its end; `positions` the units of each coin, a column a
    symbol: equity = cash + the sum of units x close. `fills` has `FILL_COLUMNS`. `refused`
    counts orders the broker did not carry out; `pending` is the reason of an order decided
    on the last bar and never filled, or empty.
    """

    bars: pd.DataFrame
    positions: pd.DataFrame
    fills: pd.DataFrame
    initial_cash: float
    refused: int = 0
    pending: str = ""

    @property
    def equity(self) -> pd.Series:
        """Equity at each bar's end, in money."""
        return self.bars["equity"]

    @property
    def returns(self) -> pd.Series:
        """Simple return of each bar; the first is measured from the initial cash.

        After a total loss nothing is left to move: those returns are 0.
        """
        equity = self.equity.to_numpy()
        before = np.concatenate(([self.initial_cash], equity[:-1]))
        moved = np.divide(equity, before, out=np.ones_like(equity), where=before > 0)
        return pd.Series(moved - 1, index=self.bars.index)

    @property
    def invested(self) -> pd.Series:
        """Whether any coin is held at each bar's end."""
        return (self.positions != 0).any(axis=1)


def simulate(tape: Tape, config: Config) -> Account:
    """Run the config's rule over a tape on backtrader and return its account.

    It opens in the state in which the rule would be after the bars before the tape.
    """
    strategy = _run(tape, config, upkeep_of(config, tape))
    ledger: _Ledger = strategy.analyzers.ledger
    times = tape.times
    return account_of(
        tape,
        cash=np.array(ledger.cash),
        units=np.array(ledger.units, dtype=np.float64),
        fills=fills_table((times[row], *fill) for row, *fill in ledger.fills),
        initial_cash=config.costs.initial_cash,
        refused=ledger.refused,
        pending=strategy.planned_reason,
    )


def _run(tape: Tape, config: Config, upkeep: Upkeep) -> RussellRiskOn:
    """Return the strategy as it is after the last bar."""
    costs = config.costs
    gap_interest, bar_interest = interest_of(tape, config)
    lines = {**tape.lines, "gap_interest": gap_interest}
    cerebro = bt.Cerebro(stdstats=False, cheat_on_open=True)
    cerebro.broker = _broker(costs, bar_interest)
    feed = CombinedFeed
    for symbol, own in tape.coins.items():
        cerebro.adddata(feed(dataname={**lines, **own}), name=symbol)
        feed = CoinFeed  # only the first carries the index
    cerebro.addstrategy(
        RussellRiskOn,
        rule=rule_of(config.rules),
        upkeep=upkeep,
        start=_start(tape, config, upkeep),
        commission=costs.commission,
        slippage=costs.slippage,
        impact=costs.impact_factor,
    )
    cerebro.addanalyzer(_Ledger, _name="ledger")
    strategy: RussellRiskOn
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


def interest_of(tape: Tape, config: Config) -> tuple[NDArray[np.float64], float]:
    """Return what cash earns before each bar's open, where bars are missing, and through a bar.

    The first is paid on the cash there was before the orders of that open, shape (bars,), the
    second, the same for every bar, on the cash there is after them.
    """
    opens, ends = tape.lines["time"], tape.lines["bar_end"]
    length = np.array([years_between(opens[0], ends[0])])
    rate = config.costs.cash_rate
    return interest(gaps(opens, ends), rate=rate), float(interest(length, rate=rate)[0])


def upkeep_of(config: Config, tape: Tape) -> Upkeep:
    """Return how positions are kept between the rule's answers."""
    size, days = config.size, pd.Timedelta(days=config.size.scale_in_days)
    idles = bool(tape.matrix("idle_weight").any())
    return Upkeep(
        scale_in_bars=1 if days.days == 1 else round(days / BAR_LENGTHS[config.data.timeframe]),
        threshold=size.rebalance_threshold,
        max_weight=size.max_weight,
        idles=idles,
        is_single=len(tape.coins) == 1 and not idles,
    )


def account_of(
    tape: Tape,
    *,
    cash: np.ndarray,
    units: np.ndarray,
    fills: pd.DataFrame,
    initial_cash: float,
    refused: int = 0,
    pending: str = "",
) -> Account:
    """Return the account that held `cash` (bars,) and `units` (bars, coins) at each bar's end."""
    held = units * tape.matrix("close")
    total = held.sum(axis=1)
    equity = cash + total
    weight = np.divide(total, equity, out=np.zeros_like(equity), where=equity > 0)
    return Account(
        bars=pd.DataFrame({"cash": cash, "equity": equity, "weight": weight}, index=tape.times),
        positions=pd.DataFrame(units, index=tape.times, columns=list(tape.coins)),
        fills=fills,
        initial_cash=initial_cash,
        refused=refused,
        pending=pending,
    )


def fills_table(rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """Return fills as a table with `FILL_COLUMNS`, typed even when there are none."""
    return pd.DataFrame(list(rows), columns=list(FILL_COLUMNS)).astype(
        {
            "time": "datetime64[ns, UTC]",
            "symbol": "str",
            "side": "str",
            "reason": "str",
            "units": np.float64,
            "price": np.float64,
            "commission": np.float64,
        }
    )


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
                    order.info.reason,
                )
            )
