"""One market: an index's signals lined up with the bars of what is traded."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.config import ALTS, Config
from backtests.elapsed import nominal_bars_per_year, observed_bars_per_year
from backtests.gates import combined, gates_of, leaving
from backtests.inputs import Inputs
from backtests.tape import (
    NANOSECONDS,
    Lines,
    Tape,
    clock,
    coin_lines,
    level_lines,
    panel_of,
)
from feeds.alignment import latest_arrival, latest_known, taken
from feeds.bars import PRICES, Bars
from feeds.errors import DataError
from feeds.instruments import Instrument
from feeds.sessions import bar_ends
from strategies.basket import basket_weights, rebalance_bars
from strategies.filters import Gate
from strategies.rules import NONE, triggers
from strategies.signals import IndexSignals, index_signals
from strategies.sizing import target_weights
from strategies.support import Follow, follow_support
from strategies.targets import ALIVE


@dataclass(frozen=True, slots=True)
class Market:
    """The inputs of a run, the index's signals and gates, and the engine's tape.

    `available_at` is the instant (UTC) each index bar becomes known. `coin` holds the bars
    of what is traded: a coin's, or a basket's level. `tape` covers every bar; `tradable` is
    the part a run trades: from the first bar with a prior high known and something to buy,
    inside `start`/`end`, to the last.
    """

    inputs: Inputs
    coin: Bars
    signals: IndexSignals
    available_at: pd.DatetimeIndex
    gates: tuple[Gate, ...]
    tape: Tape
    tradable: slice

    @property
    def index(self) -> Bars:
        """The index's bars."""
        return self.inputs.index

    @property
    def traded(self) -> Tape:
        """The tape of the tradable bars only."""
        return self.tape.cut(self.tradable)

    @property
    def traded_bars(self) -> pd.DataFrame:
        """The tradable bars of the coin, or of the basket's level."""
        return self.coin.frame.iloc[self.tradable]

    @property
    def index_level(self) -> pd.Series:
        """The index close known at each tradable bar's end: no costs, no dividends."""
        traded = self.traded
        return pd.Series(traded.lines["index_close"], index=traded.times, name="index")

    @property
    def traded_sessions(self) -> slice:
        """The index sessions known during the tradable bars."""
        known = self.tape.lines["session"][self.tradable]
        return slice(int(known[0]), int(known[-1]) + 1)


def build_market(config: Config, inputs: Inputs, *, follow: Follow = follow_support) -> Market:
    """Compute signals, gates and the tape, and find the tradable bars.

    `follow` is `follow_support` or the same compiled.

    Raises
    ------
    DataError
        If index and coins do not overlap, or the history is too short for a prior high.
    """
    index = inputs.index
    available_at = known_from(index, config)
    signals = signals_of(index, config, follow=follow)
    gates = gates_of(config, inputs, available_at=available_at)
    coin, coins = _coins(config, inputs)
    lines = bar_lines(config, index=index, coin=coin, signals=signals, available_at=available_at)
    ends = (lines["bar_end"] * NANOSECONDS).astype(np.int64)
    lines["gate"] = combined(gates, ends, how=config.rules.filters).astype(np.float64)
    lines["leave"] = leaving(gates, ends).astype(np.float64)
    tape = Tape(lines, coins)
    ready = np.isfinite(taken(signals.prior_high, positions=lines["session"].astype(np.int64))) & (
        tape.matrix("on_weight").sum(axis=1) > 0
    )
    return Market(
        inputs, coin, signals, available_at, gates, tape, _tradable(config, inputs, coin, ready)
    )


def signals_of(bars: Bars, config: Config, *, follow: Follow = follow_support) -> IndexSignals:
    """Return the signals of some bars under the config."""
    return index_signals(
        close=bars.frame["close"].to_numpy(),
        low=bars.frame["low"].to_numpy(),
        settings=config.signal,
        follow=follow,
    )


def known_from(index: Bars, config: Config) -> pd.DatetimeIndex:
    """Return the instant (UTC) from which each index bar is known."""
    ends = bar_ends(
        pd.DatetimeIndex(index.frame.index), kind=index.instrument.kind, timeframe=index.timeframe
    )
    return (ends + pd.Timedelta(minutes=config.index.delay_minutes)).as_unit("ns")


def _coins(config: Config, inputs: Inputs) -> tuple[Bars, dict[str, Lines]]:
    """Return the bars of the whole, and every coin's prices and target weights."""
    single = config.asset != ALTS
    symbols = {bars.instrument.symbol for bars in inputs.coins}
    idle = [inputs.idle] if inputs.idle and _idle_symbol(inputs) not in symbols else []
    every = sorted([*inputs.coins, *idle], key=lambda bars: bars.instrument.symbol)
    opens = clock(inputs.coins)
    lines = [coin_lines(bars, opens, settings=config.basket) for bars in every]
    wanted = [place for place, bars in enumerate(every) if bars.instrument.symbol in symbols]
    chosen = [lines[place] for place in wanted]
    if single:
        weights = (chosen[0]["alive"] == ALIVE).astype(np.float64)[:, np.newaxis]
        coin = inputs.coins[0]
    else:
        panel = panel_of(inputs.coins, chosen, opens, config.basket)
        weights = basket_weights(panel, settings=config.basket)
        coin = _level_bars(inputs.coins, opens, level_lines(chosen, weights))
    for place, each in enumerate(lines):
        each["on_weight"] = (
            weights[:, wanted.index(place)] if place in wanted else np.zeros(len(opens))
        )
        resting = every[place].instrument.symbol == _idle_symbol(inputs)
        each["idle_weight"] = (each["alive"] == ALIVE) * (config.idle.weight if resting else 0.0)
    return coin, {bars.instrument.symbol: each for bars, each in zip(every, lines, strict=True)}


