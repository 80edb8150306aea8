"""What a run held bar by bar, what each coin of it earned, and the equity of its accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis import metrics
from backtests.analysis.periods import weekly
from backtests.config.config import ALTS
from backtests.engines.account import Account, interest_of
from backtests.engines.backtest import Run
from backtests.market.elapsed_time import SECONDS_PER_YEAR, interest
from backtests.market.tape import Tape
from feeds.arrays import Flags, Floats

# units times price over equity is 1 - 1e-16 or so when all cash is spent: the same weight
_WEIGHT_DECIMALS = 12
FEWEST_WEEKS: Final = 26  # of a correlation


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


def compared_equity(result: Run) -> dict[str, pd.Series]:
    """Return in money what a run is compared with, a row per bar, by the names of its figures.

    The coin held evenly is counted from open to open as its figures are: a row is what there is
    at the next open, the last one at the last close. The index is what the starting cash would be
    at its level known at each bar's end.
    """
    cash, times = result.strategy.initial_cash, result.strategy.bars.index
    even = cash * np.cumprod(1 + evenly_held_returns(exposure_of(result)))
    market = result.market
    return {
        "buy_and_hold": result.buy_and_hold.equity,
        "exposure_matched": pd.Series(even, index=times),
        "control": result.control.equity,
        "index": cash * (market.index_level / market.index_before),
        **{name: account.equity for name, account in result.others.items()},
    }


def with_start(
    table: pd.DataFrame, start: Mapping[str, float] | float, *, length: pd.Timedelta
) -> pd.DataFrame:
    """Return a table of states at each bar's end with a row before: the state at the first open.

    Its `time` is one bar's `length` earlier: every row stands at the open of the bar that ends
    with it, and such a bar would end where the first one opens. So the change from row to row is
    the return of each bar, the first one's too.
    """
    before = pd.DatetimeIndex([table.index[0] - length])
    opening = pd.DataFrame(start, index=before, columns=table.columns)
    return pd.concat([opening, table]).rename_axis("time").reset_index()


def weekly_correlation(equities: Sequence[pd.Series]) -> Floats:
    """Return the correlation of weekly returns of each pair of curves, a row and column each.

    Weeks end on Sundays. Each pair is compared over the weeks that both cover; NaN under
    `FEWEST_WEEKS`, or where one of them never moved.
    """
    weeks = pd.concat([weekly(each) for each in equities], axis=1, sort=True)
    weeks.columns = pd.RangeIndex(len(equities))
    return weeks.pct_change(fill_method=None).corr(min_periods=FEWEST_WEEKS).to_numpy()
