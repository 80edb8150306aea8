"""Bars from a folder of files, found by the names that people give them.

Beside `BTC-USD_1d.csv`, `BTC-USD_1d_bitstamp.csv` is a further source of the same bars: where
it reaches further back it is joined on.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import pandas as pd

from feeds.bars import QUOTE_VOLUME, Bars
from feeds.errors import ConfigError, DataError
from feeds.folders import is_folder
from feeds.history import join, newest_first
from feeds.instruments import (
    COIN_ALIASES,
    DOLLARS,
    INDEX_NAMES,
    YAHOO_COINS,
    Instrument,
    Kind,
    nearest_index,
)
from feeds.reading import NOTHING_CHOSEN, Choices, read_bars
from feeds.sessions import BAR_LENGTHS
from feeds.validation import validate_bars

SUFFIXES: Final = (".csv", ".parquet", ".zip", ".csv.gz", ".tsv", ".txt")
DAILY: Final = "1d"
# Vendors' words for the lengths of bars; any other length goes by its own name.
TIMEFRAMES: Final = {"d": "1d", "1440": "1d", "daily": "1d"} | {
    "h": "1h",
    "60": "1h",
    "hourly": "1h",
    "240": "4h",
}
_LENGTH: Final = rf"(?P<timeframe>\d+(?:[smhdw]|mo)|{'|'.join(TIMEFRAMES)})"
_PLAIN: Final = r"(?P<symbol>\^?[a-z0-9]+(?:-[a-z0-9]+)?)"
NAMES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # BTCUSDT-1d-2024-01: one month of Binance's archive
        rf"(?P<symbol>[a-z0-9]+)-{_LENGTH}-(?P<part>\d{{4}}-\d\d(?:-\d\d)?)",
        # RUT_1d, and BTC-USD_1d_bitstamp for a further source of it
        rf"{_PLAIN}_{_LENGTH}(?:_(?P<source>.+))?",
        # Binance_BTCUSDT_d of CryptoDataDownload, "INDEX_BTCUSD, 1D" of TradingView
        rf"[a-z]+_{_PLAIN}(?:_|, ){_LENGTH}",
        # BTC-USD and ^RUT, as Yahoo names them
        _PLAIN,
    )
)
_COIN_OF_YAHOO: Final = {yahoo: symbol for symbol, yahoo in YAHOO_COINS.items()}
_COIN_OF_ALIAS: Final = {alias: base for base, names in COIN_ALIASES.items() for alias in names}
log = logging.getLogger(__name__)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BarFile:
    """One file of bars and what its name says of it.

    `series` is the name without the date of a part, "" for a file that is whole; `source` the
    name of a further source, "" for the main one. A name without a length is of daily bars.
    """

    path: Path
    instrument: Instrument
    timeframe: str
    series: str = ""
    source: str = ""


def bar_files(folder: Path) -> list[BarFile]:
    """Return the files of bars in a folder, sorted by name."""
    found = (bar_file(path) for path in sorted(folder.iterdir()) if not path.name.startswith("."))
    return [file for file in found if file is not None]


def bar_file(path: Path) -> BarFile | None:
    """Return what a file's name says of it, None if it is no name of bars.

    Nor is the name of prices adjusted for dividends: adjustment rewrites old highs.
    """
    name = path.name.casefold()
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)
    if suffix is None:
        return None
    stem = path.name[: -len(suffix)]
    match = next(filter(None, (pattern.fullmatch(stem) for pattern in NAMES)), None)
    if match is None:
        return None
    fields = match.groupdict(default="")
    length = fields.get("timeframe", DAILY).casefold()
    if suffix == ".txt" and "timeframe" not in fields:
        return None  # a note, more likely than bars
    if "adjusted" in fields.get("source", "").casefold():
        return None
    part = fields.get("part", "")
    return BarFile(
        path,
        instrument_named(fields["symbol"]),
        TIMEFRAMES.get(length, length),
        stem.removesuffix(f"-{part}").casefold() if part else "",
        fields.get("source", ""),
    )


def instrument_named(name: str) -> Instrument:
    """Return the coin or the index a vendor's name stands for: BTCUSDT, btc-usd, ^GSPC."""
    symbol = _COIN_OF_YAHOO.get(name.upper(), name.upper())
    base, dash, quote = symbol.partition("-")
    if not dash:
        quote = next((dollar for dollar in DOLLARS if _is_pair(base, dollar)), "")
        base = base.removesuffix(quote)
    if not quote:
        plain = base.removeprefix("^")
        return Instrument(INDEX_NAMES.get(plain, plain), "index")
    base = _COIN_OF_ALIAS.get(base, base)
    return Instrument(f"{base}-{'USD' if quote in DOLLARS else quote}", "coin")


def _is_pair(symbol: str, quote: str) -> bool:
    return symbol.endswith(quote) and len(symbol) > len(quote) + 1


def files_of(
    files: Iterable[BarFile], instrument: Instrument, timeframe: str
) -> dict[str, list[Path]]:
    """Return the files of each source of an instrument's bars, "" being the main one.

    A source is one file, or the parts of one series.

    Raises
    ------
    DataError
        If two files could be one source: both are named.
    """
    sources: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for file in files:
        if (file.instrument, file.timeframe) == (instrument, timeframe):
            series = sources[file.source.casefold()]
            series[file.series or file.path.name].append(file.path)
    for source, series in sources.items():
        if len(series) > 1:
            names = [paths[0].name for paths in series.values()]
            count = "two" if len(names) == 2 else str(len(names))
            from_source = f" from {source}" if source else ""
            raise DataError(
                f"`{instrument.parameter}` {instrument.label} has {count} files of {timeframe} "
                f"bars{from_source}: {' and '.join(names[:2])}. Keep one of them."
            )
    return {source: next(iter(series.values())) for source, series in sorted(sources.items())}


