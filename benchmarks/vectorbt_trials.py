"""The vectorbt side of `benchmarks.sweep`, in a process of its own: reads an npz, writes an npz.

python benchmarks/vectorbt_trials.py IN.npz OUT.npz
"""

import sys
import time

import numpy as np
import pandas as pd
import vectorbt as vbt

BATCH = 250


def main(source: str, target: str) -> None:
    given = np.load(source)
    index = pd.DatetimeIndex(pd.to_datetime(given["time"], unit="s"))
    entries, exits = given["entries"], given["exits"]
    figures(given, index, entries[:, :2], exits[:, :2])  # compiled, as ours is
    started = time.perf_counter(), time.process_time()
    found = [
        figures(given, index, entries[:, at : at + BATCH], exits[:, at : at + BATCH])
        for at in range(0, entries.shape[1], BATCH)
    ]
    seconds = (time.perf_counter() - started[0], time.process_time() - started[1])
    np.savez(target, figures=np.concatenate(found), seconds=seconds)


def figures(given, index, entries, exits):
    portfolio = vbt.Portfolio.from_signals(
        close=pd.Series(given["close"], index=index),
        entries=entries,
        exits=exits,
        price=pd.Series(given["open"], index=index),
        fees=float(given["commission"]),
        slippage=float(given["slippage"]),
        init_cash=100_000.0,
        freq="1D",
    )
    return np.column_stack(
        [
            portfolio.total_return(),
            portfolio.annualized_return(year_freq="365.25 days"),
            portfolio.sharpe_ratio(year_freq="365 days"),
            portfolio.max_drawdown(),
        ]
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
