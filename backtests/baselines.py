"""What a run is compared with: holding the coin, and the index itself."""

import numpy as np
import pandas as pd

from backtests.config import CostSettings
from backtests.engine import Account, Lines, bar_times, fills_table
from strategies.sizing import affordable_units


def buy_and_hold(lines: Lines, *, symbol: str, costs: CostSettings) -> Account:
    """Buy with all cash at the open of the first tradable bar, pay the costs once, hold."""
    price = float(lines["open"][0]) * (1 + costs.slippage)
    units = affordable_units(costs.initial_cash, price=price, commission=costs.commission)
    commission = units * costs.commission * price
    times = bar_times(lines)
    bars = pd.DataFrame(
        {"cash": costs.initial_cash - units * price - commission, "units": units}, index=times
    )
    bars["equity"] = bars["cash"] + bars["units"] * lines["close"]
    bought = (times[0], symbol, "buy", units, price, commission, "buy_and_hold")
    return Account(bars=bars, fills=fills_table([bought]), initial_cash=costs.initial_cash)


def index_level(lines: Lines) -> pd.Series:
    """Return the index close known at each bar's end: no costs, no dividends."""
    return pd.Series(np.asarray(lines["index_close"]), index=bar_times(lines), name="index")
