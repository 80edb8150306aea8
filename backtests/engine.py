"""The backtrader engine: orders at the next open, costs, cash, and the ledger of a run.

The only user of Cerebro. Events and alignment are computed before it, figures after it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.config import CostSettings
from feeds.combined import CombinedFeed
from strategies.rules import Rule
from strategies.russell_risk_on import RussellRiskOn

Lines = Mapping[str, NDArray[np.float64]]

FILL_COLUMNS = ("time", "symbol", "side", "units", "price", "commission", "reason")


@dataclass(frozen=True, slots=True)
class Account:
    """What an account did, bar by bar and fill by fill.

    `bars` has a row a bar (index: its opening instant, UTC) with cash, units and equity at
    its end; equity = cash + units x close. `fills` has `FILL_COLUMNS`. `refused` counts
    orders the broker did not carry out; `pending` is the reason of an order decided on the
    last bar and never filled, or empty.
    """

    bars: pd.DataFrame
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
        """Simple return of each bar; the first is measured from the initial cash."""
        before = np.concatenate(([self.initial_cash], self.equity.to_numpy()[:-1]))
        return pd.Series(self.equity.to_numpy() / before - 1, index=self.bars.index)


def simulate(
    lines: Lines, *, symbol: str, rule: Rule, costs: CostSettings, cash_return: float
) -> Account:
    """Run the rule over the combined lines of one coin and return its account.

    Parameters
    ----------
    lines
        Line name to float64 array (see `feeds.combined`), one value a tradable bar.
    cash_return
        What idle cash earns per bar, a fraction.
    """
    cerebro = bt.Cerebro(stdstats=False, cheat_on_open=True)
    cerebro.broker = _broker(costs, cash_return)
    cerebro.adddata(CombinedFeed(dataname=lines), name=symbol)
    cerebro.addstrategy(
        RussellRiskOn, rule=rule, commission=costs.commission, slippage=costs.slippage
    )
    cerebro.addanalyzer(_Ledger, _name="ledger")
    (strategy,) = cerebro.run()
    ledger: _Ledger = strategy.analyzers.ledger
    times = bar_times(lines)
    bars = pd.DataFrame({"cash": ledger.cash, "units": ledger.units}, index=times, dtype=np.float64)
    bars["equity"] = bars["cash"] + bars["units"] * lines["close"]
    return Account(
        bars=bars,
        fills=fills_table((times[row], symbol, *fill) for row, *fill in ledger.fills),
        initial_cash=costs.initial_cash,
        refused=ledger.refused,
        pending=strategy.planned_reason,
    )


def bar_times(lines: Lines) -> pd.DatetimeIndex:
    """Return the opening instant (UTC) of each bar."""
    return pd.DatetimeIndex(pd.to_datetime(lines["time"], unit="s", utc=True)).as_unit("ns")


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


def _broker(costs: CostSettings, cash_return: float) -> bt.brokers.BackBroker:
    broker = _Broker(cash_return=cash_return) if cash_return else bt.brokers.BackBroker()
    broker.setcash(costs.initial_cash)
    broker.setcommission(commission=costs.commission)
    # uncapped: by default backtrader would cap slippage at the bar's high or low
    broker.set_slippage_perc(costs.slippage, slip_open=True, slip_match=True, slip_out=True)
    return broker


class _Broker(bt.brokers.BackBroker):  # type: ignore[misc]
    """A broker that pays interest on the cash held through each bar."""

    params = (("cash_return", 0.0),)

    def next(self) -> None:
        super().next()
        self.cash += self.cash * self.p.cash_return


class _Ledger(bt.Analyzer):  # type: ignore[misc]
    """Cash and units at each bar's end, every fill, and the orders refused."""

    def start(self) -> None:
        self.cash: list[float] = []
        self.units: list[float] = []
        self.fills: list[tuple[int, str, float, float, float, str]] = []
        self.refused = 0

    def next(self) -> None:
        broker = self.strategy.broker
        self.cash.append(broker.cash)
        self.units.append(broker.getposition(self.data).size)

    def notify_order(self, order: bt.Order) -> None:
        if order.status in (order.Margin, order.Rejected, order.Canceled):
            self.refused += 1
        elif order.status == order.Completed:
            done = order.executed
            self.fills.append(
                (
                    len(self.data) - 1,
                    "buy" if order.isbuy() else "sell",
                    abs(done.size),
                    done.price,
                    done.comm,
                    order.info.reason,
                )
            )
