"""Weak scaling on Dask workers: twice the workers, twice the trials, and how much longer it takes.

python -m benchmarks.cluster [--data-dir DIR] [--most N]
"""

import argparse
import tempfile
import time
from pathlib import Path

from backtests.search.bars import used_bars
from backtests.search.cluster import connect
from backtests.search.plan import load_plan
from backtests.search.store import create
from backtests.search.trials.groups import Library

ROOT = Path(__file__).parents[1]
TRIALS = 600_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--most", type=int, default=2)
    options = parser.parse_args()
    print(
        "| workers | trials | first chunk after | from then on | trials per second | efficiency |"
    )
    print("|---:|---:|---:|---:|---:|---:|")
    alone = 0.0
    workers = 1
    while workers <= options.most:
        trials = workers * TRIALS
        begun, running, counted = swept(options.data_dir, workers, trials)
        rate = counted / running
        alone = alone or rate
        share = rate / alone / workers
        cells = f"{begun:.1f} s | {running:.1f} s | {rate:,.0f} | {share:.0%}"
        print(f"| {workers} | {trials:,} | {cells} |", flush=True)
        workers *= 2


def swept(data_dir: Path, workers: int, trials: int) -> tuple[float, float, int]:
    """Return seconds to the first chunk, seconds from then on, and the trials done in these."""
    flags = {"data.source": "files", "data.data_dir": str(data_dir)}
    random = ["sweep.search=random", f"sweep.trials={trials}"]
    file = ROOT / "configs" / "sweeps" / "million.toml"
    plan = load_plan(file, overrides=random, flags=flags)
    library = Library()
    done: list[tuple[float, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        store = create(Path(folder), plan, bars=used_bars(plan, library).bars)

        def report(count: int) -> None:
            done.append((time.perf_counter(), count))

        with connect(plan, workers=workers) as drive:
            started = time.perf_counter()
            drive(store, library=library, report=report)
    first, last = done[0][0], done[-1][0]
    return first - started, last - first, sum(count for _, count in done[1:])


if __name__ == "__main__":
    main()
