"""Bars from local CSV and Parquet files: `<SYMBOL>_<timeframe>.csv` or `.parquet`."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from feeds.bars import COLUMNS, MARKET_CAP, QUOTE_VOLUME, Bars
from feeds.border import validate_bars
from feeds.errors import ConfigError, DataError
from feeds.instruments import Instrument
from feeds.resample import four_hours
from feeds.table import RawTable

log = logging.getLogger(__name__)

SUFFIXES = (".parquet", ".csv")
NO_LINES = np.empty(0, np.int64)
EMPTY = ("", "nan", "null", "None", "NaN", "<NA>")


class Files:
    """A folder of bar files; Parquet wins where both forms of a symbol are there.

    Raises
    ------
    ConfigError
        If the folder is not named or does not exist.
    """

    name = "files"

    def __init__(self, folder: Path) -> None:
        if folder == Path() or not folder.is_dir():
            received = "nothing" if folder == Path() else f"{str(folder)!r}, which is no folder"
            raise ConfigError(
                f"`data.data_dir` must be the folder with the bar files, received {received}. "
                "Give it with --data-dir."
            )
        self._folder = folder

    def load(self, instrument: Instrument, *, timeframe: str) -> Bars:
        """Return the validated bars of `instrument`, all of them.

        A coin's 4h bars are made from its 1h file where there is no 4h file.
        """
        hourly_only = timeframe == "4h" and self._find(instrument, "4h") is None
        if hourly_only and instrument.kind == "coin" and self._find(instrument, "1h"):
            return four_hours(self.load(instrument, timeframe="1h"))
        path = self._path(instrument, timeframe)
        bars = validate_bars(
            _read(path), instrument=instrument, timeframe=timeframe, source=self.name
        )
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


def _read(path: Path) -> RawTable:
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
            frame = frame if "date" in frame.columns else frame.reset_index(names="date")
        else:
            frame = pd.read_csv(path)
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path.name}: the file is empty. Download it again.") from error
    except (ValueError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path.name}: cannot be read ({reason}). Download it again.") from error
    lines = np.arange(len(frame), dtype=np.int64) + 2 if path.suffix == ".csv" else NO_LINES
    table = RawTable(frame, path.name, lines)
    columns = {
        str(name): _dates(frame[name], table)
        if name == "date"
        else _numbers(frame[name], str(name), table)
        for name in frame.columns
        if name in ("date", *COLUMNS, QUOTE_VOLUME, MARKET_CAP)
    }
    return replace(table, frame=pd.DataFrame(columns))


def _dates(column: pd.Series, table: RawTable) -> pd.Series:
    if isinstance(column.dtype, (np.dtype, pd.DatetimeTZDtype)) and column.dtype.kind == "M":
        return column
    parsed = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
    _require_read(parsed, column, "date", table)
    return (
        parsed
        if column.astype(str).str.contains(r"Z|\d[+-]\d\d:?\d\d$").any()
        else (parsed.dt.tz_localize(None))
    )


def _numbers(column: pd.Series, name: str, table: RawTable) -> pd.Series:
    if column.dtype == np.float64:
        return column
    texts = column.astype(str).str.replace(",", "")
    numbers = pd.to_numeric(texts, errors="coerce").astype(np.float64)
    _require_read(numbers, column.where(~texts.isin(EMPTY)), name, table)
    return numbers


def _require_read(parsed: pd.Series, column: pd.Series, name: str, table: RawTable) -> None:
    wrong = np.asarray(parsed.isna() & column.notna())
    if wrong.any():
        row = int(wrong.argmax())
        what = "a date" if name == "date" else "a number"
        raise DataError(
            f"{table.origin}: {table.place(row)}, column `{name}`: {str(column.iloc[row])!r} is "
            f"not {what}. Correct or remove the row."
        )
