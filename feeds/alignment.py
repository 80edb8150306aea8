"""Which index bar is known when a coin's bar ends: the time rules, as array functions.

Everything is a count of nanoseconds in UTC, so that no calendar or zone is left to go
wrong: an index bar is known from `available_at` on; a decision falls when a coin's bar
ends and may use every index bar known by then.
"""

import numpy as np

from feeds.arrays import Flags, Floats, Integers

Instants = Integers


def latest_known(available_at: Instants, *, at: Instants) -> Integers:
    """Return the position of the latest index bar known at each instant, -1 before the first."""
    return np.searchsorted(available_at, at, side="right") - 1


def latest_arrival(
    occurred: Flags, *, effective_at: Instants, opens: Instants, ends: Instants
) -> Integers:
    """Return the latest session whose event takes effect within each coin bar, else -1.

    Parameters
    ----------
    occurred
        Whether the event fell on each session, shape (sessions,).
    effective_at
        The ascending instant from which each session counts, shape (sessions,).
    opens, ends
        Opening and end of each coin bar, shape (bars,). An event between two bars, in a
        gap, arrives with the later one; one before the first bar opened never does.

    Returns
    -------
    Positions of sessions, shape (bars,). Each event arrives exactly once: weekend and
    holiday bars carry none.
    """
    if ends.size == 0:
        return np.empty(0, np.int64)
    return latest_among(occurred, *sessions_within(effective_at, opens=opens, ends=ends))


def sessions_within(
    effective_at: Instants, *, opens: Instants, ends: Instants
) -> tuple[Integers, Integers]:
    """Return the latest session in effect before each coin bar and at its end, shape (bars,)."""
    at_end = latest_known(effective_at, at=ends)
    at_first_open = latest_known(effective_at, at=opens[:1])
    return np.concatenate((at_first_open, at_end[:-1])), at_end


def latest_among(occurred: Flags, before: Integers, at_end: Integers) -> Integers:
    """Return the latest session with the event among those after `before`, else -1."""
    numbers = np.where(occurred, np.arange(occurred.size), -1)
    latest_event = np.concatenate((np.maximum.accumulate(numbers), [-1]))
    event = latest_event[at_end]
    return np.where(event > before, event, -1)


def values_at(values: Floats, *, positions: Integers) -> Floats:
    """Return the value at each position, NaN where the position is -1."""
    padded = np.append(np.asarray(values, dtype=np.float64), np.nan)
    return padded[positions]
