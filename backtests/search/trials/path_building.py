"""Laying paths: the compiled engine keeps a position from its entry on, a row per bar tells it."""

from typing import Final, NamedTuple

import numpy as np

from backtests.analysis.trades import DUST
from backtests.engines.compile_cache import compile_function
from backtests.engines.compiled_engine import (
    Ledger,
    buying_factor,
    kept,
    selling_factor,
    targets_of,
    wanted_at,
)
from backtests.engines.tape_arrays import Coins, Money, Part, cut_part
from backtests.search.trials.position_paths import (
    BEGUN,
    CLEARED,
    DEEPEST,
    EQUITY,
    EXCESS_SQUARES,
    HELD,
    HIGH_CLOSE,
    HIGHEST,
    IN_CASH,
    JUDGED,
    LEAST_KEPT,
    LEAST_TRAILED,
    LOSSES,
    LOWEST,
    MISSED,
    PAID,
    RETURNS,
    SALES,
    SOLD,
    SQUARES,
    TAKEN,
    TRADES,
    WINS,
    Paths,
    PathStart,
)
from feeds.arrays import Flags, Floats
from strategies.orders_and_fills import LAST_DIGITS, LEAST_ORDER
from strategies.position_rule import NONE, Rule, State
from strategies.target_weights import HALTED, IDLE, Stance, Start, Upkeep

# The columns of a coin's round trip: units held and bought, money paid and got back.
UNITS: Final = 0
BOUGHT: Final = 1
COST: Final = 2
BACK: Final = 3

WHOLE: Final = 1 - 1e-9
LONGEST_HALT: Final = 64  # bars, after which a sale is left to the whole account
STAY_IN: Final = Rule(np.inf, False, 0.0, 0.0, 0.0)


class KeptBars(NamedTuple):
    """The bars that positions are kept on.

    `part` has a row for what was known before the first bar, then one per bar; it brings no
    signals: only upkeep is asked of it.
    """

    part: Part
    upkeep: Upkeep
    after_hole: Flags


def _lay_missed(paths: Paths, bars: KeptBars, money: Money) -> bool:
    """Lay the path that a trial missed; return whether all others had to make room for it."""
    slot, bar, length = paths.state[MISSED], paths.state[MISSED + 1], paths.state[MISSED + 2]
    carried, is_first, is_on = (
        paths.state[MISSED + 3],
        paths.state[MISSED + 4] > 0,
        paths.state[MISSED + 5] > 0,
    )
    entry, sale = PathStart(bar, carried, is_first, is_on), paths.state[MISSED + 6]
    room = paths.rows.shape[0] - paths.sales.shape[0]
    if sale > 0:
        number = paths.state[SALES]
        known = paths.sales[number]
        known[0], known[1], known[2] = slot, bar, sale
        known[3] = sale_laid(bars, money, entry, sale, paths.rows[room + number])
        paths.state[SALES] += 1
        return False
    is_full = paths.state[TAKEN] + length > room
    if is_full:
        paths.places[:] = NONE
        paths.state[TAKEN] = 0
        paths.state[CLEARED] += 1
    begin = paths.state[TAKEN]
    paths.places[slot, 0], paths.places[slot, 1], paths.places[slot, 2] = begin, length, bar
    paths.state[TAKEN] += length
    laid(bars, money, entry, paths.rows[begin : begin + length])
    return bool(is_full)


def _lay(bars: KeptBars, money: Money, entry: PathStart, rows: Floats) -> None:
    """Keep the account of a position from its entry on, and fill its rows.

    They stay NaN from where only the whole account can tell what happens.
    """
    rows[:] = np.nan
    is_told, after, start = begun(bars, money, entry, 0, rows.shape[0])
    if is_told:
        ledger = kept(STAY_IN, bars.upkeep, after, money, start)
        told(bars, money, entry, ledger, rows, sale=0)


