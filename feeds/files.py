"""Bars from local CSV and Parquet files: `<SYMBOL>_<timeframe>.csv` or `.parquet`."""

import logging
from dataclasses import replace
from pathlib import Path

from feeds.bars import Bars
from feeds.border import validate_bars
from feeds.errors import ConfigError, DataError
from feeds.instruments import Instrument
from feeds.reading import NOTHING_CHOSEN, Choices, read_bars
from feeds.resample import four_hours

log = logging.getLogger(__name__)

SUFFIXES = (".parquet", ".csv")


class Files:
    """A folder of bar files; Parquet wins where both forms of a symbol are there.

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

    def load(self, instrument: Instrument, *, timeframe: str) -> Bars:
        """Return the validated bars of `instrument`, all of them.

        A coin's 4h bars are made from its 1h file where there is no 4h file.
        """
        hourly_only = timeframe == "4h" and self._find(instrument, "4h") is None
        if hourly_only and instrument.kind == "coin" and self._find(instrument, "1h"):
            return four_hours(self.load(instrument, timeframe="1h"))
        path = self._path(instrument, timeframe)
        table = read_bars(path, instrument=instrument, timeframe=timeframe, choices=self._choices)
        bars = validate_bars(table, instrument=instrument, timeframe=timeframe, source=self.name)
        if path.stem == f"{instrument.symbol}_{timeframe}":
            return bars
        note = f"{instrument.symbol}: not in {self._folder.name}, {path.name} stands in for it"
        log.warning("%s", note)
        return replace(bars, notes=(note, *bars.notes))

    def _path(self, instrument: Instrument, timeframe: str) -> Path:
        for one in filter(None, (instrument, instrument.stand_in)):
            path = self._find(one, timeframe)
            if path is not None:
                return path
        stem = f"{instrument.symbol}_{timeframe}"
        raise DataError(
            f"`{instrument.parameter}` {instrument.label} has no bars: neither {stem}.parquet nor "
            f"{stem}.csv is in {self._folder}. There are: {self._listing(instrument, timeframe)}."
        )

    def _find(self, instrument: Instrument, timeframe: str) -> Path | None:
        stem = f"{instrument.symbol}_{timeframe}"
        paths = (self._folder / f"{stem}{suffix}" for suffix in SUFFIXES)
        return next((path for path in paths if path.is_file()), None)

    def _listing(self, instrument: Instrument, timeframe: str) -> str:
        stems = {p.stem for p in self._folder.iterdir() if p.suffix in SUFFIXES}
        symbols = sorted(
            stem.removesuffix(f"_{timeframe}") for stem in stems if stem.endswith(f"_{timeframe}")
        )
        coins = instrument.kind == "coin"
        alike = [s.removesuffix("-USD") for s in symbols if s.endswith("-USD") == coins]
        return ", ".join(alike) or f"no {timeframe} files of this kind"
