import logging
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feeds.cache.manifest import MAX_EVENTS
from feeds.cache.store import SEGMENT_ROWS, Damaged, Key, TableStore
from feeds.cache.updates import Cache
from feeds.errors import ConfigError, DataError, NotCached, NotServed, Unreachable
from feeds.folders import cache_folder
from feeds.instruments import coin, index
from feeds.live import Live
from feeds.vendors.request_policy import Reach
from tests.scripted import Clock, Scripted, days, frame_of, hours, sessions

BTC, RUT = coin("BTC"), index("RUT")
DAILY = Key("yahoo", "BTC-USD", "1d")
HOURLY = Key("exchange", "BTC-USD", "1h")


class Desk:
    """A cache, a scripted vendor and a clock, wired as a run would be."""

    def __init__(self, folder, now="2024-03-10 00:05"):
        self.folder = folder
        self.clock = Clock(now)
        self.vendor = Scripted(
            {
                ("BTC-USD", "1d"): frame_of(days("2023-01-01", "2025-12-31"), seed=1),
                ("BTC-USD", "1h"): frame_of(hours("2023-01-01", 20_000), seed=2),
                ("RUT", "1d"): frame_of(sessions("2020-01-02", "2025-12-31"), seed=3),
            },
            self.clock,
        )

    def live(self, **options):
        return Live(
            Cache(self.folder, clock=self.clock),
            vendor=options.pop("vendor", "yahoo"),
            open_vendor=lambda name: self.vendor,
            reach=options.pop("reach", Reach()),
            clock=self.clock,
            **options,
        )

    def load(self, instrument=BTC, timeframe="1d", **options):
        return self.live(**options).load(instrument, timeframe=timeframe)

    def fresh(self, instrument=BTC, timeframe="1d"):
        return self.vendor.fetch(instrument, timeframe=timeframe)

    def manifest(self, key=DAILY):
        return TableStore(self.folder).manifest(key)

    def files(self):
        return sorted(self.folder.rglob("*.parquet"))


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def same(one, other):
    pd.testing.assert_frame_equal(one.frame, other.frame, check_freq=False, check_exact=True)
    assert one.frame.to_numpy().tobytes() == other.frame.to_numpy().tobytes()
    assert one.sha256 == other.sha256
    assert (one.source, one.origin, one.notes) == (other.source, other.origin, other.notes)
    assert (one.instrument, one.timeframe) == (other.instrument, other.timeframe)


@pytest.mark.parametrize(
    ("instrument", "timeframe"), [(BTC, "1d"), (BTC, "1h"), (RUT, "1d")], ids=str
)
def test_load_cached_and_fresh_are_the_same_bars(desk, instrument, timeframe):
    first = desk.load(instrument, timeframe)
    again = desk.load(instrument, timeframe, offline=True)
    same(first, desk.fresh(instrument, timeframe))
    same(again, first)


def test_load_missing_volume_stays_nan_to_the_bit(tmp_path):
    frame = frame_of(days("2024-01-01", "2024-03-01"))
    frame["volume"] = np.nan
    desk = Desk(tmp_path)
    desk.vendor.frames["BTC-USD", "1d"] = frame
    same(desk.load(), desk.fresh())
    same(desk.load(offline=True), desk.fresh())


def test_load_grown_day_by_day_equals_one_full_fetch(desk):
    for day in range(1, 20):
        desk.clock.set(str(pd.Timestamp("2024-03-10 00:05") + pd.Timedelta(days=day)))
        desk.load()
    same(desk.load(), desk.fresh())
    assert [since for _, since in desk.vendor.asked].count(None) == 2  # the first and `fresh`


def test_update_asks_only_for_the_last_bars(desk):
    desk.load()
    desk.clock.set("2024-03-11 00:05")
    desk.load()
    assert desk.vendor.asked == [
        ("BTC-USD", None),
        ("BTC-USD", pd.Timestamp("2024-03-03", tz="UTC")),
    ]


@pytest.mark.parametrize(
    ("instrument", "now", "later", "asked"),
    [
        (BTC, "2024-03-10 00:05", "2024-03-10 23:59", 1),
        (BTC, "2024-03-10 00:05", "2024-03-11 00:00", 2),
        (RUT, "2024-03-08 21:00", "2024-03-11 19:59", 1),  # the Monday after clocks changed
        (RUT, "2024-03-08 21:00", "2024-03-11 20:00", 2),
        (RUT, "2024-11-27 21:00", "2024-11-29 17:59", 1),  # Thanksgiving, then a half day
        (RUT, "2024-11-27 21:00", "2024-11-29 18:00", 2),
    ],
)
def test_load_asks_the_vendor_only_once_a_new_bar_has_ended(desk, instrument, now, later, asked):
    desk.clock.set(now)
    desk.load(instrument)
    desk.clock.set(later)
    desk.load(instrument)
    assert len(desk.vendor.asked) == asked


