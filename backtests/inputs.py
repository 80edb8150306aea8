"""Everything a run reads: the index, the coins, and what its filters need."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from backtests.config import ALTS, Config
from feeds import instruments
from feeds.bars import Bars
from feeds.errors import DataError
from feeds.series import Series
from feeds.series_sources import load_series
from feeds.sources import Loaded, Request, load_all, open_source
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
    timeframe, index_timeframe = config.data.timeframe, config.index.timeframe
    index = Request(instruments.index(config.index.symbol), index_timeframe)
    coins = [Request(coin, timeframe, config.asset == ALTS) for coin in _coins(config)]
    benchmarks = {
        each.benchmark: Request(instruments.index(each.benchmark), index_timeframe)
        for each in config.filters.values()
        if each.kind == "relative_strength"
    }
    idle = Request(instruments.coin(config.idle.asset), timeframe) if config.idle.asset else None
    source = open_source(
        config.data.source,
        data_dir=config.data.data_dir,
        cache_dir=config.data.cache_dir,
        offline=config.data.offline,
        choices=config.data.choices,
    )
    wanted = (index, *coins, *benchmarks.values(), *([idle] if idle else []))
    loaded = load_all(source, wanted)
    left_out = _left_out(config, loaded)
    bars = loaded.bars
    series, notes = filter_series(config, real=bars[index].source != "sample")
    return Inputs(
        index=bars[index],
        coins=tuple(bars[coin] for coin in coins if coin in bars),
        idle=bars[idle] if idle else None,
        benchmarks={name: bars[request] for name, request in benchmarks.items()},
        series=series,
        notes=(*left_out, *notes),
    )


def _coins(config: Config) -> list[instruments.Instrument]:
    return basket_members(config) if config.asset == ALTS else [instruments.coin(config.asset)]


def _left_out(config: Config, loaded: Loaded) -> tuple[str, ...]:
    """Return a note on the members of a basket that nobody serves; named ones must be there."""
    if not loaded.missing:
        return ()
    names = ", ".join(request.instrument.label for request in loaded.missing)
    reason = str(next(iter(loaded.missing.values())))
    if config.basket.members:
        raise DataError(
            f"`basket.members` names {names}, without bars: {reason} Take it out of the members, "
            "or bring its file with --source files."
        )
    if not any(request.is_optional for request in loaded.bars):
        raise DataError(f"no coin of the basket has bars, the first: {reason}")
    return (f"left out of {ALTS}, because no bars were to be had: {names}",)


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
                cache_dir=config.data.cache_dir,
                offline=config.data.offline,
                lag_days=None if settings.lag_days == "release" else settings.lag_days,
                choices=config.data.choices,
            )
        except DataError as error:
            effect = "blocks every entry" if settings.unknown == "block" else "lets all pass"
            notes.append(f"filter {name} is unknown throughout and {effect}: {error}")
    return found, tuple(notes)
