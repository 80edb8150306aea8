"""Longer bars out of shorter ones: full bars only."""

import logging
from dataclasses import replace

import pandas as pd

from feeds.bars import QUOTE_VOLUME, Bars
from feeds.errors import DataError
from feeds.sessions import BAR_LENGTHS

log = logging.getLogger(__name__)


def four_hours(hourly: Bars) -> Bars:
    """Return a coin's 4h bars, opening at 00, 04, ... UTC, made of four 1h bars each.

    A bar that lacks one of its hours is left out, never shortened; between two full bars
    that shows as a gap.

    Raises
    ------
    DataError
        If no bar is full.
    """
    groups = hourly.frame.groupby(pd.DatetimeIndex(hourly.frame.index).floor("4h"))
    columns = {
        "open": groups["open"].first(),
        "high": groups["high"].max(),
        "low": groups["low"].min(),
        "close": groups["close"].last(),
        "volume": groups["volume"].sum(min_count=1),
    }
    if QUOTE_VOLUME in hourly.frame:
        columns[QUOTE_VOLUME] = groups[QUOTE_VOLUME].sum(min_count=1)
    frame = pd.DataFrame(columns)
    full = (groups.size() == BAR_LENGTHS["4h"] // BAR_LENGTHS["1h"]).to_numpy()
    if not full.any():
        raise DataError(f"{hourly.origin}: no full 4h bar in {len(hourly)} hours. Bring more bars.")
    note = (
        f"{hourly.instrument.symbol}: 4h bars made from 1h bars of {hourly.origin}, "
        f"{int((~full).sum())} incomplete ones left out"
    )
    log.info(note)
    frame = frame[full]
    frame.index.name = None
    return replace(hourly, timeframe="4h", frame=frame, notes=(*hourly.notes, note))
