"""A series that is no price: each observation with the instant from which it was known."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from feeds.alignment import latest_known
from feeds.dates import require_dates, require_unique
from feeds.errors import Absent, ConfigError, DataError
from feeds.releases import SERIES, Release, after_days

log = logging.getLogger(__name__)

MISSING: Final = (".", "", "NA", "NaN")
LONGEST_LAG_DAYS: Final = 3_650.0


@dataclass(frozen=True, slots=True)
class Series:
    """Validated observations of one series.

    `frame` is indexed by tz-naive observation date, ascending and unique, with the columns
    `value` (finite float64, in `units`) and `available_at` (UTC, never descending). `notes`
    lists what was left out and what a reader should know.
    """

    name: str
    units: str
    frame: pd.DataFrame
    source: str
    origin: str
    notes: tuple[str, ...] = ()

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
    raw: pd.DataFrame, *, name: str, units: str, release: Release, source: str, origin: str
) -> Series:
    """Turn a table of `date,value` into a `Series`, or say what is wrong.

    Rows without a value are left out with a note: FRED writes "." for a holiday.

    Raises
    ------
    DataError
        Naming origin, row (1 is the first data row), column and value.
    """
    missing = [column for column in ("date", "value") if column not in raw.columns]
    if missing:
        raise DataError(
            f"{origin}: column `{missing[0]}` is missing, found "
            f"{', '.join(map(str, raw.columns))}. Needed: date, value."
        )
    dates = _parsed_dates(raw["date"], origin)
    values, empty = _parsed_values(raw["value"], origin)
    if empty.all():
        raise DataError(f"{origin}: no observations. Download it again or remove it.")
    kept = pd.Series(values[~empty], index=dates[~empty]).sort_index()
    notes = _left_out(int(empty.sum()), origin)
    return Series(name, units, released(kept, release), source, origin, notes)


def released(values: pd.Series, release: Release) -> pd.DataFrame:
    """Return the frame of a `Series` from finite values by ascending observation date."""
    dates = pd.DatetimeIndex(values.index).rename(None)
    # Two dates may come out together, as a weekend's do; a later date is never known earlier.
    known = np.maximum.accumulate(release(dates).as_unit("ns").asi8)
    available_at = pd.to_datetime(known, unit="ns", utc=True)
    return pd.DataFrame({"value": values.to_numpy(), "available_at": available_at}, index=dates)


def series_from_file(folder: Path, name: str, *, lag_days: float | None = None) -> Series:
    """Return the series of `<NAME>_series.csv` (columns `date,value`) in `folder`.

    Parameters
    ----------
    lag_days
        Publication lag in days, counted from the end of the observation's date, UTC: an
        observation of 5 January with lag 1 is known from 7 January 00:00 UTC on. May be left
        out for a series whose release calendar is built in (`feeds.releases.SERIES`).

    Raises
    ------
    ConfigError
        If the lag is negative, absurd, or missing for a series without a calendar.
    Absent
        If there is no file.
    DataError
        If the file is malformed.
    """
    units, release = terms(name, lag_days)
    path = folder / f"{name}_series.csv"
    if not path.is_file():
        there = sorted(p.name.removesuffix("_series.csv") for p in folder.glob("*_series.csv"))
        raise Absent(
            f"the series {name} has no file: {path.name} is not in {folder}. There are: "
            f"{', '.join(there) or 'no series'}."
        )
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:
        raise DataError(
            f"{path.name}: cannot be read ({str(error).splitlines()[0]}). Download it again."
        ) from error
    return validated_series(
        raw, name=name, units=units, release=release, source="files", origin=path.name
    )


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


def _parsed_dates(column: pd.Series, origin: str) -> pd.DatetimeIndex:
    parsed = pd.to_datetime(column, errors="coerce", format="%Y-%m-%d")
    dates = require_dates(parsed, column=column, origin=origin, remedy="Use YYYY-MM-DD.")
    require_unique(dates, origin=origin, form="%Y-%m-%d")
    return dates


def _parsed_values(column: pd.Series, origin: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
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
    return values, empty
