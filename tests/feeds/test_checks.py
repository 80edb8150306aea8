from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from feeds.bars import Bars
from feeds.checks import cross_check, findings, missing_bars, silent_index, with_findings
from feeds.errors import DataError
from feeds.files import Files
from feeds.instruments import coin, index
from feeds.sessions import session_hours
from tests.scripted import days, frame_of, hours, sessions

ETH, RUT = coin("ETH"), index("RUT")


def bars(instrument, times, timeframe="1d"):
    return Bars(instrument, timeframe, frame_of(times), "here", "memory")


def without(whole, *labels):
    times = pd.DatetimeIndex(labels, tz=whole.frame.index.tz)
    return replace(whole, frame=whole.frame.drop(times))


def hourly_index(first, last, *, grid):
    """Bars stamped 9:30, 10:00, 11:00 ("hour") or 9:30, 10:30, 11:30 ("half")."""
    stamps = []
    for start, stop in zip(*session_hours(sessions(first, last)), strict=True):
        later = start.floor("h") if grid == "hour" else start
        hours_after = pd.date_range(later, stop, freq="h", inclusive="left")[1:]
        stamps += [start, *hours_after]
    return bars(RUT, pd.DatetimeIndex(stamps), "1h")


def test_findings_complete_bars_have_none():
    now = pd.Timestamp("2024-12-31 21:00", tz="UTC")
    assert findings(bars(RUT, sessions("2020-01-02", "2024-12-31")), now=now) == ()
    assert findings(bars(ETH, days("2020-01-02", "2024-12-30")), now=now) == ()
    assert findings(bars(ETH, hours("2024-12-01", 744), "1h")) == ()


def test_findings_one_missing_day_is_told_by_date():
    (gap,) = findings(without(bars(ETH, days("2024-01-01", "2024-02-01")), "2024-01-15"))
    assert gap.check == "gap"
    assert gap.count == 1
    assert gap.text == (
        "ETH-USD: 1 day is missing inside the range (2024-01-15); nothing was put in its place"
    )


def test_findings_many_missing_sessions_name_the_first():
    whole = bars(RUT, sessions("2024-01-02", "2024-02-01"))
    (gap,) = findings(replace(whole, frame=whole.frame.drop(whole.frame.index[3:9])))
    assert gap.count == 6
    assert "(2024-01-05, 2024-01-08, 2024-01-09 and 3 more)" in gap.text


def test_findings_weekends_and_holidays_are_no_gaps():
    whole = bars(RUT, sessions("2024-12-20", "2025-01-13"))  # Christmas, New Year, a mourning day
    assert missing_bars(whole).empty


@pytest.mark.parametrize("grid", ["hour", "half"])
def test_missing_bars_hourly_index_counts_hours_of_half_days_too(grid):
    whole = hourly_index("2024-11-25", "2024-12-04", grid=grid)
    assert missing_bars(whole).empty
    half_day = whole.frame.index[whole.frame.index.normalize() == "2024-11-29"]
    assert len(half_day) == 4
    cut = replace(whole, frame=whole.frame.drop(half_day[[1, 2]]))
    assert missing_bars(cut).strftime("%Y-%m-%d").tolist() == ["2024-11-29", "2024-11-29"]


def test_missing_bars_hourly_coin_lists_instants():
    whole = bars(ETH, hours("2024-03-10", 48), "1h")
    cut = without(whole, "2024-03-10 07:00", "2024-03-11 00:00")
    assert missing_bars(cut).strftime("%d %H").tolist() == ["10 07", "11 00"]


@pytest.mark.parametrize(
    ("instrument", "last", "now", "stale"),
    [
        (ETH, "2024-03-08", "2024-03-11 12:00", False),
        (ETH, "2024-03-08", "2024-03-12 01:00", True),
        (RUT, "2024-03-08", "2024-03-12 20:30", False),  # two sessions late
        (RUT, "2024-03-08", "2024-03-13 20:30", True),
        (RUT, "2024-11-27", "2024-12-01 12:00", False),  # Thanksgiving and a weekend
    ],
)
def test_findings_stale_tail_counts_bars_or_sessions(instrument, last, now, stale):
    times = days("2024-01-01", last) if instrument is ETH else sessions("2024-01-02", last)
    found = findings(bars(instrument, times), now=pd.Timestamp(now, tz="UTC"))
    assert [finding.check for finding in found] == ["stale"] * stale


