"""What an account did: cash, units and equity bar by bar, and every fill, whatever the engine.

Could the fills have been made? Each is held against what was traded of its coin that day. A history
that begins when a coin cost six cents tempts to nonsense: a hundred thousand dollars would have
bought more than was for sale.
"""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.market.elapsed_time import gaps, interest, years_between
from backtests.market.inputs import Inputs
from backtests.market.tape import Tape, dollar_volume, impact_line
from feeds.arrays import Floats
from feeds.bars import Bars
from feeds.sessions import BAR_LENGTHS
from strategies.position_rule import State
from strategies.target_weights import Upkeep

# of an order for which a strategy of one's own names no reason
OWN_REASON: Final = "strategy"

FILL_TYPES: Final[dict[str, Any]] = {
    "time": "datetime64[ns, UTC]",
    "symbol": "str",
    "side": "str",
    "units": np.float64,
    "price": np.float64,
    "commission": np.float64,
    "reason": "str",
}
FILL_COLUMNS = tuple(FILL_TYPES)


@dataclass(frozen=True)
class Account:
    """What an account did, bar by bar and fill by fill.

    `bars` has a row per bar (index: its opening instant, UTC) with cash, equity and weight
    (fraction of equity in coins) at its end; `positions` the units of each coin, a column a
    symbol: equity = cash + the sum of units x close. `fills` has `FILL_COLUMNS`. `refused`
    counts orders the broker did not carry out; `pending` is the reason of an order decided
    on the last bar and never filled, or empty.
    """

    bars: pd.DataFrame
    positions: pd.DataFrame
    fills: pd.DataFrame
    initial_cash: float
    refused: int = 0
    pending: str = ""

    @property
    def equity(self) -> pd.Series:
        """Equity at each bar's end, in money."""
        return self.bars["equity"]

    @functools.cached_property
    def returns(self) -> pd.Series:
        """Simple return of each bar; the first is measured from the initial cash.

        After a total loss nothing is left to move: those returns are 0.
        """
        moved = returns_from(self.equity.to_numpy(), initial_cash=self.initial_cash)
        return pd.Series(moved, index=self.bars.index)

    @functools.cached_property
    def invested(self) -> pd.Series:
        """Whether any coin is held at each bar's end."""
        return (self.positions != 0).any(axis=1)


def returns_from(equity: Floats, *, initial_cash: float) -> Floats:
    """Return the simple return of each bar from equity at each bar's end, shape (bars,).

    The first is measured from the initial cash; after a total loss they are 0.
    """
    before = np.concatenate(([initial_cash], equity[:-1]))
    moved = np.divide(equity, before, out=np.ones_like(equity), where=before > 0)
    return np.asarray(moved - 1)


@dataclass(frozen=True, slots=True)
class Closing:
    """An account after the last bar: what it did, what the rule remembers, what is due next.

    `planned` are the weights wanted at the next open, shape (coins,), NaN to leave a coin alone;
    None where nothing is due. A strategy class of one's own has no `state`; what it has ordered
    is in `ordered`, units per coin.
    """

    account: Account
    state: State | None
    planned: Floats | None
    ordered: dict[str, float]


def account_of(
    tape: Tape,
    *,
    cash: np.ndarray,
    units: np.ndarray,
    fills: pd.DataFrame,
    initial_cash: float,
    refused: int = 0,
    pending: str = "",
) -> Account:
    """Return the account that held `cash` (bars,) and `units` (bars, coins) at each bar's end."""
    held = units * tape.matrix("close")
    total = held.sum(axis=1)
    equity = cash + total
    weight = np.divide(total, equity, out=np.zeros_like(equity), where=equity > 0)
    return Account(
        bars=pd.DataFrame({"cash": cash, "equity": equity, "weight": weight}, index=tape.times),
        positions=pd.DataFrame(units, index=tape.times, columns=list(tape.coins)),
        fills=fills,
        initial_cash=initial_cash,
        refused=refused,
        pending=pending,
    )


def fills_table(rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """Return fills as a table with `FILL_COLUMNS`, typed even when there are none."""
    columns = list(zip(*rows, strict=True)) or [()] * len(FILL_TYPES)
    typed = zip(FILL_TYPES.items(), columns, strict=True)
    # a column at a time: casting a whole table takes ten times as long
    return pd.DataFrame({name: pd.Series(list(own), dtype=kind) for (name, kind), own in typed})


def interest_of(tape: Tape, config: Config) -> tuple[Floats, float]:
    """Return what cash earns before each bar's open, where bars are missing, and through a bar.

    The first is paid on the cash there was before the orders of that open, shape (bars,), the
    second, the same for every bar, on the cash there is after them.
    """
    opens, ends = tape.lines["time"], tape.lines["bar_end"]
    length = np.array([years_between(opens[0], ends[0])])
    rate = config.costs.cash_rate
    return interest(gaps(opens, ends), rate=rate), float(interest(length, rate=rate)[0])


def upkeep_of(config: Config, tape: Tape) -> Upkeep:
    """Return how positions are kept between the rule's answers."""
    size, days = config.size, pd.Timedelta(days=config.size.scale_in_days)
    idles = bool(tape.matrix("idle_weight").any())
    return Upkeep(
        scale_in_bars=1 if days.days == 1 else round(days / BAR_LENGTHS[config.data.timeframe]),
        threshold=size.rebalance_threshold,
        max_weight=size.max_weight,
        idles=idles,
        is_single=len(tape.coins) == 1 and not idles,
    )


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
