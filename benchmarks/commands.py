"""Whole commands, as they are typed: wall seconds, and processor seconds of all their processes.

python -m benchmarks.commands [--only WORD] [--before CHECKOUT] [--write]

A command starts Python, loads its libraries, reads bars from files, and leaves its results. The
first row is what `import pandas` takes: no command that reads bars can be faster. With `--before`
each run is made in turn by the code of another checkout, so that the pace of the machine cancels
out. `--write` keeps the table.
"""

import argparse
import itertools
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.kept import BEFORE, ROOT, keep
from feeds.sessions import sessions_between

MEASURED = ROOT / "benchmarks" / "measured.py"
ROUNDS = 5
DAYS = 4_000
HOURLY = (28_000, 70_000)
SOURCES = ("ETH", "BTC")
HOLD_DAYS = (30, 60, 90, 120, 180)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--only", default="", metavar="WORD", help="rows with this in their name")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="other code, for the runs")
    parser.add_argument("--write", action="store_true", help="keep the table of all rows")
    options = parser.parse_args()
    table, figures = ["| command | wall | processor |", "|---|---:|---:|"], {}
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in rows(Path(folder)):
            if options.only not in name:
                continue
            roots = {name: ROOT}
            if options.before and name.startswith("run, "):
                roots[name + BEFORE] = options.before
            for each, (wall, processor) in medians(arguments, roots).items():
                table.append(f"| {each} | {wall:.2f} s | {processor:.2f} s |")
                figures[each] = wall
    print("\n".join(table))
    if options.write and not options.only:
        keep("commands", "\n".join([*table, ""]), figures)


def rows(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield what is measured: its name and what Python is told."""
    yield "import pandas", ["-c", "import pandas"]
    for command in ("run", "today", "list", "compare"):
        yield f"{command} --help", ["-m", f"backtests.{command}", "--help"]
    daily = write_bars(folder / "daily", days=DAYS)
    yield f"run, {DAYS:,} days, tearsheet", run(daily, folder)
    for bars in HOURLY:
        hourly = write_bars(folder / str(bars), days=DAYS, hours=bars)
        yield f"run, {bars:,} hours, tearsheet", run(hourly, folder, "--timeframe", "1h")
    yield "today, one config", ["-m", "backtests.today", "--asset", "ETH", "--data-dir", str(daily)]
    configs = write_configs(folder)
    named = [part for path in configs for part in ("--config", str(path))]
    told = ["-m", "backtests.today", *named, "--data-dir", str(daily)]
    yield f"today, {len(configs)} configs", told


def run(bars: Path, folder: Path, *more: str) -> list[str]:
    given = ["--asset", "ETH", "--source", "files", "--data-dir", str(bars), "--quiet"]
    return ["-m", "backtests.run", *given, "--out", str(folder / "out"), *more]


def write_bars(folder: Path, *, days: int, hours: int = 0) -> Path:
    """Write an index and coins of so many days, and of so many hours to the same end."""
    folder.mkdir()
    dates = pd.date_range("2014-01-01", periods=days)
    sessions = sessions_between(pd.Timestamp("2010-01-01"), dates[-1])
    for seed, (name, times) in enumerate(
        [("RUT_1d", sessions), *((f"{coin}-USD_1d", dates) for coin in SOURCES)]
    ):
        walk(times, seed, volatility=0.02 if seed else 0.01).to_csv(
            folder / f"{name}.csv", index=False
        )
    if hours:
        times = pd.date_range(end=dates[-1], periods=hours, freq="h", tz="UTC")
        made = walk(times, len(SOURCES) + 1, volatility=0.02 / 24**0.5, month=30 * 24)
        made.to_csv(folder / "ETH-USD_1h.csv", index=False)
    return folder


def walk(
    times: pd.DatetimeIndex, seed: int, *, volatility: float = 0.02, month: int = 30
) -> pd.DataFrame:
    """Return bars whose months are calm or wild by turns, as those of markets are.

    `volatility` is that of one bar, `month` how many bars wild times last: blocks of a bootstrap
    are as long, which decides how much work it is.
    """
    noise = np.random.default_rng(seed)
    moods = noise.normal(0, 0.7, len(times) // month + 1)
    own = volatility * np.exp(np.repeat(moods, month)[: len(times)])
    close = 100 * np.exp(np.cumsum(0.02 / month + own * noise.standard_normal(len(times))))
    prices = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
    return pd.DataFrame({"date": times, **prices})


def write_configs(folder: Path) -> list[Path]:
    paths = []
    for coin, days in itertools.product(SOURCES, HOLD_DAYS):
        paths.append(folder / f"{coin}{days}.toml")
        paths[-1].write_text(f'asset = "{coin}"\n[rules]\nhold_days = {days}\n')
    return paths


def medians(arguments: list[str], roots: Mapping[str, Path]) -> dict[str, tuple[float, float]]:
    """Return the median seconds, wall and processor, of the code in each folder, run in turn."""
    rounds = [
        {name: seconds(arguments, root) for name, root in roots.items()} for _ in range(ROUNDS)
    ]
    return {
        name: (
            statistics.median(each[name][0] for each in rounds),
            statistics.median(each[name][1] for each in rounds),
        )
        for name in roots
    }


def seconds(arguments: list[str], root: Path) -> tuple[float, float]:
    """Return the wall and processor seconds of one start of Python on the code in `root`."""
    told = [sys.executable, str(MEASURED), sys.executable, *arguments]
    done = subprocess.run(told, check=False, capture_output=True, text=True, cwd=root)
    # `today` ends with 3 where bars are missing, as they are years later; a command that fails is
    # quick and no measurement
    if done.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(arguments)} in {root} failed: {done.stderr}")
    wall, processor, _ = done.stdout.split()
    return float(wall), float(processor)


if __name__ == "__main__":
    main()
