"""One market: an index's signals lined up with the bars of what is traded."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from backtests.config.config import ALTS, Config
from backtests.market.coins import MarketCoins, coins_of, common_end
from backtests.market.inputs import Inputs, has_universe
from backtests.market.known_when import (
    Schedule,
    between,
    entry_weights,
    known_from,
    lead_of,
    schedule_of,
    seconds,
    with_lead,
)
from backtests.market.tape import (
    Lines,
    Tape,
    nanoseconds,
)
from backtests.market.user_inputs import (
    Known,
    combine,
    gates_of,
    leaving,
    leaving_exits,
    own_weights,
    with_own_signals,
)
from feeds.arrays import Flags, Floats, Integers
from feeds.bars import PRICES, Bars
from feeds.errors import DataError
from feeds.message_text import count_noun
from feeds.sessions import bar_ends, latest_known, values_at
from strategies.basket import rebalance_bars
from strategies.filters import Gate
from strategies.signals import Follow, IndexSignals, follow_support, index_signals


@dataclass(frozen=True, slots=True)
class Market:
    """The inputs of a run, the index's signals and gates, and the engine's tape.

    `available_at` is the instant (UTC) each index bar becomes known. `coin` holds the bars
    of what is traded: a coin's, or a basket's level. `tape` covers every bar; `tradable` is
    the part a run trades: from the first bar with a prior high known and, at its open, a coin or
    enough members of a basket to buy, inside `start`/`end`, to the last.
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
    def known(self) -> Known:
        """What own functions read."""
        return Known(self.inputs, self.available_at, self.coin)

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
    def index_before(self) -> float:
        """The index close known at the first tradable bar's open; its first where none was."""
        first = self.traded.times[:1].asi8
        before = int(latest_known(self.available_at.as_unit("ns").asi8, at=first)[0])
        return float(closes_of(self.index)[max(before, 0)])

    @property
    def traded_sessions(self) -> slice:
        """The index sessions known during the tradable bars."""
        known = self.tape.lines["session"][self.tradable]
        return slice(int(known[0]), int(known[-1]) + 1)


def build_market(
    config: Config,
    inputs: Inputs,
    *,
    follow: Follow = follow_support,
    coins: MarketCoins | None = None,
) -> Market:
    """Compute signals, gates and the tape, and find the tradable bars.

    `follow` is `follow_support` or the same compiled; `coins` are those of the inputs, where
    `coins_of` was asked before.

    Raises
    ------
    DataError
        If index and coins do not overlap, or the history is too short for a prior high.
    """
    index = inputs.index
    available_at = known_from(index, config)
    coin, by_symbol, qualifying = coins or coins_of(config, inputs)
    known = Known(inputs, available_at, coin)
    gates = gates_of(config, known)
    signals = with_own_signals(signals_of(index, config, follow=follow), config, known)
    schedule = schedule_of(
        config, close=closes_of(index), signals=signals, available_at=available_at
    )
    passes = partial(combine, gates, how=config.rules.filters)
    lines = bar_lines(config, coin, schedule, own=own_weights(config, known))
    ends = nanoseconds(lines["bar_end"])
    lines["gate"] = passes(ends).astype(np.float64)
    lines["leave"] = leaving_exits(config, known, filtered=leaving(gates, ends))
    tape = with_lead(config, Tape(lines, by_symbol), lead_of(schedule, coin, passes))
    ready = np.isfinite(values_at(signals.prior_high, positions=lines["session"].astype(np.int64)))
    needed = members_needed(config, qualifying)
    tradable = _tradable(config, inputs, coin, ready & (qualifying >= needed), needed=needed)
    return Market(inputs, coin, signals, available_at, gates, tape, tradable)


def market_schedule(market: Market, config: Config) -> Schedule:
    """Return the schedule of the market's index under the config's trigger and entry delay."""
    return schedule_of(
        config,
        close=closes_of(market.index),
        signals=market.signals,
        available_at=market.available_at,
    )


def closes_of(bars: Bars) -> Floats:
    """Return the closes."""
    return bars.frame["close"].to_numpy()


def signals_of(bars: Bars, config: Config, *, follow: Follow = follow_support) -> IndexSignals:
    """Return the signals of some bars under the config."""
    return index_signals(
        close=bars.frame["close"].to_numpy(),
        low=bars.frame["low"].to_numpy(),
        settings=config.signal,
        follow=follow,
    )


def bar_lines(
    config: Config, coin: Bars, schedule: Schedule, *, own: Floats | None = None
) -> Lines:
    """Return the lines of the whole: what of the index is known when each bar of `coin` ends.

    `own` are the weights of an own sizing, shape (bars,).
    """
    opens = pd.DatetimeIndex(coin.frame.index).as_unit("ns")
    ends = bar_ends(opens, kind="coin", timeframe=coin.timeframe)
    times = {"time": seconds(opens.asi8), "bar_end": seconds(ends.asi8)}
    prices = {name: coin.frame[name].to_numpy(np.float64) for name in (*PRICES, "volume")}
    every = config.basket.rebalance if config.asset == ALTS else "never"
    return {
        **times,
        **prices,
        **schedule.lines(opens.asi8, ends.asi8),
        "weight": entry_weights(
            config, opens=times["time"], ends=times["bar_end"], close=prices["close"], own=own
        ),
        "gate": np.ones(len(opens)),
        "leave": np.zeros(len(opens)),
        "rebalance": rebalance_bars(ends, every=every).astype(np.float64),
    }


def members_needed(config: Config, known: Integers) -> int:
    """Return how many coins must qualify before a run starts: one coin, or enough of a basket.

    That is `basket.min_members`, or the most that ever qualify at once where they are fewer:
    `known`, shape (bars,), says how many do when each bar opens.
    """
    if config.asset != ALTS:
        return 1
    return max(1, min(config.basket.min_members, int(known.max(initial=0))))


def _tradable(config: Config, inputs: Inputs, coin: Bars, ready: Flags, *, needed: int) -> slice:
    opens = pd.DatetimeIndex(coin.frame.index)
    inside = between(opens, start=config.data.start, end=config.data.end)
    if config.asset == ALTS and not has_universe(config):
        inside &= np.asarray(opens <= common_end(inputs.coins))
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
            f" and {count_noun(needed, 'coin')} in the basket (`basket.min_members`, "
            f"`basket.select` {basket.select}, `basket.weights` {basket.weights}, "
            f"`basket.min_age_days` {basket.min_age_days})"
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