def labels(files: Iterable[BarFile], *, kind: Kind, timeframe: str) -> list[str]:
    """Return the short names of the coins or indices with bars of a length, sorted."""
    alike = (file.instrument for file in files if file.timeframe == timeframe)
    return sorted({instrument.label for instrument in alike if instrument.kind == kind})


class Files:
    """A folder of bar files, each recognised by its content.

    `choices` settle what a file leaves open. With `history` "longest" further sources of a
    symbol are joined on, with "one_source" the newest file serves alone. What is in the folder
    is listed once.

    Raises
    ------
    ConfigError
        If the folder is not named or does not exist.
    """

    name = "files"

    def __init__(
        self,
        folder: Path,
        *,
        choices: Choices = NOTHING_CHOSEN,
        history: str = "longest",
    ) -> None:
        if folder == Path() or not is_folder(folder):
            received = "nothing" if folder == Path() else f"{str(folder)!r}, which is no folder"
            raise ConfigError(
                f"`data.data_dir` must be the folder with the bar files, received {received}. "
                "Give it with --data-dir."
            )
        self.choices = choices
        self._folder = folder
        self._history = history

    @cached_property
    def _files(self) -> list[BarFile]:
        return bar_files(self._folder)

    def holds(self, instrument: Instrument, *, timeframe: str) -> bool:
        """Return whether there is a file of the instrument's bars."""
        return bool(files_of(self._files, instrument, timeframe))

    def load(self, instrument: Instrument, *, timeframe: str) -> Bars:
        """Return the validated bars of `instrument`, all of them.

        A coin's 4h bars are made from its 1h file where there is no 4h file.
        """
        hourly_only = timeframe == "4h" and not self.holds(instrument, timeframe="4h")
        if hourly_only and instrument.kind == "coin" and self.holds(instrument, timeframe="1h"):
            return four_hours(self.load(instrument, timeframe="1h"))
        served, sources = self._sources(instrument, timeframe)
        named = {
            label: self._read(paths, served, instrument, timeframe)
            for label, paths in sources.items()
        }
        bars = self._join(named)
        if served == instrument:
            return bars
        note = f"{instrument.symbol}: not in {self._folder.name}, {bars.origin} stands in for it"
        log.warning("%s", note)
        return replace(bars, notes=(note, *bars.notes))

    def _read(
        self, paths: list[Path], served: Instrument, instrument: Instrument, timeframe: str
    ) -> Bars:
        table = read_bars(paths, instrument=served, timeframe=timeframe, choices=self.choices)
        return validate_bars(table, instrument=instrument, timeframe=timeframe, source=self.name)

    def _join(self, sources: dict[str, Bars]) -> Bars:
        named = {bars.origin: bars for bars in sources.values()}
        main = sources[""].origin if "" in sources else ""
        order = newest_first(named, main=main)
        return join(named, order=order if self._history == "longest" else order[:1])

    def _sources(
        self, instrument: Instrument, timeframe: str
    ) -> tuple[Instrument, dict[str, list[Path]]]:
        """Return the instrument served, itself or its stand-in, and the files of its sources."""
        for one in filter(None, (instrument, instrument.stand_in)):
            if sources := files_of(self._files, one, timeframe):
                return one, sources
        stem = f"{instrument.symbol}_{timeframe}"
        alike = labels(self._files, kind=instrument.kind, timeframe=timeframe)
        there = ", ".join(alike) or f"no {timeframe} files of this kind"
        raise DataError(
            f"`{instrument.parameter}` {instrument.label} has no bars: no file such as {stem}.csv "
            f"is in {self._folder}{self._hint(instrument)}. There are: {there}."
            f"{nearest_index(instrument.symbol) if instrument.kind == 'index' else ''}"
        )

    def _hint(self, instrument: Instrument) -> str:
        """Name a file called BTC, which may be the coin, and may be a fund of that name."""
        fund = Instrument(instrument.label, "index")
        names = [file.path.name for file in self._files if file.instrument == fund]
        if instrument.kind != "coin" or not names:
            return ""
        return f" ({names[0]} is named like a fund: call it {instrument.symbol} if it is the coin)"


def four_hours(hourly: Bars) -> Bars:
    """Return a coin's 4h bars, opening at 00, 04, ... UTC, made of four 1h bars each.

    A bar that lacks one of its hours is left out, never shortened; between two full bars
    that shows as a gap.

    Raises
    ------
    DataError
        If no bar is full.
    """
    groups = hourly.frame.groupby(pd.DatetimeIndex(hourly.frame.index).floor("4h"))
    columns = {
        "open": groups["open"].first(),
        "high": groups["high"].max(),
        "low": groups["low"].min(),
        "close": groups["close"].last(),
        "volume": groups["volume"].sum(min_count=1),
    }
    if QUOTE_VOLUME in hourly.frame:
        columns[QUOTE_VOLUME] = groups[QUOTE_VOLUME].sum(min_count=1)
    frame = pd.DataFrame(columns)
    full = (groups.size() == BAR_LENGTHS["4h"] // BAR_LENGTHS["1h"]).to_numpy()
    if not full.any():
        raise DataError(f"{hourly.origin}: no full 4h bar in {len(hourly)} hours. Bring more bars.")
    note = (
        f"{hourly.instrument.symbol}: 4h bars made from 1h bars of {hourly.origin}, "
        f"{int((~full).sum())} incomplete ones left out"
    )
    log.info(note)
    frame = frame[full]
    frame.index.name = None
    return replace(hourly, timeframe="4h", frame=frame, notes=(*hourly.notes, note))
