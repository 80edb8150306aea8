"""One market: an index's signals lined up with a coin's bars, and the bars to be traded."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.config import Config
from feeds.alignment import latest_arrival, latest_known, taken
from feeds.bars import Bars
from feeds.errors import DataError
from feeds.sessions import bar_ends, periods_per_year
from strategies.rules import triggers
from strategies.signals import IndexSignals, index_signals
from strategies.sizing import target_weights

Lines = dict[str, NDArray[np.float64]]

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Market:
    """Bars of index and coin, the index's signals, and the engine's lines.

    `available_at` is the instant (UTC) each index bar becomes known, `coin_ends` the one
    each coin bar is over. `lines` covers every coin bar; `tradable` is the part a run
    trades: the first bar with a prior high known and inside `start`/`end`, to the last.
    """

    index: Bars
    coin: Bars
    signals: IndexSignals
    available_at: pd.DatetimeIndex
    lines: Lines
    tradable: slice

    @property
    def traded_lines(self) -> Lines:
        """The lines of the tradable bars only."""
        return {name: values[self.tradable] for name, values in self.lines.items()}

    @property
    def traded_bars(self) -> pd.DataFrame:
        """The coin's tradable bars."""
        return self.coin.frame.iloc[self.tradable]

    @property
    def traded_sessions(self) -> slice:
        """The index sessions known during the tradable bars."""
        known = self.lines["session"][self.tradable]
        return slice(int(known[0]), int(known[-1]) + 1)


def build_market(config: Config, *, index: Bars, coin: Bars) -> Market:
    """Compute signals and lines, and find the tradable bars.

    Raises
    ------
    DataError
        If index and coin do not overlap, or the history is too short for a prior high.
    """
    signals = _signals_of(index, config)
    available_at = bar_ends(
        pd.DatetimeIndex(index.frame.index), kind=index.instrument.kind, timeframe=index.timeframe
    ) + pd.Timedelta(minutes=config.index.delay_minutes)
    lines = _lines(config, index=index, coin=coin, signals=signals, available_at=available_at)
    ready = taken(signals.prior_high, positions=lines["session"].astype(np.int64))
    tradable = _tradable(config, index, coin, np.isfinite(ready))
    return Market(index, coin, signals, available_at, lines, tradable)


def control_lines(market: Market, config: Config) -> Lines:
    """Return the tradable lines of the control: the same rule driven by the coin's own price."""
    own = _daily(market.coin)
    available_at = bar_ends(pd.DatetimeIndex(own.frame.index), kind="coin", timeframe="1d")
    signals = _signals_of(own, config)
    lines = _lines(config, index=own, coin=market.coin, signals=signals, available_at=available_at)
    return {name: values[market.tradable] for name, values in lines.items()}


def _signals_of(bars: Bars, config: Config) -> IndexSignals:
    return index_signals(
        close=bars.frame["close"].to_numpy(),
        low=bars.frame["low"].to_numpy(),
        settings=config.signal,
    )


def _lines(
    config: Config,
    *,
    index: Bars,
    coin: Bars,
    signals: IndexSignals,
    available_at: pd.DatetimeIndex,
) -> Lines:
    opens = pd.DatetimeIndex(coin.frame.index).as_unit("ns")
    ends = bar_ends(opens, kind="coin", timeframe=coin.timeframe).asi8
    known_at = available_at.as_unit("ns").asi8
    delay = pd.Timedelta(days=config.rules.entry_delay_days).value
    kinds = triggers(signals, trigger=config.rules.trigger)
    session = latest_known(known_at, at=ends)
    trigger_session = latest_arrival(
        kinds > 0, effective_at=known_at + delay, opens=opens.asi8, ends=ends
    )
    lost_session = latest_arrival(
        signals.support_lost, effective_at=known_at, opens=opens.asi8, ends=ends
    )
    prices = {name: coin.frame[name].to_numpy() for name in coin.frame.columns}
    close = prices["close"]
    weight = target_weights(
        close, settings=config.size, periods_per_year=periods_per_year(coin.timeframe)
    )
    events = {
        "session": session.astype(np.float64),
        "index_close": taken(index.frame["close"].to_numpy(), positions=session),
        "trigger_session": trigger_session.astype(np.float64),
        "trigger_kind": np.nan_to_num(taken(kinds.astype(np.float64), positions=trigger_session)),
        "lost_session": lost_session.astype(np.float64),
    }
    return {
        "time": opens.asi8 / NANOSECONDS,
        "bar_end": ends / NANOSECONDS,
        "weight": weight,
        **prices,
        **events,
    }


def _tradable(config: Config, index: Bars, coin: Bars, ready: NDArray[np.bool_]) -> slice:
    opens = pd.DatetimeIndex(coin.frame.index)
    inside = np.ones(len(coin), np.bool_)
    if config.data.start:
        inside &= np.asarray(opens >= pd.Timestamp(config.data.start, tz="UTC"))
    if config.data.end:
        after = pd.Timestamp(config.data.end, tz="UTC") + pd.Timedelta(days=1)
        inside &= np.asarray(opens < after)
    bars = np.flatnonzero(inside & ready)
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
        raise DataError(
            f"the history is too short: no two bars of {coin.instrument.label} with a prior high "
            f"of the index known (`signal.lookback` {config.signal.lookback}, `signal.min_history` "
            f"{config.signal.min_history}): {spans}. Use longer or overlapping data."
        )
    return slice(int(bars[0]), int(np.flatnonzero(inside)[-1]) + 1)


def _span(bars: Bars) -> str:
    return f"{bars.frame.index[0]:%Y-%m-%d} to {bars.frame.index[-1]:%Y-%m-%d}"


def _daily(coin: Bars) -> Bars:
    if coin.timeframe == "1d":
        return coin
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    frame = coin.frame.resample("1D").agg(how).dropna(subset=["close"])
    return Bars(coin.instrument, "1d", frame, coin.source, coin.origin, coin.notes)
