"""Figures for a population of accounts: its intervals and placebos, against bar by bar.

python -m benchmarks.population [--write]

Accounts are simulated: 4,000 days whose volatility comes in clusters, in the market by spells, all
in or by a target of volatility. Bar by bar is how both were done before, in the same run: a
resample gathers its bars, and each shift of a run's positions is a row of a matrix. Seconds are of
one core's processor time, the least of the rounds. `--write` keeps the table.
"""

import argparse
import math
import os
import time
from collections.abc import Callable
from typing import NamedTuple
from unittest import mock

import numpy as np

from backtests.analysis import bootstrap_draws, placebo
from backtests.analysis.bootstrap import Sampling, paired_intervals
from backtests.analysis.bootstrap_blocks import shared_block_length
from backtests.analysis.exposure import Exposure
from benchmarks.kept import keep
from feeds.arrays import Floats

ACCOUNTS = 5
BARS = 4_000
ROUNDS = 3


class Compared(NamedTuple):
    """Seconds per account of one kind of figure, both ways."""

    name: str
    before: float
    now: float

    @property
    def ratio(self) -> float:
        return self.before / self.now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="keep the table")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    accounts = [exposure(rng) for _ in range(ACCOUNTS)]
    found = [
        compared("intervals of an account and four others", intervals_both_ways, accounts),
        compared("placebos of a volatility target", placebos_both_ways, accounts),
    ]
    text = "\n".join(
        [
            "| figures | bar by bar | now | times |",
            "|---|---:|---:|---:|",
            *(
                f"| {each.name} | {each.before * 1e3:.0f} ms | {each.now * 1e3:.0f} ms "
                f"| {each.ratio:.1f} |"
                for each in found
            ),
            "",
            f"Per account of {BARS:,} days; least of {ROUNDS} rounds, "
            f"load {os.getloadavg()[0]:.1f}.",
            "",
        ]
    )
    print(text, end="")
    if options.write:
        keep("population", text, {each.name: each.ratio for each in found})


def exposure(rng: np.random.Generator) -> Exposure:
    """Return an account whose weight follows the coin's volatility while it is in."""
    moves = rng.standard_normal(BARS)
    log_scale = np.convolve(rng.standard_normal(BARS + 199), np.ones(200) / 20, mode="valid")
    scale = 0.03 * np.exp(log_scale / 2)
    is_in = np.repeat(rng.random(BARS // 50) < 0.25, 50)
    weights = np.where(is_in, np.minimum(1.0, 0.02 / scale), 0.0)
    return Exposure(
        weights=weights,
        coin_returns=np.maximum(0.001 + scale * moves, -0.9),
        idle_returns=np.zeros(BARS),
        traded=np.abs(np.diff(weights, prepend=0.0)),
        cost=0.001,
    )


def compared(
    name: str,
    both: Callable[[Exposure], tuple[Callable[[], object], Callable[[], object]]],
    accounts: list[Exposure],
) -> Compared:
    ways = [both(own) for own in accounts]
    before = sum(seconds(one) for one, _ in ways) / len(accounts)
    return Compared(name, before, sum(seconds(other) for _, other in ways) / len(accounts))


def seconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)


def intervals_both_ways(own: Exposure) -> tuple[Callable[[], object], Callable[[], object]]:
    strategy = own.weights * own.coin_returns
    series = {"strategy": strategy, "buy_and_hold": own.coin_returns}
    series |= {f"{share:.1f}": share * own.coin_returns for share in (0.2, 0.5, 0.8)}
    sampling = Sampling(shared_block_length({"own": own.coin_returns, "strategy": strategy}))

    def work() -> object:
        return paired_intervals(
            series, years=BARS / 365, periods_per_year=365, cash_return=0.0, sampling=sampling
        )

    def bar_by_bar() -> object:
        with mock.patch.object(bootstrap_draws, "_SHORT_BLOCK", math.inf):
            return work()

    return bar_by_bar, work


def placebos_both_ways(own: Exposure) -> tuple[Callable[[], object], Callable[[], object]]:
    return lambda: growth_by_rows(own), lambda: placebo.shift_placebo(own)


def growth_by_rows(own: Exposure) -> Floats:
    """Return the log growth at every shift, each a row of logs of all bars held."""
    held = np.flatnonzero(own.weights)
    weights, parts = own.weights[held], []
    coin, idle = (
        np.lib.stride_tricks.sliding_window_view(np.tile(each, 2), each.size)
        for each in (own.coin_returns, own.idle_returns)
    )
    rows = max(1, 500_000 // held.size)
    for at in range(0, BARS, rows):
        some = np.arange(at, min(at + rows, BARS))[:, np.newaxis]
        cash = idle[some, held]
        gained = np.log(np.maximum(1 + weights * coin[some, held] + (1 - weights) * cash, 1e-300))
        parts.append((gained - np.log(np.maximum(1 + cash, 1e-300))).sum(axis=1))
    return np.concatenate(parts)


if __name__ == "__main__":
    main()
