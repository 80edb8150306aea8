"""Bars from a folder of files, named and written as people have them.

Beside `BTC-USD_1d.csv`, `BTC-USD_1d_bitstamp.csv` is a further source of the same bars: where
it reaches further back it is joined on.
"""

import logging
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from feeds.bar_files import BarFile, bar_files, files_of, labels
from feeds.bars import QUOTE_VOLUME, Bars
from feeds.border import validate_bars
from feeds.errors import ConfigError, DataError
from feeds.folders import is_folder
from feeds.history import join, newest_first
from feeds.instruments import Instrument, nearest_index
from feeds.reading import NOTHING_CHOSEN, Choices, read_bars
from feeds.sessions import BAR_LENGTHS

log = logging.getLogger(__name__)


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


log = logging.getLogger(__name__)


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
