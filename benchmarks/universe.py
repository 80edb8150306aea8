"""A universe of 600 pairs and 8 years of days: putting it together, loading it, a whole run.

python -m benchmarks.universe

Seeded random walks that are listed and die at random, in a temporary cache. "Warm" is a
fresh process, pandas imported, with the file in the page cache. Medians of several rounds.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from backtests.config.basket_members import universe_members
from feeds.archive.folder import ArchiveFolder, ArchiveState
from feeds.archive.pair_table import Held, PairTable, write_table
from feeds.archive.zip_members import COLUMNS
from feeds.cache.store import Key
from feeds.cache.updates import Cache, Fetched
from feeds.sessions import sessions_between
from strategies.rule_settings import BasketSettings

PAIRS = 600
YEARS = 8
LAST = pd.Timestamp("2025-12-31", tz="UTC")
LISTED_LATER = 0.8  # share of the pairs that come after the first day
DIE = 0.35  # share of the pairs that end before the last day
ROUNDS = 5


def walk(number: int) -> pd.DataFrame:
    """Return a pair's bars: its dollar volume keeps its rank for months and then drifts."""
    noise = np.random.default_rng(number)
    count = round(YEARS * 365.25)
    first = int(noise.integers(0, count - 200)) if noise.random() < LISTED_LATER else 0
    stop = int(noise.integers(first + 100, count)) if noise.random() < DIE else count
    times = pd.date_range(end=LAST, periods=count).as_unit("ns")[first:stop]
    close = 10 * np.exp(np.cumsum(noise.normal(0.0, 0.05, len(times))))
    money = np.exp(noise.normal(16, 2) + np.cumsum(noise.normal(0, 0.06, len(times))))
    values = (close, close * 1.03, close * 0.97, close, money / close, money)
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)), index=times)


def fill(cache: Path, pairs: int = PAIRS) -> ArchiveFolder:
    """Put a universe and an index into a cache, as a download leaves them."""
    folder = ArchiveFolder(cache, timeframe="1d")
    names = [f"C{number:03d}USDT" for number in range(pairs)]
    with folder.writing():
        for number, name in enumerate(names):
            rows = walk(number)
            months = rows.index.tz_localize(None).to_period("M").unique()
            members = {f"{month}": Held("0" * 32, "0" * 64) for month in months}
            write_table(folder.pairs, PairTable(name, "1d", rows, members))
        checked = (LAST + pd.Timedelta(days=1)).isoformat()
        folder.write_state(ArchiveState(tuple(names), dict.fromkeys(names, checked)))
        folder.build()
    sessions = sessions_between(pd.Timestamp("2005-01-01"), LAST.tz_localize(None))
    noise = np.random.default_rng(0)
    close = 1000 * np.exp(np.cumsum(noise.normal(0.0004, 0.012, len(sessions))))
    columns = ("open", "high", "low", "close", "volume")
    frame = pd.DataFrame(dict.fromkeys(columns, close), index=sessions.as_unit("ns"))
    Cache(cache).reload(
        Key("yahoo", "RUT", "1d"), lambda _: Fetched(frame, "yahoo", "yahoo ^RUT"), reason="made up"
    )
    return folder


def seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def load_seconds(cache: Path) -> tuple[float, int]:
    """Return how long a fresh process takes from the file to the members, and their number."""
    program = (
        "import sys, time, pandas, benchmarks.universe as bench;"
        "start = time.perf_counter();"
        "found = bench.load(sys.argv[1]);"
        "print(time.perf_counter() - start, len(found.coins))"
    )
    command = [sys.executable, "-c", program, str(cache)]
    outputs = [
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        for _ in range(ROUNDS)
    ]
    return statistics.median(float(each[0]) for each in outputs), int(outputs[0][1])


def load(cache: str) -> object:
    basket = BasketSettings(universe="binance", select="dollar_volume")
    return universe_members(basket, cache_dir=cache)


def command(cache: Path) -> None:
    arguments = ["--asset", "ALTS", "--offline", "--cache-dir", str(cache), "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "backtests.run", *arguments, "--out", str(cache / "out")],
        check=True,
        capture_output=True,
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name)
        start = time.perf_counter()
        folder = fill(cache)
        print(f"{PAIRS} tables written and put together: {time.perf_counter() - start:.1f} s")
        print(f"put together again, nothing new: {seconds(folder.build, 3):.2f} s")
        megabytes = folder.universe.stat().st_size / 1e6
        taken, coins = load_seconds(cache)
        print(f"loaded and ranked, {megabytes:.0f} MB: {taken:.2f} s, {coins} coins ever in")
        print(f"whole command: {seconds(lambda: command(cache), 3):.1f} s")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
        print(f"peak memory {peak:.0f} MB, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
