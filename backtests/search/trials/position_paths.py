"""What a position did after it was entered, kept once by the engine and looked up by all trials.

What is held while a rule is in the market depends on the bar of the entry and on costs, not on
when it leaves: cash does not matter either, since everything is a fraction of equity. So each
entry has one path, bar by bar, and a trial reads the row of the bar at whose open it sells.
"""

from typing import Final, NamedTuple

import numpy as np

from backtests.engines.compile_cache import compile_function
from backtests.engines.compiled_engine import stopped_by
from feeds.arrays import Floats, Integers
from strategies.position_rule import NONE, STAY, Moment, Rule

# The columns of a row, all for one unit of equity before the entry. Row r is for a sale at the
# open of the bar r + 1 bars after the entry, and knows the closes before it.
EQUITY: Final = 0  # at the last close
SOLD: Final = 1  # cash after the sale; NaN where something cannot be sold
BEGUN: Final = 2  # equity at the first close
RETURNS: Final = 3  # sums over the bars but the first: returns beyond what cash earned,
SQUARES: Final = 4  # squares of returns, less those of cash where bars are missing,
EXCESS_SQUARES: Final = 5  # squares of returns beyond cash,
LOSSES: Final = 6  # and of those below 0
LOWEST: Final = 7
HIGHEST: Final = 8
DEEPEST: Final = 9  # the lowest equity over the highest before it
HELD: Final = 10  # bars on which something was held
TRADES: Final = 11
WINS: Final = 12
IN_CASH: Final = 13  # how much of `SOLD` was cash before the sale, a fraction
JUDGED: Final = 14  # what the stops compare: the last close,
PAID: Final = 15  # the entry price,
HIGH_CLOSE: Final = 16  # the highest close,
LEAST_KEPT: Final = 17  # the lowest close over the entry price so far,
LEAST_TRAILED: Final = 18  # and over the highest close before it
COLUMNS: Final = 19

TAKEN: Final = 0  # places in `Paths.state`
UNCLEAR: Final = 1
MISSED: Final = 2  # from here on: slot, bar, rows, the rest of the entry, and the sale or 0
SALES: Final = 9
CLEARED: Final = 10
STATES: Final = 11

CAPACITY: Final = 1 << 18  # rows of paths at a time: 40 MB
IDLE_CAPACITY: Final = 1 << 20  # with an idle asset, which has a path from each bar of a sale on
KEPT_SALES: Final = 256  # of those that leave something over
SHORTEST: Final = 32
LATER: Final = 1 + 1e-12  # a quotient where the rule has a product: asked early, never late


class Paths(NamedTuple):
    """The paths of one set of costs so far; without places every position is all of equity.

    `costs` are these: commission, slippage and what cash earns through a bar; NaN before any path
    is laid.

    `possible`, shape (bars + 1,), is the first bar from each on at whose open something can be
    bought. `places`, shape (slots, 3), is where the path of an entry begins in `rows`, how many
    rows it has, and the bar it begins with. `state` says how many rows are taken, whether a
    trial met what only its whole account can tell, which path it missed, and how often all paths
    had to make room. `sales`, shape
    (KEPT_SALES, 4), are those at whose open a coin is halted: the slot and the first bar of the
    entry, the bar of the sale, and that at whose open the last of it is sold, else `NONE`; each
    has a row of its own, after those of the paths.
    """

    possible: Integers
    idles: bool
    rows: Floats
    places: Integers
    sales: Integers
    state: Integers
    costs: Floats


class PathStart(NamedTuple):
    """Where a path begins: a bar's open.

    `carried` is for how many bars the rule has been in when its trial's own trading begins at
    that open, `is_first` whether it does begin there, `is_on` whether the signal is on.
    """

    bar: int
    carried: int
    is_first: bool
    is_on: bool


def _slot_of(paths: Paths, entry: PathStart) -> int:
    """Return the place of an entry's path in `places`."""
    bars, half = paths.possible.size - 1, paths.places.shape[0] // 2
    slot = bars + min(entry.carried, half - bars - 1) if entry.is_first else entry.bar
    return slot if entry.is_on else slot + half


