"""Episodes: clusters of events that count as one, because days of a cluster are no sample."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

EPISODE_GAP_SESSIONS: Final = 60
# Below the first nothing is said of chance; below the second only a very large effect can show.
FEWEST_EPISODES: Final = 3
FEW_EPISODES: Final = 20


@dataclass(frozen=True, slots=True)
class Episodes:
    """First and last event and number of events of each episode, shape (episodes,) each."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    events: NDArray[np.int64]

    def __len__(self) -> int:
        return self.starts.size


def episode_starts(
    sessions: NDArray[np.int64], *, gap: int = EPISODE_GAP_SESSIONS
) -> NDArray[np.int64]:
    """Return the first session of each cluster: events more than `gap` sessions apart split.

    `sessions` are the ascending session numbers of the events, shape (events,).
    """
    return episodes(sessions, gap=gap).starts


def episodes(sessions: NDArray[np.int64], *, gap: int = EPISODE_GAP_SESSIONS) -> Episodes:
    """Return the clusters of events: events more than `gap` sessions apart split."""
    if sessions.size == 0:
        return Episodes(sessions, sessions, sessions)
    firsts = np.flatnonzero(np.concatenate(([True], np.diff(sessions) > gap)))
    lasts = np.append(firsts[1:], sessions.size) - 1
    return Episodes(sessions[firsts], sessions[lasts], lasts - firsts + 1)


def episodes_entered(known: pd.DatetimeIndex, entries: pd.Series) -> int:
    """Count the episodes during which (until the next begins) something was bought.

    `known` are the ascending instants at which each episode's first event was known, `entries`
    the times of the purchases.
    """
    if known.empty or entries.empty:
        return 0
    begun = known.as_unit("ns").asi8
    belongs = np.searchsorted(begun, pd.DatetimeIndex(entries).as_unit("ns").asi8)
    return int(np.unique(belongs[belongs > 0]).size)
