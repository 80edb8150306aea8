"""Bars out of a DataFrame of one's own: its columns and dates as a table to be validated."""

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd

from feeds.arrays import Floats
from feeds.bars import COLUMNS, MARKET_CAP, PRICES, QUOTE_VOLUME, Bars
from feeds.checks import with_findings
from feeds.errors import ConfigError, DataError
from feeds.instruments import BY_SYMBOL, INDEX_NAMES, Instrument, Kind, coin, index
from feeds.message_text import nearest_hint
from feeds.raw_table import RawTable
from feeds.sessions import BAR_LENGTHS
from feeds.validation import validate_bars

SOURCE: Final = "frame"
KINDS: Final = ("index", "coin")
READ: Final = (*COLUMNS, QUOTE_VOLUME, MARKET_CAP)
DATES: Final = ("date", "datetime", "time", "timestamp", "session")


def bars_of_frame(
    frame: pd.DataFrame, *, symbol: str, timeframe: str = "1d", kind: Kind | None = None
) -> Bars:
    """Return the bars of a frame, as `Bars.from_frame` says.

    Raises
    ------
    InputError
        Naming what is wrong, the column and the row.
    """
    if timeframe not in BAR_LENGTHS:
        raise ConfigError(
            f"`timeframe` must be one of {', '.join(BAR_LENGTHS)}, received {timeframe!r}."
            f"{nearest_hint(str(timeframe), BAR_LENGTHS)}"
        )
    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            f"`frame` must be a pandas DataFrame with a row per bar, received "
            f"{type(frame).__name__}. Make one: pd.DataFrame(...)."
        )
    instrument = _instrument(symbol, kind)
    table = _table(frame, origin=f"DataFrame of {instrument.symbol}")
    bars = validate_bars(table, instrument=instrument, timeframe=timeframe, source=SOURCE)
    return with_findings(bars)


def _instrument(symbol: str, kind: str | None) -> Instrument:
    """Return what a symbol stands for; one that could be either is not guessed at."""
    if not isinstance(symbol, str):
        raise ConfigError(f'`symbol` must be text such as "RUT" or "ETH-USD", received {symbol!r}.')
    name = symbol.strip().upper()
    if kind is not None and kind not in KINDS:
        raise ConfigError(f"`kind` must be one of {', '.join(KINDS)}, received {kind!r}.")
    if kind is None and (name in BY_SYMBOL or name in INDEX_NAMES):
        return index(symbol)
    if kind is None and "-" not in name:
        raise ConfigError(
            f"`symbol` {symbol!r} could be a coin or an index. Write '{name}-USD' for the coin, or "
            'say kind="index".'
        )
    return index(symbol) if kind == "index" else coin(symbol)


def _table(frame: pd.DataFrame, *, origin: str) -> RawTable:
    named = _by_name(frame, origin)
    dates = _dates(frame, named, origin)
    if "close" not in named:
        found = ", ".join(map(str, frame.columns)) or "none"
        raise DataError(
            f"{origin}: column `close` is missing, found {found}. Needed: {', '.join(PRICES)}, or "
            "close alone; rename what holds them with frame.rename(columns=...)."
        )
    numbers: dict[str, Any] = {
        name: _numbers(frame[named[name]], name, origin) for name in READ if name in named
    }
    has_closes_alone = numbers.keys() & set(PRICES) == {"close"}
    columns: dict[str, Any] = {"date": dates, **numbers}
    return RawTable(pd.DataFrame(columns), origin, is_close_only=has_closes_alone)


def _by_name(frame: pd.DataFrame, origin: str) -> dict[str, Hashable]:
    """Return the frame's own label of each column we read; case and blanks do not matter."""
    columns = frame.columns
    if columns.nlevels > 1:
        raise DataError(
            f"{origin}: columns have {columns.nlevels} levels, such as {columns[0]}. Take those of "
            "one symbol, with frame.xs(..., axis=1) or frame.droplevel(1, axis=1)."
        )
    found: dict[str, Hashable] = {}
    for label in columns:
        name = str(label).strip().casefold().replace(" ", "_")
        if name in found and name in (*READ, *DATES):
            raise DataError(
                f"{origin}: column `{name}` is there twice, as {found[name]!r} and {label!r}. "
                "Leave one out."
            )
        found[name] = label
    return found


def _dates(frame: pd.DataFrame, named: dict[str, Hashable], origin: str) -> pd.DatetimeIndex:
    if isinstance(frame.index, pd.DatetimeIndex):
        return frame.index
    name = next((name for name in DATES if name in named), None)
    if name is not None:
        return _read(frame[named[name]], f"column `{name}`", origin)
    if len(frame) and str(frame.index.dtype) in {"object", "str"}:
        return _read(pd.Series(frame.index), "the index", origin)
    found = ", ".join(map(str, frame.columns)) or "none"
    raise DataError(
        f"{origin}: no dates, found an index of {frame.index.dtype} and the columns {found}. Give "
        "it a DatetimeIndex or a column `date`: frame.index = pd.to_datetime(...)."
    )


def _read(values: pd.Series, what: str, origin: str) -> pd.DatetimeIndex:
    """Return dates; text must be ISO, as day and month could be told apart in no other."""
    first = values.iloc[0] if len(values) else None
    if pd.api.types.is_numeric_dtype(values):
        raise DataError(
            f"{origin}: {what} holds numbers such as {first}, whose unit nobody knows. Turn them "
            'into dates: pd.to_datetime(..., unit="s", utc=True).'
        )
    try:
        return pd.DatetimeIndex(pd.to_datetime(values, format="ISO8601"))
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{origin}: {what} holds what is no date as YYYY-MM-DD, such as {first!r}. Turn it "
            "into dates: pd.to_datetime(..., format=...)."
        ) from error


def _numbers(column: pd.Series, name: str, origin: str) -> Floats:
    try:
        return column.to_numpy(np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        read = pd.to_numeric(column, errors="coerce")
        wrong = np.flatnonzero(read.isna() & column.notna())
        row = int(wrong[0]) if wrong.size else 0
        raise DataError(
            f"{origin}: row {row + 1}, column `{name}`: {column.iloc[row]!r} is not a number. "
            "Turn the column into numbers: pd.to_numeric(...)."
        ) from error
