"""What the stamps of a table say: which bar each row is, of the length that is needed.

Where only one reading is possible the stamps are read so, with a note; a few odd rows are
left out with a note; anything else is refused with what was seen.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from feeds.arrays import Flags
from feeds.bar_spacing import opens_of_hours, require_session_spacing, require_spacing
from feeds.errors import DataError
from feeds.message_text import length_text, listed_times, time_texts
from feeds.raw_table import DATE, Draft
from feeds.sessions import NEW_YORK, session_closes, session_positions, xnys

ONE_DAY: Final = pd.Timedelta(days=1)
LAST_MINUTE: Final = pd.Timedelta(minutes=1)
# No coin traded before Bitcoin's first block, no index is older than the first exchange's.
EARLIEST: Final = {"coin": pd.Timestamp("2009-01-03"), "index": pd.Timestamp("1789-01-01")}
TOO_EARLY: Final = {
    "coin": "before 2009-01-03, when no coin traded",
    "index": "before 1789, when there was no index",
}
FAR_FUTURE: Final = pd.Timestamp("2200-01-01")
# At these times of day in New York it is the same date in every zone from there to UTC, and
# midnight in none where people keep such files.
DAYTIME: Final = (pd.Timedelta(hours=9), pd.Timedelta(hours=17, minutes=30))
DAYTIME_OF_NO_ZONE: Final = pd.Timedelta(hours=21, minutes=30)  # the close, in UTC


def read_stamps(draft: Draft) -> Draft:
    """Return the draft with each bar's open as its time; rows that are no bars are left out.

    Raises
    ------
    DataError
        If dates are impossible, bars are of another length, or cannot be told to open when
        they must.
    """
    draft = _held_in_nanoseconds(draft)
    if draft.instrument.kind == "coin":
        return _opens_of_coin(draft)
    return _sessions(draft) if draft.timeframe == "1d" else opens_of_hours(draft)


def _held_in_nanoseconds(draft: Draft) -> Draft:
    """Refuse dates that no bar can have: none, or of a mistyped year."""
    kind = draft.instrument.kind
    empty = np.asarray(draft.times.isna())
    seconds = draft.times.as_unit("s").asi8
    early = (seconds < EARLIEST[kind].timestamp()) & ~empty
    # where a vendor's clock is ahead of ours, its last bars are in progress, like today's
    latest = FAR_FUTURE if draft.is_live else draft.now + ONE_DAY
    late = seconds > latest.timestamp()
    for wrong, what in (
        (empty, "is no date"),
        (early, f"lies {TOO_EARLY[kind]}"),
        (late, "lies in the future"),
    ):
        if wrong.any():
            plural = "dates are empty" if wrong is empty else f"dates {what.replace('lies', 'lie')}"
            raise draft.refusal({DATE: wrong}, singular=what, plural=plural)
    return replace(draft, times=draft.times.as_unit("ns"))


def _opens_of_coin(draft: Draft) -> Draft:
    """Read a coin's stamps: openings in UTC, or all of them the last instant of their bars."""
    times = draft.times
    utc = times.tz_localize("UTC") if times.tz is None else times.tz_convert("UTC")
    draft = replace(draft, times=utc)
    draft = draft.without(_begin(draft) + draft.length.value > draft.now.value, "still in progress")
    into = draft.times.asi8 - _begin(draft)
    if len(draft) and (into >= max(draft.length - LAST_MINUTE, draft.length / 2).value).all():
        seen = time_texts(draft.times[:1])[0]
        draft = draft.with_note(
            f"stamped at their close ({seen}), read as the bars that end there, opening "
            f"{length_text(draft.length)} earlier"
        )
        draft = replace(draft, times=_as_utc(_begin(draft)))
    require_spacing(draft)
    strays = draft.times.asi8 != _begin(draft)
    if not draft.are_few(strays):
        raise _unreadable(draft, strays)
    return draft.without(strays, f"stamped off the {_grid(draft)} that its bars open at")


