"""Round trips from the fills alone, and each stretch with the signal on, in figures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.typing import NaTType

from backtests.analysis.episodes import Spell, episode_starts, rows_of, spells, trigger_sessions
from backtests.engines.backtest import Run
from backtests.market.tape import Tape
from feeds.arrays import Flags, Floats, Integers

# what is left of a position by rounding, as a part of what was sold, is nothing
DUST = 1e-12

COLUMNS = (
    "symbol",
    "entry_time",
    "entry_price",
    "entry_reason",
    "exit_time",
    "exit_price",
    "exit_reason",
    "return",
    "days",
    "later_fills",
    "status",
)
AFTER_DAYS: Final = 90
ONE_DAY: Final = pd.Timedelta(days=1)


def round_trips(
    fills: pd.DataFrame, *, last_time: pd.Timestamp, last_closes: Mapping[str, float]
) -> pd.DataFrame:
    """Return one row per trade, in order of entry.

    `return` is what came back over what was paid, costs included, minus 1. A trade is entered
    at its first fill's time and price and left at its last one's; `later_fills` counts those in
    between, of slices and of rebalancing. A position still open is marked at its coin's last close,
    pays no exit cost, and has status "open".
    """
    rows = [
        _trade(str(symbol), spell, last_time, last_closes[str(symbol)])
        for symbol, own in fills.groupby("symbol", sort=True)
        for spell in _spells(own)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values(["entry_time", "symbol"], kind="stable", ignore_index=True)


def trade_profits(fills: pd.DataFrame, *, last_closes: Mapping[str, float]) -> Floats:
    """Return what each trade made in money, costs included, in the order of `round_trips`."""
    found = [
        (spell.times[0], str(symbol), back - paid)
        for symbol, own in fills.groupby("symbol", sort=True)
        for spell in _spells(own)
        for paid, back, _ in [_money(spell, last_closes[str(symbol)])]
    ]
    return np.array([profit for *_, profit in sorted(found, key=lambda each: each[:2])])


def trade_numbers(fills: pd.DataFrame) -> Integers:
    """Return which trade each fill of one coin belongs to, counting from 0.

    A sale that leaves no more than rounding of what it sold ends a trade.
    """
    numbers, number, held = [], 0, 0.0
    for units, side in zip(fills["units"].tolist(), fills["side"], strict=True):
        numbers.append(number)
        held += units if side == "buy" else -units
        if side == "sell" and abs(held) <= DUST * units:
            number, held = number + 1, 0.0
    return np.array(numbers, np.int64)


@dataclass(frozen=True, slots=True)
class _Spell:
    """The fills of one trade, in arrays: a table per trade would take most of a basket's time."""

    times: pd.DatetimeIndex
    is_buy: Flags
    units: Floats
    prices: Floats
    commissions: Floats
    reasons: NDArray[np.object_]


def _spells(fills: pd.DataFrame) -> Iterator[_Spell]:
    times = pd.DatetimeIndex(fills["time"])
    arrays = [
        (fills["side"] == "buy").to_numpy(),
        *(fills[name].to_numpy(np.float64) for name in ("units", "price", "commission")),
        fills["reason"].to_numpy(object),
    ]
    numbers = trade_numbers(fills)
    for number in range(numbers[-1] + 1):
        part = slice(*np.searchsorted(numbers, [number, number + 1]))
        yield _Spell(times[part], *(values[part] for values in arrays))


def _trade(
    symbol: str, spell: _Spell, last_time: pd.Timestamp, last_close: float
) -> tuple[object, ...]:
    paid, back, closed = _money(spell, last_close)
    exit_time = spell.times[-1] if closed else last_time
    return (
        symbol,
        spell.times[0],
        spell.prices[0],
        spell.reasons[0],
        exit_time if closed else pd.NaT,
        spell.prices[-1] if closed else np.nan,
        spell.reasons[-1] if closed else "",
        back / paid - 1,
        (exit_time - spell.times[0]) / pd.Timedelta(days=1),
        len(spell.units) - 1 - closed,
        "closed" if closed else "open",
    )


