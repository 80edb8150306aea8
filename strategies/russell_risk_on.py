"""The strategy as backtrader sees it: reads the feeds, asks the rule, sends orders."""

from typing import Any

import backtrader as bt
import numpy as np
from numpy.typing import NDArray

from strategies.portfolio import orders
from strategies.rules import ENTER, EXIT_REASONS, STAY, TRIGGER_KINDS, Moment, State, step

Floats = NDArray[np.float64]

DELISTED = -1.0  # the `alive` line: 1 has a bar, 0 halted, -1 taken for dead


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
        A `strategies.rules.Rule`.
    commission, slippage
        Fractions of the traded value and of the price, per side.
    scale_in_bars
        Bars over which the full weight is reached.
    threshold
        How far a weight may drift from its target before it is traded back; 0 is never.
    max_weight
        Weight above which a position that has grown is trimmed.
    idles
        Whether something is held while the signal is off.

    Notes
    -----
    The claim: Swissblock on late 2020 (resistance turned support), RogueMacro and Ash Crypto
    on new highs.
    """

    params = (
        ("rule", None),
        ("commission", 0.0),
        ("slippage", 0.0),
        ("scale_in_bars", 1),
        ("threshold", 0.0),
        ("max_weight", 1.0),
        ("idles", False),
    )

    def __init__(self) -> None:
        self.state = State()
        self.planned: Floats | None = None
        self.planned_reason = ""
        self._on = False
        self._bars_on = 0
        self._entry_reason = ""
        self._settled = not self.p.idles  # nothing to buy before the first signal
        self._level = self._value = self._bought = 0.0
        self._held = np.zeros(len(self.datas))  # units of each coin

    def start(self) -> None:
        """Look the lines up once: by name they cost more than the rule itself."""
        self._lines = self.data.lines
        self._bar_end, self._close = self._lines.bar_end, self._lines.close
        self._index_close, self._session = self._lines.index_close, self._lines.session
        self._trigger_session = self._lines.trigger_session
        self._lost_session = self._lines.lost_session
        self._gate, self._leave = self._lines.gate, self._lines.leave
        self._closes = [data.lines.close for data in self.datas]
        self._alive = [data.lines.alive for data in self.datas]
        self._on_weights = [data.lines.on_weight for data in self.datas]
        self._idle_weights = [data.lines.idle_weight for data in self.datas]
        self._one_coin = len(self.datas) == 1 and not self.p.idles
        self._bounded = self.p.threshold > 0 or self.p.max_weight < 1
        # a single coin all in or all out has nothing to look after between its signals
        self._untended = self._one_coin and self.p.scale_in_bars == 1 and not self._bounded

    def next(self) -> None:
        """Judge the bar that has just ended."""
        if not self._one_coin:
            self._follow_level()
        close, entry = self._close_and_entry()
        moment = Moment(
            time=self._bar_end[0],
            close=close,
            index_close=self._index_close[0],
            session=int(self._session[0]),
            trigger_session=int(self._trigger_session[0]),
            lost_session=int(self._lost_session[0]),
            gate=self._gate[0] > 0,
            leave=self._leave[0] > 0,
        )
        self.state, action = step(self.p.rule, self.state, moment, entry)
        self._carry_out(action)

    def next_open(self) -> None:
        """Send what `next` decided a bar ago; the broker fills it at this bar's open."""
        if self.planned is None:
            return
        trades = orders(
            cash=self.broker.cash,
            units=self._held,
            opens=np.array([data.open[0] for data in self.datas]),
            targets=np.where(self._halted(), np.nan, self.planned),
            threshold=self.p.threshold,
            commission=self.p.commission,
            slippage=self.p.slippage,
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
            # as floats: an empty position is the integer 0, and an array of those truncates
            sizes = [self.broker.getposition(data).size for data in self.datas]
            self._held = np.array(sizes, dtype=np.float64)
        elif order.status in (order.Margin, order.Rejected) and not self._held.any():
            self._on = False

    def _carry_out(self, action: int) -> None:
        """Turn the rule's answer, or what is due without one, into wanted weights."""
        if self._trigger_session[0] >= 0:
            self._entry_reason = TRIGGER_KINDS[int(self._lines.trigger_kind[0])]
        if action == ENTER:
            self._bars_on = 0
            targets = self._on_targets()
            if not np.nansum(targets) > 0:
                return  # no coin or no weight known yet: asked again while the window is open
            self._on, self._level = True, 1.0
            self.planned, self.planned_reason = targets, self._entry_reason
        elif action != STAY:
            self._on = False
            self.planned, self.planned_reason = self._idle_targets(), EXIT_REASONS[action]
        elif not self._untended:
            self._tend()

    def _tend(self) -> None:
        """Plan what is due without a signal: the next slice, a rebalancing, a dead coin."""
        self._bars_on += 1
        if not (self._on or self.p.idles or self._held.any()):
            return
        targets = self._on_targets() if self._on else self._idle_targets()
        reason = self._due(targets)
        if reason:
            self._settled = True
            self.planned, self.planned_reason = targets, reason
        elif (stray := self._stray(targets)).any():
            self.planned = np.where(stray, 0.0, np.nan)
            self.planned_reason = "delisted" if self._on else "left_over"

    def _due(self, targets: Floats) -> str:
        """Return why all weights are to be brought to their targets, or nothing."""
        if self._on and self._bars_on < self.p.scale_in_bars:
            return "scale_in"
        if not self._settled:
            return "idle"
        if self._lines.rebalance[0]:
            return "rebalance"
        return self._out_of_bounds(targets) if self._bounded else ""

    def _out_of_bounds(self, targets: Floats) -> str:
        """Return which bound the weights have left, if any."""
        weights = self._weights()
        drifted = np.nanmax(np.abs(weights - targets)) > self.p.threshold > 0
        if drifted and np.nansum(targets) > 0:
            return "rebalance"
        if self._on and weights.sum() > self.p.max_weight + self.p.threshold:
            return "max_weight"
        return ""

    def _on_targets(self) -> Floats:
        share = min(1.0, (self._bars_on + 1) / self.p.scale_in_bars)
        weight = self._lines.weight[0] * share
        return np.asarray(weight * np.array([line[0] for line in self._on_weights]))

    def _idle_targets(self) -> Floats:
        return np.array([line[0] for line in self._idle_weights])

    def _weights(self) -> Floats:
        held = self._held * np.array([line[0] for line in self._closes])
        equity = self.broker.cash + held.sum()
        return np.asarray(held / equity if equity > 0 else held)

    def _halted(self) -> NDArray[np.bool_]:
        return np.array([line[0] == 0 for line in self._alive])

    def _stray(self, targets: Floats) -> NDArray[np.bool_]:
        """Return the coins held without being wanted: dead ones, or left from a halt."""
        dead = np.array([line[0] == DELISTED for line in self._alive])
        unwanted = dead if self._on else targets == 0
        return np.asarray((self._held > 0) & unwanted)

    def _close_and_entry(self) -> tuple[float, float]:
        """Return what the stops compare: prices of a single coin, a level of a basket."""
        if self._one_coin:
            position = self.position
            return self._close[0], position.price if position.size else np.nan
        return self._level, 1.0 if self._on else np.nan

    def _follow_level(self) -> None:
        """Chain the level: what the positions are worth over what was there and was paid in."""
        if not (self._on or self._value or self._bought):
            return
        value = float((self._held * np.array([line[0] for line in self._closes])).sum())
        before = self._value + self._bought
        if self._on and before > 0:
            self._level *= value / before
        self._value, self._bought = value, 0.0
