"""A series that is no price: each observation with the instant from which it was known."""

import hashlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from feeds.arrays import Floats
from feeds.errors import Absent, ConfigError, DataError
from feeds.files import SUFFIXES
from feeds.instruments import SERIES_NAME
from feeds.raw_table import RawTable
from feeds.reading import NOTHING_CHOSEN, Choices, read_series
from feeds.releases import SERIES, Release, after_days
from feeds.sessions import latest_known

log = logging.getLogger(__name__)

MISSING: Final = (".", "", "NA", "NaN")
LONGEST_LAG_DAYS: Final = 3_650.0


@dataclass(frozen=True, slots=True)
class Series:
    """Validated observations of one series.

    `frame` is indexed by tz-naive observation date, ascending and unique, with the columns
    `value` (finite float64, in `units`) and `available_at` (UTC, never descending). `notes`
    lists what was left out and what a reader should know, and in `readings` what only says how
    a file was read.
    """

    name: str
    units: str
    frame: pd.DataFrame
    source: str
    origin: str
    notes: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()

    @property
    def cautions(self) -> tuple[str, ...]:
        """The notes that a reader should see."""
        return tuple(note for note in self.notes if note not in self.readings)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def sha256(self) -> str:
        """Digest of dates, values and instants, independent of the file they came in."""
        instants = pd.DatetimeIndex(self.frame["available_at"]).as_unit("ns").asi8
        digest = hashlib.sha256(pd.DatetimeIndex(self.frame.index).as_unit("ns").asi8.tobytes())
        digest.update(instants.tobytes())
        digest.update(self.frame["value"].to_numpy(np.float64).tobytes())
        return digest.hexdigest()

    def known_at(self, instants: pd.DatetimeIndex) -> pd.DataFrame:
        """Return the newest observation known at each instant (UTC), shape (instants,).

        Columns `value`, NaN before the first is known, and `observed`, its date, NaT then.
        A caller judges by `observed` whether a value is stale.
        """
        available = pd.DatetimeIndex(self.frame["available_at"]).as_unit("ns").asi8
        at = latest_known(available, at=instants.as_unit("ns").asi8)
        values = np.append(self.frame["value"].to_numpy(np.float64), np.nan)
        dates = np.append(self.frame.index.to_numpy("datetime64[ns]"), np.datetime64("NaT"))
        return pd.DataFrame({"value": values[at], "observed": dates[at]}, index=instants)


def validated_series(
    raw: pd.DataFrame | RawTable,
    *,
    name: str,
    units: str,
    release: Release,
    source: str,
    origin: str,
) -> Series:
    """Turn a table of `date,value` into a `Series`, or say what is wrong.

    Rows without a value are left out with a note: FRED writes "." for a holiday.

    Raises
    ------
    DataError
        Naming origin, row (1 is the first data row; a line of a file), column and value.
    """
    table = raw if isinstance(raw, RawTable) else _type_table(raw, origin)
    dates = pd.DatetimeIndex(table.frame["date"]).rename(None)
    values = table.frame["value"].to_numpy(np.float64)
    _require_unique(dates, table)
    empty = np.isnan(values)
    if empty.all():
        raise DataError(f"{origin}: no observations. Download it again or remove it.")
    held = pd.Series(values[~empty], index=dates[~empty]).sort_index()
    notes = (*table.notes, *_left_out(int(empty.sum()), origin))
    return Series(name, units, release_frame(held, release), source, origin, notes, table.readings)


def release_frame(values: pd.Series, release: Release) -> pd.DataFrame:
    """Return the frame of a `Series` from finite values by ascending observation date."""
    dates = pd.DatetimeIndex(values.index).rename(None)
    # Two dates may come out together, as a weekend's do; a later date is never known earlier.
    known = np.maximum.accumulate(release(dates).as_unit("ns").asi8)
    available_at = pd.to_datetime(known, unit="ns", utc=True)
    return pd.DataFrame({"value": values.to_numpy(), "available_at": available_at}, index=dates)


def series_from_file(
    folder: Path, name: str, *, lag_days: float | None = None, choices: Choices = NOTHING_CHOSEN
) -> Series:
    """Return the series of `<NAME>_series.csv` in `folder`: dates and values in any form.

    Parameters
    ----------
    lag_days
        Publication lag in days, counted from the end of the observation's date, UTC: an
        observation of 5 January with lag 1 is known from 7 January 00:00 UTC on. May be left
        out for a series whose release calendar is built in (`feeds.releases.SERIES`).
    choices
        What settles a file that can be read in several ways.

    Raises
    ------
    ConfigError
        If the name is no plain name, or the lag is negative, absurd, or missing for a series
        without a calendar.
    Absent
        If there is no file.
    DataError
        If the file is malformed.
    """
    units, release = terms(name, lag_days)
    path = series_path(folder, name)
    if path is None:
        there = sorted(file.name.split("_series.")[0] for file in folder.glob("*_series.*"))
        raise Absent(
            f"the series {name} has no file: {name}_series.csv is not in {folder}. There are: "
            f"{', '.join(there) or 'no series'}."
        )
    return validated_series(
        read_series(path, name=name, choices=choices),
        name=name,
        units=units,
        release=release,
        source="files",
        origin=path.name,
    )