def _lay_sale(bars: KeptBars, money: Money, entry: PathStart, sale: int, row: Floats) -> int:
    """Keep a position that is sold at a bar's open until all of it is, and fill its row.

    Return the bar at whose open the last of it is sold, `NONE` where that takes too long.
    """
    count = min(sale - entry.bar + LONGEST_HALT, bars.after_hole.size - entry.bar)
    _, after, start = begun(bars, money, entry, sale, count)
    ledger = kept(STAY_IN, bars.upkeep, after, money, start)
    for number in range(sale - entry.bar, count):
        if (ledger.units[number] == 0).all():
            rows = np.full((number, row.size), np.nan)
            told(bars, money, entry, ledger, rows, sale=sale)
            row[:] = rows[number - 1]
            return entry.bar + number
    return NONE


def _begin(
    bars: KeptBars, money: Money, entry: PathStart, sale: int, count: int
) -> tuple[bool, Part, Start]:
    """Return whether a path can tell a position, its first bars, and what it opens with.

    `sale` is the bar at whose open it is sold, 0 for none.
    """
    upkeep, part, first = bars.upkeep, bars.part, entry.bar + 1
    stance = Stance(entry.is_on, entry.carried, True, 1.0, 0.0)
    nothing = np.zeros(part.coins.open.shape[1])
    wanted = wanted_at(part.signals, part.coins, entry.bar)
    planned = targets_of(upkeep, stance, IDLE, wanted, nothing)
    after, is_told = cut(part, first, first + count), True
    if entry.is_first:
        after.gap_interest[0] = 0.0
        is_told = not upkeep.idles or part.coins.idle_weight[entry.bar].sum() != 0
    elif upkeep.idles:
        # all that was held is sold at this open, which leaves the last digits of it in cash
        after.gap_interest[0] = 0.0
        is_told = bought_share(upkeep, planned, part.coins.alive[first]) >= WHOLE
        planned *= 1 - LAST_DIGITS
        if entry.is_on:
            stance = Stance(True, 0, True, 1.0, gained_before(part.coins, money, entry.bar))
    window_end = np.inf if entry.is_on else -np.inf
    if sale > 0:
        window_end = part.signals.bar_end[sale]  # that of the bar before it
    return is_told, after, Start(State(window_end, NONE, -np.inf, -np.inf), stance, IDLE, planned)


def _bought_share(upkeep: Upkeep, planned: Floats, alive: Floats) -> float:
    """Return which share of equity the weights of an open buy."""
    share, least = 0.0, max(upkeep.threshold, LEAST_ORDER)
    for coin in range(planned.size):
        if alive[coin] != HALTED and planned[coin] > least:
            share += planned[coin]
    return share


def _gained_before(coins: Coins, money: Money, bar: int) -> float:
    """Return what an idle asset sold at a bar's open lost since the close before, per cash."""
    for coin in range(coins.open.shape[1]):
        if coins.idle_weight[bar, coin] > 0:
            fetched = coins.open[bar + 1, coin] * (1 - money.slippage)
            return float((coins.close[bar, coin] / fetched - 1) / (1 - money.commission))
    return np.nan


def _tell(
    bars: KeptBars, money: Money, entry: PathStart, ledger: Ledger, rows: Floats, *, sale: int
) -> None:
    """Fill the rows of a path from the ledger of its position, sold at bar `sale` if above 0."""
    coins, gap_interest = bars.part.coins, bars.part.gap_interest
    trips, through = np.zeros((coins.open.shape[1], 4)), money.bar_interest
    before, begun, lowest, highest, deepest = 1.0, np.nan, np.inf, -np.inf, 1.0
    returns, squares, excess_squares, losses = 0.0, 0.0, 0.0, 0.0
    held, trades, wins = 0, 0, 0
    high_close, least_kept, least_trailed = -np.inf, np.inf, np.inf
    for number in range(rows.shape[0]):
        bar, at, row = entry.bar + number, entry.bar + number + 1, rows[number]
        equity, is_held = ledger.cash[number], False
        for coin in range(trips.shape[0]):
            units = ledger.traded[number, coin]
            if units != 0:
                closed, won = traded(trips[coin], units, coins.open[at, coin], money, 0.0)
                trades += closed
                wins += won
            equity += ledger.units[number, coin] * coins.close[at, coin]
            is_held = is_held or ledger.units[number, coin] != 0
        close, paid = ledger.judged[number]
        is_sold = 0 < sale <= bar
        if equity <= 0 or (entry.is_on and not is_sold and np.isnan(paid)):
            return  # all is lost, or nothing could be bought and the rule asks again
        held += is_held
        if number > 0 and not bars.after_hole[bar]:
            change = equity / before - 1 - through
            missed = gap_interest[at] * (1 + through)
            beyond = change - missed
            returns += beyond
            squares += change * change - missed * missed
            excess_squares += beyond * beyond
            losses += min(beyond, 0.0) ** 2
        begun = equity if number == 0 else begun
        lowest, highest = min(lowest, equity), max(highest, equity)
        deepest = min(deepest, equity / highest)
        if entry.is_on:
            high_close = max(high_close, close)
            least_kept = min(least_kept, close / paid)
            least_trailed = min(least_trailed, close / high_close)
        row[BEGUN] = begun
        row[EQUITY], row[LOWEST], row[HIGHEST], row[DEEPEST] = equity, lowest, highest, deepest
        row[RETURNS], row[SQUARES], row[EXCESS_SQUARES] = returns, squares, excess_squares
        row[LOSSES], row[HELD] = losses, held
        row[JUDGED], row[PAID], row[HIGH_CLOSE] = close, paid, high_close
        row[LEAST_KEPT], row[LEAST_TRAILED] = least_kept, least_trailed
        row[SOLD], more, won = sale_at(bars, money, entry, ledger, trips=trips, number=number)
        row[IN_CASH] = ledger.cash[number] / row[SOLD] if row[SOLD] > 0 else 0.0
        row[TRADES], row[WINS] = trades + more, wins + won
        before = equity


