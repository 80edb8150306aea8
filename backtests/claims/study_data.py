"""The bars a study needs, loaded once: indices with their events, coins and baskets."""

import contextlib
import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.event_study import Events
from backtests.analysis.forward_returns import AssetPrices, asset_prices, index_prices
from backtests.config.basket_members import universe_members
from backtests.config.config import ALTS, Config, with_universe
from backtests.market.inputs import (
    Inputs,
    basket_members,
    filter_series,
    has_universe,
    missing_benchmark_bars,
    require_folder,
)
from backtests.market.known_when import between, known_from
from backtests.market.lookahead import LOOK_AHEAD, own_leaks
from backtests.market.user_inputs import Known, gates_of, own_signals
from feeds import instruments
from feeds.arrays import Flags, Floats, Integers
from feeds.bars import Bars
from feeds.errors import ConfigError
from feeds.files import Files
from feeds.history import source_in_words
from feeds.instruments import SAMPLE_SOURCE, Instrument
from feeds.record_highs import false_highs
from feeds.series import Series
from feeds.sources import Source, WithOwn, open_source
from feeds.vendors.request_policy import use_addresses
from strategies.registry import find
from strategies.signals import IndexSignals, index_signals, new_high, prior_high

MARKET: Final = "SPX"
RELATIVE_LOOKBACK: Final = 252


