"""Other engines on the same bars, signals and costs, each in a process of its own.

They may live in another environment: `python` is the one that has them.
"""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from backtests.config.config import Config
from backtests.engines.account import Account
from backtests.engines.compiled_engine import simulate
from backtests.search.trials.kernel import FIGURES
from backtests.search.trials.trial_library import Library, traded_tape

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Speed:
    """Trials per second by the clock, and per second of processor time."""

    clock: float
    core: float


class Peer(NamedTuple):
    """An engine, how it is run, and which of our figures it gives."""

    name: str
    script: str
    figures: tuple[str, ...]


VECTORBT: Final = Peer(
    "vectorbt 1.2.0, `Portfolio.from_signals`, 4 figures",
    "vectorbt_trials.py",
    ("total_return", "cagr", "sharpe_ratio", "max_drawdown"),
)
RAPTORBT: Final = Peer(
    "raptorbt 0.13.4, `batch_single_backtest`, 48 figures",
    "raptorbt_trials.py",
    ("total_return", "max_drawdown"),
)


def measure_peers(
    python: str, tried: Sequence[Config], library: Library, ours: np.ndarray
) -> tuple[dict[str, Speed], list[str]]:
    """Return the speed of each peer, and how far its figures are from `ours`, in words.

    `ours`, shape (trials, len(FIGURES)), are the figures of the configs tried.
    """
    speeds, apart = {}, []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.npz"
        write_signals(source, tried, library)
        for peer in (VECTORBT, RAPTORBT):
            speeds[peer.name], theirs = run_peer(python, peer, source)
            columns = [FIGURES.index(name) for name in peer.figures]
            worst = np.nanmax(np.abs(ours[:, columns] / theirs - 1))
            apart.append(f"{worst:.1e} from {peer.name.split()[0]}'s")
    return speeds, apart


def run_peer(python: str, peer: Peer, source: Path) -> tuple[Speed, np.ndarray]:
    """Return a peer's median speed, and its figures of every trial."""
    script, target = Path(__file__).with_name(peer.script), source.with_name("out.npz")
    taken = []
    for _ in range(ROUNDS):
        subprocess.run([python, str(script), str(source), str(target)], check=True)
        taken.append(np.load(target)["seconds"])
    clock, core = np.median(taken, axis=0)
    figures = np.load(target)["figures"]
    return Speed(len(figures) / clock, len(figures) / core), figures


def write_signals(source: Path, tried: Sequence[Config], library: Library) -> None:
    """Write bars, costs and the opens at which each trial buys and sells."""
    lines, costs = traded_tape(tried[0], library).lines, tried[0].costs
    entries, exits = np.zeros((2, len(lines["time"]), len(tried)), bool)
    for number, config in enumerate(tried):
        for side, row in fills(config, library):
            (entries if side == "buy" else exits)[row, number] = True
    np.savez(
        source,
        entries=entries,
        exits=exits,
        commission=costs.commission,
        slippage=costs.slippage,
        **{name: lines[name] for name in ("time", "open", "close")},
    )


def account(config: Config, library: Library) -> Account:
    return simulate(traded_tape(config, library), config)


def fills(config: Config, library: Library) -> Iterator[tuple[str, int]]:
    done = account(config, library)
    rows = done.bars.index.get_indexer(done.fills["time"])
    return zip(done.fills["side"], rows, strict=True)
