"""What a held span earned and how deep it fell, looked up instead of added up.

A span's sums follow from prefix sums. Its lowest and highest close and its own drawdown
follow from a disjoint sparse table: per level, every bar knows the figures from itself to
the middle of its block, so that any span is two look-ups, left and right of one middle.
"""

from typing import Final, NamedTuple

import numpy as np

from backtests.config.config import Config
from backtests.engines.account import interest_of
from backtests.engines.compile_cache import compile_function
from backtests.engines.compiled_engine import stopped_by
from backtests.market import elapsed_time
from backtests.market.market import Market
from feeds.arrays import Flags, Floats, Integers
from strategies.position_rule import NONE, STAY, Moment, Rule

LOW: Final = 0
HIGH: Final = 1
FALL: Final = 2  # the lowest close over the highest before it


class TrialTape(NamedTuple):
    """The bars of one coin with the index beside them, and all that spans look up.

    Shape (bars,) each, but for the tables of `close` and `index_close` (levels, bars, 3) and
    `level`, which maps the exclusive or of two bars to a level.

    `bar_interest` is what cash earns through a bar, `gap_interest` before each one where bars
    are missing, `interest_rate` the log of its growth per second. `returns` and `squares` are
    running sums of close-to-close returns beyond `bar_interest`, so that cash has none, and of
    their squares; `excess` and `excess_squares` the same beyond all that cash earned by that
    bar; `losses` of the squares where that is negative; `idle` and `idle_squares` of what
    cash earned beyond `bar_interest`; `holes` of bars after a hole, which none of these counts.
    `is_even` is whether there is neither such interest nor a hole.
    """

    time: Floats
    bar_end: Floats
    open: Floats
    close: Floats
    index_close: Floats
    index_known: Floats  # at each bar's open
    session: Integers
    per_open: Floats  # 1 / open
    overnight: Floats  # open over the close before
    returns: Floats
    squares: Floats
    excess: Floats
    excess_squares: Floats
    losses: Floats
    idle: Floats
    idle_squares: Floats
    after_hole: Flags
    holes: Floats
    table: Floats
    index_table: Floats
    level: Integers
    gap_interest: Floats
    bar_interest: float
    interest_rate: float
    is_even: bool
    nominal_bars: float


def extremes(close: Floats) -> tuple[Floats, Integers]:
    """Return the sparse table of closes, shape (levels, bars, 3), and the levels' map."""
    levels = max(1, int(close.size - 1).bit_length())
    table = np.empty((levels, close.size, 3))
    _fill(close, table)
    level = np.zeros(1 << levels, np.int64)
    for height in range(1, levels):
        level[1 << height : 1 << (height + 1)] = height
    return table, level


def _fill_table(close: Floats, table: Floats) -> None:
    for height in range(table.shape[0]):
        half = 1 << height
        for middle in range(half, close.size + half, 2 * half):
            low, high, fall = np.inf, -np.inf, 1.0
            for bar in range(min(middle, close.size) - 1, middle - half - 1, -1):
                # to the left the new close comes first: all later lows are below it
                low = min(low, close[bar])
                high = max(high, close[bar])
                fall = min(fall, low / close[bar])
                entry = table[height, bar]
                entry[LOW], entry[HIGH], entry[FALL] = low, high, fall
            low, high, fall = np.inf, -np.inf, 1.0
            for bar in range(middle, min(middle + half, close.size)):
                low = min(low, close[bar])
                high = max(high, close[bar])
                fall = min(fall, close[bar] / high)
                entry = table[height, bar]
                entry[LOW], entry[HIGH], entry[FALL] = low, high, fall


def _span_over(
    close: Floats, table: Floats, level: Integers, first: int, last: int
) -> tuple[float, float, float]:
    """Return the lowest and highest close of bars first..last, and the deepest fall inside."""
    if first == last:
        return close[first], close[first], 1.0
    height = level[first ^ last]
    left, right = table[height, first], table[height, last]
    fall = min(left[FALL], right[FALL], right[LOW] / left[HIGH])
    return min(left[LOW], right[LOW]), max(left[HIGH], right[HIGH]), fall


