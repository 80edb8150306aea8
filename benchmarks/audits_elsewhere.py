"""The zoo of leaks through other packages' audits, where this package is not installed.

PYTHONPATH=. ENVIRONMENT/bin/python benchmarks/audits_elsewhere.py BARS.csv

ENVIRONMENT has nullcheck (0.2.5 was measured), which is called as its README does: `check(function,
bars)`. The archives of temporal-leaks 0.1.0, wheel and source, hold no code; what its README
describes is written out here: noise, sign flips or NaN behind the middle row, and the rows before
it compared. It prints a line for each function.
"""

import sys
from collections.abc import Callable, Iterator

import nullcheck
import numpy as np
import pandas as pd

from tests.leaks import CLEAN, ZOO, Function, merged_on_date

WINDOWS = (2, 5, 10, 20, 60)
THRESHOLD = 1e-8
MODES = ("noise", "sign_flip", "nullify")


def by_nullcheck(function: Function, bars: pd.DataFrame) -> str:
    """Return what nullcheck says of a function."""
    return str(nullcheck.check(function, bars).status)


def by_perturbation(function: Function, bars: pd.DataFrame) -> str:
    """Return what temporal-leaks would say, as its README describes it."""
    middle = len(bars) // 2
    try:
        before = np.asarray(function(bars), np.float64)[: middle + 1]
        found = [
            (np.abs(np.asarray(function(other), np.float64)[: middle + 1] - before) > THRESHOLD)
            for other in _perturbed(bars, middle)
        ]
    except Exception as error:  # noqa: BLE001 (it would end there)
        return f"failed: {type(error).__name__}"
    return "LEAK" if np.any(found) else "CLEAN"


def _perturbed(bars: pd.DataFrame, middle: int) -> Iterator[pd.DataFrame]:
    rng = np.random.default_rng(42)
    for mode in MODES:
        other = bars.copy()
        after = bars.to_numpy()[middle + 1 :]
        noise = rng.normal(0, 2 * bars.std().to_numpy(), after.shape)
        changed = {"noise": after + noise, "sign_flip": -after, "nullify": after * np.nan}
        other.iloc[middle + 1 :] = changed[mode]
        yield other


def clean_functions() -> Iterator[tuple[str, Function]]:
    """Yield every clean function at several windows."""
    for function in CLEAN:
        for window in WINDOWS:
            yield f"clean {function.__name__} {window}", _with(function, window)


def _with(function: Callable[..., pd.Series], window: int) -> Function:
    def called(bars: pd.DataFrame) -> pd.Series:
        return function(bars, window=window)

    return called


def main() -> None:
    bars = pd.read_csv(sys.argv[1], index_col=0, parse_dates=True)
    own = [(one.name, one.function) for one in ZOO]
    for name, function in (*own, ("merge on date", merged_on_date), *clean_functions()):
        print(name, by_nullcheck(function, bars), by_perturbation(function, bars), sep=" | ")


if __name__ == "__main__":
    main()
