"""Round trips: each spell from no position to no position, from the fills alone."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
    """Return one row a trade, in order of entry.

    `return` is what came back over what was paid, costs included, minus 1. A trade is entered
    at its first fill's time and price and left at its last one's; `later_fills` counts those in
    between, of slices and of rebalancing. A position still open is marked at its coin's last close,
    pays no exit cost, and has status "open".
    """
    rows = [
        _trade(str(symbol), spell, last_time, last_closes[str(symbol)])
        for symbol, own in fills.groupby("symbol", sort=True)
        for _, spell in own.groupby(trade_numbers(own))
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values(["entry_time", "symbol"], kind="stable", ignore_index=True)


def trade_numbers(fills: pd.DataFrame) -> NDArray[np.int64]:
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


def _trade(
    symbol: str, spell: pd.DataFrame, last_time: pd.Timestamp, last_close: float
) -> tuple[object, ...]:
    buys = spell[spell["side"] == "buy"]
    sells = spell[spell["side"] == "sell"]
    paid = _value(buys) + buys["commission"].sum()
    back = _value(sells) - sells["commission"].sum()
    left = buys["units"].sum() - sells["units"].sum()
    closed = bool(abs(left) <= DUST * buys["units"].sum())
    exit_time = spell["time"].iloc[-1] if closed else last_time
    if not closed:
        back += left * last_close
    return (
        symbol,
        buys["time"].iloc[0],
        buys["price"].iloc[0],
        buys["reason"].iloc[0],
        exit_time if closed else pd.NaT,
        sells["price"].iloc[-1] if closed else np.nan,
        sells["reason"].iloc[-1] if closed else "",
        back / paid - 1,
        (exit_time - buys["time"].iloc[0]) / pd.Timedelta(days=1),
        len(spell) - 1 - closed,
        "closed" if closed else "open",
    )


def _value(fills: pd.DataFrame) -> float:
    return float((fills["units"] * fills["price"]).sum())
