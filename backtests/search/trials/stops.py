"""The first bar on which a stop ends a held span: skipped to, then asked `rules._stop`.

Blocks of bars whose lowest close and deepest fall rule out a stop are skipped whole. Every
bar that might stop is put to the rule's own comparisons, so that a decision is that of the
step function to the last digit.
"""

from typing import Final

import numpy as np

from backtests.engines.compiling import compiled
from backtests.search.trials.ranges import FALL, HIGH, LOW, TrialTape
from feeds.arrays import Floats
from strategies import rules
from strategies.rules import NONE, STAY, Moment, Rule

# the table's fall is a quotient where the rule has a product: asked a little early, never late
MARGIN: Final = 1e-12
HEIGHT: Final = 4
BLOCK: Final = 1 << HEIGHT


def _first_stopped(
    prices: Floats,
    table: Floats,
    rule: Rule,
    span: tuple[int, int],
    paid: tuple[float, float],
) -> int:
    """Return the first bar whose price is a stop.

    Parameters
    ----------
    rule
        Its stop loss and its trailing stop are heeded.
    span
        The first bar to judge, and the bar to end before.
    paid
        The entry price, and the highest price before the first bar.

    Returns
    -------
    The bar, or the end of the span if there is none.
    """
    bar, stop = span
    entry_price, highest = paid
    lowest = entry_price * (1 - rule.stop_loss) if rule.stop_loss > 0 else -1.0
    deepest = (1 - rule.trailing_stop) * (1 + MARGIN) if rule.trailing_stop > 0 else -1.0
    while bar < stop:
        if bar % BLOCK == 0 and bar + BLOCK <= stop:
            # in the table a block is the left or the right half of one twice its size
            block = table[HEIGHT, bar + BLOCK - 1 if bar & BLOCK else bar]
            bound = max(lowest, highest * deepest)
            if block[LOW] > bound and block[FALL] > deepest:
                highest = max(highest, block[HIGH])
                bar += BLOCK
                continue
        price = prices[bar]
        highest = max(highest, price)
        if price <= max(lowest, highest * deepest):
            moment = Moment(0.0, price, np.nan, NONE, NONE, NONE, True, False)
            if stopped_by(rule, moment, entry_price, highest, np.nan) != STAY:
                return bar
        bar += 1
    return stop


def _stopped(tape: TrialTape, rule: Rule, entry: int, stop: int, entry_price: float) -> int:
    """Return the bar before `stop` on which a position held from `entry` is stopped out.

    `stop` if there is none. The fall of the index is a trailing stop on the index, whose high
    counts from the bar that decided to enter.
    """
    if rule.stop_loss > 0 or rule.trailing_stop > 0:
        own = Rule(np.inf, False, rule.stop_loss, rule.trailing_stop, 0.0)
        stop = first_stopped(tape.close, tape.table, own, (entry, stop), (entry_price, -np.inf))
    if rule.index_drawdown > 0:
        trailing = Rule(np.inf, False, 0.0, rule.index_drawdown, 0.0)
        high = tape.index_known[entry]
        stop = first_stopped(
            tape.index_close, tape.index_table, trailing, (entry, stop), (np.nan, high)
        )
    return stop


stopped_by = compiled(rules._stop, is_inlined=True)
first_stopped = compiled(_first_stopped, is_inlined=True)
stopped = compiled(_stopped, is_inlined=True)
