import numpy as np

from backtests.analysis.episodes import episodes


def test_events_more_than_the_gap_apart_are_two_episodes() -> None:
    found = episodes(np.array([3, 5, 15, 26]), gap=10)
    assert found.starts.tolist() == [3, 26]
    assert found.ends.tolist() == [15, 26]
    assert found.events.tolist() == [3, 1]


def test_no_events_are_no_episodes() -> None:
    assert len(episodes(np.empty(0, np.int64))) == 0
