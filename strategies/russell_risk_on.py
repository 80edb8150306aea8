"""The strategy as backtrader sees it: reads the combined feed, asks the rule, sends orders."""

from typing import Any

import backtrader as bt
import numpy as np

from strategies.rules import ENTER, EXIT_REASONS, STAY, TRIGGER_KINDS, Moment, State, step
from strategies.sizing import affordable_units


class RussellRiskOn(bt.Strategy):  # type: ignore[misc]
    """Hold a coin for a while after the Russell 2000 shows strength.

    Idea: a new high of small caps, or old resistance that holds as support, signals risk
    appetite that reaches crypto later. It decides in `next`, when a bar has ended, with all
    that is known by then; `next_open` only turns the decision into an order at the open of
    the next bar, which it uses for nothing but the order's size.

    Known weakness: it is out of the market most of the time, and 2014-2026 has only five to
    eight independent episodes of index highs, so any result may be luck.

    Parameters
    ----------
    rule
        A `strategies.rules.Rule`.
    commission, slippage
        Fractions of the traded value and of the price, per side.

    Notes
    -----
    The claim: Swissblock on late 2020 (resistance turned support), RogueMacro and Ash Crypto
    on new highs.
    """

    params = (("rule", None), ("commission", 0.0), ("slippage", 0.0))

    def __init__(self) -> None:
        self.state = State()
        self.planned = STAY
        self._weight = np.nan
        self._entry_reason = ""

    @property
    def planned_reason(self) -> str:
        """Why an order is due at the next open; empty when none is."""
        if self.planned == STAY:
            return ""
        return self._entry_reason if self.planned == ENTER else EXIT_REASONS[self.planned]

    def start(self) -> None:
        """Look the lines up once: by name they cost more than the rule itself."""
        lines = self.data.lines
        self._bar_end, self._close, self._open = lines.bar_end, lines.close, lines.open
        self._index_close, self._session = lines.index_close, lines.session
        self._trigger_session, self._trigger_kind = lines.trigger_session, lines.trigger_kind
        self._lost_session, self._weights = lines.lost_session, lines.weight

    def next(self) -> None:
        """Judge the bar that has just ended."""
        if self._trigger_kind[0]:
            self._entry_reason = TRIGGER_KINDS[int(self._trigger_kind[0])]
        moment = Moment(
            time=self._bar_end[0],
            close=self._close[0],
            index_close=self._index_close[0],
            session=int(self._session[0]),
            trigger_session=int(self._trigger_session[0]),
            lost_session=int(self._lost_session[0]),
        )
        position = self.position
        entry_price = position.price if position.size else np.nan
        self.state, self.planned = step(self.p.rule, self.state, moment, entry_price)
        self._weight = self._weights[0]
        if self.planned == ENTER and np.isnan(self._weight):
            self.planned = STAY

    def next_open(self) -> None:
        """Send what `next` decided a bar ago; the broker fills it at this bar's open."""
        if self.planned == STAY:
            return
        order: dict[str, Any] = {"exectype": bt.Order.Market, "reason": self.planned_reason}
        if self.planned == ENTER:
            units = affordable_units(
                self._weight * self.broker.cash,
                price=self._open[0] * (1 + self.p.slippage),
                commission=self.p.commission,
            )
            self.buy(size=units, **order)
        else:
            self.sell(size=self.position.size, **order)
        self.planned = STAY
