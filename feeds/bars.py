"""Bars, and the one gate every bar passes before anything else sees it."""

import hashlib
import logging
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from feeds.clock import utc_now
from feeds.dates import require_dates, require_unique
from feeds.errors import DataError
from feeds.instruments import Instrument
from feeds.sessions import bar_ends

log = logging.getLogger(__name__)

PRICES: Final = ("open", "high", "low", "close")
COLUMNS: Final = (*PRICES, "volume")
# Only some sources have these; NaN where unknown.
QUOTE_VOLUME: Final = "quote_volume"  # what was traded in the bar, in money
MARKET_CAP: Final = "market_cap"


@dataclass(frozen=True, slots=True)
class Span:
    """The stretch of a joined history that one source serves, and how well it agreed.

    `first` and `last` are the times of its first and last bar used, `rows` their count.
    `common` bars were shared with the newer part it was joined to; of their closes' relative
    differences `median` and `worst` are the median and the largest. The newest span was
    joined to nothing: 0 and NaN. So `common` is 0 where two parts of an index only adjoin.
    """

    source: str
    origin: str
    first: pd.Timestamp
    last: pd.Timestamp
    rows: int
    is_close_only: bool = False
    common: int = 0
    median: float = np.nan
    worst: float = np.nan

    @property
    def label(self) -> str:
        """What a reader knows the source by: a vendor's name, or the file's."""
        return self.origin if self.source == "files" else self.source


@dataclass(frozen=True, slots=True)
class Bars:
    """Validated bars of one instrument.

    `frame` has the float64 columns open, high, low, close, volume (NaN where unknown) and
    perhaps quote_volume (in money) and market_cap, and an ascending unique index: tz-naive
    session dates for an index, the bar's opening instant in UTC for a coin. `notes` lists
    every repair made and every warning a reader should see; `origin` says where the rows
    came from. `is_close_only` marks prices made of closes alone. `spans` says which source
    serves which time of a joined history, newest first; empty where there is one source.
    """

    instrument: Instrument
    timeframe: str
    frame: pd.DataFrame
    source: str
    origin: str
    notes: tuple[str, ...] = ()
    is_close_only: bool = False
    spans: tuple[Span, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def sha256(self) -> str:
        """Digest of the rows themselves, independent of the file format they came in."""
        digest = hashlib.sha256(pd.DatetimeIndex(self.frame.index).as_unit("ns").asi8.tobytes())
        digest.update(np.ascontiguousarray(self.frame.to_numpy()).tobytes())
        return digest.hexdigest()


def validated(
    raw: pd.DataFrame,
    *,
    instrument: Instrument,
    timeframe: str,
    source: str,
    origin: str,
    now: pd.Timestamp | None = None,
) -> Bars:
    """Turn a table of `date,open,high,low,close[,volume]` into `Bars`, or say what is wrong.

    Parameters
    ----------
    raw
        One row a bar; `date` as text or timestamps, prices as text or numbers.
    origin
        The file or address named in every message.
    now
        The present instant (UTC), injected by tests; a bar that ends later is in progress.

    Raises
    ------
    DataError
        Naming origin, row (1 is the first data row), column and value.
    """
    _require_columns(raw, origin)
    dates = _parsed_dates(raw["date"], instrument, timeframe, origin)
    columns = {name: _parsed_numbers(raw[name], name, origin) for name in PRICES}
    if "volume" in raw.columns:
        columns["volume"] = pd.to_numeric(raw["volume"], errors="coerce").to_numpy(np.float64)
    else:
        columns["volume"] = np.full(len(raw), np.nan)
    if QUOTE_VOLUME in raw.columns:
        money = pd.to_numeric(raw[QUOTE_VOLUME], errors="coerce").to_numpy(np.float64)
        columns[QUOTE_VOLUME] = np.where(money >= 0, money, np.nan)
    if MARKET_CAP in raw.columns:
        capitalised = pd.to_numeric(raw[MARKET_CAP], errors="coerce").to_numpy(np.float64)
        columns[MARKET_CAP] = np.where(capitalised > 0, capitalised, np.nan)
    frame = pd.DataFrame(columns, index=dates)
    _require_sound_prices(frame, origin)
    require_unique(dates, origin=origin, form="%Y-%m-%d %H:%M")
    _require_finished(dates, instrument, timeframe, origin, now)
    notes: list[str] = []
    if not frame.index.is_monotonic_increasing:
        frame = frame.sort_index()
        notes.append(f"{instrument.symbol}: {len(frame)} rows of {origin} sorted by date")
        log.warning(notes[-1])
    return Bars(instrument, timeframe, frame, source, origin, tuple(notes))


def _require_columns(raw: pd.DataFrame, origin: str) -> None:
    missing = [name for name in ("date", *PRICES) if name not in raw.columns]
    if missing:
        raise DataError(
            f"{origin}: column `{missing[0]}` is missing, "
            f"found {', '.join(map(str, raw.columns))}. Needed: date, open, high, low, close."
        )
    if raw.empty:
        raise DataError(f"{origin}: no rows. Download it again or remove it.")


def _parsed_dates(
    column: pd.Series, instrument: Instrument, timeframe: str, origin: str
) -> pd.DatetimeIndex:
    parsed = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
    index = require_dates(
        parsed,
        column=column,
        origin=origin,
        remedy="Use YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ.",
    )
    return index.tz_localize(None) if instrument.has_sessions(timeframe) else index


def _parsed_numbers(column: pd.Series, name: str, origin: str) -> np.ndarray:
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    unsound = ~np.isfinite(numbers) | (numbers <= 0)
    if unsound.any():
        row = int(unsound.argmax())
        raise DataError(
            f"{origin}: row {row + 1}, column `{name}`: {column.iloc[row]!r} is not a "
            "positive price. Correct or remove the row."
        )
    return numbers


def _require_sound_prices(frame: pd.DataFrame, origin: str) -> None:
    checks = (
        ("high", frame["high"] < frame[["open", "close", "low"]].max(axis=1), "below"),
        ("low", frame["low"] > frame[["open", "close", "high"]].min(axis=1), "above"),
    )
    for name, wrong, side in checks:
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise DataError(
                f"{origin}: row {row + 1}, column `{name}`: {frame[name].iloc[row]} is {side} "
                f"another price of its bar. Correct or remove the row."
            )


def _require_finished(
    dates: pd.DatetimeIndex,
    instrument: Instrument,
    timeframe: str,
    origin: str,
    now: pd.Timestamp | None,
) -> None:
    now = utc_now() if now is None else now
    row = int(dates.argmax())
    try:
        end = bar_ends(dates, kind=instrument.kind, timeframe=timeframe)[row]
    except DataError as error:
        raise DataError(f"{origin}: column `date`: {error}") from error
    if end > now:
        raise DataError(
            f"{origin}: row {row + 1}, column `date`: the bar of {dates[row]:%Y-%m-%d %H:%M} is "
            f"still in progress, it ends {end:%Y-%m-%d %H:%M} UTC. Remove the row."
        )