def series_path(folder: Path, name: str) -> Path | None:
    """Return the file of a series in a folder, None if there is none.

    Raises
    ------
    ConfigError
        If the name is no plain name: it must not lead out of the folder.
    DataError
        If two files could be it.
    """
    if not re.fullmatch(SERIES_NAME, name):
        raise ConfigError(
            f"the name of a series must be of letters, digits, `_`, `-` and `.`, received {name!r}."
        )
    wanted = {f"{name}_series{suffix}".casefold() for suffix in SUFFIXES}
    paths = sorted(path for path in folder.iterdir() if path.name.casefold() in wanted)
    if len(paths) > 1:
        raise DataError(
            f"the series {name} has two files: {paths[0].name} and {paths[1].name}. Keep one."
        )
    return paths[0] if paths else None


def terms(name: str, lag_days: float | None) -> tuple[str, Release]:
    """Return a series' units, "" if unknown, and when it is published.

    Raises
    ------
    ConfigError
        If the lag is negative, absurd, or missing for a series without a calendar.
    """
    known = SERIES.get(name)
    if lag_days is None and known is not None:
        return known.units, known.release
    if lag_days is None or not 0 <= lag_days <= LONGEST_LAG_DAYS:
        raise ConfigError(
            f"`lag_days` of the series {name} must be from 0 to {LONGEST_LAG_DAYS:.0f}, received "
            f"{'nothing' if lag_days is None else lag_days}. Give the days from the end of an "
            "observation's date to its publication."
        )
    return "" if known is None else known.units, lambda dates: after_days(dates, lag_days=lag_days)


def _left_out(count: int, origin: str) -> tuple[str, ...]:
    if count == 0:
        return ()
    note = f"{origin}: {count} {'dates' if count > 1 else 'date'} without a value left out"
    log.info("%s", note)
    return (note,)


def _type_table(raw: pd.DataFrame, origin: str) -> RawTable:
    """Return a vendor's table of texts as typed columns."""
    missing = [column for column in ("date", "value") if column not in raw.columns]
    if missing:
        raise DataError(
            f"{origin}: column `{missing[0]}` is missing, found "
            f"{', '.join(map(str, raw.columns))}. Needed: date, value."
        )
    parsed = pd.to_datetime(raw["date"], errors="coerce", format="%Y-%m-%d")
    dates = require_dates(parsed, column=raw["date"], origin=origin, remedy="Use YYYY-MM-DD.")
    frame = pd.DataFrame({"date": dates, "value": _parsed_values(raw["value"], origin)})
    return RawTable(frame, origin=origin)


def _require_unique(dates: pd.DatetimeIndex, table: RawTable) -> None:
    repeated = dates.duplicated()
    if repeated.any():
        row = int(repeated.argmax())
        raise DataError(
            f"{table.origin}: {table.place(row)}, column `date`: {dates[row]:%Y-%m-%d} stands "
            "there twice. Remove one of the two rows."
        )


def _parsed_values(column: pd.Series, origin: str) -> Floats:
    text = column.astype("string").str.strip()
    empty = np.asarray(text.isna() | text.isin(MISSING), dtype=np.bool_)
    values = pd.to_numeric(text, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = ~np.isfinite(values) & ~empty
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{origin}: row {row + 1}, column `value`: {column.iloc[row]!r} is not a number. "
            "Correct or remove the row."
        )
    return np.where(empty, np.nan, values)


FIRST_YEAR: Final = 1700
LAST_YEAR: Final = 2200


def require_dates(
    parsed: pd.Series, *, column: pd.Series, origin: str, remedy: str
) -> pd.DatetimeIndex:
    """Return parsed dates as a nameless index; NaT names its row and what stood there.

    Raises
    ------
    DataError
        Naming origin, row (1 is the first data row) and value.
    """
    dates = pd.DatetimeIndex(parsed)
    wrong = np.asarray(dates.isna())
    if not wrong.any():  # a year that nanoseconds cannot hold is mistyped
        wrong = np.asarray((dates.year < FIRST_YEAR) | (dates.year > LAST_YEAR))
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{origin}: row {row + 1}, column `date`: {column.iloc[row]!r} is not a date. {remedy}"
        )
    return dates.as_unit("ns").rename(None)
