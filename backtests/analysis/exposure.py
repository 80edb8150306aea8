"""What a run held, bar by bar, in a form that can be moved in time or scaled."""

from dataclasses import dataclass, replace

import numpy as np

from backtests.analysis import metrics
from backtests.config.config import ALTS
from backtests.engines.account import Account, interest_of
from backtests.engines.backtest import Run
from backtests.market.elapsed import SECONDS_PER_YEAR, interest
from backtests.market.tape import Tape
from feeds.arrays import Flags, Floats

# units times price over equity is 1 - 1e-16 or so when all cash is spent: the same weight
_WEIGHT_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class Exposure:
    """Weights from open to open with the returns over the same spans, shape (bars,) each.

    `weights` is the share of equity in what the signal buys, just after each bar's open;
    `traded` the share of equity bought or sold there. `coin_returns` is what that earns from
    the open to the next (the last one to the last close), `idle_returns` what the rest of
    the money earns meanwhile. `cost` is commission plus slippage, and the mean impact of
    the fills, as a fraction of traded value.
    """

    weights: Floats
    traded: Floats
    coin_returns: Floats
    idle_returns: Floats
    cost: float

    @property
    def mean_weight(self) -> float:
        """Average share of equity in what the signal buys; NaN for no bars."""
        return float(self.weights.mean()) if self.weights.size else float("nan")


def exposure_of(result: Run, account: Account | None = None) -> Exposure:
    """Return what one of a run's accounts held, by default the strategy.

    Of a basket, `coin_returns` are those of holding the same basket all the time; where the
    signal rotates out of another coin, `idle_returns` are that coin's.
    """
    tape, account = result.market.traded, account or result.strategy
    opens = tape.matrix("open")
    units = account.positions.to_numpy()
    invested = units * opens
    _, bar_interest = interest_of(tape, result.config)
    cash = account.bars["cash"].to_numpy() / (1 + bar_interest)
    equity = cash + invested.sum(axis=1)
    bought = np.asarray((tape.matrix("on_weight") > 0).any(axis=0))
    moved = np.abs(np.diff(units, axis=0, prepend=0.0)) * opens
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = np.nan_to_num(invested[:, bought].sum(axis=1) / equity)
        traded = np.nan_to_num(moved.sum(axis=1) / equity)
    costs = result.config.costs
    moved_by = _moved_by(account, tape) if costs.impact_factor else costs.slippage
    return Exposure(
        weights=np.round(weights, _WEIGHT_DECIMALS),
        traded=np.minimum(traded, 1.0),
        coin_returns=_coin_returns(result),
        idle_returns=_idle_returns(result, bought=bought),
        cost=costs.commission + moved_by,
    )


def since_row(exposure: Exposure, first: int) -> Exposure:
    """Return an exposure from row `first` on; its first purchase is that of what was held."""
    rows = slice(first, None)
    return replace(
        exposure,
        weights=exposure.weights[rows],
        traded=exposure.traded[rows],
        coin_returns=exposure.coin_returns[rows],
        idle_returns=exposure.idle_returns[rows],
    )


def _moved_by(account: Account, tape: Tape) -> float:
    """Return how far from the open an account's fills were on average, a fraction of it."""
    fills = account.fills
    if fills.empty:
        return 0.0
    away = metrics.costs_paid(fills, opens=tape.opens) - fills["commission"].sum()
    units = account.positions.diff().fillna(account.positions.iloc[:1])
    return float(away / (units.abs() * tape.opens).to_numpy().sum())


def exposure_matched_returns(
    coin_returns: Floats, *, weight: float, cost: float, idle_returns: Floats | float = 0.0
) -> Floats:
    """Return the returns of holding a constant share of the coin, shape (bars,).

    Rebalanced at every bar's end back to `weight` at `cost` (a fraction of the traded
    value), the first purchase included: what the same average exposure earned without any
    timing.
    """
    gross = weight * coin_returns + (1 - weight) * idle_returns
    with np.errstate(invalid="ignore", divide="ignore"):
        drifted = np.nan_to_num(weight * (1 + coin_returns) / (1 + gross))
    kept = 1 - cost * np.abs(weight - drifted)
    kept[:1] *= 1 - cost * weight
    return np.asarray((1 + gross) * kept - 1)


def evenly_held_returns(exposure: Exposure) -> Floats:
    """Return the returns of holding the coin at an account's average weight on every bar."""
    return exposure_matched_returns(
        exposure.coin_returns,
        weight=exposure.mean_weight,
        cost=exposure.cost,
        idle_returns=exposure.idle_returns,
    )


def scaled_returns(returns: Floats, *, share: float, idle_returns: Floats) -> Floats:
    """Return the returns of an account of which only `share` follows the given returns.

    The rest earns `idle_returns`; the parts are set right at every bar's end, without cost. So
    two accounts can be compared at one average exposure, without borrowing for either.
    """
    return share * returns + (1 - share) * idle_returns


def _coin_returns(result: Run) -> Floats:
    if result.config.asset == ALTS:
        return result.buy_and_hold.returns.to_numpy()
    bars = result.market.traded_bars
    opens = bars["open"].to_numpy()
    return np.asarray(np.append(opens[1:], bars["close"].iloc[-1]) / opens - 1)


def _idle_returns(result: Run, *, bought: Flags) -> Floats:
    """Return what money outside the signal earns: cash, or the coin rotated out of."""
    is_other_coin = "idle" in result.others and not bought.all()
    if is_other_coin:
        return result.others["idle"].returns.to_numpy()
    lines = result.market.traded.lines
    until = np.append(lines["time"][1:], lines["bar_end"][-1])
    years = (until - lines["time"]) / SECONDS_PER_YEAR
    return interest(years, rate=result.config.costs.cash_rate)