def _sell_all(
    bars: KeptBars, money: Money, entry: PathStart, ledger: Ledger, *, trips: Floats, number: int
) -> tuple[float, int, int]:
    """Return the cash of a sale at the open after a row, and the trades it ends, and wins.

    At the very end there is no such open: positions count at their last close.
    """
    coins, at = bars.part.coins, entry.bar + number + 1
    is_last = at >= bars.after_hole.size
    cash, trades, wins = ledger.cash[number], 0, 0
    if not is_last:
        cash += cash * bars.part.gap_interest[at + 1]
    kept_on = coins.idle_weight if entry.is_on else coins.on_weight
    for coin in range(trips.shape[0]):
        units, trip = ledger.units[number, coin], trips[coin]
        fetched = coins.close[at, coin]
        if not is_last and units != 0:
            fetched = coins.open[at + 1, coin] * (1 - money.commission)
            fetched *= selling_factor(0.0, slippage=money.slippage, impact=0.0)
            is_stuck = coins.alive[at + 1, coin] == HALTED or coins.open[at + 1, coin] <= 0
            cash += np.nan if is_stuck or kept_on[at, coin] > 0 else units * fetched
        if trip[BOUGHT] > 0:
            trades += 1
            wins += is_won(trip, fetched)
    return cash, trades, wins


def _trade(
    trip: Floats, units: float, opened: float, money: Money, impact: float
) -> tuple[int, int]:
    """Count a fill into its coin's round trip; return whether that ends it, and whether it won."""
    value = abs(units) * opened
    trip[UNITS] += units
    if units > 0:
        price = opened * buying_factor(value, slippage=money.slippage, impact=impact)
        trip[BOUGHT] += units
        trip[COST] += units * price * (1 + money.commission)
        return 0, 0
    price = opened * selling_factor(value, slippage=money.slippage, impact=impact)
    trip[BACK] -= units * price * (1 - money.commission)
    if abs(trip[UNITS]) > DUST * -units:
        return 0, 0
    won = is_won(trip, 0.0)
    trip[:] = 0.0
    return 1, int(won)


def _is_won(trip: Floats, price: float) -> bool:
    """Return whether a round trip won, what is still held counted at a price."""
    return bool((trip[BACK] + trip[UNITS] * price) / trip[COST] - 1 > 0)


cut = compile_function(cut_part)
is_won = compile_function(_is_won, is_inlined=True)
traded = compile_function(_trade, is_inlined=True)
sale_at = compile_function(_sell_all, is_inlined=True)
bought_share = compile_function(_bought_share, is_inlined=True)
gained_before = compile_function(_gained_before, is_inlined=True)
begun = compile_function(_begin)
told = compile_function(_tell)
laid = compile_function(_lay)
sale_laid = compile_function(_lay_sale)
laid_missed = compile_function(_lay_missed)
