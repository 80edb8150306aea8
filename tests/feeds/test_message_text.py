import numpy as np
import pandas as pd
import pytest

from feeds.message_text import count_noun, length_text, listed_times, number_text, time_texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(-3.0), "-3"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-05, "0.00001"),
        (1e300, "1e+300"),
        (np.inf, "infinite"),
        (-np.inf, "minus infinite"),
        (np.nan, "nothing"),
        (0.0, "0"),
    ],
)
def test_number_text_is_what_a_person_writes(value, text):
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        ("1h", "an hour"),
        ("30min", "30 minutes"),
        ("90min", "1.5 hours"),
        ("1D", "a day"),
        ("7D", "7 days"),
        ("10s", "10 seconds"),
    ],
)
def test_length_text(length, text):
    assert length_text(pd.Timedelta(length)) == text


def test_time_texts_are_as_short_as_the_times():
    times = pd.DatetimeIndex(["2024-01-02", "2024-01-02 14:30", "2024-01-02 23:59:59.999", None])
    assert time_texts(times) == ["2024-01-02", "2024-01-02 14:30", "2024-01-02 23:59:59", "nothing"]
    local = pd.DatetimeIndex(["2024-01-02"]).tz_localize("America/New_York")
    assert time_texts(local) == ["2024-01-02"]


def test_listed_times_names_three_and_counts_the_rest():
    times = pd.date_range("2024-01-01", periods=1200)
    assert listed_times(times) == "2024-01-01, 2024-01-02, 2024-01-03 and 1,197 more"
    assert listed_times(times[:2].repeat(2)) == "2024-01-01, 2024-01-02"


def test_counted_one_and_many():
    assert (count_noun(1, "bar"), count_noun(1178, "day")) == ("1 bar", "1,178 days")
