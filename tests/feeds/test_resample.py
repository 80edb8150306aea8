from dataclasses import replace

import pandas as pd
import pytest

from feeds.bars import Bars
from feeds.checks import findings
from feeds.errors import DataError
from feeds.files import Files, four_hours
from feeds.instruments import coin, index
from tests.scripted import frame_of, hours

BTC = coin("BTC")


def hourly(times):
    return Bars(BTC, "1h", frame_of(times), "files", "BTC-USD_1h.csv")


def test_four_hours_tape_by_hand():
    times = hours("2024-03-10 04:00", 4)
    rows = [[10, 12, 9, 11, 1], [11, 15, 10, 14, 2], [14, 14, 5, 6, 3], [6, 8, 6, 7, 4]]
    frame = pd.DataFrame(
        rows, index=times, columns=["open", "high", "low", "close", "volume"], dtype=float
    )
    found = four_hours(Bars(BTC, "1h", frame, "files", "x")).frame
    assert found.index.tolist() == [pd.Timestamp("2024-03-10 04:00", tz="UTC")]
    assert found.iloc[0].tolist() == [10, 15, 5, 7, 10]


def test_four_hours_add_up_what_was_traded_in_money():
    whole = hourly(hours("2024-03-10 04:00", 8))
    counted = whole.frame.assign(quote_volume=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, float("nan")])
    assert four_hours(replace(whole, frame=counted)).frame["quote_volume"].tolist() == [10.0, 18.0]


def test_four_hours_partial_bars_are_left_out_and_show_as_a_gap():
    whole = hourly(hours("2024-03-10 02:00", 25))  # two hours too early, three too many
    assert four_hours(whole).frame.index.hour.tolist() == [4, 8, 12, 16, 20]
    cut = hourly(whole.frame.index.delete(8))  # 10:00 is missing
    found = four_hours(cut)
    assert found.frame.index.hour.tolist() == [4, 12, 16, 20]
    assert [finding.check for finding in findings(found)] == ["gap"]
    assert "3 incomplete ones left out" in found.notes[-1]


def test_four_hours_of_a_prefix_are_a_prefix():
    whole = hourly(hours("2024-03-10", 100))
    full = four_hours(whole).frame
    for count in range(4, 100, 3):
        part = four_hours(replace(whole, frame=whole.frame.iloc[:count])).frame
        assert len(part) == count // 4
        pd.testing.assert_frame_equal(part, full.iloc[: len(part)], check_freq=False)


def write(folder, name, times):
    frame_of(times).rename_axis("date").to_csv(folder / name)


def test_files_4h_come_from_a_1h_file_if_that_is_all_there_is(tmp_path):
    write(tmp_path, "BTC-USD_1h.csv", hours("2024-03-10", 48))
    bars = Files(tmp_path).load(BTC, timeframe="4h")
    assert (bars.timeframe, len(bars), bars.origin) == ("4h", 12, "BTC-USD_1h.csv")
    write(tmp_path, "BTC-USD_4h.csv", pd.date_range("2024-03-10", periods=6, freq="4h", tz="UTC"))
    assert len(Files(tmp_path).load(BTC, timeframe="4h")) == 6


def test_files_4h_of_nothing_is_refused(tmp_path):
    write(tmp_path, "BTC-USD_1h.csv", hours("2024-03-10", 3))
    with pytest.raises(DataError, match=r"BTC-USD_1h.csv: no full 4h bar"):
        Files(tmp_path).load(BTC, timeframe="4h")
    with pytest.raises(DataError, match="has no bars"):
        Files(tmp_path).load(coin("ETH"), timeframe="4h")
    with pytest.raises(DataError, match="has no bars"):
        Files(tmp_path).load(index("RUT"), timeframe="4h")
