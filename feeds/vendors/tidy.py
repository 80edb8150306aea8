"""The small named repairs a vendor's table needs before it is validated, each with a note.

No step invents a price. Each takes a table of `date,open,high,low,close,volume` with
parsed dates, ascending, and returns it with a note of what was left out, "" for nothing.
Rows after the last one kept are no repair, their bars are only not there yet: that is logged
and not noted, as it would be untrue tomorrow.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from feeds.bars import PRICES, Bars, validated
from feeds.errors import DataError, NotServed
from feeds.instruments import Instrument
from feeds.sessions import NEW_YORK, bar_ends, session_closes, sessions_between

log = logging.getLogger(__name__)

# A bar whose range misses its own open or close by more than this is wrong, not rounded.
ROUNDING = 0.01
# Rows without a price in the middle are gaps; more than this share is a broken answer.
MOST_UNPRICED = 0.02


def tidied(
    raw: pd.DataFrame,
    *,
    instrument: Instrument,
    timeframe: str,
    source: str,
    origin: str,
    now: pd.Timestamp,
    notes: Iterable[str] = (),
) -> Bars:
    """Return the vendor's finished bars, validated; every row left out is in the notes.

    Raises
    ------
    NotServed
        If no finished bar is among them.
    DataError
        If two rows of a bar contradict each other or too many have no price.
    """
    frame, found = raw, list(notes)
    if instrument.kind == "index":
        frame, note = on_sessions(frame, origin)
        found.append(note)
    frame, note = without_repeats(frame, origin)
    found.append(note)
    frame = without_unfinished(frame, origin, instrument, timeframe, now)
    for step in (without_unpriced, with_covering_range):
        frame, note = step(frame, origin)
        found.append(note)
    if frame.empty:
        raise NotServed(f"{origin}: no finished {timeframe} bar. Ask for an earlier start.")
    bars = validated(
        frame, instrument=instrument, timeframe=timeframe, source=source, origin=origin, now=now
    )
    return replace(bars, notes=(*(note for note in found if note), *bars.notes))


def on_sessions(frame: pd.DataFrame, origin: str) -> tuple[pd.DataFrame, str]:
    """Leave out rows outside XNYS sessions: holidays, and quotes stamped at or after the close."""
    if frame.empty:
        return frame, ""
    opens = pd.DatetimeIndex(frame["date"])
    days = opens if opens.tz is None else opens.tz_convert(NEW_YORK).tz_localize(None).normalize()
    kept = np.asarray(days.isin(sessions_between(days.min(), days.max())))
    if opens.tz is not None:
        kept[kept] = np.asarray(opens[kept] < session_closes(days[kept]))
    return frame[kept], _noted(frame[~kept], frame[kept], f"{origin}: left out, outside a session:")


def without_repeats(frame: pd.DataFrame, origin: str) -> tuple[pd.DataFrame, str]:
    """Leave out rows that repeat another one exactly; contradicting ones are an error."""
    once = frame.drop_duplicates()
    contradicted = once["date"].duplicated()
    if contradicted.any():
        date = once["date"][contradicted].iloc[0]
        raise DataError(
            f"{origin}: two different bars of {date:%Y-%m-%d %H:%M} arrived. Try again; if it "
            "stays, use another source."
        )
    repeats = frame[frame.duplicated()]
    return once, _noted(repeats, once, f"{origin}: left out, the same bar twice:")


def without_unfinished(
    frame: pd.DataFrame, origin: str, instrument: Instrument, timeframe: str, now: pd.Timestamp
) -> pd.DataFrame:
    """Leave out bars that end after `now`."""
    if frame.empty:
        return frame
    ends = bar_ends(pd.DatetimeIndex(frame["date"]), kind=instrument.kind, timeframe=timeframe)
    over = np.asarray(ends <= now)
    _noted(frame[~over], frame[over], f"{origin}: left out, still in progress:")
    return frame[over]


def without_unpriced(frame: pd.DataFrame, origin: str) -> tuple[pd.DataFrame, str]:
    """Leave out rows where a price is missing or zero; inside the history that is a gap."""
    prices = frame[list(PRICES)].to_numpy(np.float64)
    priced = (np.isfinite(prices) & (prices > 0)).all(axis=1)
    if priced.any():
        first, last = int(priced.argmax()), len(priced) - int(priced[::-1].argmax())
        inside = int((~priced[first:last]).sum())
        if inside > max(5, MOST_UNPRICED * (last - first)):
            raise DataError(
                f"{origin}: {inside} of {last - first} bars have no price. Use another source."
            )
    note = _noted(frame[~priced], frame[priced], f"{origin}: left out, a price is missing:")
    return frame[priced], note


def with_covering_range(frame: pd.DataFrame, origin: str) -> tuple[pd.DataFrame, str]:
    """Widen high and low to the bar's own open and close where rounding left them inside."""
    high = frame[list(PRICES)].max(axis=1)
    low = frame[list(PRICES)].min(axis=1)
    missed = np.maximum(high / frame["high"] - 1, frame["low"] / low - 1)
    wrong = (missed > 0) & (missed <= ROUNDING)
    if not wrong.any():
        return frame, ""
    widened = frame.assign(
        high=frame["high"].where(~wrong, high), low=frame["low"].where(~wrong, low)
    )
    note = _noted(frame[wrong], frame, f"{origin}: high or low widened to open and close:")
    return widened, note


def _noted(rows: pd.DataFrame, kept: pd.DataFrame, what: str) -> str:
    """Log what happened to `rows`; return the text if they lie within the bars kept, else ""."""
    if rows.empty:
        return ""
    dates = rows["date"]
    span = f"{dates.iloc[0]:%Y-%m-%d %H:%M}"
    if len(rows) > 1:
        span += f" to {dates.iloc[-1]:%Y-%m-%d %H:%M}"
    note = f"{what} {len(rows)} {'bars' if len(rows) > 1 else 'bar'}, {span}"
    log.info("%s", note)
    is_late = not kept.empty and dates.iloc[0] > kept["date"].iloc[-1]
    return "" if is_late else note
