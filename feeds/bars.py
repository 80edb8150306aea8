"""Bars as everything beyond the border sees them."""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from feeds.instruments import Instrument

PRICES: Final = ("open", "high", "low", "close")
COLUMNS: Final = (*PRICES, "volume")
# Only some sources have these; NaN where unknown.
QUOTE_VOLUME: Final = "quote_volume"  # what was traded in the bar, in money
MARKET_CAP: Final = "market_cap"


@dataclass(frozen=True, slots=True)
class Bars:
    """Validated bars of one instrument.

    `frame` has the float64 columns open, high, low, close, volume (NaN where unknown) and
    perhaps quote_volume (in money) and market_cap, and an ascending unique index: tz-naive
    session dates for an index, the bar's opening instant in UTC for a coin. `notes` lists
    every repair made and every warning a reader should see; `origin` says where the rows
    came from. `is_close_only` marks prices made of closes alone.
    """

    instrument: Instrument
    timeframe: str
    frame: pd.DataFrame
    source: str
    origin: str
    notes: tuple[str, ...] = ()
    is_close_only: bool = False

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def sha256(self) -> str:
        """Digest of the rows themselves, independent of the file format they came in."""
        digest = hashlib.sha256(pd.DatetimeIndex(self.frame.index).as_unit("ns").asi8.tobytes())
        digest.update(np.ascontiguousarray(self.frame.to_numpy()).tobytes())
        return digest.hexdigest()
