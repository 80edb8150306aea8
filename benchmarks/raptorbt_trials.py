"""The raptorbt side of `benchmarks.sweep`, in a process of its own: reads an npz, writes an npz.

python benchmarks/raptorbt_trials.py IN.npz OUT.npz

It fills a signal at the next bar's open, so it is given ours a bar earlier, and a flat bar before
the first for those of the first open. That adds a bar to what it makes annual: compared are the
figures that do not count bars.
"""

import sys
import time

import numpy as np
import raptorbt

DAY = 86_400
NANOSECONDS = 1_000_000_000


def main(source: str, target: str) -> None:
    given = np.load(source)
    opens, close = (np.concatenate((given["open"][:1], given[name])) for name in ("open", "close"))
    times = np.concatenate((given["time"][:1] - DAY, given["time"])).astype(np.int64) * NANOSECONDS
    bars = times, opens, np.maximum(opens, close), np.minimum(opens, close), close
    entries, exits = (a_bar_earlier(given[name]) for name in ("entries", "exits"))
    config = raptorbt.BacktestConfig(
        initial_capital=100_000.0,
        fees=float(given["commission"]),
        slippage=float(given["slippage"]),
        fill_timing="next_bar_open",
    )
    started = time.perf_counter(), time.process_time()
    items = [
        raptorbt.BatchSingleItem(str(number), entered, left)
        for number, (entered, left) in enumerate(zip(entries, exits, strict=True))
    ]
    done = raptorbt.batch_single_backtest(*bars, np.ones_like(close), items, config)
    metrics = [result.metrics for _, result in done]
    figures = [(each.total_return_pct / 100, -each.max_drawdown_pct / 100) for each in metrics]
    seconds = (time.perf_counter() - started[0], time.process_time() - started[1])
    np.savez(target, figures=np.array(figures), seconds=seconds)


def a_bar_earlier(signals: np.ndarray) -> list[np.ndarray]:
    """Return the signals of each trial, with a last bar that brings none."""
    nothing = np.zeros(1, bool)
    return [np.concatenate((column, nothing)) for column in np.asfortranarray(signals).T]


if __name__ == "__main__":
    main(*sys.argv[1:])