def test_findings_old_file_is_not_stale():
    assert findings(bars(ETH, days("2014-01-01", "2015-01-01"))) == ()


@pytest.mark.parametrize("factor", [2, 1 / 2, 1 / 10, 1.5])
def test_findings_split_sized_jump_is_found(factor):
    whole = bars(RUT, sessions("2024-01-02", "2024-03-01"))
    whole.frame.loc["2024-02-01":, ["open", "high", "low", "close"]] *= factor
    (jump,) = findings(whole)
    assert jump.check == "jump"
    assert "1 split-sized jump between a close and the next open (2024-02-01)" in jump.text


def test_findings_a_crash_within_bars_is_no_split():
    whole = bars(ETH, days("2022-05-01", "2022-05-12"))
    whole.frame.loc["2022-05-10", ["low", "close"]] = [1.0, 2.0]
    whole.frame.loc["2022-05-11":, ["open", "high", "low", "close"]] = [2.0, 2.5, 0.1, 0.2]
    whole.frame.loc["2022-05-12":, ["open", "high", "low", "close"]] = [0.2, 0.25, 0.1, 0.15]
    assert findings(whole) == ()


def frozen(whole, first, count):
    whole.frame.iloc[first : first + count, :4] = whole.frame["close"].iloc[first]
    return whole


@pytest.mark.parametrize(
    ("whole", "fewest", "text"),
    [
        (
            bars(RUT, sessions("2024-01-02", "2024-03-01")),
            5,
            "RUT: the close stands still for 5 sessions at PRICE (2024-01-17 to 2024-01-23); ",
        ),
        (
            bars(ETH, days("2024-01-01", "2024-03-01")),
            3,
            "ETH-USD: the close stands still for 3 days at PRICE (2024-01-11 to 2024-01-13); ",
        ),
        (
            bars(ETH, hours("2024-01-01", 200), "1h"),
            72,
            "ETH-USD: the close stands still for 72 hourly bars at PRICE (2024-01-01 10:00 to "
            "2024-01-04 09:00); ",
        ),
        (
            hourly_index("2024-01-02", "2024-02-01", grid="hour"),
            35,
            "RUT: the close stands still for 35 hourly bars at PRICE (2024-01-03 17:00 to "
            "2024-01-10 16:00); ",
        ),
    ],
)
def test_findings_frozen_price_is_found_from_five_sessions_or_three_days_on(whole, fewest, text):
    one_less = frozen(replace(whole, frame=whole.frame.copy()), 10, fewest - 1)
    assert not [finding for finding in findings(one_less) if finding.check == "frozen"]
    whole = frozen(replace(whole, frame=whole.frame.copy()), 10, fewest)
    (finding,) = (finding for finding in findings(whole) if finding.check == "frozen")
    assert finding.text.startswith(text.replace("PRICE", str(whole.frame["close"].iloc[10])))


def test_findings_frozen_more_than_once_names_the_longest():
    whole = frozen(bars(ETH, days("2024-01-01", "2024-06-01")), 10, 4)
    (finding,) = findings(frozen(whole, 50, 9))
    assert finding.count == 2
    assert "stands still 2 times, the longest for 9 days at " in finding.text
    assert "(2024-02-20 to 2024-02-28)" in finding.text


def test_findings_gap_of_a_week_warns_of_another_coin_but_not_for_an_index():
    whole = bars(ETH, days("2024-01-01", "2024-03-01"))
    (gap,) = findings(replace(whole, frame=whole.frame.drop(whole.frame.index[10:17])))
    assert gap.text.endswith(
        ". The longest gap is 7 days (2024-01-10 to 2024-01-18): a ticker that comes back may be "
        "another coin"
    )
    (gap,) = findings(replace(whole, frame=whole.frame.drop(whole.frame.index[10:16])))
    assert "longest" not in gap.text
    rut = bars(RUT, sessions("2024-01-02", "2024-03-01"))
    (gap,) = findings(replace(rut, frame=rut.frame.drop(rut.frame.index[10:30])))
    assert "longest" not in gap.text


