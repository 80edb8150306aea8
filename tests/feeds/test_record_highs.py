"""Highs of a file that begins below an earlier record are none, and it says so."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from feeds.bars import Bars
from feeds.files import Files
from feeds.instruments import index
from feeds.record_highs import RECORDS, false_highs
from feeds.sessions import sessions_between
from tests.scripted import frame_of

RUT = index("RUT")


def closing(first, closes):
    """Bars of the Russell 2000 with these closes from a session on."""
    times = sessions_between(pd.Timestamp(first), pd.Timestamp(first) + pd.Timedelta(days=900))
    frame = frame_of(times[: len(closes)])
    frame["close"] = closes
    return Bars(RUT, "1d", frame, "files", "RUT_1d.csv")


def test_false_highs_are_those_up_to_the_record_before_the_bars():
    bars = closing("1988-01-04", [150.0, 160.0, 155.0, 170.0, 174.24, 174.25, 180.0])
    highs = false_highs(bars, min_history=2)
    assert highs is not None
    assert list(highs.sessions) == list(bars.frame.index[3:5])
    assert (highs.record, highs.record_on) == (174.24, pd.Timestamp("1987-08-21"))
    assert highs.text == (
        "RUT: the bars begin 1988-01-04, after the record close of 174.24 on 1987-08-21: 2 "
        "all-time highs of these bars are none (1988-01-07 to 1988-01-08). Put older closes "
        "beside them as RUT_1d_<source>.csv, or use a `signal.lookback` in sessions"
    )


@pytest.mark.parametrize(
    "bars",
    [
        closing("1988-01-04", [175.0, 176.0, 177.0]),  # above the record from the first on
        closing("1988-01-04", [17.0, 17.1, 17.2]),  # another scale
        closing("1978-12-29", [40.0, 41.0, 42.0]),  # nothing known before
    ],
)
def test_false_highs_without_a_record_above_are_none(bars):
    assert false_highs(bars, min_history=1) is None


def test_false_highs_on_another_scale_are_told_by_a_later_record():
    closes = np.linspace(100, 190, 480)
    bars = closing("1988-01-04", closes)
    at = bars.frame.index.get_loc("1989-10-09")
    assert false_highs(bars, min_history=1) is None
    bars.frame.iloc[at, bars.frame.columns.get_loc("close")] = 180.78
    assert false_highs(bars, min_history=1) is not None


def test_records_are_closes_of_real_bars_and_ascend(shared_data):
    closes = {
        "RUT": [shared_data / "RUT_1d.csv", shared_data / "pieces" / "RUT_1d_close_1978_1987.csv"],
        "SPX": [shared_data / "deep" / "SPX_1d.csv"],
        "NDX": [shared_data / "deep" / "NDX_1d.csv"],
    }
    for symbol, paths in closes.items():
        real = pd.concat(pd.read_csv(path, index_col="date")["close"] for path in paths)
        known = pd.Series(RECORDS[symbol])
        assert known.index.is_monotonic_increasing
        assert known.is_monotonic_increasing
        common = known.index.intersection(real.index)
        assert len(common) >= len(known) - 1
        assert (real[common].round(2) == known[common]).all()
        highest = real.sort_index().cummax()
        assert (highest[common] == real[common]).all()


def test_false_highs_of_the_real_file_are_those_of_summer_1989(shared_data):
    highs = false_highs(Files(shared_data).load(RUT, timeframe="1d"), min_history=252)
    assert highs is not None
    assert [f"{day:%Y-%m-%d}" for day in highs.sessions] == [
        "1989-06-02",
        "1989-07-19",
        "1989-07-27",
    ]


@pytest.mark.parametrize(("start", "record"), [("2015-09-01", 1295.80), ("2022-06-01", 2442.74)])
def test_false_highs_of_a_real_file_that_begins_later_are_known_too(shared_data, start, record):
    bars = Files(shared_data).load(RUT, timeframe="1d")
    highs = false_highs(replace(bars, frame=bars.frame[start:]), min_history=60)
    assert highs is not None
    assert highs.record == record