def test_load_right_after_a_vain_question_does_not_ask_again(desk):
    desk.vendor.frames["BTC-USD", "1d"] = frame_of(days("2023-01-01", "2024-03-01"))  # it died
    for now in ("00:05", "00:10", "00:19", "00:21"):
        desk.clock.set(f"2024-03-10 {now}")
        desk.load()
    assert len(desk.vendor.asked) == 2


def test_update_of_one_day_leaves_older_segments_alone(tmp_path):
    desk = Desk(tmp_path)
    desk.vendor.frames["BTC-USD", "1h"] = frame_of(hours("2010-01-01", 3 * SEGMENT_ROWS + 100))
    last = desk.vendor.frames["BTC-USD", "1h"].index[-1]
    desk.clock.now = last - pd.Timedelta(hours=1)
    desk.load(BTC, "1h", vendor="exchange")
    before = {path.name: path.stat().st_mtime_ns for path in desk.files()}
    desk.clock.now = last + pd.Timedelta(hours=1)
    same(desk.load(BTC, "1h", vendor="exchange"), desk.fresh(BTC, "1h"))
    after = {path.name: path.stat().st_mtime_ns for path in desk.files()}
    assert len(set(before.items()) & set(after.items())) == 3
    assert len(after) == len(before) == 4


@pytest.mark.parametrize("extra", [-1, 0, 1, 3, 10])
def test_update_across_a_segment_border_keeps_every_row(tmp_path, extra):
    desk = Desk(tmp_path)
    desk.vendor.frames["BTC-USD", "1h"] = frame_of(hours("2020-01-01", SEGMENT_ROWS + 40))
    desk.clock.now = desk.vendor.frames["BTC-USD", "1h"].index[SEGMENT_ROWS + extra]
    for _ in range(6):
        desk.load(BTC, "1h", vendor="exchange")
        desk.clock.now += pd.Timedelta(hours=3)
    same(desk.load(BTC, "1h", vendor="exchange"), desk.fresh(BTC, "1h"))
    rows = [segment.rows for segment in desk.manifest(HOURLY).segments]
    assert rows[:-1] == [SEGMENT_ROWS] * (len(rows) - 1)


# Revisions


def test_update_revised_bar_is_taken_logged_and_recorded(desk, caplog):
    desk.load()
    frame = desk.vendor.frames["BTC-USD", "1d"]
    settled = pd.Timestamp("2024-03-06", tz="UTC")
    old = float(frame.loc[settled, "close"])
    frame.loc[settled, ["high", "close"]] = frame.loc[settled, ["high", "close"]] * 1.0001
    desk.clock.set("2024-03-11 00:05")
    with caplog.at_level(logging.WARNING):
        same(desk.load(), desk.fresh())
    about = desk.manifest().about
    assert about.revisions == 1
    assert f"close {old!r} -> {float(frame.loc[settled, 'close'])!r}" in about.events[0].text
    assert "yahoo BTC-USD 1d: revision: 2024-03-06 00:00" in caplog.text


def test_update_withdrawn_bar_is_kept_and_recorded_once(desk):
    desk.load()
    frame = desk.vendor.frames["BTC-USD", "1d"]
    desk.vendor.frames["BTC-USD", "1d"] = frame.drop(pd.Timestamp("2024-03-09", tz="UTC"))
    for day in (11, 12, 13):
        desk.clock.set(f"2024-03-{day} 00:05")
        bars = desk.load()
    pd.testing.assert_frame_equal(bars.frame, frame.loc[:"2024-03-12"], check_freq=False)
    (event,) = desk.manifest().about.events
    assert event.text == "2024-03-09 00:00 is not served any more, it is kept"


def test_update_bar_served_late_fills_its_gap(desk):
    frame = desk.vendor.frames["BTC-USD", "1d"]
    desk.vendor.frames["BTC-USD", "1d"] = frame.drop(pd.Timestamp("2024-03-08", tz="UTC"))
    desk.load()
    desk.vendor.frames["BTC-USD", "1d"] = frame
    desk.clock.set("2024-03-11 00:05")
    same(desk.load(), desk.fresh())
    assert "was missing and is served now" in desk.manifest().about.events[0].text


def test_update_after_a_split_fetches_all_again(desk, caplog):
    desk.load()
    desk.vendor.frames["BTC-USD", "1d"] = desk.vendor.frames["BTC-USD", "1d"] / 2
    desk.clock.set("2024-03-11 00:05")
    same(desk.load(), desk.fresh())
    (event,) = desk.manifest().about.events
    assert event.kind == "reload"
    assert "differ from the vendor's by 50.0 % in the median" in event.text
    assert "reload" in caplog.text


