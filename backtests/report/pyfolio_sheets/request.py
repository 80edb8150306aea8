"""What pyfolio's sheets are drawn from."""

from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.analysis.trades import trade_numbers
from backtests.engines.account import Account
from backtests.engines.backtest import Run
from backtests.report.words import notation as written


def sheet_request(result: Run) -> dict[str, Any]:
    """Return what pyfolio draws from: daily returns, and fills in round lots."""
    returns = _daily_returns(result.strategy)
    return {
        "days": pd.DatetimeIndex(returns.index).strftime("%Y-%m-%d").tolist(),
        "returns": returns.tolist(),
        "benchmark": _daily_returns(result.buy_and_hold).tolist(),
        "benchmark_name": f"Hold {result.asset}",
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
MOST_LOTS: Final = 200_000  # of all trades together: pyfolio lists every single lot
FEWEST_LOTS: Final = 20


def _lots(fills: pd.DataFrame) -> list[tuple[str, str, int, float]]:
    """Return each fill as day, symbol, signed lots and money a lot.

    pyfolio cuts amounts to whole units and lists every unit, so half a coin would vanish and
    a billion would fill the memory. Lots are shares of what a trade bought in all, rounded on
    the running position, so that every trade ends at none.
    """
    trades = [
        own[numbers == number]
        for _, own in fills.groupby("symbol", sort=True)
        for numbers in [trade_numbers(own)]
        for number in np.unique(numbers)
    ]
    each = int(np.clip(MOST_LOTS // max(1, len(trades)), FEWEST_LOTS, LOTS))
    lots = [lot for trade in trades for lot in _lots_of(trade, each)]
    return [lot for _, *lot in sorted(lots)]  # type: ignore[misc]


def _lots_of(trade: pd.DataFrame, lots: int) -> list[tuple[pd.Timestamp, str, str, int, float]]:
    signed = np.where(trade["side"] == "buy", trade["units"], -trade["units"])
    position = np.round(np.cumsum(signed) / signed[signed > 0].sum() * lots).astype(int)
    amounts = np.diff(position, prepend=0)
    prices = trade["price"] * signed[signed > 0].sum() / lots
    symbols = trade["symbol"].map(written.coin)
    return [
        (time, f"{time:%Y-%m-%d}", symbol, int(amount), float(price))
        for time, symbol, amount, price in zip(trade["time"], symbols, amounts, prices, strict=True)
        if amount
    ]
