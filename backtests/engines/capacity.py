"""Could the fills have been made? Each is held against what was traded of its coin that day.

A history that begins when a coin cost six cents tempts to nonsense: a hundred thousand dollars
would have bought more than was for sale.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.engines.account import Account
from backtests.market.inputs import Inputs
from backtests.market.tape import dollar_volume, impact_line
from feeds.arrays import Floats
from feeds.bars import Bars


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much of each day's dollar volume an account's fills took.

    `largest` is the largest share (a fraction, NaN where no volume is known), of `symbol` at
    `time`; `above` counts the fills that took more than `limit`, `unknown` those of days
    without a known volume. `largest_account` is the starting cash up to which every known fill
    stays within the limit, as fills grow with the account; NaN where no volume is known.
    `impact` is what the fills paid for their share, in money, NaN where the settings charge
    none; `uncharged` counts those that paid nothing, because nothing is known to charge by.
    """

    fills: int
    unknown: int
    above: int
    limit: float
    largest: float
    symbol: str
    time: pd.Timestamp | None
    largest_account: float
    impact: float = np.nan
    uncharged: int = 0


def capacity_of(account: Account, *, config: Config, inputs: Inputs) -> Capacity:
    """Return how an account's fills compare with the day's dollar volume of their coins."""
    fills, limit = account.fills, config.costs.max_participation
    shares = _shares(fills, _daily_money(config, inputs))
    known = np.isfinite(shares)
    counts = len(fills), int((~known).sum()), int((shares[known] > limit).sum())
    charged = _impact(fills, config, inputs) if config.costs.impact_factor else (np.nan, 0)
    if not known.any():
        return Capacity(*counts, limit, np.nan, "", None, np.nan, *charged)
    row = int(np.nanargmax(shares))
    largest = float(shares[row])
    room = account.initial_cash * limit / largest if largest > 0 else np.inf
    symbol, time = str(fills["symbol"].iloc[row]), pd.Timestamp(fills["time"].iloc[row])
    return Capacity(*counts, limit, largest, symbol, time, room, *charged)


def capacity_warning(found: Capacity, *, who: str) -> tuple[str, ...]:
    """Return the warnings that fills took more than could be had, or were charged no impact."""
    warnings = []
    if found.above and found.time is not None:
        fill = f"{found.symbol.removesuffix('-USD')}, {found.time:%Y-%m-%d}"
        warnings.append(
            f"CAPACITY: {found.above} of {found.fills} fills of {who} took more than "
            f"{100 * found.limit:.0f} % of the day's dollar volume (`costs.max_participation`), "
            f"the largest {100 * found.largest:,.0f} % ({fill}): with this much money they could "
            "not have been made at these prices"
        )
    if found.uncharged:
        warnings.append(
            f"NO IMPACT was charged for {found.uncharged} of {found.fills} fills of {who} "
            "(`costs.impact`): the dollar volume of their day, or the volatility before it, is "
            "unknown"
        )
    return tuple(warnings)


def _daily_money(config: Config, inputs: Inputs) -> Mapping[str, pd.Series]:
    """Return the dollar volume of each day (UTC), by symbol; a day with nothing is unknown."""
    found = {}
    for bars in _traded_bars(inputs):
        money = dollar_volume(bars, settings=config.basket)
        days = pd.DatetimeIndex(money.index).normalize()
        found[bars.instrument.symbol] = money.groupby(days).sum(min_count=1)
    return found


def _traded_bars(inputs: Inputs) -> tuple[Bars, ...]:
    return (*inputs.coins, *((inputs.idle,) if inputs.idle else ()))


def _impact(fills: pd.DataFrame, config: Config, inputs: Inputs) -> tuple[float, int]:
    """Return the impact that fills paid, in money, and how many paid none."""
    paid, charged = 0.0, 0
    for bars in {bars.instrument.symbol: bars for bars in _traded_bars(inputs)}.values():
        own = fills[fills["symbol"] == bars.instrument.symbol]
        times = pd.DatetimeIndex(own["time"])
        is_charged = impact_line(bars, times, settings=config.basket) > 0
        value = (own["units"] * bars.frame["open"].reindex(times).to_numpy())[is_charged]
        spent = (own["units"] * own["price"])[is_charged]
        paid += float(((spent - value).abs() - config.costs.slippage * value).sum())
        charged += int(is_charged.sum())
    return paid, len(fills) - charged


def _shares(fills: pd.DataFrame, money: Mapping[str, pd.Series]) -> Floats:
    days = pd.DatetimeIndex(fills["time"]).normalize()
    values = (fills["units"] * fills["price"]).to_numpy(np.float64)
    traded = np.full(len(fills), np.nan)
    for symbol, own in money.items():
        rows = np.flatnonzero(fills["symbol"] == symbol)
        traded[rows] = own.reindex(days[rows]).to_numpy(np.float64)
    return np.asarray(values / traded)
