"""What the audit finds, how often it is wrong, and what it and plug-ins cost.

python -m benchmarks.audits

Our column of the table in docs/audit.md, and seconds: the audit of a default config on 4,000
bars, what `--plugin` adds to a run, and the rate of an own signal in a sweep beside the built-in.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from backtests.config.config import Config, load_config
from backtests.lookahead_audit import audit_of
from backtests.market.altered_inputs import asked_of_own
from backtests.market.inputs import Inputs
from backtests.market.lookahead import THOROUGH, look_at
from backtests.search.plan import load_plan
from backtests.search.trials.evaluate import evaluate
from backtests.search.trials.trial_library import Library
from benchmarks.engine import made_bars, seconds
from strategies import decorators
from tests.leaks import CLEAN, ZOO
from tests.markets import coin_walk, index_walk

ROUNDS = 5
WINDOWS = (2, 5, 10, 20, 60)
SIGNAL = """
from backtests import signal

@signal("own_high")
def own_high(index, *, sessions: int = 252):
    return index["close"] > index["close"].shift(1).rolling(sessions).max()
"""


def look(config: Config, inputs: Inputs) -> str:
    """Return what a thorough look says of the config's own signal."""
    (asked,) = asked_of_own(config, inputs)
    leaks = look_at(asked, cuts=THOROUGH).leaks
    return leaks[0].text if leaks else "nothing"


def show_zoo(inputs: Inputs) -> None:
    """Print what is found of each leak, and how often a clean signal is called one."""
    for specimen in ZOO:
        decorators.signal("specimen")(specimen.function)
        print(f"{specimen.name:32}{look(load_config(None, trigger='specimen'), inputs)}")
    alarms = 0
    for function in CLEAN:
        decorators.signal("specimen")(function)
        for window in WINDOWS:
            own = {"specimen": {"window": window}}
            config = load_config(None, trigger="specimen", signal=own)
            alarms += look(config, inputs) != "nothing"
    print(f"false alarms                    {alarms} of {len(CLEAN) * len(WINDOWS)}")


def show_audit() -> None:
    """Print how long the audit of a default config takes on 4,000 bars."""
    index, coin = made_bars()
    inputs, config = Inputs(index, (coin,)), load_config(None, asset="BTC")
    audit_of(config, inputs)  # compiled
    print(f"audit, 4,000 bars               {seconds(lambda: audit_of(config, inputs)):.1f} s")


def show_run(folder: Path, plugin: Path) -> None:
    """Print what a plug-in adds to a run, medians of alternating runs."""

    def command(*more: str) -> float:
        given = ("--source", "sample", "--out", str(folder / "out"), "--quiet", *more)
        call = [sys.executable, "-m", "backtests.run", *given]
        return seconds(lambda: subprocess.run(call, check=True, capture_output=True))

    built_in, own = ("--set", "rules.trigger=new_high"), ("--set", "rules.trigger=own_high")
    pairs = [(command(*built_in), command(*own, "--plugin", str(plugin))) for _ in range(ROUNDS)]
    plain, added = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"run                             {plain:.2f} s")
    print(f"run with --plugin               {added:.2f} s, {added - plain:+.2f} s")


def show_sweep(folder: Path, plugin: Path) -> None:
    """Print the rate of trials with an own signal and with the same built in."""
    index, coin = made_bars()
    rates = {}
    for trigger, key in (("new_high", "lookback"), ("own_high", "own_high.sessions")):
        file = folder / f"{trigger}.toml"
        file.write_text(
            f'asset = "BTC"\nplugins = ["{plugin}"]\n[rules]\ntrigger = "{trigger}"\n'
            "exit_on_support_lost = false\n[sweep]\nchunk = 50000\n"
            f'"signal.{key}" = {{from = 20, to = 500, step = 20}}\n'
            '"rules.hold_days" = {from = 1, to = 200, step = 1}\n'
            '"rules.stop_loss" = {from = 0.0, to = 0.45, step = 0.05}\n'
        )
        plan = load_plan(file)
        taken = []
        for _ in range(3):
            library = Library(load=lambda _: Inputs(index, (coin,)))
            columns = plan.columns(0)
            taken.append(seconds(lambda: evaluate(plan.base, columns, library=library)))  # noqa: B023
        rates[trigger] = plan.trials / min(taken)
    own, built_in = rates["own_high"], rates["new_high"]
    print(f"sweep, built in                 {built_in:,.0f} trials/s")
    print(f"sweep, own signal               {own:,.0f} trials/s, {own / built_in:.2f} of it")


def main() -> None:
    np.seterr(all="ignore")
    coin = coin_walk(800, seed=22, start="2018-10-24")
    show_zoo(Inputs(index_walk(600, seed=21), (coin,)))
    show_audit()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plugin = folder / "my_rules.py"
        plugin.write_text(SIGNAL)
        show_run(folder, plugin)
        show_sweep(folder, plugin)


if __name__ == "__main__":
    main()
