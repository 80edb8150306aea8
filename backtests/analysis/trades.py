"""Round trips: each spell from no position to no position, from the fills alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.market.tape import Tape
from feeds.arrays import Flags, Floats, Integers

# what is left of a position by rounding, as a part of what was sold, is nothing
DUST = 1e-12

COLUMNS = (
    "symbol",
    "entry_time",
    "entry_price",
    "entry_reason",
    "exit_time",
    "exit_price",
    "exit_reason",
    "return",
    "days",
    "later_fills",
    "status",
)


def round_trips(
    fills: pd.DataFrame, *, last_time: pd.Timestamp, last_closes: Mapping[str, float]
) -> pd.DataFrame:
    """Return one row per trade, in order of entry.

    `return` is what came back over what was paid, costs included, minus 1. A trade is entered
    at its first fill's time and price and left at its last one's; `later_fills` counts those in
    between, of slices and of rebalancing. A position still open is marked at its coin's last close,
    pays no exit cost, and has status "open".
    """
    rows = [
        _trade(str(symbol), spell, last_time, last_closes[str(symbol)])
        for symbol, own in fills.groupby("symbol", sort=True)
        for spell in _spells(own)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values(["entry_time", "symbol"], kind="stable", ignore_index=True)


def trade_profits(fills: pd.DataFrame, *, last_closes: Mapping[str, float]) -> Floats:
    """Return what each trade made in money, costs included, in the order of `round_trips`."""
    found = [
        (spell.times[0], str(symbol), back - paid)
        for symbol, own in fills.groupby("symbol", sort=True)
        for spell in _spells(own)
        for paid, back, _ in [_money(spell, last_closes[str(symbol)])]
    ]
    return np.array([profit for *_, profit in sorted(found, key=lambda each: each[:2])])


def trade_numbers(fills: pd.DataFrame) -> Integers:
    """Return which trade each fill of one coin belongs to, counting from 0.

    A sale that leaves no more than rounding of what it sold ends a trade.
    """
    numbers, number, held = [], 0, 0.0
    for units, side in zip(fills["units"].tolist(), fills["side"], strict=True):
        numbers.append(number)
        held += units if side == "buy" else -units
        if side == "sell" and abs(held) <= DUST * units:
            number, held = number + 1, 0.0
    return np.array(numbers, np.int64)


@dataclass(frozen=True, slots=True)
class _Spell:
    """The fills of one trade, in arrays: a table per trade would take most of a basket's time."""

    times: pd.DatetimeIndex
    is_buy: Flags
    units: Floats
    prices: Floats
    commissions: Floats
    reasons: NDArray[np.object_]


def _spells(fills: pd.DataFrame) -> Iterator[_Spell]:
    times = pd.DatetimeIndex(fills["time"])
    arrays = [
        (fills["side"] == "buy").to_numpy(),
        *(fills[name].to_numpy(np.float64) for name in ("units", "price", "commission")),
        fills["reason"].to_numpy(object),
    ]
    numbers = trade_numbers(fills)
    for number in range(numbers[-1] + 1):
        part = slice(*np.searchsorted(numbers, [number, number + 1]))
        yield _Spell(times[part], *(values[part] for values in arrays))


def _trade(
    symbol: str, spell: _Spell, last_time: pd.Timestamp, last_close: float
) -> tuple[object, ...]:
    paid, back, closed = _money(spell, last_close)
    exit_time = spell.times[-1] if closed else last_time
    return (
        symbol,
        spell.times[0],
        spell.prices[0],
        spell.reasons[0],
        exit_time if closed else pd.NaT,
        spell.prices[-1] if closed else np.nan,
        spell.reasons[-1] if closed else "",
        back / paid - 1,
        (exit_time - spell.times[0]) / pd.Timedelta(days=1),
        len(spell.units) - 1 - closed,
        "closed" if closed else "open",
    )


def _money(spell: _Spell, last_close: float) -> tuple[float, float, bool]:
    """Return what a trade paid, what came back or is still held, and whether it is closed."""
    buys, sells = spell.is_buy, ~spell.is_buy
    values = spell.units * spell.prices
    paid = values[buys].sum() + spell.commissions[buys].sum()
    back = values[sells].sum() - spell.commissions[sells].sum()
    bought = spell.units[buys].sum()
    left = bought - spell.units[sells].sum()
    closed = bool(abs(left) <= DUST * bought)
    return paid, back if closed else back + left * last_close, closed


def excursions(trades: pd.DataFrame, *, tape: Tape) -> tuple[Floats, Floats]:
    """Return the lowest low and the highest high of each trade against its entry price.

    Both are fractions of the first fill's price. A trade sees every bar of its own coin from the
    one it was first filled in to the last before the one it left in, since it leaves at that
    bar's open.
    """
    times = tape.times
    worst, best = np.empty(len(trades)), np.empty(len(trades))
    for row, trade in enumerate(trades.to_dict("records")):
        start = times.searchsorted(trade["entry_time"])
        stop = len(times) if pd.isna(trade["exit_time"]) else times.searchsorted(trade["exit_time"])
        seen = slice(start, max(stop, start + 1))
        coin = tape.coins[trade["symbol"]]
        worst[row] = coin["low"][seen].min() / trade["entry_price"] - 1
        best[row] = coin["high"][seen].max() / trade["entry_price"] - 1
    return worst, best