class World:
    """Everything the studies of one index read, loaded when first asked for."""

    def __init__(
        self, config: Config, *, source: Source | None = None, own: Sequence[Bars] = ()
    ) -> None:
        self.config = config
        require_folder(config)
        data = config.data
        use_addresses(config.vendors.model_dump())
        vendors = source or open_source(
            data.source,
            data_dir=data.data_dir,
            cache_dir=data.cache_dir,
            offline=data.offline,
            choices=data.choices,
            history=data.history,
        )
        self._source: Source = WithOwn(vendors, own)
        # as they were read, and cut to the config's start and end
        self._read: dict[tuple[Instrument, str], Bars] = {}
        self._bars: dict[tuple[Instrument, str], Bars] = {}
        self._signals: dict[str, IndexSignals] = {}
        self._remarks: list[str] = []

    def under(self, config: Config) -> "World":
        """Return the same bars under other settings, read once for all of them."""
        other = copy.copy(self)
        other.config, other._bars, other._signals = config, {}, {}
        return other

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about the bars and series loaded so far, each once."""
        bars = [self._read[key] for key in sorted(self._read, key=str)]
        notes = [note for each in bars for note in each.notes]
        signal = self.config.signal
        if signal.lookback == "all":
            highs = (false_highs(each, min_history=signal.min_history) for each in bars)
            notes += [each.text for each in highs if each is not None]
        return tuple(dict.fromkeys((*notes, *self._remarks)))

    def bars(self) -> tuple[dict[str, object], ...]:
        """Return what was read so far: symbol, source, rows, span and digest."""
        return tuple(
            {
                "symbol": bars.instrument.symbol,
                "timeframe": bars.timeframe,
                "source": source_in_words(bars),
                "origin": bars.origin,
                "rows": len(bars),
                "first": f"{bars.frame.index[0]:%Y-%m-%d}",
                "last": f"{bars.frame.index[-1]:%Y-%m-%d}",
                "sha256": bars.sha256,
            }
            for bars in sorted(self._read.values(), key=lambda one: one.instrument.symbol)
        )

    def index(self, name: str = "") -> Bars:
        """Return the daily bars of an index, by default the config's."""
        return self._load(instruments.index(name or self.config.index.symbol), "1d")

    def known_at(self, name: str = "") -> Integers:
        """Return the instant (nanoseconds, UTC) each session's close is known."""
        return np.asarray(known_from(self.index(name), self.config).asi8)

    def events(self, event: str, *, index: str = "") -> Events:
        """Return an event of an index, on every session."""
        bars = self.index(index)
        if event == "relative_high":
            occurred = self._relative_highs(bars)
        elif find("signal", event).is_own:
            occurred = self._own_event(event, index=index)
        else:
            occurred = self._signals_of(bars).event(event)
        return Events(event, _dates(bars), self.known_at(index), occurred)

    def relative_close(self, bars: Bars) -> Floats:
        """Return the ratio of an index's closes to the S&P 500's, NaN where that has none."""
        other = self.index(MARKET)
        self._remarks += missing_benchmark_bars(bars, {MARKET: other})
        market = other.frame["close"].reindex(bars.frame.index)
        return (bars.frame["close"] / market).to_numpy(np.float64)

    def has_own_bars(self, name: str = "") -> bool:
        """Return whether there are bars of an index itself, by default the config's.

        Where there are none a fund may stand in, which is not what was asked for.
        """
        data, instrument = self.config.data, instruments.index(name or self.config.index.symbol)
        if data.source == "files":
            return Files(Path(data.data_dir)).holds(instrument, timeframe="1d")
        return not any("stands in for it" in note for note in self.index(name).notes)

    def series(self, name: str) -> Series | None:
        """Return a series that a filter of the config reads; None where it is not to be had."""
        filters = {key: one for key, one in self.config.filters.items() if one.series == name}
        only = self.config.model_copy(update={"filters": filters})
        found, _ = filter_series(only, real=self.index().source != SAMPLE_SOURCE)
        return found.get(name)

    def gate(self, name: str) -> tuple[Floats, tuple[str, ...]]:
        """Return a filter's state at every session: 1 open, 0 closed, NaN unknown; and why."""
        if name not in self.config.filters:
            raise ConfigError(
                f"`claim.filter` {name!r} is no filter of this config. "
                f"Add a table [filters.{name}]."
            )
        chosen = self.config.filters[name]
        only = self.config.model_copy(update={"filters": {name: chosen}})
        index = self.index()
        series, notes = filter_series(only, real=index.source != SAMPLE_SOURCE)
        compared = chosen.kind == "relative_strength"
        others = {chosen.benchmark: self.index(chosen.benchmark)} if compared else {}
        inputs = Inputs(index, (), series=series, benchmarks=others)
        known_at = self.known_at()
        instants = pd.DatetimeIndex(known_at, tz="UTC")
        (gate,) = gates_of(only, Known(inputs, instants))
        self._remarks += [*notes, *missing_benchmark_bars(index, others)]
        self._remarks += [note for each in series.values() for note in each.notes]
        return gate.at(known_at), notes

    def asset(self, name: str) -> AssetPrices:
        """Return the prices of a coin, an index, or what the config's basket holds: `ALTS`."""
        timeframe = self.config.data.timeframe
        if name in instruments.BY_SYMBOL or name in instruments.INDEX_NAMES:
            return index_prices(name, self._until(self.index(name)))
        if name != ALTS:
            return asset_prices(name, {name: self._load(instruments.coin(name), timeframe)})
        config = with_universe(self.config.model_copy(update={"asset": ALTS}))
        if has_universe(config):
            return self._drawn(name, config)
        members = basket_members(config)
        return asset_prices(
            name, {member.label: self._load(member, timeframe) for member in members}
        )

    def _drawn(self, name: str, config: Config) -> AssetPrices:
        """Return the prices of the coins a universe's basket ever holds, and when each is in."""
        found = universe_members(config.basket, cache_dir=config.data.cache_dir)
        self._remarks += found.notes
        coins = {}
        for bars in found.coins:
            self._read[bars.instrument, bars.timeframe] = bars
            with contextlib.suppress(ConfigError):  # it did not trade between start and end
                coins[bars.instrument.symbol] = self._inside(bars)
        if not coins:
            raise ConfigError(
                "`data.start` and `data.end` leave no bar of any coin of the universe "
                f"{config.basket.universe}. Choose dates inside its history."
            )
        return asset_prices(name, coins, chosen=found.chosen)

    def _own_event(self, event: str, *, index: str) -> Flags:
        """Return where a plug-in's signal fires on an index."""
        bars, config = self.index(index), self.config
        series, notes = filter_series(config, real=bars.source != SAMPLE_SOURCE)
        self._remarks += [*notes, *(note for each in series.values() for note in each.notes)]
        instants = pd.DatetimeIndex(self.known_at(index), tz="UTC")
        known = Known(Inputs(bars, (), series=series), instants)
        self._remarks += [f"{LOOK_AHEAD}: {leak.text}" for leak in own_leaks(config, known.inputs)]
        return own_signals([event], config, known)[event]

    def _relative_highs(self, bars: Bars) -> Flags:
        """Return where the ratio to the S&P 500 closes above its highest of a year."""
        ratio = self.relative_close(bars)
        known = np.flatnonzero(np.isfinite(ratio))
        occurred = np.zeros(ratio.size, np.bool_)
        high, _ = prior_high(ratio[known], lookback=RELATIVE_LOOKBACK)
        occurred[known] = new_high(ratio[known], prior_high=high)
        return occurred

    def _signals_of(self, bars: Bars) -> IndexSignals:
        symbol = bars.instrument.symbol
        if symbol not in self._signals:
            self._signals[symbol] = index_signals(
                close=bars.frame["close"].to_numpy(),
                low=bars.frame["low"].to_numpy(),
                settings=self.config.signal,
            )
        return self._signals[symbol]

    def _load(self, instrument: Instrument, timeframe: str) -> Bars:
        key = (instrument, timeframe)
        if key not in self._read:
            self._read[key] = self._source.load(instrument, timeframe=timeframe)
        if key not in self._bars:
            self._bars[key] = self._inside(self._read[key])
        return self._bars[key]

    def _until(self, bars: Bars) -> Bars:
        """Cut an index that is bought to `end`, as a coin is."""
        sessions = _dates(bars)
        end = self.config.data.end
        known = sessions if not end else sessions[sessions <= pd.Timestamp(end)]
        return replace(bars, frame=bars.frame.loc[known])

    def _inside(self, bars: Bars) -> Bars:
        """Cut a coin's bars to `start` and `end`; an index needs its past for its highs."""
        data = self.config.data
        if bars.instrument.kind == "index" or not (data.start or data.end):
            return bars
        times = _dates(bars)
        inside = between(times, start=data.start, end=data.end)
        if not inside.any():
            raise ConfigError(
                f"`data.start` and `data.end` leave no bar of {bars.instrument.label}. "
                "Choose dates inside its history."
            )
        return replace(bars, frame=bars.frame.loc[times[inside]])


def _dates(bars: Bars) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(bars.frame.index)