def _money(spell: _Spell, last_close: float) -> tuple[float, float, bool]:
    """Return what a trade paid, what came back or is still held, and whether it is closed."""
    buys, sells = spell.is_buy, ~spell.is_buy
    values = spell.units * spell.prices
    paid = values[buys].sum() + spell.commissions[buys].sum()
    back = values[sells].sum() - spell.commissions[sells].sum()
    bought = spell.units[buys].sum()
    left = bought - spell.units[sells].sum()
    closed = bool(abs(left) <= DUST * bought)
    return paid, back if closed else back + left * last_close, closed


def excursions(trades: pd.DataFrame, *, tape: Tape) -> tuple[Floats, Floats]:
    """Return the lowest low and the highest high of each trade against its entry price.

    Both are fractions of the first fill's price. A trade sees every bar of its own coin from the
    one it was first filled in to the last before the one it left in, since it leaves at that
    bar's open.
    """
    times = tape.times
    worst, best = np.empty(len(trades)), np.empty(len(trades))
    for row, trade in enumerate(trades.to_dict("records")):
        start = times.searchsorted(trade["entry_time"])
        stop = len(times) if pd.isna(trade["exit_time"]) else times.searchsorted(trade["exit_time"])
        seen = slice(start, max(stop, start + 1))
        coin = tape.coins[trade["symbol"]]
        worst[row] = coin["low"][seen].min() / trade["entry_price"] - 1
        best[row] = coin["high"][seen].max() / trade["entry_price"] - 1
    return worst, best


@dataclass(frozen=True, slots=True)
class SpellFigures:
    """What one stretch with the signal on made, as fractions; NaN where nothing can be said.

    `gain` is what the account made from its first open, costs included; `coin` what the coin (or
    the basket) did over the same bars and `after` over the 90 days behind them; `share` the part
    of the run's whole log growth. `session` is that of the trigger, `index_level` its close,
    `episode` counts the cluster of triggers, of the run, that it falls into; 0 before the first.
    """

    spell: Spell
    episode: int
    session: pd.Timestamp | NaTType
    index_level: float
    gain: float
    coin: float
    after: float
    share: float


def spell_figures(result: Run) -> list[SpellFigures]:
    """Return the figures of every stretch, in order."""
    begun = result.market.available_at[episode_starts(trigger_sessions(result))]
    return [
        _figures(result, spell, episode=int(begun.searchsorted(spell.start, side="right")))
        for spell in spells(result)
    ]


def _figures(result: Run, spell: Spell, *, episode: int) -> SpellFigures:
    times = pd.DatetimeIndex(result.strategy.bars.index)
    rows = rows_of(spell, times)
    returns = result.strategy.returns.to_numpy()
    whole = float(np.log1p(returns).sum())
    own = float(np.log1p(returns[rows]).sum())
    bars = result.market.traded_bars
    first, last = rows.start, rows.stop - 1
    opened = float(bars["open"].iloc[first])
    is_over = not isinstance(spell.end, NaTType)
    closed = float(bars["open" if is_over else "close"].iloc[last])
    session, level = _trigger(result, first)
    return SpellFigures(
        spell=spell,
        episode=episode,
        session=session,
        index_level=level,
        gain=float(np.expm1(own)),
        coin=closed / opened - 1,
        after=_after(bars, last, closed) if is_over else float("nan"),
        share=own / whole if whole else float("nan"),
    )


def _after(bars: pd.DataFrame, last: int, closed: float) -> float:
    """Return what was made in the days after the sale's open; NaN where they are not over."""
    then = bars.index[last] + AFTER_DAYS * ONE_DAY
    if then > bars.index[-1]:
        return float("nan")
    return float(bars["open"].iloc[int(bars.index.searchsorted(then))]) / closed - 1


def _trigger(result: Run, first: int) -> tuple[pd.Timestamp | NaTType, float]:
    """Return the session whose trigger was bought at a row's open, and the index's close on it."""
    lines = result.market.traded.lines
    before = lines["trigger_session"][:first]
    fired = np.flatnonzero(before >= 0)
    if fired.size == 0:  # a window that was open when the run began
        return pd.NaT, float("nan")
    session = int(before[fired[-1]])
    frame = result.market.index.frame
    return pd.Timestamp(frame.index[session]), float(frame["close"].iloc[session])
