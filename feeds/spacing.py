"""How far apart bars stand: the length of a bar is a fact of its neighbours' stamps."""

from typing import Final

import numpy as np
import pandas as pd

from feeds.arrays import Floats
from feeds.draft import Draft
from feeds.errors import DataError
from feeds.wording import NAMED, counted, length_text, time_texts

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
        raise _refusal(draft, times, at, counted(int(apart[at]), "session"))


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
