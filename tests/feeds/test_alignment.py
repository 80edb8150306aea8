import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from feeds.alignment import latest_arrival, latest_known, values_at
from feeds.sessions import session_closes

HOUR = 3_600_000_000_000


def instants(*texts):
    return pd.DatetimeIndex(texts).as_unit("ns").asi8


def test_latest_known_at_the_very_instant_counts():
    known = latest_known(np.array([10, 20]), at=np.array([9, 10, 19, 20]))
    assert known.tolist() == [-1, 0, 0, 1]


def test_latest_arrival_friday_event_fires_on_friday_only():
    closes = session_closes(pd.DatetimeIndex(["2024-01-04", "2024-01-05", "2024-01-08"]))
    opens = pd.date_range("2024-01-03", periods=8, tz="UTC").as_unit("ns").asi8
    friday = latest_arrival(
        np.array([False, True, False]),
        effective_at=closes.asi8,
        opens=opens,
        ends=opens + 24 * HOUR,
    )
    # bars of the 3rd to the 10th: the 5th carries session 1; the weekend carries nothing
    assert friday.tolist() == [-1, -1, 1, -1, -1, -1, -1, -1]


def test_latest_arrival_in_a_gap_arrives_with_the_next_bar():
    opens = instants("2024-01-03", "2024-01-09")
    closes = session_closes(pd.DatetimeIndex(["2024-01-05"]))
    found = latest_arrival(
        np.array([True]), effective_at=closes.asi8, opens=opens, ends=opens + 24 * HOUR
    )
    assert found.tolist() == [-1, 0]


def test_latest_arrival_before_the_first_bar_never_arrives():
    opens = instants("2024-01-09", "2024-01-10")
    closes = session_closes(pd.DatetimeIndex(["2024-01-05"]))
    found = latest_arrival(
        np.array([True]), effective_at=closes.asi8, opens=opens, ends=opens + 24 * HOUR
    )
    assert found.tolist() == [-1, -1]


@given(
    waits=st.lists(st.integers(1, 9), min_size=1, max_size=30),
    occurred=st.lists(st.booleans(), min_size=30, max_size=30),
    bars=st.integers(1, 40),
)
def test_latest_arrival_every_event_in_range_arrives_at_most_once(waits, occurred, bars):
    effective = np.cumsum(waits)
    events = np.array(occurred[: len(waits)])
    opens = np.arange(bars) * 4
    ends = opens + 4
    found = latest_arrival(events, effective_at=effective, opens=opens, ends=ends)
    for bar in range(bars):
        inside = [s for s in np.flatnonzero(events) if opens[bar] < effective[s] <= ends[bar]]
        assert found[bar] == (max(inside) if inside else -1)


def test_taken_unknown_position_is_nan():
    np.testing.assert_array_equal(
        values_at(np.array([5.0, 6.0]), positions=np.array([-1, 0, 1])), [np.nan, 5.0, 6.0]
    )