def test_missing_bars_before_1970_are_not_judged():
    assert missing_bars(bars(RUT, sessions("1965-01-04", "1970-06-30")[::2])).year.min() == 1970


@pytest.mark.parametrize(
    ("row", "reason"),
    [("before", "repeats the bar before it"), ("flat", "has a single price")],
)
def test_findings_placeholder_as_last_bar_is_found(row, reason):
    whole = bars(ETH, days("2024-01-01", "2024-02-01"))
    prices = ["open", "high", "low", "close"]
    close = whole.frame["close"].iloc[-2]
    whole.frame.iloc[-1, :4] = whole.frame[prices].iloc[-2] if row == "before" else close
    (finding,) = findings(whole)
    assert finding.text == (f"ETH-USD: the last bar (2024-02-01) {reason}; it may be a placeholder")


def test_with_findings_adds_each_note_once_and_leaves_prices():
    cut = without(bars(ETH, days("2024-01-01", "2024-02-01")), "2024-01-15")
    once = with_findings(replace(cut, notes=("a repair",)))
    assert once.notes == ("a repair", findings(cut)[0].text)
    assert with_findings(once) == once
    assert once.sha256 == cut.sha256


def test_silent_index_is_found_after_a_week():
    available = pd.DatetimeIndex(["2024-03-08 21:00"], tz="UTC")
    week = available[-1] + pd.Timedelta(days=7)
    assert silent_index(available, symbol="RUT", until=week) is None
    found = silent_index(available, symbol="RUT", until=week + pd.Timedelta(days=1))
    assert found is not None
    assert found.text.startswith("RUT: no index bars in the last 8 days of the run")
    assert found.text.endswith("its figures end with 2024-03-08")


def test_cross_check_measures_median_and_worst_with_dates():
    first = bars(ETH, days("2024-01-01", "2024-01-31"))
    second = without(bars(ETH, days("2024-01-05", "2024-02-10")), "2024-01-20")
    second.frame[:] = first.frame.reindex(second.frame.index).bfill().ffill() * 1.01
    second.frame.loc["2024-01-10", "close"] = first.frame.loc["2024-01-10", "close"] * 1.25
    found = cross_check(first, second)
    assert (found.bars, found.only_first, found.only_second) == (26, 1, 0)
    assert found.first == pd.Timestamp("2024-01-05", tz="UTC")
    assert found.last == pd.Timestamp("2024-01-31", tz="UTC")
    assert found.median == pytest.approx(1 - 1 / 1.01)
    assert found.worst == pytest.approx(1 - 1 / 1.25)
    assert found.worst_at == pd.Timestamp("2024-01-10", tz="UTC")


def test_cross_check_without_common_bars_is_nan():
    found = cross_check(
        bars(ETH, days("2024-01-01", "2024-01-31")), bars(ETH, days("2025-01-01", "2025-01-31"))
    )
    assert found.bars == 0
    assert np.isnan(found.median)
    assert found.worst_at is None


def test_cross_check_different_bars_are_refused():
    with pytest.raises(DataError, match="two sources of the same bars"):
        cross_check(bars(ETH, days("2024-01-01", "2024-01-31")), bars(ETH, hours("2024", 5), "1h"))


def test_findings_real_bars_are_few(shared_data):
    files = Files(shared_data)
    for instrument, timeframe in [(RUT, "1d"), (coin("BTC"), "1h"), (coin("LUNA"), "1d")]:
        assert findings(files.load(instrument, timeframe=timeframe)) == ()
    (gap,) = findings(files.load(RUT, timeframe="1h"))
    assert gap.text == (
        "RUT: 4 hourly bars are missing inside the range (2021-11-11, 2022-01-11, 2023-05-24 "
        "and 1 more); nothing was put in their place"
    )
