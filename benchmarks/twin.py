"""The compiled engine against backtrader: the same accounts, how much sooner.

python -m benchmarks.twin [--data-dir DIR] [--write]

Real daily bars; each line keeps the same account on both engines and says how far their equity
is apart at most. The sweep holds for 1 to 500 days and finds no path of an earlier one. `--write`
keeps the table for README (`python -m docs.readme` puts it there).
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from backtests.config.config import load_config
from backtests.engines import backtrader_engine as engine
from backtests.engines import compiled_engine as fast
from backtests.market.inputs import load_inputs
from backtests.market.market import build_market
from backtests.search.parameter_space import column_of
from backtests.search.trials.trial_library import Library
from benchmarks.work import evaluate_anew

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "benchmarks" / "results" / "twin.md"
ACCOUNTS: dict[str, dict[str, Any]] = {
    "ETH": {"asset": "ETH"},
    "ETH, index above its average": {"asset": "ETH", "filters.index_trend.window": 200},
    "12 altcoins, monthly": {"asset": "ALTS"},
    "12 altcoins or BTC, kept within 5 %": {
        "asset": "ALTS",
        "idle.asset": "BTC",
        "size.rebalance_threshold": 0.05,
    },
}
ROUNDS = 5
TRIALS = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.relative_to(ROOT)}")
    options = parser.parse_args()
    text = "\n".join(
        [
            "| account | backtrader | compiled, in a sweep | ratio | equity apart at most |",
            "|---|---:|---:|---:|---:|",
            *(row(name, given, options.data_dir) for name, given in ACCOUNTS.items()),
            "",
            f"Runs per second of one core, medians of {ROUNDS} rounds, "
            f"load {os.getloadavg()[0]:.1f}; the compiled ones return 11 figures each.",
            "",
        ]
    )
    print(text, end="")
    if options.write:
        TABLE.write_text(text, encoding="utf-8")


def row(name: str, given: dict[str, Any], data_dir: Path) -> str:
    files = {"data.source": "files", "data.data_dir": str(data_dir)}
    config = load_config(None, flags=given | files)
    library = Library(load=load_inputs)
    tape = build_market(config, library.inputs(config)).traded
    ours, theirs = fast.simulate(tape, config), engine.simulate(tape, config)
    apart = np.abs(ours.equity / theirs.equity - 1).max()
    columns = {"rules.hold_days": column_of(range(1, TRIALS + 1))}
    slow = 1 / seconds(lambda: engine.simulate(tape, config))
    quick = TRIALS / seconds(lambda: evaluate_anew(config, columns, library))
    return f"| {name} | {slow:,.1f} | {quick:,.0f} | {quick / slow:,.0f}x | {apart:.0e} |"


def seconds(work: Callable[[], object]) -> float:
    work()
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
