"""A template for a strategy of your own: copy it, change it, and name it in a config.

    python -m backtests.run --asset BTC --set strategy=my_strategy.py:MyRule

docs/extending.md says what each line of the feed holds.
"""

import backtrader as bt


class MyRule(bt.Strategy):  # type: ignore[misc]
    """Buy after a trigger; sell once the index has fallen by `fall` from its highest since.

    It decides in `next`, when a bar has ended, and trades in `next_open`, at the open of the
    bar after it.
    """

    params = (("fall", 0.1),)

    def __init__(self) -> None:
        self.weight = 0.0  # wanted, of equity
        self.reason = ""  # of the order that is due; empty where none is
        self.high = 0.0  # highest index close since the trigger

    def next(self) -> None:
        """Judge the bar that has just ended; index 0 of a line is what is known by then."""
        known = self.data.lines
        close = known.index_close[0]
        self.high = max(self.high, close)
        if not self.position and known.trigger_session[0] >= 0 and known.gate[0] > 0:
            self.weight, self.reason, self.high = known.weight[0], "trigger", close
        elif self.position and close < (1 - self.p.fall) * self.high:
            self.weight, self.reason = 0.0, "index_fell"

    def next_open(self) -> None:
        """Send what is due; it fills at this bar's open, which may be read for its size alone."""
        if not self.reason:
            return
        size = self.weight * self.broker.getcash() / self._price_paid()
        if self.position:
            self.close(reason=self.reason)
        elif size > 0:  # false for NaN, an unknown weight
            self.buy(size=size, reason=self.reason)
        self.reason = ""

    def _price_paid(self) -> float:
        """Return what a unit costs at this open, slippage and commission included."""
        commission = self.broker.getcommissioninfo(self.data).p.commission
        slipped = self.data.open[0] * (1 + self.broker.p.slip_perc)
        return float(slipped * (1 + commission))