def _miss(paths: Paths, slot: int, entry: PathStart, rows: int, sale: int) -> None:
    """Ask for a path, or for a sale, unless another has been asked for."""
    if paths.state[MISSED] != NONE:
        return
    paths.state[MISSED], paths.state[MISSED + 1], paths.state[MISSED + 2] = slot, entry.bar, rows
    paths.state[MISSED + 3], paths.state[MISSED + 4] = entry.carried, entry.is_first
    paths.state[MISSED + 5], paths.state[MISSED + 6] = entry.is_on, sale


def _find(paths: Paths, entry: PathStart, needed: int) -> tuple[int, int]:
    """Return the first row of a path and how many it has; where they are too few, ask for more.

    Whoever asks for a path that is missing goes on with any row, and is asked again.
    """
    slot = slot_of(paths, entry)
    begin, length, bar = paths.places[slot]
    if begin == NONE or bar != entry.bar:
        length = 0
    if length < needed:
        # longer than asked for: trials that hold a bar more would each begin again
        rows = min(max(needed, 2 * length, SHORTEST), paths.possible.size - 1 - entry.bar)
        missed(paths, slot, entry, rows, 0)
    return max(begin, 0), length


def _find_sale(paths: Paths, entry: PathStart, sale: int) -> tuple[int, int]:
    """Return the row that tells a position sold at a bar's open, and when the last of it is.

    That is the same bar, but where a coin is halted there: what is left of it is sold at the
    first open at which it can be.
    """
    count, room = sale - entry.bar, paths.rows.shape[0] - paths.sales.shape[0]
    row = min(found(paths, entry, count)[0] + count - 1, room - 1)
    if not np.isnan(paths.rows[row, SOLD]) or paths.idles or paths.state[MISSED] != NONE:
        return row, sale
    return left_over(paths, entry, sale, row)


def _find_left_over(paths: Paths, entry: PathStart, sale: int, row: int) -> tuple[int, int]:
    """Return the same for a sale at which a coin is halted; `row` is that of the path."""
    slot, room = slot_of(paths, entry), paths.rows.shape[0] - paths.sales.shape[0]
    for number in range(paths.state[SALES]):
        known = paths.sales[number]
        if known[0] == slot and known[1] == entry.bar and known[2] == sale:
            if known[3] == NONE:
                break
            return room + number, known[3]
    else:
        if paths.state[SALES] < paths.sales.shape[0] and not np.isnan(paths.rows[row, EQUITY]):
            missed(paths, slot, entry, 1, sale)
            return row, sale
    paths.state[UNCLEAR] = 1
    return row, sale


def _stop_row(paths: Paths, rule: Rule, entry: PathStart, stop: int) -> int:
    """Return the bar before `stop` on which a path is stopped out by its own prices, or `stop`."""
    begin, count = found(paths, entry, 1)
    count = min(count, stop - entry.bar)
    if count > 0 and np.isnan(paths.rows[begin + count - 1, EQUITY]):
        paths.state[UNCLEAR] = 1
        return stop
    kept_to = (1 - rule.stop_loss) * LATER if rule.stop_loss > 0 else -1.0
    trailed_to = (1 - rule.trailing_stop) * LATER if rule.trailing_stop > 0 else -1.0
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        row = begin + middle
        kept, trailed = paths.rows[row, LEAST_KEPT], paths.rows[row, LEAST_TRAILED]
        if kept <= kept_to or trailed <= trailed_to:
            high = middle
        else:
            low = middle + 1
    while low < count:
        row = begin + low
        moment = Moment(0.0, paths.rows[row, JUDGED], np.nan, NONE, NONE, NONE, True, STAY)
        paid, high_close = paths.rows[row, PAID], paths.rows[row, HIGH_CLOSE]
        if stopped_by(rule, moment, paid, high_close, np.nan) != STAY:
            return entry.bar + low
        low += 1
    found(paths, entry, min(stop - entry.bar, count + 1))  # longer, if it may be stopped later
    return stop


slot_of = compile_function(_slot_of, is_inlined=True)
missed = compile_function(_miss, is_inlined=True)
found = compile_function(_find, is_inlined=True)
# seldom called, and put into the hot loop it slows all else
left_over = compile_function(_find_left_over)
sale_found = compile_function(_find_sale, is_inlined=True)
stopped_on_path = compile_function(_stop_row, is_inlined=True)
