"""Bars as everything sees them once they are validated."""

import hashlib
import importlib
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from feeds.instruments import Instrument, Kind

PRICES: Final = ("open", "high", "low", "close")
PRICE_LINES: Final = (*PRICES, "volume")
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
    every repair made and every warning a reader should see, and in `readings` those that only
    say how a file was read, with nothing left open; `origin` says where the rows
    came from. `is_close_only` marks prices made of closes alone. `spans` says which source
    serves which time of a joined history, newest first; empty where there is one source.

    Examples
    --------
    >>> import backtests as bt, pandas as pd
    >>> days = pd.date_range("2024-01-01", periods=3, tz="UTC")
    >>> frame = pd.DataFrame({"Open": 1.0, "High": 2.0, "Low": 0.5, "Close": 1.5}, index=days)
    >>> bt.Bars.from_frame(frame, symbol="ETH-USD")
    <Bars of ETH-USD: 3 of 1d, 2024-01-01 to 2024-01-03, source frame>
    """

    instrument: Instrument
    timeframe: str
    frame: pd.DataFrame
    source: str
    origin: str
    notes: tuple[str, ...] = ()
    is_close_only: bool = False
    spans: tuple[Span, ...] = ()
    readings: tuple[str, ...] = ()

    @property
    def cautions(self) -> tuple[str, ...]:
        """The notes that a reader should see: repairs, and what is uncertain."""
        return tuple(note for note in self.notes if note not in self.readings)

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, symbol: str, timeframe: str = "1d", kind: Kind | None = None
    ) -> Self:
        """Return the bars of a frame, validated as a file's or a vendor's would be.

        Parameters
        ----------
        frame
            A row per bar, with a DatetimeIndex or a column `date`, and the columns open, high,
            low, close and perhaps volume, in any case. An index is dated by its session, a coin
            by the instant its bar opens (UTC where there is no zone). It is left as it is.
        symbol
            What it is of: "RUT", "ETH-USD".
        timeframe
            The length of a bar: "1d", "4h" or "1h".
        kind
            "index" or "coin", for a symbol that does not tell.

        Raises
        ------
        InputError
            Naming what is wrong, the column and the row.
        """
        # validation makes bars, so it stands after them: this is the way back, for users alone
        frames = importlib.import_module("feeds.dataframes")
        found: Self = frames.bars_of_frame(frame, symbol=symbol, timeframe=timeframe, kind=kind)
        return found

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        first, last = self.frame.index[0], self.frame.index[-1]
        return (
            f"<Bars of {self.instrument.symbol}: {len(self):,} of {self.timeframe}, "
            f"{first:%Y-%m-%d} to {last:%Y-%m-%d}, source {self.source}>"
        )

    @property
    def sha256(self) -> str:
        """Digest of the rows themselves, independent of the file format they came in."""
        digest = hashlib.sha256(pd.DatetimeIndex(self.frame.index).as_unit("ns").asi8.tobytes())
        digest.update(np.ascontiguousarray(self.frame.to_numpy()).tobytes())
        return digest.hexdigest()
