"""Bars from a folder of files, named and written as people have them."""

import logging
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from feeds.bar_files import BarFile, bar_files, files_of, labels
from feeds.bars import Bars, validated
from feeds.errors import ConfigError, DataError
from feeds.instruments import Instrument
from feeds.reading import NOTHING_CHOSEN, Choices, read_bars
from feeds.resample import four_hours
from feeds.table import RawTable

log = logging.getLogger(__name__)


class Files:
    """A folder of bar files, each recognised by its content.

    `choices` settle what a file leaves open. What is there is listed once.

    Raises
    ------
    ConfigError
        If the folder is not named or does not exist.
    """

    name = "files"

    def __init__(self, folder: Path, *, choices: Choices = NOTHING_CHOSEN) -> None:
        if folder == Path() or not folder.is_dir():
            received = "nothing" if folder == Path() else f"{str(folder)!r}, which is no folder"
            raise ConfigError(
                f"`data.data_dir` must be the folder with the bar files, received {received}. "
                "Give it with --data-dir."
            )
        self._folder = folder
        self._choices = choices

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
        paths, served = self._paths(instrument, timeframe)
        table = read_bars(paths, instrument=served, timeframe=timeframe, choices=self._choices)
        bars = bars_of(table, instrument, timeframe=timeframe)
        if served == instrument:
            return bars
        note = f"{instrument.symbol}: not in {self._folder.name}, {table.origin} stands in for it"
        log.warning("%s", note)
        return replace(bars, notes=(note, *bars.notes))

    def _paths(self, instrument: Instrument, timeframe: str) -> tuple[list[Path], Instrument]:
        """Return the files of the instrument, or of the fund that stands in for it."""
        for one in filter(None, (instrument, instrument.stand_in)):
            if paths := files_of(self._files, one, timeframe):
                return paths, one
        stem = f"{instrument.symbol}_{timeframe}"
        alike = labels(self._files, kind=instrument.kind, timeframe=timeframe)
        there = ", ".join(alike) or f"no {timeframe} files of this kind"
        raise DataError(
            f"`{instrument.parameter}` {instrument.label} has no bars: no file such as {stem}.csv "
            f"is in {self._folder}{self._hint(instrument)}. There are: {there}."
        )

    def _hint(self, instrument: Instrument) -> str:
        """Name a file called BTC, which may be the coin, and may be a fund of that name."""
        fund = Instrument(instrument.label, "index")
        names = [file.path.name for file in self._files if file.instrument == fund]
        if instrument.kind != "coin" or not names:
            return ""
        return f" ({names[0]} is named like a fund: call it {instrument.symbol} if it is the coin)"


def bars_of(table: RawTable, instrument: Instrument, *, timeframe: str) -> Bars:
    """Return what was read from files as validated bars, how it was read as first note."""
    bars = validated(
        table.frame,
        instrument=instrument,
        timeframe=timeframe,
        source=Files.name,
        origin=table.origin,
    )
    return replace(bars, notes=(*table.notes, *bars.notes))
