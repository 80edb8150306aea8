"""Everything a run reads: the index, the coins, and what its filters need."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from backtests.config import ALTS, Config
from feeds import instruments
from feeds.bars import Bars
from feeds.errors import DataError
from feeds.series import Series
from feeds.series_sources import load_series
from feeds.sources import load_all, open_source
from feeds.universe import altcoins


@dataclass(frozen=True, slots=True)
class Inputs:
    """Validated bars and series of one run.

    `coins` are what is bought while the signal is on, sorted by symbol; `idle` is held
    while it is off. `benchmarks` and `series` are what filters read, by name; a series that
    could not be had is missing there, and `notes` says so.
    """

    index: Bars
    coins: tuple[Bars, ...]
    idle: Bars | None = None
    benchmarks: Mapping[str, Bars] = field(default_factory=dict)
    series: Mapping[str, Series] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def all_bars(self) -> tuple[Bars, ...]:
        """All bars used, the index first, each once."""
        bars = [self.index, *self.coins, *([self.idle] if self.idle else [])]
        bars.extend(self.benchmarks.values())
        return tuple({(each.instrument.symbol, each.timeframe): each for each in bars}.values())


def load_inputs(config: Config) -> Inputs:
    """Load what the config names from its source.

    Raises
    ------
    InputError
        If a symbol, file or setting is wrong.
    """
    coins = basket_members(config) if config.asset == ALTS else [instruments.coin(config.asset)]
    benchmarks = [
        each.benchmark for each in config.filters.values() if each.kind == "relative_strength"
    ]
    timeframe = config.data.timeframe
    wanted = [
        (instruments.index(config.index.symbol), config.index.timeframe),
        *((coin, timeframe) for coin in coins),
        *((instruments.index(name), config.index.timeframe) for name in benchmarks),
    ]
    if config.idle.asset:
        wanted.append((instruments.coin(config.idle.asset), timeframe))
    source = open_source(
        config.data.source,
        data_dir=config.data.data_dir,
        cache_dir=config.data.cache_dir,
        offline=config.data.offline,
    )
    bars = load_all(source, wanted)
    series, notes = filter_series(config, real=bars[0].source != "sample")
    after_coins = 1 + len(coins)
    return Inputs(
        index=bars[0],
        coins=tuple(bars[1:after_coins]),
        idle=bars[-1] if config.idle.asset else None,
        benchmarks=dict(zip(benchmarks, bars[after_coins:], strict=False)),
        series=series,
        notes=notes,
    )


def basket_members(config: Config) -> list[instruments.Instrument]:
    """Return the coins a basket chooses from, sorted by symbol, each once."""
    named = {instruments.coin(name) for name in config.basket.members}
    if named:
        return sorted(named, key=lambda instrument: instrument.symbol)
    listed = altcoins(
        config.data.source, data_dir=config.data.data_dir, timeframe=config.data.timeframe
    )
    if not listed:
        raise DataError(
            f"`basket.members` is empty and {config.data.data_dir!r} holds no altcoin. Name the "
            'members, such as ["SOL", "ADA"].'
        )
    return listed


def filter_series(config: Config, *, real: bool) -> tuple[dict[str, Series], tuple[str, ...]]:
    """Return the series the config's filters read, and a note for each that is not to be had."""
    found: dict[str, Series] = {}
    notes = []
    for name, settings in config.filters.items():
        if settings.kind != "series":
            continue
        try:
            found[settings.series] = load_series(
                settings.series,
                source=config.data.source if real else "sample",
                data_dir=config.data.data_dir,
                offline=config.data.offline,
                lag_days=None if settings.lag_days == "release" else settings.lag_days,
            )
        except DataError as error:
            effect = "blocks every entry" if settings.unknown == "block" else "lets all pass"
            notes.append(f"filter {name} is unknown throughout and {effect}: {error}")
    return found, tuple(notes)
