"""Weak scaling on Dask workers: twice the workers, twice the trials, and what more it costs.

python -m benchmarks.cluster [--data-dir DIR] [--most N] [--trials N] [--config FILE]

Two efficiencies: by the clock, which needs a processor for every worker and the driver, and
by processor time, which other work on the machine does not blur: what a trial costs one
worker, by what it costs all workers and the driver (with the scheduler) together.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from backtests.search.bars_used import used_bars
from backtests.search.cluster import connect
from backtests.search.plan import load_plan
from backtests.search.store import create
from backtests.search.trials.trial_library import Library

ROOT = Path(__file__).parents[1]
TRIALS = 600_000


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a sweep is: the clock, the processor time of driver and workers, trials done."""

    clock: float
    driver: float
    workers: float
    trials: int

    def __sub__(self, earlier: "Reading") -> "Reading":
        return Reading(
            self.clock - earlier.clock,
            self.driver - earlier.driver,
            self.workers - earlier.workers,
            self.trials - earlier.trials,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--most", type=int, default=2)
    parser.add_argument("--trials", type=int, default=TRIALS, help="per worker")
    parser.add_argument("--config", type=Path, default=ROOT / "configs" / "sweeps" / "million.toml")
    options = parser.parse_args()
    print(
        "| workers | trials | first task after | from then on | trials per second | by the clock "
        "| worker µs per trial | driver µs per trial | by processor time |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    rate_alone = cost_alone = 0.0
    workers = 1
    while workers <= options.most:
        trials = workers * options.trials
        begun, rest = swept(options.config, options.data_dir, workers, trials)
        rate = rest.trials / rest.clock
        each, driver = rest.workers / rest.trials, rest.driver / rest.trials
        rate_alone, cost_alone = rate_alone or rate, cost_alone or each
        print(
            f"| {workers} | {trials:,} | {begun:.1f} s | {rest.clock:.1f} s | {rate:,.0f} "
            f"| {rate / rate_alone / workers:.0%} | {each * 1e6:.2f} | {driver * 1e6:.2f} "
            f"| {cost_alone / (each + driver):.0%} |",
            flush=True,
        )
        workers *= 2


def swept(file: Path, data_dir: Path, workers: int, trials: int) -> tuple[float, Reading]:
    """Return seconds to the first finished task, and what was done and spent from then on."""
    flags = {"data.source": "files", "data.data_dir": str(data_dir)}
    random = ["sweep.search=random", f"sweep.trials={trials}"]
    plan = load_plan(file, overrides=random, flags=flags)
    library = Library()
    readings: list[Reading] = []
    with tempfile.TemporaryDirectory() as folder:
        store = create(Path(folder), plan, bars=used_bars(plan, library).bars)

        def report(count: int) -> None:
            done = readings[-1].trials + count if readings else count
            readings.append(read(processes, done))

        with connect(plan, workers=workers) as drive:
            processes = psutil.Process().children(recursive=True)
            started = time.perf_counter()
            drive(store, library=library, report=report)
    # every worker has compiled and loaded what it needs
    first = readings[2 * workers]
    return first.clock - started, readings[-1] - first


def read(workers: list[psutil.Process], trials: int) -> Reading:
    """Return the clock and the processor time spent so far."""
    times = [process.cpu_times() for process in workers]
    spent = sum(each.user + each.system for each in times)
    return Reading(time.perf_counter(), time.process_time(), spent, trials)


if __name__ == "__main__":
    main()