def _begin(draft: Draft) -> np.ndarray:
    nanoseconds = draft.times.asi8
    return nanoseconds - nanoseconds % draft.length.value


def _as_utc(nanoseconds: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(nanoseconds.view("datetime64[ns]")).tz_localize("UTC")


def _grid(draft: Draft) -> str:
    if draft.length == ONE_DAY:
        return "midnights (UTC)"
    return f"steps of {length_text(draft.length)} (UTC)"


def _unreadable(draft: Draft, strays: Flags) -> DataError:
    return draft.refusal(
        {DATE: strays},
        singular=f"is not one of the {_grid(draft)} that a coin's bars open at",
        plural=f"stamps are off the {_grid(draft)} that a coin's bars open at",
        remedy=f"Bring bars of {length_text(draft.length)} stamped at their opening, UTC.",
    )


def _sessions(draft: Draft) -> Draft:
    """Read the stamps of daily index bars: dates, midnights of a zone, or times of the day."""
    draft, strays = _read_as_dates(draft)
    draft = draft.without(strays, "stamped at another time of day than the others")
    draft = draft.without(_before_calendar(draft), "before 1928, where the calendar begins")
    positions = session_positions(draft.times)
    on_session = positions >= 0
    require_session_spacing(draft.only(on_session), positions[on_session])
    draft = _without_other_days(draft, ~on_session)
    closes = session_closes(draft.times)
    return draft.without(np.asarray(closes > draft.now), "still in progress")


def _read_as_dates(draft: Draft) -> tuple[Draft, Flags]:
    """Return the draft with dates as times, and which rows are stamped unlike the others."""
    times = draft.times
    local = times if times.tz is None else times.tz_convert(NEW_YORK).tz_localize(None)
    written = times.tz_localize(None)
    readings = {
        "": (written.normalize(), written == written.normalize()),
        "midnights in New York": (local.normalize(), local == local.normalize()),
        "times within the session": (local.normalize(), _is_daytime(local, times.tz is None)),
    }
    way = max(readings, key=lambda name: int(readings[name][1].sum()))
    dates, fits = readings[way]
    strays = ~np.asarray(fits)
    if len(draft) and not draft.are_few(strays):
        raise draft.refusal(
            {DATE: strays},
            singular="is no date of a session",
            plural="stamps are neither dates nor midnights in New York nor within the session",
            remedy="A daily bar of an index is dated by its session: write YYYY-MM-DD.",
        )
    if way:
        draft = draft.with_note(
            f"stamped {listed_times(times[:1])}: {way}, read as that day's session"
        )
    return replace(draft, times=dates), strays


def _is_daytime(local: pd.DatetimeIndex, lacks_zone: bool) -> Flags:
    since_midnight = local - local.normalize()
    latest = DAYTIME_OF_NO_ZONE if lacks_zone else DAYTIME[1]
    return np.asarray((since_midnight >= DAYTIME[0]) & (since_midnight <= latest))


def _before_calendar(draft: Draft) -> Flags:
    return np.asarray(draft.times < xnys().sessions[0])


def _without_other_days(draft: Draft, closed: Flags) -> Draft:
    """Leave out rows on days without a session: copies of the close before, or a few others."""
    others = closed & ~_copies(draft)
    if not draft.are_few(others):
        raise draft.refusal(
            {DATE: others},
            singular="is not a session of the New York Stock Exchange",
            plural="dates are not sessions of the New York Stock Exchange",
            remedy="A daily bar of an index is dated by its session; correct the dates.",
        )
    return draft.without(closed, "outside a session")


def _copies(draft: Draft) -> Flags:
    """Which rows have no prices, or one price: the close of the row before."""
    prices = np.column_stack([draft.values[name] for name in draft.prices])
    before = np.concatenate(([np.nan], draft.values["close"][:-1]))
    is_empty = np.isnan(prices).all(axis=1)
    return np.asarray(is_empty | (prices == before[:, np.newaxis]).all(axis=1))
