"""What every source of bars offers, and which one a name stands for."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from feeds.bars import Bars
from feeds.cache.updates import Cache
from feeds.checks import with_findings
from feeds.clock import Clock, utc_now
from feeds.errors import Unreachable
from feeds.folders import cache_folder
from feeds.instruments import Instrument
from feeds.live import Live
from feeds.vendors import VENDORS

log = logging.getLogger(__name__)

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


def open_source(
    name: str, *, data_dir: str = "", offline: bool = False, cache_dir: str = ""
) -> Source:
    """Return the source called `name`, its bars checked on arrival.

    `auto` takes live bars and falls back to the sample; a source named outright never falls
    back. With `offline` live bars come from the cache alone.
    """
    if name == "files":
        from feeds.files import Files

        return Checked(Files(Path(data_dir)))
    if name in (*VENDORS, "auto"):
        vendor = None if name == "auto" else name
        live = Live(Cache(cache_folder(cache_dir)), vendor=vendor, offline=offline)
        checked = Checked(live, clock=utc_now)
        return checked if vendor else Auto(checked, open_sample=_sample)
    return _sample()


def load_all(source: Source, wanted: Iterable[tuple[Instrument, str]]) -> list[Bars]:
    """Return the bars of each instrument and timeframe, all live or all from the sample."""
    pairs = list(wanted)
    try:
        return [source.load(instrument, timeframe=timeframe) for instrument, timeframe in pairs]
    except FellBack:
        return [source.load(instrument, timeframe=timeframe) for instrument, timeframe in pairs]


def _sample() -> Source:
    from feeds.sample import Sample

    return Checked(Sample())
