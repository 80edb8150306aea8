"""Sweeps against vectorbt and raptorbt: the same bars, rule and costs, medians of one run.

python -m benchmarks.sweep [--data-dir DIR] [--peers PYTHON] [--write]

The rule: a new high of the Russell 2000 opens or extends a holding window in BTC, daily. Its
lookback and its days vary. The peers are given ready signals: vectorbt is asked for four figures,
raptorbt gives all of its own; we make our signals and return eleven. All use the processors they
can. `--write` keeps the table for
README (`python -m docs.readme` puts it there).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from backtests.config.config import Config
from backtests.search.bars_used import used_bars
from backtests.search.parameter_space import Choice, Columns, grid_columns
from backtests.search.plan import load_plan, with_values
from backtests.search.run_chunks import drive
from backtests.search.store import create
from backtests.search.trials.evaluate import evaluate
from backtests.search.trials.trial_library import Library
from benchmarks.kept import ALL_PROCESSORS, ROOT, keep
from benchmarks.peers import Speed, account, measure_peers

MILLION = ROOT / "configs" / "sweeps" / "million.toml"
LOOKBACKS = (20, 63, 126, 252, 504, "all")
HOLD_DAYS = tuple(range(1, 181))
STOPS = (
    ("stop loss", "rules.stop_loss", (0.1, 0.2, 0.3)),
    ("trailing stop", "rules.trailing_stop", (0.1, 0.2, 0.3)),
    ("fall of the index", "rules.index_drawdown", (0.05, 0.1, 0.2)),
)
TREND = {"kind": "moving_average", "window": 200, "on_exit": True}
VIX = {"series": "VIX", "rule": "below", "level": 25.0, "max_age_days": 10}
# settings of the filters themselves: each pair of a level and a window is a gate of its own
GATES = {
    "filters.vix.level": tuple(15 + 0.5 * step for step in range(40)),
    "filters.index_trend.window": tuple(range(20, 260, 20)),
    "rules.hold_days": tuple(range(1, 181, 3)),
}
# the preset with finer holding times and costs
WIDER = (
    "sweep.rules.hold_days={from=1,to=352,step=1}",
    "sweep.costs.slippage_bps=[0,1,2,5,10,15,20,30,50]",
)
TEN_MILLION = 3_168 * 352 * 9
ROUNDS = 7
THREADS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--peers", default=sys.executable, help="a python with both peers")
    parser.add_argument("--write", action="store_true", help="keep the table")
    options = parser.parse_args()
    library = Library()
    base = Config.model_validate(
        {
            "asset": "BTC",
            "rules": {"trigger": "new_high"},
            "data": {"source": "files", "data_dir": str(options.data_dir)},
        }
    )
    plain = grid({"signal.lookback": LOOKBACKS, "rules.hold_days": HOLD_DAYS})
    stops = {
        name: grid({"signal.lookback": LOOKBACKS, "rules.hold_days": HOLD_DAYS, key: values})
        for name, key, values in STOPS
    }
    ours = evaluate(base, plain, library=library).figures
    peers, apart = measure_peers(options.peers, configs(base, plain), library, ours)
    measured = {
        **peers,
        "one run, compiled engine": one_by_one(base, plain, library),
        "sweep, no stops, 11 figures": rate(base, plain, library),
        **{f"sweep, {name}, 11 figures": rate(base, each, library) for name, each in stops.items()},
    }
    filtered = base.model_dump(exclude_none=True) | {"filters": {"index_trend": TREND}}
    measured["sweep, entry and exit filter, 11 figures"] = rate(
        Config.model_validate(filtered), plain, library
    )
    filtered["filters"]["vix"] = VIX
    measured["sweep over two filters' own settings, 480 gates anew"] = gates_anew(
        Config.model_validate(filtered), grid(GATES), library
    )
    stored, trials = end_to_end(options.data_dir)
    measured[f"{trials:,} trials into Parquet, {trials / stored.clock:.1f} s"] = stored
    whole, whole_peak = whole_command(options.data_dir, trials)
    measured[f"the whole command: start, trials, judging, sheet, {trials / whole.clock:.1f} s"] = (
        whole
    )
    peaks = {f"the whole command of {trials:,}": whole_peak}
    figures = {"whole command": whole.clock, "whole command, MB": whole_peak}
    for rows in ("best", "all"):
        own, peak = whole_command(
            options.data_dir, TEN_MILLION, *WIDER, f"sweep.keep={rows}", rounds=1
        )
        peaks[f"that of {TEN_MILLION:,} with keep = {rows}"] = peak
        name = f"the whole command, {TEN_MILLION:,} trials, keep = {rows}"
        measured[f"{name}, {TEN_MILLION / own.clock:.1f} s"] = own
        figures |= {f"ten million, {rows}": own.clock, f"ten million, {rows}, MB": peak}
    lines = [
        "| engine | trials per second | against vectorbt | against raptorbt "
        "| per second of one core |",
        "|---|---:|---:|---:|---:|",
        *(row(name, own, list(peers.values())) for name, own in measured.items()),
        "",
        f"Largest relative difference of the figures that peers give: {' and '.join(apart)}.",
        f"Peak memory {stored_peak(options.data_dir):.0f} MB for the {trials:,} trials into "
        f"Parquet, {', '.join(f'{peak:.0f} MB for {name}' for name, peak in peaks.items())}.",
        f"Medians of {ROUNDS} rounds on {os.cpu_count()} processors, "
        f"load {os.getloadavg()[0]:.1f}.",
    ]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if options.write:
        rates = {name: own.core for name, own in measured.items()}
        clocks = {name + ALL_PROCESSORS: own.clock for name, own in measured.items()}
        keep("sweep", text, rates | clocks | figures)


def row(name: str, own: Speed, peers: list[Speed]) -> str:
    ratios = " | ".join(f"{own.clock / peer.clock:,.1f}x" for peer in peers)
    return f"| {name} | {own.clock:,.0f} | {ratios} | {own.core:,.0f} |"


def grid(values: dict[str, tuple[Any, ...]]) -> Columns:
    axes = [Choice(key, taken) for key, taken in values.items()]
    size = int(np.prod([len(axis.values) for axis in axes]))
    return grid_columns(axes, np.arange(size))


def configs(base: Config, columns: Columns) -> list[Config]:
    taken = {key: column.take() for key, column in columns.items()}
    return [
        with_values(base, dict(zip(taken, row, strict=True)))
        for row in zip(*taken.values(), strict=True)
    ]


def one_by_one(base: Config, columns: Columns, library: Library) -> Speed:
    tried = configs(base, columns)[::10]
    return speed(len(tried), lambda: [account(config, library) for config in tried])


def rate(base: Config, columns: Columns, library: Library) -> Speed:
    """Return the speed on all threads; the trials are repeated until it takes a while."""
    size = next(iter(columns.values())).codes.size
    chosen = np.random.default_rng(0).integers(0, size, 100_000)
    repeated = {
        key: type(column)(column.values, column.codes[chosen]) for key, column in columns.items()
    }

    def work() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda _: evaluate(base, repeated, library=library), range(2 * THREADS)))

    return speed(2 * THREADS * chosen.size, work)


def gates_anew(base: Config, columns: Columns, library: Library) -> Speed:
    """Return the speed of one pass over a grid on all threads, no gate remembered."""
    evaluate(base, columns, library=library)
    size = next(iter(columns.values())).codes.size

    def work() -> None:
        fresh = [Library(inputs=library.loaded) for _ in range(THREADS)]
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda own: evaluate(base, columns, library=own), fresh))

    return speed(THREADS * size, work)


def end_to_end(data_dir: Path) -> tuple[Speed, int]:
    """Return the speed of the million-trial preset and its number of trials."""
    trials = into_parquet(data_dir)
    return speed(trials, lambda: into_parquet(data_dir), rounds=3), trials


def into_parquet(data_dir: Path) -> int:
    """Do the trials of the preset, nothing else; return how many there are."""
    flags = {"data.source": "files", "data.data_dir": str(data_dir)}
    plan, library = load_plan(MILLION, flags=flags), Library()
    with tempfile.TemporaryDirectory() as folder:
        store = create(Path(folder), plan, bars=used_bars(plan, library).bars)
        drive(store, library=library, report=lambda _: None)
    return plan.trials


def stored_peak(data_dir: Path) -> float:
    """Return the peak memory in MB of a process that only does the trials, as the command does."""
    code = "import sys, pathlib; from benchmarks import sweep; sweep.into_parquet(pathlib.Path("
    python = ["env", "ARROW_DEFAULT_MEMORY_POOL=system", sys.executable]
    return child(*python, "-c", f"{code}sys.argv[1]))", str(data_dir))[2]


def whole_command(
    data_dir: Path, trials: int, *changes: str, rounds: int = 3
) -> tuple[Speed, float]:
    """Return the speed of the command a user types, start and imports included, and its peak."""
    given = [part for change in changes for part in ("--set", change)]
    with tempfile.TemporaryDirectory() as folder:
        sweep = [sys.executable, "-m", "backtests.sweep", "--config", str(MILLION)]
        where = ["--source", "files", "--data-dir", str(data_dir), "--out", folder]
        taken = [child(*sweep, *given, *where) for _ in range(rounds)]
    clock, core, peak = np.median(taken, axis=0)
    return Speed(trials / clock, trials / core), float(peak)


def child(*command: str) -> tuple[float, float, float]:
    """Run a command; return its wall seconds, its processor seconds and its peak in MB."""
    measured = [sys.executable, "-m", "benchmarks.measured", *command]
    done = subprocess.run(measured, check=True, capture_output=True, text=True, cwd=ROOT)
    clock, core, peak = map(float, done.stdout.split())
    return clock, core, peak


def speed(trials: int, work: Callable[[], object], *, rounds: int = ROUNDS) -> Speed:
    work()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter(), time.process_time()
        work()
        taken.append((time.perf_counter() - started[0], time.process_time() - started[1]))
    clock, core = np.median(taken, axis=0)
    return Speed(trials / clock, trials / core)


if __name__ == "__main__":
    main()
