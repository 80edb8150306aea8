import numpy as np
import pandas as pd

from backtests.analysis.episodes import episodes, episodes_entered


def test_events_more_than_the_gap_apart_are_two_episodes() -> None:
    found = episodes(np.array([3, 5, 15, 26]), gap=10)
    assert found.starts.tolist() == [3, 26]
    assert found.ends.tolist() == [15, 26]
    assert found.events.tolist() == [3, 1]


def test_no_events_are_no_episodes() -> None:
    assert len(episodes(np.empty(0, np.int64))) == 0


def test_episodes_entered_counts_each_once_and_nothing_bought_before_the_first() -> None:
    known = pd.DatetimeIndex(["2020-02-01", "2020-08-01", "2021-01-01"], tz="UTC")
    # before the first; twice in the first; in the third
    days = ["2020-01-15", "2020-02-02", "2020-07-31", "2021-03-01"]
    entries = pd.Series(pd.to_datetime(days, utc=True))
    assert episodes_entered(known, entries) == 2
    assert episodes_entered(known, entries[:0]) == 0
    assert episodes_entered(known[:0], entries) == 0


def test_purchase_at_the_instant_its_trigger_is_known_is_of_that_episode() -> None:
    known = pd.DatetimeIndex(["2020-01-02 21:00", "2020-06-01 20:00"], tz="UTC")
    assert episodes_entered(known, pd.Series(known)) == 2
    assert episodes_entered(known, pd.Series(known[:1])) == 1
