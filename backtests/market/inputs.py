"""Everything a run reads: the index, the coins, and what its filters need."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backtests.config.basket_members import stale_note, universe_members
from backtests.config.config import ALTS, Config
from feeds import instruments
from feeds.archive.universe import DOWNLOAD
from feeds.bars import Bars
from feeds.errors import Absent, ConfigError, DataError, NotCached, NotServed, Unreachable
from feeds.folders import is_folder
from feeds.instruments import INDEX_NAMES, SAMPLE_SOURCE
from feeds.message_text import nearest_hint
from feeds.series import Series
from feeds.series_sources import load_series, series_names
from feeds.sessions import utc_now
from feeds.sources import Loaded, Memory, Request, WithOwn, is_live, load_all, open_source
from feeds.universe import altcoins, split_reused
from feeds.vendors.request_policy import use_addresses
from strategies.rule_settings import READY_MADE


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


def load_inputs(
    config: Config, *, own: Sequence[Bars] = (), memory: Memory | None = None
) -> Inputs:
    """Load what the config names from its source, but for the bars that are one's `own`.

    Bars in `memory` are not read again; configs with other `vendors` must not share one.

    Raises
    ------
    InputError
        If a symbol, file or setting is wrong.
    """
    require_folder(config)
    timeframe, index_timeframe = config.data.timeframe, config.index.timeframe
    index = Request(instruments.index(config.index.symbol), index_timeframe)
    coins = [Request(coin, timeframe, config.asset == ALTS) for coin in _coins(config)]
    benchmarks = {
        each.benchmark: Request(instruments.index(each.benchmark), index_timeframe)
        for each in config.filters.values()
        if each.kind == "relative_strength"
    }
    idle = Request(instruments.coin(config.idle.asset), timeframe) if config.idle.asset else None
    use_addresses(config.vendors.model_dump())
    source = open_source(
        config.data.source,
        data_dir=config.data.data_dir,
        cache_dir=config.data.cache_dir,
        offline=config.data.offline,
        choices=config.data.choices,
        history=config.data.history,
        memory=memory,
    )
    wanted = (index, *coins, *benchmarks.values(), *([idle] if idle else []))
    loaded = load_all(WithOwn(source, own), wanted)
    left_out = _left_out(config, loaded)
    bars = loaded.bars
    is_real = bars[index].source != SAMPLE_SOURCE
    drawn, drawn_notes = _draw(config, is_real=is_real)
    series, notes = filter_series(config, real=is_real)
    others = {name: bars[request] for name, request in benchmarks.items()}
    return Inputs(
        index=bars[index],
        coins=drawn or _told_apart(config, [bars[coin] for coin in coins if coin in bars]),
        idle=bars[idle] if idle else None,
        benchmarks=others,
        series=series,
        notes=(*left_out, *drawn_notes, *notes, *missing_benchmark_bars(bars[index], others)),
    )


def _told_apart(config: Config, coins: list[Bars]) -> tuple[Bars, ...]:
    """Return the coins, a basket's told apart where two traded under one ticker.

    The one coin of a run stays whole: its gap is in the warnings.
    """
    if config.asset != ALTS:
        return tuple(coins)
    every = [part for bars in coins for part in split_reused(bars)]
    return tuple(sorted(every, key=lambda bars: bars.instrument.symbol))


def require_folder(config: Config) -> None:
    """Refuse a `data_dir` that is none, also where live sources take only series from it."""
    folder = config.data.data_dir
    if folder and not is_folder(Path(folder)):
        raise ConfigError(
            f"`data.data_dir` must be the folder with the bar files, received {folder!r}, which "
            "is no folder. Give it with --data-dir."
        )


def has_universe(config: Config) -> bool:
    """Return whether the basket is drawn from all coins a venue ever listed."""
    return config.asset == ALTS and config.basket.universe not in {"auto", "none"}


def _coins(config: Config) -> list[instruments.Instrument]:
    if has_universe(config):
        return []
    return basket_members(config) if config.asset == ALTS else [instruments.coin(config.asset)]


def _draw(config: Config, *, is_real: bool) -> tuple[tuple[Bars, ...], tuple[str, ...]]:
    """Return the coins drawn from a universe and what a reader should know; none without one."""
    if not has_universe(config):
        return (), _list_note(config) if is_real else ()
    if not is_real:
        raise DataError(
            f"the coins of the universe {config.basket.universe} are real, and bars of "
            f"{config.index.symbol} are not to be had, only the sample's. Fetch them with "
            "`python -m feeds.download`, or use --source sample for both."
        )
    found = universe_members(config.basket, cache_dir=config.data.cache_dir)
    stale = stale_note(found.coins, now=utc_now()) if is_live(config.data.source) else ()
    return found.coins, (*found.notes, *stale)


def _list_note(config: Config) -> tuple[str, ...]:
    """Return a note if the coins are those that come to mind today: vendors list no dead ones."""
    if config.asset != ALTS or config.basket.members or not is_live(config.data.source):
        return ()
    return (
        "LIST MADE TODAY: the coins of the basket are a list made today, which knows what lasted, "
        "so the result is too good. To take each month's most traded of all coins there were, "
        f"dead ones included, run `{DOWNLOAD}` once",
    )


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
    """Return the series the config's filters read, and a note for each that is not to be had.

    Raises
    ------
    ConfigError
        If a series has a name that nothing here has.
    DataError
        If one is there and cannot be read.
    """
    found: dict[str, Series] = {}
    notes = []
    for name, who, lag, effect in _series_read(config):
        try:
            found[name] = load_series(
                name,
                source=config.data.source if real else SAMPLE_SOURCE,
                data_dir=config.data.data_dir,
                cache_dir=config.data.cache_dir,
                offline=config.data.offline,
                lag_days=lag,
                choices=config.data.choices,
                history=config.data.history,
            )
        except (Absent, NotServed, NotCached, Unreachable) as error:
            _require_known(who, name, config.data.data_dir)
            notes.append(f"{effect}: {error}")
    return found, tuple(notes)


def _series_read(config: Config) -> Iterator[tuple[str, str, float | None, str]]:
    """Yield each series read: its name, who reads it, its lag, and what its absence means."""
    for name, settings in config.filters.items():
        if settings.kind == "series":
            lag = None if settings.lag_days == "release" else settings.lag_days
            effect = "blocks every entry" if settings.unknown == "block" else "lets all pass"
            note = f"filter {name} is unknown throughout and {effect}"
            yield settings.series, f"`filters.{name}.series`", lag, note
    for series, reader in series_of_own(config).items():
        note = f"{reader} reads {series}, which is NaN throughout"
        yield series, f"{reader} reads the series", None, note


def series_of_own(config: Config) -> dict[str, str]:
    """Return the series that own functions read, with the last that does."""
    return {
        name.upper(): f"the {entry.kind} {entry.name!r}"
        for entry in config.own_functions
        for name in entry.reads
        if name not in ("index", "coin", "coins")
    }


def require_series(config: Config) -> None:
    """Refuse filters that name a series nobody has, where none of them may ever be read.

    Raises
    ------
    ConfigError, DataError
        If a name is misspelt, or what it names cannot be read.
    """
    known = _known_series(config.data.data_dir)
    strange = {name: each for name, each in config.filters.items() if each.series not in known}
    only = config.model_copy(update={"filters": strange})
    filter_series(only, real=config.data.source != SAMPLE_SOURCE)


def _known_series(data_dir: str) -> set[str]:
    presets = (str(one["series"]) for one in READY_MADE.values() if "series" in one)
    return {*series_names(data_dir), *presets, *INDEX_NAMES}


def _require_known(who: str, series: str, data_dir: str) -> None:
    """Refuse a series of no source's: a misspelt one would be unknown for ever."""
    known = _known_series(data_dir)
    if series not in known:
        there = f" Put {series}_series.csv into --data-dir."
        raise ConfigError(
            f"{who} {series!r} is neither built in nor a file in "
            f"--data-dir.{nearest_hint(series, known, otherwise=there)}"
        )


def missing_benchmark_bars(index: Bars, benchmarks: Mapping[str, Bars]) -> tuple[str, ...]:
    """Return a note on each benchmark that lacks bars of the index's, and on one that ends."""
    notes = []
    for name, bars in benchmarks.items():
        dates = index.frame.index
        first, last = bars.frame.index[0], bars.frame.index[-1]
        inside = dates[(dates >= first) & (dates <= last)]
        missing = inside.difference(bars.frame.index)
        label = index.instrument.label
        if len(missing):
            notes.append(
                f"{name} has no bar on {len(missing):,} of {len(inside):,} sessions of {label}, "
                f"the first {missing[0]:%Y-%m-%d}: relative strength is unknown there, and its "
                "windows count the others"
            )
        if (after := int((dates > last).sum())) > 1:
            notes.append(
                f"{name} ends on {last:%Y-%m-%d}, {after:,} sessions before {label}: relative "
                "strength is unknown from then on"
            )
    return tuple(notes)
