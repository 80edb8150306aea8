"""The bars a study needs, loaded once: indices with their events, coins and baskets."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.analysis.events import Events
from backtests.analysis.forward import AssetPrices, asset_prices
from backtests.config import ALTS, Config
from backtests.gates import gates_of
from backtests.inputs import Inputs, basket_members, filter_series
from feeds import instruments
from feeds.bars import Bars
from feeds.errors import ConfigError
from feeds.instruments import Instrument
from feeds.sessions import bar_ends
from feeds.sources import Source, open_source
from strategies.signals import IndexSignals, index_signals, new_high, prior_high

MARKET: Final = "SPX"
RELATIVE_LOOKBACK: Final = 252


class World:
    """Everything the studies of one index read, loaded when first asked for."""

    def __init__(self, config: Config, *, source: Source | None = None) -> None:
        self.config = config
        data = config.data
        self._source = source or open_source(
            data.source,
            data_dir=data.data_dir,
            cache_dir=data.cache_dir,
            offline=data.offline,
            choices=data.choices,
        )
        self._bars: dict[tuple[Instrument, str], Bars] = {}
        self._signals: dict[str, IndexSignals] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about the bars loaded so far, each once."""
        found = [note for key in sorted(self._bars, key=str) for note in self._bars[key].notes]
        return tuple(dict.fromkeys(found))

    def bars(self) -> tuple[dict[str, object], ...]:
        """Return what was read so far: symbol, source, rows, span and digest."""
        return tuple(
            {
                "symbol": bars.instrument.symbol,
                "timeframe": bars.timeframe,
                "source": bars.source,
                "origin": bars.origin,
                "rows": len(bars),
                "first": f"{bars.frame.index[0]:%Y-%m-%d}",
                "last": f"{bars.frame.index[-1]:%Y-%m-%d}",
                "sha256": bars.sha256,
            }
            for bars in sorted(self._bars.values(), key=lambda one: one.instrument.symbol)
        )

    def index(self, name: str = "") -> Bars:
        """Return the daily bars of an index, by default the config's."""
        return self._load(instruments.index(name or self.config.index.symbol), "1d")

    def known_at(self, name: str = "") -> NDArray[np.int64]:
        """Return the instant (nanoseconds, UTC) each session's close is known."""
        bars = self.index(name)
        ends = bar_ends(_dates(bars), kind=bars.instrument.kind, timeframe="1d")
        delay = pd.Timedelta(minutes=self.config.index.delay_minutes)
        return np.asarray((ends + delay).as_unit("ns").asi8)

    def events(self, event: str, *, index: str = "") -> Events:
        """Return an event of an index, on every session."""
        bars = self.index(index)
        if event == "relative_high":
            occurred = self._relative_highs(bars)
        else:
            occurred = getattr(self._signals_of(bars), event)
        return Events(event, _dates(bars), self.known_at(index), occurred)

    def gate(self, name: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Return a filter's state at every session: 1 open, 0 closed, NaN unknown; and why."""
        if name not in self.config.filters:
            raise ConfigError(
                f"`claim.filter` {name!r} is no filter of this config. "
                f"Add a table [filters.{name}]."
            )
        only = self.config.model_copy(update={"filters": {name: self.config.filters[name]}})
        series, notes = filter_series(only, real=self.index().source != "sample")
        inputs = Inputs(self.index(), (), series=series)
        known_at = self.known_at()
        instants = pd.DatetimeIndex(known_at, tz="UTC")
        (gate,) = gates_of(only, inputs, available_at=instants)
        return gate.at(known_at), notes

    def asset(self, name: str) -> AssetPrices:
        """Return the prices of a coin, or of the config's basket: what it holds of `ALTS`."""
        timeframe = self.config.data.timeframe
        if name != ALTS:
            return asset_prices(name, {name: self._load(instruments.coin(name), timeframe)})
        members = basket_members(self.config)
        return asset_prices(
            name, {member.label: self._load(member, timeframe) for member in members}
        )

    def _relative_highs(self, bars: Bars) -> NDArray[np.bool_]:
        """Return where the ratio to the S&P 500 closes above its highest of a year."""
        market = self.index(MARKET).frame["close"].reindex(bars.frame.index)
        ratio = (bars.frame["close"] / market).to_numpy(np.float64)
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
        if key not in self._bars:
            self._bars[key] = self._inside(self._source.load(instrument, timeframe=timeframe))
        return self._bars[key]

    def _inside(self, bars: Bars) -> Bars:
        """Cut a coin's bars to `start` and `end`; an index needs its past for its highs."""
        data = self.config.data
        if bars.instrument.kind == "index" or not (data.start or data.end):
            return bars
        times = _dates(bars)
        kept = np.ones(len(bars), np.bool_)
        if data.start:
            kept &= np.asarray(times >= pd.Timestamp(data.start, tz="UTC"))
        if data.end:
            kept &= np.asarray(times < pd.Timestamp(data.end, tz="UTC") + pd.Timedelta(days=1))
        if not kept.any():
            raise ConfigError(
                f"`data.start` and `data.end` leave no bar of {bars.instrument.label}. "
                "Choose dates inside its history."
            )
        frame = bars.frame.loc[times[kept]]
        return Bars(bars.instrument, bars.timeframe, frame, bars.source, bars.origin, bars.notes)


def _dates(bars: Bars) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(bars.frame.index)
