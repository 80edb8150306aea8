"""Memory bounds, by a limit on the process: one that needs more dies of it."""

import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = """
import resource

def data() -> int:
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmData"))

def limit(kilobytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (1024 * kilobytes, resource.RLIM_INFINITY))

def dies(work, *given) -> bool:
    try:
        work(*given)
    except MemoryError:
        return True
    return False
"""

# Do a sweep of made-up figures; under a limit one of ten times the trials, and one that hoards.
BEST = """
import os, tempfile
os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
from pathlib import Path
import numpy as np
from backtests.search import run_chunks, parameter_surface
from backtests.search.plan import load_plan
from backtests.search.store import create
from backtests.search.trials.evaluate import Evaluated
from backtests.search.trials.kernel import FIGURES

held, hoards = [], False

def made_up(base, columns, *, library):
    count = columns["rules.hold_days"].codes.size
    figures = np.random.default_rng(count).normal(size=(count, len(FIGURES)))
    if hoards:
        held.append(figures)
    return Evaluated(figures, [None] * count)

def sweep(thousands):
    axes = ["sweep.rules.hold_days={from=1,to=1000,step=1}"]
    axes += [f"sweep.costs.slippage_bps={{from=0.0,to=50.0,count={thousands}}}"]
    with tempfile.TemporaryDirectory() as folder:
        store = create(Path(folder), load_plan(None, overrides=["sweep.keep=best", *axes]), bars=())
        run_chunks.drive(store, library=None, report=lambda _: None, threads=1)
        assert store.total().trials == 1000 * thousands
        parameter_surface.surface(store)

run_chunks.evaluate = made_up
parameter_surface.MOST_TRIALS = 20_000
sweep(100)
limit(data() + 16_000)  # the figures of 900,000 more trials are 79 MB
sweep(1_000)
print("done")
hoards = True
print("dies" if dies(sweep, 1_000) else "lives")
"""

# Do a sweep of a basket of many coins under a limit per coin and bar, and under a lower one.
COINS = """
import numpy as np
from backtests.config.config import load_config
from backtests.market.inputs import Inputs
from backtests.search.parameter_space import Column
from backtests.search.trials.evaluate import evaluate
from backtests.search.trials.trial_library import Library
from tests.markets import coin_bars, index_walk

COINS, DAYS, PATHS = 200, 600, 41_000
index = index_walk(1_100, seed=1, end="2022-07-01")

def sweep(count):
    noise = np.random.default_rng(2)
    names = [f"C{number:03d}" for number in range(count)]
    coins = tuple(coin_bars(n, noise.normal(0, 0.03, DAYS), first="2019-11-01") for n in names)
    config = load_config(None, flags={"asset": "ALTS", "basket.members": names})
    columns = {
        "signal.lookback": Column((20, 63), np.repeat([0, 1], 20)),
        "rules.hold_days": Column(tuple(range(1, 21)), np.tile(np.arange(20), 2)),
    }
    found = evaluate(config, columns, library=Library(load=lambda _: Inputs(index, coins)))
    if found.failures != [None] * 40:
        raise MemoryError(found.failures[0])

sweep(10)  # what does not depend on the coins
before = data() + PATHS
limit(before + COINS * DAYS * 300 // 1024)  # a table of all by all for each bar would be 1,600
sweep(COINS)
print("done")
limit(before + COINS * DAYS * 100 // 1024)
print("dies" if dies(sweep, COINS) else "lives")
"""


def under_limit(program: str) -> list[str]:
    """Return what the program says it could do."""
    done = subprocess.run(
        [sys.executable, "-c", SUPPORT + program],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux says how much a process holds"
)


def test_best_kept_take_no_more_memory_for_ten_times_the_trials() -> None:
    assert under_limit(BEST) == ["done", "dies"]


def test_baskets_take_memory_in_proportion_to_their_coins() -> None:
    assert under_limit(COINS) == ["done", "dies"]
