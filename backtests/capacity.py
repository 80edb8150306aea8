"""Could the fills have been made? Each is held against what was traded of its coin that day.

A history that begins when a coin cost six cents tempts to nonsense: a hundred thousand dollars
would have bought more than was for sale.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.config import Config
from backtests.engine import Account
from backtests.inputs import Inputs
from backtests.tape import traded_money

LARGEST_DAY: Final = 1e12  # dollars; all coins together have never traded for as much in a day


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much of each day's dollar volume an account's fills took.

    `largest` is the largest share (a fraction, NaN where no volume is known), of `symbol` at
    `time`; `above` counts the fills that took more than `limit`, `unknown` those of days
    without a known volume. `largest_account` is the starting cash up to which every known fill
    stays within the limit, as fills grow with the account; NaN where no volume is known.
    """

    fills: int
    unknown: int
    above: int
    limit: float
    largest: float
    symbol: str
    time: pd.Timestamp | None
    largest_account: float


def capacity_of(account: Account, *, config: Config, inputs: Inputs) -> Capacity:
    """Return how an account's fills compare with the day's dollar volume of their coins."""
    fills, limit = account.fills, config.costs.max_participation
    shares = _shares(fills, _daily_money(config, inputs))
    known = np.isfinite(shares)
    counts = len(fills), int((~known).sum()), int((shares[known] > limit).sum())
    if not known.any():
        return Capacity(*counts, limit, np.nan, "", None, np.nan)
    row = int(np.nanargmax(shares))
    largest = float(shares[row])
    room = account.initial_cash * limit / largest if largest > 0 else np.inf
    symbol, time = str(fills["symbol"].iloc[row]), pd.Timestamp(fills["time"].iloc[row])
    return Capacity(*counts, limit, largest, symbol, time, room)


def capacity_warning(found: Capacity, *, who: str) -> tuple[str, ...]:
    """Return the warning that fills took more than could be had; none where none did."""
    if not found.above or found.time is None:
        return ()
    fill = f"{found.symbol.removesuffix('-USD')}, {found.time:%Y-%m-%d}"
    return (
        f"CAPACITY: {found.above} of {found.fills} fills of {who} took more than "
        f"{100 * found.limit:.0f} % of the day's dollar volume (`costs.max_participation`), the "
        f"largest {100 * found.largest:,.0f} % ({fill}): with this much money they could not have "
        "been made at these prices",
    )


def _daily_money(config: Config, inputs: Inputs) -> Mapping[str, pd.Series]:
    """Return the dollar volume of each day (UTC), by symbol; a day with nothing is unknown."""
    coins = [*inputs.coins, *([inputs.idle] if inputs.idle else [])]
    found = {}
    for bars in coins:
        opens = pd.DatetimeIndex(bars.frame.index)
        money = pd.Series(traded_money(bars, opens, settings=config.basket), index=opens)
        if (money > LARGEST_DAY).any():  # so the volume cannot be coins: it is money already
            money = bars.frame["volume"]
        days = money.groupby(opens.normalize()).sum(min_count=1)
        found[bars.instrument.symbol] = days.where(days > 0)
    return found


def _shares(fills: pd.DataFrame, money: Mapping[str, pd.Series]) -> NDArray[np.float64]:
    days = pd.DatetimeIndex(fills["time"]).normalize()
    values = (fills["units"] * fills["price"]).to_numpy(np.float64)
    traded = np.full(len(fills), np.nan)
    for symbol, own in money.items():
        rows = np.flatnonzero(fills["symbol"] == symbol)
        traded[rows] = own.reindex(days[rows]).to_numpy(np.float64)
    return np.asarray(values / traded)
