"""What pyfolio's sheets are drawn from."""

from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.backtest import Result
from backtests.engine import Account


def sheet_request(result: Result) -> dict[str, Any]:
    """Return what pyfolio draws from: daily returns, and fills in round lots."""
    returns = _daily_returns(result.strategy)
    return {
        "days": pd.DatetimeIndex(returns.index).strftime("%Y-%m-%d").tolist(),
        "returns": returns.tolist(),
        "benchmark": _daily_returns(result.buy_and_hold).tolist(),
        "benchmark_name": f"Hold {result.asset}",
        "symbol": result.asset,
        "lots": _lots(result.strategy.fills),
    }


def _daily_returns(account: Account) -> pd.Series:
    """Return one return a day: pyfolio knows no other bars, and counts 365 of them a year."""
    equity = account.equity.resample("1D").last().ffill()
    before = np.concatenate(([account.initial_cash], equity.to_numpy()[:-1]))
    # nothing can be earned on nothing: after a total loss the return is 0
    ratio = np.divide(equity, before, out=np.ones(len(equity)), where=before > 0)
    return pd.Series(ratio - 1, index=equity.index)


LOTS: Final = 1_000


def _lots(fills: pd.DataFrame) -> list[tuple[str, int, float]]:
    """Return each fill as day, signed lots and money a lot.

    pyfolio cuts amounts to whole units and lists every unit, so half a coin would vanish and
    a billion would fill the memory. A buy of `LOTS` lots and the sale of all of them keep
    each trade's profit exact.
    """
    lots: list[tuple[str, int, float]] = []
    bought = 0.0
    for fill in fills.to_dict("records"):
        is_buy = fill["side"] == "buy"
        bought = fill["units"] if is_buy else bought
        amount = max(1, round(fill["units"] / bought * LOTS))
        money = fill["units"] * fill["price"] / amount
        lots.append((f"{fill['time']:%Y-%m-%d}", amount if is_buy else -amount, money))
    return lots
