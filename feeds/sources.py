"""What every source of bars offers, and which one a name stands for."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from feeds.bars import Bars
from feeds.cache.updates import Cache
from feeds.checks import with_findings
from feeds.errors import DataError, NotCached, NotServed, Unreachable
from feeds.folders import cache_folder
from feeds.instruments import Instrument
from feeds.live import Live
from feeds.reading import NOTHING_CHOSEN, Choices
from feeds.sessions import Clock, utc_now
from feeds.vendors.registry import VENDORS

log = logging.getLogger(__name__)

# bars already read, by how their source was set up, instrument and timeframe
Memory = dict[tuple[object, ...], Bars]

SAMPLE_BANNER: Final = (
    "NOT REAL DATA: no vendor could be reached and the cache does not hold all that was asked, "
    "so every figure comes from the bundled sample, whose days are simulated"
)


class Source(Protocol):
    """A place bars come from. A source returns complete, validated bars or raises."""

    @property
    def name(self) -> str:
        """The word that selects this source and stands in the manifest."""
        ...

    def load(self, instrument: Instrument, *, timeframe: str) -> Bars:
        """Return all bars this source has, or raise `DataError` with the remedy."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """Bars that are wanted: an instrument and the length of its bars.

    `is_optional` marks a member of a basket: one that died may be served by nobody.
    """

    instrument: Instrument
    timeframe: str
    is_optional: bool = False

    def __str__(self) -> str:
        return f"{self.instrument.symbol} {self.timeframe}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The bars of each request, and why an optional one has none."""

    bars: dict[Request, Bars]
    missing: dict[Request, DataError]


class FellBack(Unreachable):
    """`auto` has gone over to the sample after it gave out live bars: load all again."""


class Auto:
    """Live bars from cache and network; the sample, under its banner, if neither has them.

    One `Auto` never mixes the two: the first instrument that cannot be reached turns it to
    the sample for good. If live bars were given out before, `FellBack` asks to start again.
    """

    name = "auto"

    def __init__(self, live: Source, *, open_sample: Callable[[], Source]) -> None:
        self._live = live
        self._open_sample = open_sample
        self._gave_live = False
        self._fell_back = False

    def load(self, instrument: Instrument, *, timeframe: str) -> Bars:
        """Return live bars, or the sample's with the banner as first note."""
        if not self._fell_back:
            try:
                bars = self._live.load(instrument, timeframe=timeframe)
            except Unreachable as error:
                log.warning("%s (%s)", SAMPLE_BANNER, error)
                self._fell_back = True
                if self._gave_live:
                    raise FellBack(f"live bars stopped at {instrument.label}: {error}") from error
            else:
                self._gave_live = True
                return bars
        bars = self._open_sample().load(instrument, timeframe=timeframe)
        return replace(bars, notes=(SAMPLE_BANNER, *bars.notes))


class Checked:
    """A source whose bars carry what the checks on arrival found, as notes."""

    def __init__(self, source: Source, *, clock: Clock | None = None) -> None:
        self._source = source
        self._clock = clock

    @property
    def name(self) -> str:
        """The name of the source that is checked."""
        return self._source.name

    def load(self, instrument: Instrument, *, timeframe: str) -> Bars:
        """Return the source's bars with findings added to their notes."""
        bars = self._source.load(instrument, timeframe=timeframe)
        return with_findings(bars, now=self._clock() if self._clock else None)


class Remembered:
    """A source that is asked once for each bars by all who share its `memory`.

    `key` tells apart what is asked of sources that are set up differently.
    """

    def __init__(self, source: Source, memory: Memory, *, key: tuple[object, ...]) -> None:
        self._source = source
        self._memory = memory
        self._key = key

    @property
    def name(self) -> str:
        """The name of the source that is asked."""
        return self._source.name

    def load(self, instrument: Instrument, *, timeframe: str) -> Bars:
        """Return the bars as they were when first asked for."""
        key = (*self._key, instrument, timeframe)
        if key not in self._memory:
            self._memory[key] = self._source.load(instrument, timeframe=timeframe)
        return self._memory[key]


class WithOwn:
    """A source beside bars of one's own, which go first."""

    def __init__(self, source: Source, own: Iterable[Bars]) -> None:
        self._source = source
        self._own = {(bars.instrument, bars.timeframe): bars for bars in own}

    @property
    def name(self) -> str:
        """The name of the source of all other bars."""
        return self._source.name

    def load(self, instrument: Instrument, *, timeframe: str) -> Bars:
        """Return one's own bars of that length where they are, else the source's."""
        own = self._own.get((instrument, timeframe))
        return own or self._source.load(instrument, timeframe=timeframe)


def open_source(
    name: str,
    *,
    data_dir: str = "",
    offline: bool = False,
    cache_dir: str = "",
    choices: Choices = NOTHING_CHOSEN,
    history: str = "longest",
    memory: Memory | None = None,
) -> Source:
    """Return the source called `name`, its bars checked on arrival.

    `auto` takes live bars and falls back to the sample; a source named outright never falls
    back. With `offline` live bars come from the cache alone. `history` "longest" joins older
    sources on, "one_source" leaves each instrument to one. `choices` settle files that can be
    read in several ways. What is in `memory` is not read again, and what is read is put there.
    """
    key = (name, data_dir, offline, cache_dir, repr(choices), history)
    if name == "files":
        from feeds.files import Files

        return Checked(
            _with_memory(Files(Path(data_dir), choices=choices, history=history), memory, key=key)
        )
    if is_live(name):
        vendor = None if name == "auto" else name
        live = Live(Cache(cache_folder(cache_dir)), vendor=vendor, offline=offline, history=history)
        checked = Checked(_with_memory(live, memory, key=key), clock=utc_now)
        return checked if vendor else Auto(checked, open_sample=_sample)
    return _sample()


def _with_memory(source: Source, memory: Memory | None, *, key: tuple[object, ...]) -> Source:
    return source if memory is None else Remembered(source, memory, key=key)


def is_live(name: str) -> bool:
    """Return whether the source called `name` asks vendors."""
    return name == "auto" or name in VENDORS


def load_all(source: Source, requests: Iterable[Request]) -> Loaded:
    """Return the bars of all requests, all live or all from the sample.

    Raises
    ------
    DataError
        If bars are not to be had, but for an optional request that nobody serves.
    """
    wanted = tuple(dict.fromkeys(requests))
    try:
        return _load(source, wanted)
    except FellBack:
        return _load(source, wanted)


def _load(source: Source, requests: Iterable[Request]) -> Loaded:
    loaded = Loaded({}, {})
    for request in requests:
        try:
            bars = source.load(request.instrument, timeframe=request.timeframe)
        except (NotServed, NotCached) as error:
            if not request.is_optional:
                raise
            loaded.missing[request] = error
        else:
            loaded.bars[request] = bars
    return loaded


def _sample() -> Source:
    from feeds.sample import Sample

    return Checked(Sample())