def test_update_rows_without_overlap_are_not_glued_on(desk):
    desk.load()
    frame = desk.vendor.frames["BTC-USD", "1d"]
    desk.vendor.frames["BTC-USD", "1d"] = frame.loc["2024-03-20":]
    desk.clock.set("2024-04-01 00:05")
    same(desk.load(), desk.fresh())
    assert "do not overlap" in desk.manifest().about.events[0].text


def test_update_from_another_exchange_is_never_spliced(desk):
    desk.load()
    desk.vendor.source = desk.vendor.name = "coinbase"
    desk.vendor.frames["BTC-USD", "1d"] = desk.vendor.frames["BTC-USD", "1d"] * 1.001
    desk.clock.set("2024-03-11 00:05")
    same(desk.load(), desk.fresh())
    assert (
        "coinbase BTC-USD answered instead of scripted BTC-USD"
        in desk.manifest().about.events[0].text
    )


def test_update_from_an_exchange_with_less_history_keeps_what_is_held(desk):
    held = desk.load()
    desk.vendor.source = desk.vendor.name = "kraken"
    desk.vendor.frames["BTC-USD", "1d"] = desk.vendor.frames["BTC-USD", "1d"].loc["2024-01-01":]
    desk.clock.set("2024-03-11 00:05")
    same(desk.load(), held)
    assert "the longer history is kept" in desk.manifest().about.events[0].text


def test_update_from_another_market_of_the_same_vendor_is_never_spliced(desk):
    desk.load()
    desk.vendor.name = "a fund that stands in for"
    desk.clock.set("2024-03-11 00:05")
    same(desk.load(), desk.fresh())
    assert desk.manifest().about.events[0].kind == "reload"


def test_update_notes_are_on_record_and_leave_the_bars_notes_alone(desk):
    desk.vendor.notes = ("priced in USDT",)
    desk.load()
    for day in (11, 12):
        desk.vendor.notes = ("priced in USDT", f"a row of March {day} left out")
        desk.clock.set(f"2024-03-{day} 00:05")
        assert desk.load().notes == ("priced in USDT",)
    texts = [event.text for event in desk.manifest().about.events]
    assert texts == ["a row of March 11 left out", "a row of March 12 left out"]


def test_load_dead_coin_is_asked_for_once_in_a_while(desk):
    held = desk.load()
    desk.vendor.error = NotServed("delisted")
    for now in ("00:05", "00:10", "00:19", "00:21"):
        desk.clock.set(f"2024-03-12 {now}")
        same(desk.load(), held)
    assert len(desk.vendor.asked) == 3


def test_events_are_capped_and_still_counted(desk):
    desk.load()
    for step in range(30):
        desk.clock.now += pd.Timedelta(days=1)
        frame = desk.vendor.frames["BTC-USD", "1d"]
        desk.vendor.frames["BTC-USD", "1d"] = frame * (1 + 1e-9 * (step + 1))
        desk.load()
    about = desk.manifest().about
    assert len(about.events) == MAX_EVENTS
    assert about.revisions == 30 * 7


# Damage


def flip(path):
    payload = bytearray(path.read_bytes())
    payload[len(payload) // 2] ^= 1
    path.write_bytes(bytes(payload))


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


def other_version(path):
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))


@pytest.mark.parametrize("harm", [flip, truncate, empty, remove])
@pytest.mark.parametrize("position", [0, -1], ids=["oldest", "newest"])
@pytest.mark.parametrize("due", [False, True], ids=["current", "due"])
def test_load_damaged_segment_is_fetched_again(tmp_path, harm, position, due):
    desk = Desk(tmp_path, now="2025-01-01 00:00")
    desk.load(BTC, "1h", vendor="exchange")
    harm(desk.files()[position])
    with pytest.raises(Damaged, match="exchange BTC-USD 1h: the cached table is damaged"):
        desk.load(BTC, "1h", vendor="exchange", offline=True)
    if due:
        desk.clock.set("2025-01-01 01:00")
    same(desk.load(BTC, "1h", vendor="exchange"), desk.fresh(BTC, "1h"))
    same(desk.load(BTC, "1h", vendor="exchange", offline=True), desk.fresh(BTC, "1h"))
    assert desk.manifest(HOURLY).about.events[0].kind == "reload"


