"""The cache: warm loads, and one day's update of a short and of a long history.

python -m benchmarks.cache

Bars are made up and lie in a temporary folder; medians of several rounds. "Fresh process"
is measured from a started interpreter with pandas imported, calendar included.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from feeds.bars import COLUMNS, Bars
from feeds.cache.store import Key
from feeds.cache.updates import Cache, Fetched
from feeds.checks import with_findings
from feeds.instruments import Instrument, coin, index
from feeds.live import Live
from feeds.sessions import BAR_LENGTHS, bar_ends, sessions_between
from feeds.vendors.request_policy import Reach

NOW = pd.Timestamp("2025-12-31 23:30", tz="UTC")
COINS = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "BNB", "LINK", "DOT")
HOURS = 50_000
ROUNDS = 9


class Memory:
    """A vendor with a random walk for every instrument."""

    name = "memory"

    def __init__(self, rows: int | None = None) -> None:
        self.now = NOW
        self.rows = rows

    def fetch(
        self, instrument: Instrument, *, timeframe: str, since: pd.Timestamp | None = None
    ) -> Bars:
        if instrument.kind == "index":
            times = sessions_between(pd.Timestamp("1987-09-10"), self.now.tz_localize(None))
        else:
            step = BAR_LENGTHS[timeframe]
            first = NOW.floor(step) - (self.rows or 4_124) * step
            times = pd.date_range(first, self.now, freq=step, unit="ns")
        times = times[bar_ends(times, kind=instrument.kind, timeframe=timeframe) <= self.now]
        close = 100 + np.sin(np.arange(len(times)))
        columns = dict.fromkeys(COLUMNS, close)
        frame = pd.DataFrame(columns, index=times)
        if since is not None:
            frame = frame[frame.index >= (since if frame.index.tz else since.tz_localize(None))]
        return Bars(instrument, timeframe, frame, "memory", "memory")


def live(folder: Path, vendor: Memory) -> Live:
    return Live(
        Cache(folder, clock=lambda: vendor.now),
        vendor="yahoo",
        open_vendor=lambda _: vendor,
        reach=Reach(),
        clock=lambda: vendor.now,
    )


def load_daily(folder: Path) -> None:
    source = live(folder, Memory())
    for instrument in (index("RUT"), *map(coin, COINS)):
        with_findings(source.load(instrument, timeframe="1d"), now=NOW)


def load_hourly(folder: Path) -> None:
    source = live(folder, Memory(HOURS))
    with_findings(source.load(coin("BTC"), timeframe="1h"), now=NOW)


def median_seconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def update_seconds(folder: Path, rows: int) -> float:
    vendor = Memory(rows)
    cache = Cache(folder, clock=lambda: vendor.now)
    key = Key("yahoo", "BTC-USD", "1h")

    def fetch(since: pd.Timestamp | None) -> Fetched:
        bars = vendor.fetch(coin("BTC"), timeframe="1h", since=since)
        return Fetched(bars.frame, bars.source, bars.origin)

    def one_more() -> None:
        vendor.now += pd.Timedelta(hours=1)
        cache.update(key, fetch, is_due=lambda _: True, force=True)

    one_more()
    return median_seconds(one_more)


def first_load_seconds(folder: Path, work: Callable[[Path], None]) -> float:
    program = (
        "import sys, time, pathlib, pandas, benchmarks.cache as bench;"
        "start = time.perf_counter();"
        f"bench.{work.__name__}(pathlib.Path(sys.argv[1]));"
        "print(time.perf_counter() - start)"
    )
    command = [sys.executable, "-c", program, str(folder)]
    outputs = (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(3)
    )
    return statistics.median(map(float, outputs))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, work in (
            ("RUT and ten coins, daily", load_daily),
            (f"{HOURS:,} hourly bars", load_hourly),
        ):
            work(folder)
            warm, first = median_seconds(partial(work, folder)), first_load_seconds(folder, work)
            print(f"{label:<28}{warm:.3f} s, {first:.3f} s as a process's first")
        for rows in (1_000, 5_000, 50_000, 200_000):
            seconds = update_seconds(folder / str(rows), rows)
            print(
                f"one more bar after {rows:<9,}{seconds:.3f} s, fetching a walk in memory included"
            )


if __name__ == "__main__":
    main()
