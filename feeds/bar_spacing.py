"""How far apart bars stand: the length of a bar is a fact of its neighbours' stamps."""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from feeds.arrays import Flags, Floats
from feeds.errors import DataError
from feeds.message_text import NAMED, count_noun, length_text, time_texts
from feeds.raw_table import DATE, Draft
from feeds.sessions import NEW_YORK, bar_ends, session_positions, xnys

# So many gaps in a row, each longer than a bar and all much alike, are bars of another
# length; holes that chance left are neither. A week of sessions has five, or four.
RUN: Final = 8
ALIKE: Final = 1.4
FEWEST: Final = 2  # gaps below which nothing can be said


def require_spacing(draft: Draft) -> None:
    """Refuse stamps that are not one bar apart, whatever holes there are between some.

    Raises
    ------
    DataError
        With the spacing that was seen.
    """
    times = draft.times.unique()
    apart = np.diff(times.asi8) / draft.length.value
    at = _other_spacing(apart)
    if at is not None:
        raise _refusal(draft, times, at, length_text(float(apart[at]) * draft.length))


def require_session_spacing(draft: Draft, positions: np.ndarray) -> None:
    """Refuse sessions that are not one session apart, as of a weekly file.

    `positions` are the places of the draft's sessions in the exchange's calendar, ascending.
    """
    different = np.unique(positions)
    apart = np.diff(different).astype(np.float64)
    at = _other_spacing(apart)
    if at is not None:
        times = draft.times[np.searchsorted(positions, different)]
        raise _refusal(draft, times, at, count_noun(int(apart[at]), "session"))


def _other_spacing(apart: Floats) -> int | None:
    """Return the first gap of a spacing other than one bar, None where one bar is the rule."""
    if apart.size < FEWEST:
        return None
    if apart.size >= RUN:
        usual = float(np.partition(apart, (apart.size - 1) // 2)[(apart.size - 1) // 2])
        if usual != 1:
            return int((apart == usual).argmax())
    window = min(RUN, apart.size)
    runs = np.lib.stride_tricks.sliding_window_view(apart, window)
    shortest, longest = runs.min(axis=1), runs.max(axis=1)
    regular = ((shortest > 1) & (longest <= ALIKE * shortest)) | (longest < 1)
    return int(regular.argmax()) if regular.any() else None


def _refusal(draft: Draft, times: pd.DatetimeIndex, at: int, apart: str) -> DataError:
    seen = ", ".join(time_texts(times[at : at + NAMED]))
    needed = length_text(draft.length)
    remedy = (
        "Use another source."
        if draft.is_live
        else f"Bring bars of {needed}, or name the file after the length of its bars."
    )
    return DataError(
        f"{draft.origin}: its bars are {apart} apart ({seen}), where bars of {needed} are "
        f"needed. {remedy}"
    )


MOST: Final = 0.5
HALF_HOUR: Final = pd.Timedelta(minutes=30)
HOUR: Final = pd.Timedelta(hours=1)
ZONE: Final = "Stamps without a zone count as UTC: write them with their zone, or set `data.zone`."
OPENINGS: Final = (
    "Bring bars stamped at their opening, in UTC or with a zone, the first of a session at 9:30 "
    "in New York."
)


def opens_of_hours(draft: Draft) -> Draft:
    """Return the draft with bars of the index's sessions alone, stamped in UTC.

    Raises
    ------
    DataError
        If the stamps do not fit the sessions: of another zone, or the bars' ends.
    """
    has_zone = draft.times.tz is not None
    utc = draft.times.tz_convert("UTC") if has_zone else draft.times.tz_localize("UTC")
    draft = replace(draft, times=utc)
    require_spacing(draft)
    outside = ~_are_inside(draft.times)
    if not draft.are_few(outside):
        if not has_zone:
            raise _without_zone(draft, outside)
        _require_whole_sessions(draft, outside)
    draft = _on_grid(draft.without(outside, "outside a session"))
    return draft.without(_are_unfinished(draft), "still in progress")


def _are_inside(times: pd.DatetimeIndex) -> Flags:
    """Which instants lie in a session, its opening included and its close not."""
    at = xnys().opens.searchsorted(times, side="right") - 1
    return np.asarray((at >= 0) & (times < xnys().closes[at]))


def _without_zone(draft: Draft, outside: Flags) -> DataError:
    remedy = ZONE
    local = draft.times.tz_localize(None).tz_localize(NEW_YORK, ambiguous="NaT", nonexistent="NaT")
    if draft.are_few(~_are_inside(local.tz_convert("UTC"))):
        remedy += ' As "America/New_York" they lie inside.'
    return _hours_refusal(draft, outside, remedy)


def _require_whole_sessions(draft: Draft, outside: Flags) -> None:
    """Let bars before the opening and after the close be left out only beside whole sessions.

    Where most lack their first or their last bar, the stamps are of another zone or are the
    bars' ends, and each bar would be read as one that it is not.
    """
    days = session_positions(_dates(draft.times))
    if not draft.are_few(days < 0):
        raise _hours_refusal(draft, days < 0, OPENINGS)
    sessions = np.unique(days[days >= 0])
    inside = draft.times[~outside]
    of_session = days[~outside]
    closes = xnys().closes[of_session]
    first = of_session[inside == xnys().opens[of_session]]
    last = of_session[inside + draft.length >= closes]
    if min(np.unique(first).size, np.unique(last).size) < MOST * sessions.size:
        raise _hours_refusal(draft, outside, OPENINGS)


def _dates(times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return times.tz_convert(NEW_YORK).tz_localize(None).normalize()


def _hours_refusal(draft: Draft, outside: Flags, remedy: str) -> DataError:
    return draft.refusal(
        {DATE: outside},
        singular="(UTC) lies outside the sessions of the New York Stock Exchange",
        plural=f"of {len(draft):,} stamps lie outside the sessions of the New York Stock Exchange, "
        "in UTC",
        remedy=remedy,
    )


def _on_grid(draft: Draft) -> Draft:
    """Leave out a few bars that open neither with the session nor on the hours of the others.

    Vendors stamp hours from 9:30 on either 9:30, 10:00, 11:00 or 9:30, 10:30, 11:30.
    """
    if not len(draft):
        return draft
    into = draft.times.asi8 % HOUR.value
    at_open = np.asarray(draft.times.isin(xnys().opens))
    grids = [~at_open & (into == start) for start in (0, HALF_HOUR.value)]
    strays = ~at_open & ~max(grids, key=lambda grid: int(grid.sum()))
    if not draft.are_few(strays) or (grids[1].sum() > grids[0].sum() and _lack_openings(draft)):
        raise draft.refusal(
            {DATE: strays if strays.any() else grids[1]},
            singular="(UTC) is not on the hours that bars of a session open at",
            plural="stamps are not on the hours that bars of a session open at, in UTC",
            remedy=OPENINGS,
        )
    return draft.without(strays, "stamped off the hours of the others")


def _lack_openings(draft: Draft) -> bool:
    """Whether most sessions lack the bar of their opening; the first may be cut."""
    sessions = np.unique(session_positions(_dates(draft.times)))[1:]
    return len(sessions) > 0 and bool(xnys().opens[sessions].isin(draft.times).mean() < MOST)


def _are_unfinished(draft: Draft) -> Flags:
    different, of_row = np.unique(draft.times.asi8, return_inverse=True)
    times = pd.DatetimeIndex(different.view("datetime64[ns]")).tz_localize("UTC")
    ends = bar_ends(times, kind="index", timeframe=draft.timeframe)
    return np.asarray(ends > draft.now)[of_row]
