"""Baskets: the whole command on 20 coins, and cost by coins and bars.

python -m benchmarks.basket

Seeded random walks in a folder of CSV files; medians. The engine's column is one simulation
of the monthly rebalanced basket, in microseconds a bar and coin: level means linear.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from backtests.config.config import load_config
from backtests.engines.backtrader_engine import simulate
from backtests.market.inputs import load_inputs
from backtests.market.market import build_market
from feeds.sessions import sessions_between

YEARS = 8
COINS = 20
SHAPES = ((5, 1_000), (10, 1_000), (20, 1_000), (20, 2_000), (20, 2_900))
ROUNDS = 3


def walk(dates: pd.DatetimeIndex, seed: int) -> pd.DataFrame:
    noise = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(noise.normal(0.0004, 0.03, len(dates))))
    prices = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
    return pd.DataFrame({"date": dates.strftime("%Y-%m-%d"), **prices, "volume": 1.0})


def fill(folder: Path) -> None:
    last = pd.Timestamp("2025-12-31")
    days = pd.date_range(end=last, periods=round(YEARS * 365.25))
    sessions = sessions_between(pd.Timestamp("2005-01-01"), last)
    walk(sessions, 0).to_csv(folder / "RUT_1d.csv", index=False)
    for number in range(COINS):
        walk(days, number + 1).to_csv(folder / f"C{number:02d}-USD_1d.csv", index=False)


def median_seconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def engine_cost(folder: Path, coins: int, bars: int) -> float:
    """Return the microseconds of one simulation a bar and coin."""
    members = [f"C{number:02d}" for number in range(coins)]
    flags = {"asset": "ALTS", "data.source": "files", "data.data_dir": str(folder)}
    config = load_config(None, flags=flags | {"basket.members": members})
    tape = build_market(config, load_inputs(config)).traded
    part = tape.cut(slice(len(tape) - min(bars, len(tape)), None))
    return median_seconds(lambda: simulate(part, config)) / (coins * len(part)) * 1e6


def command(folder: Path) -> None:
    arguments = ["--asset", "ALTS", "--source", "files", "--data-dir", str(folder)]
    subprocess.run(
        [sys.executable, "-m", "backtests.run", *arguments, "--out", str(folder / "out")],
        check=True,
        capture_output=True,
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder)
        seconds = median_seconds(lambda: command(folder))
        print(f"whole command, {COINS} coins, {YEARS} years, tearsheet: {seconds:.1f} s")
        for coins, bars in SHAPES:
            cost = engine_cost(folder, coins, bars)
            print(f"{coins:3d} coins, {bars:5d} bars: {cost:6.1f} us a bar and coin")


if __name__ == "__main__":
    main()
