"""What bounds a sweep of each kind: its rate beside the plain rule's, and counts of its work.

python -m benchmarks.work [--data-dir DIR] [--write]

Real daily bars, but for the last row, whose coins are simulated. Rates are trials per second of one
core's processor time, with all that does not depend on the trial remembered but for the row of
filters' settings, which computes every gate anew. The plain rule is measured again before each
kind, because other work on the machine slows both.
`--write` keeps the table for docs/speed.md.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from backtests.config.config import Config, load_config
from backtests.search.parameter_space import Column, Columns
from backtests.search.trials import evaluate as module
from backtests.search.trials.evaluate import evaluate
from backtests.search.trials.kernel import FIGURES
from backtests.search.trials.path_pool import PathPool
from backtests.search.trials.position_paths import COLUMNS, TAKEN, Paths
from backtests.search.trials.trial_library import Library
from benchmarks import universe
from benchmarks.kept import PLAIN_BESIDE, ROOT, keep
from benchmarks.sweep import HOLD_DAYS, LOOKBACKS, grid

TREND = {"filters.index_trend.window": 200}
EXIT = TREND | {"filters.index_trend.on_exit": True}
UPKEEP = {"size.mode": "vol_target", "size.rebalance_threshold": 0.05}
KINDS: dict[str, dict[str, Any]] = {
    "a coin, all in or out": {},
    "entry filter": TREND,
    "entry and exit filter": EXIT,
    "half of equity, cash earns 4 %": {"size.fraction": 0.5, "costs.cash_rate": 0.04},
    "at most 60 % of equity": {"size.max_weight": 0.6},
    "filters, half of equity, cash earns": EXIT | {"size.fraction": 0.5, "costs.cash_rate": 0.04},
    "BTC while the signal is off": {"idle.asset": "BTC"},
    "vol target": {"size.mode": "vol_target"},
    "in over ten days": {"size.scale_in_days": 10},
    "vol target, kept within 5 %": UPKEEP,
    "12 altcoins, monthly": {"asset": "ALTS"},
    "12 altcoins or BTC, kept within 5 %": {
        "asset": "ALTS",
        "idle.asset": "BTC",
        "size.rebalance_threshold": 0.05,
    },
}
SETTINGS = {
    "filters.vix.level": tuple(15 + 0.5 * step for step in range(40)),
    "filters.index_trend.window": tuple(range(20, 260, 20)),
    "rules.hold_days": tuple(range(1, 181, 3)),
}
TRIALS = 500_000
FEWER = 20_000  # of the basket of many coins
ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--write", action="store_true", help="keep the table")
    options = parser.parse_args()
    plain = config_of({}, options.data_dir)
    found = [
        *(kind_row(name, config_of(own, options.data_dir), plain) for name, own in KINDS.items()),
        settings_row(config_of(TREND | {"filters.vix.level": 25.0}, options.data_dir), plain),
        universe_row(plain),
    ]
    text = "\n".join(
        [
            "| sweep of | per second of a core | plain rule beside it | events | trades "
            "| bytes per span | paths laid | rows laid | whole accounts |",
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
            *(row(each) for each in found),
            "",
            f"Medians of {ROUNDS} rounds, load {os.getloadavg()[0]:.1f}; events and trades per "
            f"trial; paths, rows and accounts of all its trials ({TRIALS:,} where none are named).",
            "",
        ]
    )
    print(text, end="")
    if options.write:
        beside = {each.key + PLAIN_BESIDE: each.pace for each in found}
        keep("work", text, {each.key: each.own for each in found} | beside)


def config_of(own: dict[str, Any], data_dir: Path) -> Config:
    files = {"data.source": "files", "data.data_dir": str(data_dir)}
    return load_config(None, flags={"asset": "ETH"} | own | files)


class Measured(NamedTuple):
    """A kind of sweep: its rate, the plain rule's beside it, and its work."""

    key: str
    name: str
    own: float
    pace: float
    work: "Counts"


def kind_row(name: str, config: Config, plain: Config) -> Measured:
    columns = drawn(grid({"signal.lookback": LOOKBACKS, "rules.hold_days": HOLD_DAYS}))
    library, beside = Library(), Library()
    evaluate(config, columns, library=library)
    evaluate(plain, columns, library=beside)
    pace = rate(lambda: evaluate(plain, columns, library=beside))
    own = rate(lambda: evaluate_anew(config, columns, library))
    return Measured(name, name, own, pace, counts(config, columns, library))