_fill = compile_function(_fill_table, is_entry=True)
spanned = compile_function(_span_over, is_inlined=True)


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
            moment = Moment(0.0, price, np.nan, NONE, NONE, NONE, True, STAY)
            if stopped_by(rule, moment, entry_price, highest, np.nan) != STAY:
                return bar
        bar += 1
    return stop


def _stop_bar(tape: TrialTape, rule: Rule, entry: int, stop: int, entry_price: float) -> int:
    """Return the bar before `stop` on which a position held from `entry` is stopped out.

    By its stop loss or trailing stop; `stop` if there is none.
    """
    own = Rule(np.inf, False, rule.stop_loss, rule.trailing_stop, 0.0)
    return first_stopped(tape.close, tape.table, own, (entry, stop), (entry_price, -np.inf))


def _index_stop(tape: TrialTape, rule: Rule, entry: int, stop: int) -> int:
    """Return the bar before `stop` on which the fall of the index ends a position.

    It is a trailing stop on the index, whose high counts from the bar that decided to enter.
    """
    trailing = Rule(np.inf, False, 0.0, rule.index_drawdown, 0.0)
    paid = np.nan, tape.index_known[entry]
    return first_stopped(tape.index_close, tape.index_table, trailing, (entry, stop), paid)


first_stopped = compile_function(_first_stopped, is_inlined=True)
stopped = compile_function(_stop_bar, is_inlined=True)
stopped_by_index = compile_function(_index_stop, is_inlined=True)


def trial_tape_of(market: Market, config: Config) -> TrialTape:
    """Return the bars of a market's coin as spans look them up; what cash earns is the config's."""
    lines = market.tape.lines
    gap_interest, bar_interest = interest_of(market.tape, config)
    times, ends, rate = lines["time"], lines["bar_end"], config.costs.cash_rate
    # measured from what cash earns through a bar: then cash has no return but over gaps
    holes = elapsed_time.after_hole(times, ends)
    idle = np.where(holes, 0.0, elapsed_time.cash_returns(times, ends, rate=rate) - bar_interest)
    # copies: arrays that may not be written to would have all that reads them compiled twice
    opens, close = np.array(lines["open"]), np.array(lines["close"])
    earlier = np.concatenate((opens[:1], close[:-1]))
    returns = np.where(holes, 0.0, close / earlier - 1 - bar_interest)
    excess = returns - idle
    index_close = np.array(lines["index_close"])
    table, level = extremes(close)
    before = market.tape.before
    index_before = np.nan if before is None else before.lines["index_close"][-1]
    return TrialTape(
        time=times,
        bar_end=ends,
        open=opens,
        close=close,
        index_close=index_close,
        index_known=np.concatenate(([index_before], index_close[:-1])),
        session=lines["session"].astype(np.int64),
        per_open=1 / opens,
        overnight=opens / earlier,
        returns=np.cumsum(returns),
        squares=np.cumsum(returns**2),
        excess=np.cumsum(excess),
        excess_squares=np.cumsum(excess**2),
        losses=np.cumsum(np.minimum(excess, 0) ** 2),
        idle=np.cumsum(idle),
        idle_squares=np.cumsum(idle**2),
        after_hole=holes,
        holes=np.cumsum(holes, dtype=np.float64),
        table=table,
        index_table=extremes(index_close)[0],
        level=level,
        gap_interest=gap_interest,
        bar_interest=bar_interest,
        interest_rate=float(np.log1p(rate) / elapsed_time.SECONDS_PER_YEAR),
        is_even=not (idle.any() or holes.any()),
        nominal_bars=elapsed_time.nominal_bars_per_year(times, ends),
    )
