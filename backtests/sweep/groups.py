"""What trials share: the tape of a coin, and the events of each set of signal settings."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.backtest import ONE_DAY
from backtests.config import Config
from backtests.market import Lines, Market, build_market
from backtests.sweep.plan import with_values
from backtests.sweep.ranges import Floats, Tape, extremes
from backtests.sweep.spans import Events
from feeds import instruments
from feeds.alignment import latest_arrival
from feeds.bars import Bars
from feeds.instruments import Instrument
from feeds.sessions import BAR_LENGTHS, bar_ends, periods_per_year
from feeds.sources import Source, open_source
from strategies.rules import NONE, triggers
from strategies.sizing import target_weights

DAYS_PER_YEAR: Final = 365.25
REMEMBERED_MARKETS: Final = 64
REMEMBERED_GROUPS: Final = 4_096

Thing = TypeVar("Thing")
Integers = NDArray[np.int64]
LoadedBars = dict[tuple[Instrument, str], Bars]


@dataclass(frozen=True, slots=True)
class Group:
    """The events inside the tradable bars `first` to `stop` - 1 of one set of settings."""

    bar: Integers
    trigger: Integers
    lost: Integers
    time: Floats
    before: Floats
    first: int
    stop: int


class Library:
    """Loads bars once and remembers what has been computed from them, up to a limit.

    `bars` are bars loaded elsewhere, as `loaded` returns them. Threads may share a library.
    """

    def __init__(self, source: Source | None = None, *, bars: LoadedBars | None = None) -> None:
        self._source = source
        self._lock = threading.RLock()
        self._bars: LoadedBars = dict(bars or {})
        self._tapes: dict[Hashable, Tape] = {}
        self._markets: OrderedDict[Hashable, Market] = OrderedDict()
        self._configs: OrderedDict[Hashable, Config] = OrderedDict()
        self._groups: OrderedDict[Hashable, Group] = OrderedDict()

    @property
    def loaded(self) -> LoadedBars:
        """All bars loaded so far, by instrument and timeframe."""
        return dict(self._bars)

    def bars(self, config: Config) -> tuple[Bars, Bars]:
        """Return the bars of index and coin that the config names."""
        wanted = (
            (instruments.index(config.index.symbol), "1d"),
            (instruments.coin(config.asset), config.data.timeframe),
        )
        for instrument, timeframe in wanted:
            if (instrument, timeframe) not in self._bars:
                source = self._source or open_source(
                    config.data.source, data_dir=config.data.data_dir
                )
                self._bars[instrument, timeframe] = source.load(instrument, timeframe=timeframe)
        index, coin = (self._bars[key] for key in wanted)
        return index, coin

    def config(self, base: Config, values: Mapping[str, Any]) -> Config:
        """Return `base` with other values of some settings, validated."""
        key = (base, tuple(values.items()))
        with self._lock:
            return _remembered(
                self._configs, key, lambda: with_values(base, values), REMEMBERED_GROUPS
            )

    def tape(self, config: Config) -> Tape:
        """Return the coin's tape, the same object for the same bars and cash rate."""
        key = tape_key(config)
        with self._lock:
            if key not in self._tapes:
                self._tapes[key] = _tape(config, self.market(config))
            return self._tapes[key]

    def market(self, config: Config) -> Market:
        """Return the market of a config, as a single run builds it."""
        key = (config.asset, config.data, config.index, config.signal)

        def build() -> Market:
            index, coin = self.bars(config)
            return build_market(config, index=index, coin=coin)

        return _remembered(self._markets, key, build, REMEMBERED_MARKETS)

    def group(self, config: Config) -> Group:
        """Return the events of a config's signals, trigger and entry delay."""
        rules = config.rules
        key = (*group_key(config), rules.trigger, rules.entry_delay_days)
        with self._lock:
            return _remembered(
                self._groups, key, lambda: _group(config, self.market(config)), REMEMBERED_GROUPS
            )


