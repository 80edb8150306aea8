"""The strategy as backtrader sees it: reads the feeds, asks the rule, sends orders."""

from typing import TYPE_CHECKING, Any

import backtrader as bt
import numpy as np

from strategies.orders_and_fills import orders
from strategies.position_rule import STAY, Moment, step
from strategies.target_weights import (
    HALTED,
    NOTHING,
    Book,
    Wanted,
    due,
    fresh_start,
    is_tended,
    next_stance,
    reason_name,
    targets,
)

if TYPE_CHECKING:
    from feeds.arrays import Floats


class RussellRiskOn(bt.Strategy):  # type: ignore[misc]
    """Hold a coin, or a basket of coins, for a while after the Russell 2000 shows strength.

    Idea: a new high of small caps, or old resistance that holds as support, signals risk
    appetite that reaches crypto later. It decides in `next`, when a bar has ended, with all
    that is known by then; `next_open` only turns the wanted weights into orders at the open
    of the next bar, which it uses for nothing but their size.

    Known weakness: it is out of the market most of the time, and 2014-2026 has only five to
    eight independent episodes of index highs, so any result may be luck.

    Parameters
    ----------
    rule
        A `strategies.position_rule.Rule`.
    upkeep
        A `strategies.target_weights.Upkeep`.
    start
        A `strategies.target_weights.Start`: the state the run opens in.
    commission, slippage
        Fractions of the traded value and of the price, per side.
    impact
        The coefficient of impact, 0 for none (see `strategies.orders_and_fills`).
    step
        What judges each bar: `strategies.position_rule.step`, or a function of one's own.

    Notes
    -----
    The claim: Swissblock on late 2020 (resistance turned support), RogueMacro and Ash Crypto
    on new highs.
    """

    params = (
        ("rule", None),
        ("upkeep", None),
        ("start", None),
        ("commission", 0.0),
        ("slippage", 0.0),
        ("impact", 0.0),
        ("step", step),
    )

    def __init__(self) -> None:
        start = self.p.start or fresh_start(self.p.upkeep)
        self.state, self.stance = start.state, start.stance
        self.planned: Floats | None = start.planned if start.reason != NOTHING else None
        self.planned_reason = reason_name(start.reason)
        self._units = [0.0] * len(self.datas)
        self._bought = 0.0  # money that went into positions at this bar's open

    def start(self) -> None:
        """Look the lines up once: by name they cost more than the rule itself."""
        self._lines = self.data.lines
        self._bar_end, self._close = self._lines.bar_end, self._lines.close
        self._index_close, self._session = self._lines.index_close, self._lines.session
        self._trigger_session = self._lines.trigger_session
        self._lost_session = self._lines.lost_session
        self._gap_interest = self._lines.gap_interest
        self._gate, self._leave = self._lines.gate, self._lines.leave
        self._closes = [data.lines.close for data in self.datas]
        self._alive = [data.lines.alive for data in self.datas]
        self._on_weights = [data.lines.on_weight for data in self.datas]
        self._idle_weights = [data.lines.idle_weight for data in self.datas]
        self._impacts = [data.lines.impact for data in self.datas]

    def next(self) -> None:
        """Judge the bar that has just ended."""
        close, entry = self._stop_prices()
        moment = Moment(
            time=self._bar_end[0],
            close=close,
            index_close=self._index_close[0],
            session=int(self._session[0]),
            trigger_session=int(self._trigger_session[0]),
            lost_session=int(self._lost_session[0]),
            gate=self._gate[0] > 0,
            leave=int(self._leave[0]),
        )
        self.state, action = self.p.step(self.p.rule, self.state, moment, entry)
        if action != STAY or is_tended(self.p.upkeep, self.stance, self._units):
            wanted = self._decide()
            stance, reason = due(self.p.upkeep, self.stance, action, wanted, self._book())
            self.stance = stance
            if reason != NOTHING:
                self.planned = targets(self.p.upkeep, stance, reason, wanted, self._units)
                self.planned_reason = reason_name(reason)

    def prenext_open(self) -> None:
        """Trade the very first open too, which backtrader would pass by."""
        self.next_open()

    def next_open(self) -> None:
        """Send what `next` decided a bar ago; the broker fills it at this bar's open.

        Before it, cash has earned its interest over the bars that are missing.
        """
        self.broker.cash += self.broker.cash * self._gap_interest[0]
        if self.planned is None:
            return
        halted = np.array([line[0] == HALTED for line in self._alive])
        trades = orders(
            cash=self.broker.cash,
            units=np.array(self._units),
            opens=np.array([data.open[0] for data in self.datas]),
            targets=np.where(halted, np.nan, self.planned),
            threshold=self.p.upkeep.threshold,
            commission=self.p.commission,
            slippage=self.p.slippage,
            impact=self.p.impact * np.array([line[0] for line in self._impacts]),
        )
        order: dict[str, Any] = {"exectype": bt.Order.Market, "reason": self.planned_reason}
        for coin in np.flatnonzero(trades < 0):
            self.sell(data=self.datas[coin], size=-trades[coin], **order)
        for coin in np.flatnonzero(trades > 0):
            self.buy(data=self.datas[coin], size=trades[coin], **order)
        self.planned, self.planned_reason = None, ""

    def notify_order(self, order: bt.Order) -> None:
        """Keep the flow of money into positions, and notice an entry that came to nothing."""
        if order.status == order.Completed:
            self._bought += order.executed.size * order.executed.price
            held = self.broker.positions
            self._units = [held[data].size if data in held else 0.0 for data in self.datas]
        elif order.status in (order.Margin, order.Rejected) and not any(self._units):
            self.stance = self.stance._replace(is_on=False)

    def _stop_prices(self) -> tuple[float, float]:
        """Return what the stops compare: prices of a single coin, a level of a basket."""
        if self.p.upkeep.is_single:
            position = self.position
            return self._close[0], position.price if position.size else np.nan
        if self.stance.is_on or self.stance.value or self._bought:
            self.stance = next_stance(self.stance, self._book(), self._bought)
            self._bought = 0.0
        return self.stance.level, 1.0 if self.stance.is_on else np.nan

    def _book(self) -> Book:
        return Book(self.broker.cash, self._units, [line[0] for line in self._closes])

    def _decide(self) -> Wanted:
        return Wanted(
            weight=self._lines.weight[0],
            kind=int(self._lines.trigger_kind[0]),
            is_rebalanced=self._lines.rebalance[0] > 0,
            on_weights=[line[0] for line in self._on_weights],
            idle_weights=[line[0] for line in self._idle_weights],
            alive=[line[0] for line in self._alive],
        )