def settings_row(config: Config, plain: Config) -> Measured:
    """Return the row of a sweep over two filters' own settings, every gate computed anew."""
    columns = grid(SETTINGS)
    loaded = Library()
    evaluate(config, columns, library=loaded)
    days = drawn(grid({"rules.hold_days": SETTINGS["rules.hold_days"]}))
    pace = rate(lambda: evaluate(plain, days, library=loaded))
    trials = columns["rules.hold_days"].codes.size
    own = rate(lambda: evaluate(config, columns, library=Library(inputs=loaded.loaded)), trials)
    name = f"40 levels x 12 windows of two filters, {trials:,} trials"
    return Measured("filters' own settings", name, own, pace, counts(config, columns, loaded))


def universe_row(plain: Config) -> Measured:
    """Return the row of the most traded of simulated coins, chosen anew each month."""
    columns = drawn(grid({"signal.lookback": LOOKBACKS, "rules.hold_days": HOLD_DAYS}))
    some = {key: Column(each.values, each.codes[:FEWER]) for key, each in columns.items()}
    with tempfile.TemporaryDirectory() as folder:
        universe.fill(Path(folder))
        cache = {"data.offline": True, "data.cache_dir": folder}
        config, library, beside = (
            load_config(None, flags={"asset": "ALTS"} | cache),
            Library(),
            Library(),
        )
        evaluate(config, some, library=library)
    evaluate(plain, columns, library=beside)
    pace = rate(lambda: evaluate(plain, columns, library=beside))
    own = rate(lambda: evaluate_anew(config, some, library), FEWER)
    name = f"the {config.basket.top} most traded of {universe.PAIRS} coins, {FEWER:,} trials"
    return Measured("basket of 600 coins", name, own, pace, counts(config, some, library))


def drawn(columns: Columns) -> Columns:
    size = next(iter(columns.values())).codes.size
    chosen = np.random.default_rng(0).integers(0, size, TRIALS)
    return {key: Column(column.values, column.codes[chosen]) for key, column in columns.items()}


def evaluate_anew(config: Config, columns: Columns, library: Library) -> None:
    """Do a sweep that finds no path laid by the one before."""
    library.paths = PathPool()
    evaluate(config, columns, library=library)


def rate(work: Callable[[], object], trials: int = TRIALS) -> float:
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return trials / statistics.median(taken)


class Counts(NamedTuple):
    """The work of a sweep: per trial, but for `paths`, `rows` and `accounts`."""

    events: float
    trades: float
    paths: int
    rows: int
    accounts: int


def counts(config: Config, columns: Columns, library: Library) -> Counts:
    """Do a sweep once more, and count."""
    fresh, seen = Library(inputs=library.loaded), list[Paths]()
    left: list[int] = []
    give_back, look_up = fresh.paths.give_back, module._look_up

    def spied(positions: Any, paths: Paths) -> None:
        seen.append(paths)
        give_back(positions, paths)

    def counted(*given: Any) -> Any:
        rows = look_up(*given)
        left.append(rows.size)
        return rows

    fresh.paths.give_back, module._look_up = spied, counted  # type: ignore[method-assign]
    try:
        found = evaluate(config, columns, library=fresh)
    finally:
        module._look_up = look_up
    return Counts(
        events=library.group(config).bar.size,
        trades=float(np.mean(found.figures[:, FIGURES.index("trades")])),
        paths=sum(int((paths.places[:, 0] >= 0).sum()) for paths in seen),
        rows=sum(int(paths.state[TAKEN]) for paths in seen),
        accounts=sum(left),
    )


def row(each: Measured) -> str:
    # of a path 14 numbers of a row; of prices 9 at both ends of a span, and two of the table's
    work = each.work
    per_span = 8 * (COLUMNS - 5) if work.paths else 8 * 2 * (9 + 3)
    return (
        f"| {each.name} | {each.own:,.0f} | {each.pace:,.0f} | {work.events:,.0f} "
        f"| {work.trades:.0f} | {per_span} | {work.paths:,} | {work.rows:,} | {work.accounts:,} |"
    )


if __name__ == "__main__":
    main()
