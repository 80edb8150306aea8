"""Episodes: clusters of events that count as one, because days of a cluster are no sample."""

import numpy as np
from numpy.typing import NDArray

EPISODE_GAP_SESSIONS = 60


def episode_starts(
    sessions: NDArray[np.int64], *, gap: int = EPISODE_GAP_SESSIONS
) -> NDArray[np.int64]:
    """Return the first session of each cluster: events more than `gap` sessions apart split.

    `sessions` are the ascending session numbers of the events, shape (events,).
    """
    if sessions.size == 0:
        return sessions
    apart = np.concatenate(([True], np.diff(sessions) > gap))
    return sessions[apart]
