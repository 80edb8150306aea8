"""What each coin of a run earned: its share of the profit, bar by bar."""

import numpy as np
import pandas as pd

from backtests.engines.account import Account
from backtests.market.tape import Tape


def coin_profits(account: Account, tape: Tape) -> pd.DataFrame:
    """Return what each coin earned on each bar, in money, costs included.

    A row per bar, a column per symbol. Units held through a bar earn its change from the close
    before; what was bought or sold at its open earns from the fill's price. All of them and
    the interest on cash add up to the change of equity.
    """
    closes = tape.matrix("close")
    units = account.positions.to_numpy()
    before = np.vstack([np.zeros_like(units[:1]), units[:-1]])
    earlier = np.vstack([closes[:1], closes[:-1]])
    profits = pd.DataFrame(
        before * (closes - earlier), index=tape.times, columns=account.positions.columns
    )
    if account.fills.empty:
        return profits
    values = profits.to_numpy(copy=True)
    rows = profits.index.get_indexer(pd.DatetimeIndex(account.fills["time"]))
    columns = profits.columns.get_indexer(pd.Index(account.fills["symbol"]))
    bought = np.where(account.fills["side"] == "buy", 1.0, -1.0) * account.fills["units"]
    moved = bought * (closes[rows, columns] - account.fills["price"].to_numpy())
    np.add.at(values, (rows, columns), moved - account.fills["commission"])
    return pd.DataFrame(values, index=profits.index, columns=profits.columns)


def coin_weights(account: Account, tape: Tape) -> pd.DataFrame:
    """Return each coin's fraction of equity at each bar's end; 0 once all is lost."""
    held = account.positions.to_numpy() * tape.matrix("close")
    equity = account.equity.to_numpy()[:, np.newaxis]
    weights = np.divide(held, equity, out=np.zeros_like(held), where=equity > 0)
    return pd.DataFrame(weights, index=tape.times, columns=account.positions.columns)


def contribution(account: Account, tape: Tape, *, trades: pd.DataFrame) -> pd.DataFrame:
    """Return a row per coin that was ever held, the most profitable first.

    `profit` in money, `share` of the starting cash, `held` the fraction of bars with the coin
    held at the end, `mean_weight` over those bars, `trades`, and `worst` and `best` return of
    a trade (NaN without one).
    """
    profits, weights = coin_profits(account, tape), coin_weights(account, tape)
    held = account.positions != 0
    returns = trades.groupby("symbol")["return"]
    table = pd.DataFrame(
        {
            "profit": profits.sum(),
            "share": profits.sum() / account.initial_cash,
            "held": held.mean(),
            "mean_weight": weights.where(held).mean(),
            "trades": returns.size(),
            "worst": returns.min(),
            "best": returns.max(),
        },
        index=account.positions.columns,
    )
    table = table[table["trades"] > 0]
    return table.sort_values("profit", ascending=False, kind="stable")
