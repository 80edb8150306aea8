"""Bars from local CSV and Parquet files: `<SYMBOL>_<timeframe>.csv` or `.parquet`.

Beside it, `<SYMBOL>_<timeframe>_<source>.csv` or `.parquet` is a further source of the same
bars, such as `BTC-USD_1d_bitstamp.csv`: where it reaches further back it is joined on.
"""

import logging
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from feeds.bars import Bars
from feeds.border import validate_bars
from feeds.errors import ConfigError, DataError
from feeds.folders import is_folder
from feeds.history import joined, newest_first
from feeds.instruments import Instrument
from feeds.reading import NOTHING_CHOSEN, Choices, read_bars
from feeds.resample import four_hours

log = logging.getLogger(__name__)

SUFFIXES = (".parquet", ".csv")


class Files:
    """A folder of bar files; Parquet wins where both forms of a symbol are there.

    With `history` "longest" further sources of a symbol are joined on, with "one_source" the
    newest file serves alone.

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
        self._folder = folder
        self._choices = choices
        self._history = history

    def load(self, instrument: Instrument, *, timeframe: str) -> Bars:
        """Return the validated bars of `instrument`, all of them.

        A coin's 4h bars are made from its 1h file where there is no 4h file.
        """
        hourly_only = timeframe == "4h" and self._find(instrument, "4h") is None
        if hourly_only and instrument.kind == "coin" and self._find(instrument, "1h"):
            return four_hours(self.load(instrument, timeframe="1h"))
        served, paths = self._paths(instrument, timeframe)
        sources = {path.name: self._read(path, instrument, timeframe) for path in paths}
        bars = self._joined(sources, main=f"{served.symbol}_{timeframe}")
        if served == instrument:
            return bars
        note = f"{instrument.symbol}: not in {self._folder.name}, {bars.origin} stands in for it"
        log.warning("%s", note)
        return replace(bars, notes=(note, *bars.notes))

    def _read(self, path: Path, instrument: Instrument, timeframe: str) -> Bars:
        table = read_bars(path, instrument=instrument, timeframe=timeframe, choices=self._choices)
        return validate_bars(table, instrument=instrument, timeframe=timeframe, source=self.name)

    def _joined(self, sources: dict[str, Bars], *, main: str) -> Bars:
        order = newest_first(sources, main=next((n for n in sources if Path(n).stem == main), ""))
        return joined(sources, order=order if self._history == "longest" else order[:1])

    def _paths(self, instrument: Instrument, timeframe: str) -> tuple[Instrument, list[Path]]:
        """Return the instrument served, itself or its stand-in, and the files of its sources."""
        for one in filter(None, (instrument, instrument.stand_in)):
            main = self._find(one, timeframe)
            paths = [*filter(None, [main]), *further_sources(self._folder, one, timeframe)]
            if paths:
                return one, paths
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


def further_sources(folder: Path, instrument: Instrument, timeframe: str) -> list[Path]:
    """Return the files of further sources of an instrument's bars, sorted by name.

    Dividend-adjusted prices are no further source: adjustment rewrites old highs.

    Raises
    ------
    DataError
        If one source has two files.
    """
    begin = f"{instrument.symbol}_{timeframe}_".casefold()
    paths = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and path.stem.casefold().startswith(begin)
    )
    for one, other in pairwise(paths):
        if one.stem.casefold() == other.stem.casefold():
            raise DataError(
                f"{one.name} and {other.name} are two files of one source of "
                f"{instrument.symbol} {timeframe}. Remove one."
            )
    return [path for path in paths if "adjusted" not in path.stem.casefold()]