@pytest.mark.parametrize("harm", [flip, truncate, empty, other_version])
def test_load_damaged_manifest_is_fetched_again(desk, harm):
    desk.load()
    (path,) = desk.folder.rglob("manifest.json")
    harm(path)
    with pytest.raises(Damaged):
        desk.load(offline=True)
    same(desk.load(), desk.fresh())
    same(desk.load(offline=True), desk.fresh())


def test_manifest_a_flipped_byte_is_noticed(desk):
    desk.vendor.frames["BTC-USD", "1d"] = frame_of(days("2024-03-01", "2024-03-09"))
    desk.load()
    (path,) = desk.folder.rglob("manifest.json")
    whole, good = path.read_bytes(), desk.manifest()
    for position in range(0, len(whole), 5):
        payload = bytearray(whole)
        payload[position] ^= 1
        path.write_bytes(bytes(payload))
        try:
            assert desk.manifest() == good  # only where a byte is mere layout
        except Damaged:
            continue


def test_load_damaged_and_unreachable_says_the_vendor_is(desk):
    desk.load()
    (path,) = desk.folder.rglob("manifest.json")
    empty(path)
    desk.vendor.error = Unreachable("yahoo: no answer.")
    with pytest.raises(Unreachable, match="no answer"):
        desk.load()


# Offline, and vendors that fail


def test_load_offline_never_asks(desk):
    with pytest.raises(NotCached, match=r"`asset` BTC has no 1d bars of yahoo .*feeds.download"):
        desk.load(offline=True)
    desk.load()
    desk.clock.set("2024-06-01")
    asked = len(desk.vendor.asked)
    desk.load(offline=True)
    assert len(desk.vendor.asked) == asked


@pytest.mark.parametrize("error", [Unreachable("down"), NotServed("gone"), DataError("HTML")])
def test_load_failing_vendor_leaves_what_is_held(desk, caplog, error):
    held = desk.load()
    desk.vendor.error = error
    desk.clock.set("2024-06-01")
    same(desk.load(), held)
    assert f"the cached bars are used as they are, because: {error}" in caplog.text
    with pytest.raises(type(error), match=str(error)):
        desk.live().refresh(BTC, timeframe="1d")


def test_cache_folder_comes_from_setting_then_variable_then_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("RUSSELL_CACHE_DIR", "/a")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_folder("/b") == Path("/b")
    assert cache_folder() == Path("/a")
    monkeypatch.delenv("RUSSELL_CACHE_DIR")
    assert cache_folder() == Path("/x/russell-risk-on")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "russell-risk-on"


def test_load_unwritable_cache_is_one_clear_error(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(ConfigError, match=r"`data.cache_dir` must be a folder that can be written"):
        Desk(blocked).load()


# Killed and concurrent writers


@pytest.fixture
def fast_folder(tmp_path):
    """A folder in memory where there is one: kill -9 does not ask what reached the disk."""
    memory = Path("/dev/shm")  # noqa: S108
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.mark.parametrize("call", range(14))
def test_write_stopped_at_any_file_operation_leaves_old_or_new(desk, monkeypatch, call):
    held = desk.load()
    desk.clock.set("2024-03-11 00:05")
    operations = 0

    def stop_at(operation):
        def run(*args, **options):
            nonlocal operations
            operations += 1
            if operations == call + 1:
                raise KeyboardInterrupt
            return operation(*args, **options)

        return run

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", stop_at(os.fsync))
        patch.setattr(Path, "replace", stop_at(Path.replace))
        patch.setattr(Path, "open", stop_at(Path.open))
        patch.setattr(Path, "unlink", stop_at(Path.unlink))
        try:
            desk.load()
        except KeyboardInterrupt:
            assert desk.load(offline=True).sha256 in {held.sha256, desk.fresh().sha256}
    same(desk.load(), desk.fresh())
    assert not list(desk.folder.rglob("*.part"))


def test_load_killed_at_many_moments_is_completed_by_the_next_run(fast_folder):
    tests = Path(__file__).parents[2]
    script = tests / "killed_writers.py"
    done = subprocess.run(
        [sys.executable, script, fast_folder],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(tests.parent)},
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) >= 30


def test_load_by_many_threads_at_once_fetches_once(desk):
    results, barrier = [], threading.Barrier(6)

    def run():
        barrier.wait()
        results.append(desk.load())

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(desk.vendor.asked) == 1
    assert len({bars.sha256 for bars in results}) == 1


def test_load_while_another_process_writes_reads_whole_tables(tmp_path):
    desk = Desk(tmp_path)
    desk.load()
    stop = threading.Event()

    def write():
        writer = desk.live()
        while not stop.is_set():
            writer.refresh(BTC, timeframe="1d", anew=True)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        digests = {desk.load(offline=True).sha256 for _ in range(60)}
    finally:
        stop.set()
        thread.join()
    assert len(digests) == 1
