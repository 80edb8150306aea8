"""Fork writers that update a cache without end, kill -9 each, and check what is left.

Run by test_cache.py as a process of its own: forking needs one without threads. Says how
many writers were killed. Each must leave a cache that reads whole and is then completed.
"""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet  # noqa: F401  (before the fork: a child should reach the writing at once)

from feeds.cache.updates import Cache
from feeds.instruments import coin
from feeds.live import Live
from feeds.vendors.request_policy import Reach
from tests.scripted import Clock, Scripted, frame_of, hours

KILLS = 32
SYMBOLS = ("BTC", "ETH", "SOL")
ROWS = 8192


def live(folder: Path, clock: Clock, frames: dict) -> Live:
    vendor = Scripted(frames, clock)
    return Live(
        Cache(folder, clock=clock),
        vendor="exchange",
        open_vendor=lambda name: vendor,
        reach=Reach(),
        clock=clock,
    )


def write_without_end(folder: Path, clock: Clock, frames: dict) -> None:
    writer = live(folder, clock, frames)
    while True:
        for symbol in SYMBOLS:
            writer.refresh(coin(symbol), timeframe="1h")
        clock.now += pd.Timedelta(hours=1)


def check(folder: Path, clock: Clock, frames: dict) -> None:
    # whole or absent, never half
    reader = Live(Cache(folder, clock=clock), vendor="exchange", offline=True, clock=clock)
    for symbol in SYMBOLS:
        whole = frames[f"{symbol}-USD", "1h"]
        folders = list(folder.glob(f"v1/exchange/{symbol}*_1h/manifest.json"))
        if folders:
            held = reader.load(coin(symbol), timeframe="1h").frame
            assert held.equals(whole.iloc[: len(held)])
    clock.now += pd.Timedelta(hours=500)
    for symbol in SYMBOLS:
        found = live(folder, clock, frames).load(coin(symbol), timeframe="1h").frame
        whole = frames[f"{symbol}-USD", "1h"]
        expected = whole[whole.index + pd.Timedelta(hours=1) <= clock()]
        assert found.equals(expected)


def in_child(work, *args) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work(*args)
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def main(folder: Path) -> None:
    frames = {
        (f"{symbol}-USD", "1h"): frame_of(hours("2020-01-01", ROWS), seed=number)
        for number, symbol in enumerate(SYMBOLS)
    }
    start = frames["BTC-USD", "1h"].index[4090]
    delays = np.random.default_rng(7).uniform(0.001, 0.06, KILLS)
    for number in range(KILLS):
        place = folder / str(number % 8)
        clock = Clock(str(start.tz_localize(None)))
        clock.now += pd.Timedelta(hours=number // 8 * 501)
        child = in_child(write_without_end, place, clock, frames)
        time.sleep(delays[number])
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        checker = in_child(check, place, Clock(str(clock().tz_localize(None))), frames)
        if os.waitpid(checker, 0)[1] != 0:
            sys.exit(f"writer {number} left a cache that cannot be completed")
    sys.stdout.write(f"{KILLS}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