def _idle_symbol(inputs: Inputs) -> str:
    return inputs.idle.instrument.symbol if inputs.idle else ""


def _level_bars(coins: tuple[Bars, ...], opens: pd.DatetimeIndex, level: Lines) -> Bars:
    frame = pd.DataFrame(level, index=opens)
    return Bars(
        Instrument(ALTS, "coin"),
        coins[0].timeframe,
        frame,
        coins[0].source,
        f"level of {len(coins)} coins",
        tuple(note for bars in coins for note in bars.notes),
    )


def bar_lines(
    config: Config,
    *,
    index: Bars,
    coin: Bars,
    signals: IndexSignals,
    available_at: pd.DatetimeIndex,
) -> Lines:
    """Return the lines of the whole: what of `index` is known when each bar of `coin` ends."""
    opens = pd.DatetimeIndex(coin.frame.index).as_unit("ns")
    ends = bar_ends(opens, kind="coin", timeframe=coin.timeframe)
    known_at = available_at.as_unit("ns").asi8
    delay = pd.Timedelta(days=config.rules.entry_delay_days).value
    kinds = triggers(signals, trigger=config.rules.trigger)
    session = latest_known(known_at, at=ends.asi8)
    trigger_session = latest_arrival(
        kinds > 0, effective_at=known_at + delay, opens=opens.asi8, ends=ends.asi8
    )
    arrived = np.where(trigger_session > NONE, kinds[trigger_session], 0)
    lost_session = latest_arrival(
        signals.support_lost, effective_at=known_at, opens=opens.asi8, ends=ends.asi8
    )
    prices = {name: coin.frame[name].to_numpy(np.float64) for name in (*PRICES, "volume")}
    every = config.basket.rebalance if config.asset == ALTS else "never"
    return {
        "time": opens.asi8 / NANOSECONDS,
        "bar_end": ends.asi8 / NANOSECONDS,
        **prices,
        "session": session.astype(np.float64),
        "index_close": taken(index.frame["close"].to_numpy(), positions=session),
        "trigger_session": trigger_session.astype(np.float64),
        "trigger_kind": latest_kind(arrived).astype(np.float64),
        "lost_session": lost_session.astype(np.float64),
        "weight": entry_weights(
            config,
            opens=opens.asi8 / NANOSECONDS,
            ends=ends.asi8 / NANOSECONDS,
            close=prices["close"],
        ),
        "gate": np.ones(len(opens)),
        "leave": np.zeros(len(opens)),
        "rebalance": rebalance_bars(ends, every=every).astype(np.float64),
    }


def entry_weights(
    config: Config,
    *,
    opens: NDArray[np.float64],
    ends: NDArray[np.float64],
    close: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the weight an entry decided at each bar's end would take, NaN where unknown.

    Volatility is made annual by the bars per year there are among those it is taken from.
    """
    nominal = nominal_bars_per_year(opens, ends)
    per_year = observed_bars_per_year(ends, lookback=config.size.vol_lookback, nominal=nominal)
    return target_weights(close, settings=config.size, periods_per_year=per_year)


def latest_kind(kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the kind of the latest trigger by each bar's end; `kinds` is 0 where none arrives."""
    latest = np.maximum.accumulate(np.where(kinds > 0, np.arange(kinds.size), 0))
    return np.asarray(kinds[latest])


def _tradable(config: Config, inputs: Inputs, coin: Bars, ready: NDArray[np.bool_]) -> slice:
    opens = pd.DatetimeIndex(coin.frame.index)
    inside = np.ones(len(coin), np.bool_)
    if config.data.start:
        inside &= np.asarray(opens >= pd.Timestamp(config.data.start, tz="UTC"))
    if config.data.end:
        after = pd.Timestamp(config.data.end, tz="UTC") + pd.Timedelta(days=1)
        inside &= np.asarray(opens < after)
    bars = np.flatnonzero(inside & ready)
    index = inputs.index
    spans = (
        f"{coin.instrument.label} has {_span(coin)}, {index.instrument.label} has {_span(index)} "
        f"({len(index)} sessions)"
    )
    if not inside.any():
        raise DataError(
            f"`data.start` and `data.end` leave no bar, received {config.data.start or 'none'} and "
            f"{config.data.end or 'none'}: {spans}. Choose dates inside."
        )
    if bars.size < 2:
        basket = config.basket
        is_basket = config.asset == ALTS
        member = (
            f" and a coin in the basket (`basket.select` {basket.select}, `basket.weights` "
            f"{basket.weights}, `basket.min_age_days` {basket.min_age_days})"
        )
        remedy = ", or rank and weigh coins by what their bars have" if is_basket else ""
        raise DataError(
            f"the history is too short: no two bars of {coin.instrument.label} with a prior high "
            f"of the index known (`signal.lookback` {config.signal.lookback}, `signal.min_history` "
            f"{config.signal.min_history}){member if is_basket else ''}: {spans}. "
            f"Use longer or overlapping data{remedy}."
        )
    return slice(int(bars[0]), int(np.flatnonzero(inside)[-1]) + 1)


def _span(bars: Bars) -> str:
    return f"{bars.frame.index[0]:%Y-%m-%d} to {bars.frame.index[-1]:%Y-%m-%d}"