def traded_lines(config: Config, library: Library) -> Lines:
    """Return the tradable lines of a config, from what the library remembers.

    The same as those of `build_market`, but for the kind of trigger, which only names it.
    """
    market, group = library.market(config), library.group(config)
    trigger, lost = np.full((2, len(market.coin)), float(NONE))
    trigger[group.bar], lost[group.bar] = group.trigger, group.lost
    weight = weights(config, library.tape(config))
    lines = {
        **market.lines,
        "trigger_session": trigger,
        "trigger_kind": (trigger > NONE).astype(np.float64),
        "lost_session": lost,
        "weight": np.ones(trigger.size) if weight is None else weight,
    }
    return {name: values[market.tradable] for name, values in lines.items()}


def tape_key(config: Config) -> Hashable:
    """Return what decides a tape."""
    return (config.asset, config.data.timeframe, config.index, config.costs.cash_rate)


def group_key(config: Config) -> tuple[Hashable, ...]:
    """Return what decides the signals and the tradable bars."""
    return (config.asset, config.data, config.index, config.signal)


def joined(groups: Sequence[Group]) -> Events:
    """Return the groups' events in one array each, as the kernel reads them."""
    sizes = [group.bar.size for group in groups]
    return Events(
        bar=np.concatenate([group.bar for group in groups]),
        trigger=np.concatenate([group.trigger for group in groups]),
        lost=np.concatenate([group.lost for group in groups]),
        time=np.concatenate([group.time for group in groups]),
        before=np.concatenate([group.before for group in groups]),
        offset=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        first=np.array([group.first for group in groups], np.int64),
        stop=np.array([group.stop for group in groups], np.int64),
    )


def weights(config: Config, tape: Tape) -> Floats | None:
    """Return the weight an entry would take on each bar; None for all of equity always."""
    line = target_weights(
        tape.close, settings=config.size, periods_per_year=int(tape.periods_per_year)
    )
    return None if (line == 1).all() else line


def _remembered(
    store: "OrderedDict[Hashable, Any]", key: Hashable, build: Callable[[], Thing], limit: int
) -> Thing:
    if key in store:
        store.move_to_end(key)
        found: Thing = store[key]
        return found
    made = build()
    store[key] = made
    if len(store) > limit:
        store.popitem(last=False)
    return made


def _tape(config: Config, market: Market) -> Tape:
    timeframe = config.data.timeframe
    per_year = periods_per_year(timeframe)
    cash_return = config.costs.cash_return(per_year)
    lines = market.lines
    opens, close = np.ascontiguousarray(lines["open"]), np.ascontiguousarray(lines["close"])
    before = np.concatenate((opens[:1], close[:-1]))
    returns = close / before - 1
    table, level = extremes(close)
    return Tape(
        bar_end=lines["bar_end"],
        open=opens,
        close=close,
        index_close=lines["index_close"],
        session=lines["session"].astype(np.int64),
        per_open=1 / opens,
        overnight=opens / before,
        returns=np.cumsum(returns),
        squares=np.cumsum(returns**2),
        losses=np.cumsum(np.minimum(returns - cash_return, 0) ** 2),
        table=table,
        level=level,
        cash_return=cash_return,
        periods_per_year=float(per_year),
        years_per_bar=float(BAR_LENGTHS[timeframe] / ONE_DAY) / DAYS_PER_YEAR,
    )


def _group(config: Config, market: Market) -> Group:
    opens = pd.DatetimeIndex(market.coin.frame.index).as_unit("ns")
    ends = bar_ends(opens, kind="coin", timeframe=market.coin.timeframe).asi8
    known_at = market.available_at.as_unit("ns").asi8
    delay = pd.Timedelta(days=config.rules.entry_delay_days).value
    kinds = triggers(market.signals, trigger=config.rules.trigger)
    trigger = latest_arrival(kinds > 0, effective_at=known_at + delay, opens=opens.asi8, ends=ends)
    lost = market.lines["lost_session"].astype(np.int64)
    inside = np.zeros(ends.size, np.bool_)
    inside[market.tradable] = True
    bar = np.flatnonzero(inside & ((trigger > NONE) | (lost > NONE)))
    time = market.lines["bar_end"]
    before = np.concatenate(([-np.inf], time[:-1]))
    return Group(
        bar=bar,
        trigger=trigger[bar],
        lost=lost[bar],
        time=time[bar],
        before=before[bar],
        first=market.tradable.start,
        stop=market.tradable.stop,
    )
