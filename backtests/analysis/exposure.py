"""What a run held, bar by bar, in a form that can be moved in time or scaled."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.engine import Account

Series = NDArray[np.float64]

# units times price over equity is 1 - 1e-16 or so when all cash is spent: the same weight
_WEIGHT_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class Exposure:
    """Weights from open to open with the coin's returns over the same spans, shape (bars,).

    `weights` is the coin's share of equity just after each bar's open, `traded` the share of
    equity bought or sold there, `coin_returns` run from that open to the next (the last one
    to the last close). `cost` is commission plus slippage as a fraction of traded value,
    `cash_return` what cash earns per bar.
    """

    weights: Series
    traded: Series
    coin_returns: Series
    cost: float
    cash_return: float = 0.0

    @property
    def mean_weight(self) -> float:
        """Average share of equity in the coin; NaN for no bars."""
        return float(self.weights.mean()) if self.weights.size else float("nan")


def exposure_of(
    account: Account, *, bars: pd.DataFrame, cost: float, cash_return: float = 0.0
) -> Exposure:
    """Return what an account held of the coin with these `bars` (those of the run)."""
    opens = bars["open"].to_numpy()
    units = account.bars["units"].to_numpy()
    invested = units * opens
    equity = account.bars["cash"].to_numpy() / (1 + cash_return) + invested
    traded = np.abs(np.diff(units, prepend=0.0)) * opens / equity
    following = np.append(opens[1:], bars["close"].iloc[-1])
    return Exposure(
        weights=np.round(invested / equity, _WEIGHT_DECIMALS),
        traded=traded,
        coin_returns=following / opens - 1,
        cost=cost,
        cash_return=cash_return,
    )


def exposure_matched_returns(coin_returns: Series, *, weight: float, cost: float) -> Series:
    """Return the returns of holding a constant share of the coin, shape (bars,).

    Rebalanced at every bar's end back to `weight` at `cost` (a fraction of the traded
    value), the first purchase included: what the same average exposure earned without any
    timing.
    """
    gross = weight * coin_returns
    drifted = weight * (1 + coin_returns) / (1 + gross)
    kept = 1 - cost * np.abs(weight - drifted)
    kept[:1] *= 1 - cost * weight
    return np.asarray((1 + gross) * kept - 1)
