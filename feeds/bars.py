"""Bars as everything beyond the border sees them."""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from feeds.instruments import Instrument

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

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def sha256(self) -> str:
        """Digest of the rows themselves, independent of the file format they came in."""
        digest = hashlib.sha256(pd.DatetimeIndex(self.frame.index).as_unit("ns").asi8.tobytes())
        digest.update(np.ascontiguousarray(self.frame.to_numpy()).tobytes())
        return digest.hexdigest()
