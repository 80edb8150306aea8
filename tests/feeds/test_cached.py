import pandas as pd
import pytest

from feeds.cache.store import Key, TableStore
from feeds.cache.updates import Cache, Fetched
from feeds.cached import main
from feeds.instruments import coin, index
from feeds.live import Live
from feeds.vendors.request_policy import Reach
from tests.scripted import Clock, Scripted, days, frame_of, sessions


@pytest.fixture
def folder(tmp_path):
    """A cache with an index, a coin from two sources and a macro series."""
    clock = Clock("2024-03-10 00:05")
    whole = frame_of(days("2024-01-01", "2024-06-01"))
    frames = {
        ("BTC-USD", "1d"): whole.drop(days("2024-02-03", "2024-02-04")),
        ("RUT", "1d"): frame_of(sessions("2022-01-03", "2024-06-03")),
    }
    vendors = {
        "yahoo": Scripted(frames, clock, source="yahoo"),
        "exchange": Scripted({("BTC-USD", "1d"): whole * 1.001}, clock, source="binance"),
    }

    def live(vendor):
        return Live(
            Cache(tmp_path, clock=clock),
            vendor=vendor,
            open_vendor=vendors.__getitem__,
            reach=Reach(),
            clock=clock,
        )

    live("yahoo").load(index("RUT"), timeframe="1d")
    live("yahoo").load(coin("BTC"), timeframe="1d")
    live("exchange").load(coin("BTC"), timeframe="1d")
    whole.loc["2024-03-08", "close"] *= 1.0001
    vendors["yahoo"].frames["BTC-USD", "1d"] = whole.drop(days("2024-02-03", "2024-02-04"))
    clock.set("2024-03-11 09:30")
    live("yahoo").load(coin("BTC"), timeframe="1d")
    weeks = pd.DataFrame(
        {"value": [1.0, 2.0]}, index=pd.DatetimeIndex(["2024-01-03", "2024-01-10"])
    )
    Cache(tmp_path, clock=clock).update(
        Key("fred", "WALCL", "series"),
        lambda since: Fetched(weeks, "fred", "fred WALCL"),
        is_due=lambda last: True,
    )
    return tmp_path


def inspect(folder, *arguments):
    return main(["--cache-dir", str(folder), *arguments])


def test_inspect_shows_a_line_a_table(folder, capsys):
    assert inspect(folder) == 0
    out, err = capsys.readouterr()
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        "symbol timeframe source first last rows gaps updated revisions",
        "BTC-USD 1d binance 2024-01-01 2024-03-09 69 0 2024-03-10 00:05 0",
        "WALCL series fred 2024-01-03 2024-01-10 2 - 2024-03-11 09:30 0",
        "BTC-USD 1d yahoo 2024-01-01 2024-03-10 68 2 2024-03-11 09:30 1",
        "RUT 1d yahoo 2022-01-03 2024-03-08 548 0 2024-03-10 00:05 0",
    ]
    assert err == ""


def test_inspect_events_tell_each_revision(folder, capsys):
    inspect(folder, "--events")
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("yahoo BTC-USD 1d: 2024-03-11 09:30 revision: 2024-03-08 00:00: close ")


def test_inspect_cross_check_compares_two_sources(folder, capsys):
    inspect(folder, "--cross-check")
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == (
        "BTC-USD 1d: exchange and yahoo share 67 bars; their closes differ by 0.100 % in the "
        "median, 0.100 % at worst (2024-01-01 00:00); 2 bars in between are with the first only, "
        "0 with the second"
    )


def test_inspect_empty_cache_says_how_to_fill_it(tmp_path, capsys):
    assert inspect(tmp_path) == 0
    assert "is empty. Fill it: python -m feeds.download" in capsys.readouterr().out


def test_inspect_damaged_table_is_named_and_exit_1(folder, capsys):
    path = next((folder / "v1" / "yahoo" / "RUT_1d").glob("*.parquet"))
    path.write_bytes(b"")
    assert inspect(folder) == 1
    out, err = capsys.readouterr()
    assert "RUT" not in out
    assert err.startswith("yahoo RUT 1d: the cached table is damaged")


def test_inspect_series_come_back_as_they_were(folder):
    table = TableStore(folder).read(Key("fred", "WALCL", "series"))
    assert table is not None
    assert table.frame["value"].tolist() == [1.0, 2.0]
    assert table.frame.index.tz is None
