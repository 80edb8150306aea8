"""Sweep settings: python -m backtests.sweep --asset ETH --config configs/sweeps/eth.toml."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from backtests.options import Parser, add_run_options, flags, run_command

if TYPE_CHECKING:
    from backtests.sweep.judge import Judgement
    from backtests.sweep.store import Store

EXAMPLES = """\
  python -m backtests.sweep --asset ETH --config configs/sweeps/eth.toml
  python -m backtests.sweep --config configs/sweeps/eth.toml --set sweep.search=random
  python -m backtests.sweep --resume results/20260101T000000Z-sweep-ETH-1a2b3c4d
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, do every missing trial, print the best rows; return the exit code."""
    return run_command(_work, arguments)


def _parser() -> Parser:
    parser = Parser(
        prog="python -m backtests.sweep",
        description="Try many settings: the grid, random draws or a guided search over the "
        "[sweep] table of a config; leave a table with a row a trial.",
        examples=EXAMPLES,
    )
    add_run_options(parser)
    group = parser.add_argument_group("how to sweep")
    group.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with a stopped sweep")
    group.add_argument("--threads", type=int, metavar="N", help="default: one a processor")
    group.add_argument("--workers", type=int, metavar="N", help="use N processes instead")
    group.add_argument("--scheduler", metavar="ADDRESS", help="use a Dask cluster: tcp://...")
    return parser


def _work(arguments: Sequence[str] | None) -> None:
    options = _parser().parse_args(arguments)
    # before arrow is loaded: its own pool keeps what is freed, which numpy could use again
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

    from backtests.sweep.sheet import sheet

    store, judgement = _swept(options)
    (store.folder / "sheet.html").write_text(sheet(store, judgement), encoding="utf-8")
    _show(store, judgement)


def _swept(options: argparse.Namespace) -> "tuple[Store, Judgement | None]":
    """Do and judge all trials; what was loaded and remembered for it goes when this returns."""
    from backtests.format import as_json
    from backtests.report.folder import require_writable
    from backtests.sweep.drive import drive, load_bars, progress
    from backtests.sweep.groups import Library
    from backtests.sweep.judge import judge
    from backtests.sweep.plan import load_plan
    from backtests.sweep.store import create, open_store, require_same_bars

    library = Library()
    if options.resume:
        store = open_store(options.resume)
        require_same_bars(store, load_bars(store.plan, library))
    else:
        plan = load_plan(options.config, overrides=options.set, flags=flags(options))
        require_writable(options.out)
        store = create(options.out, plan, digests=load_bars(plan, library))
    left = sum(_size(store, chunk) for chunk in store.missing())
    with progress(store.plan, done=store.plan.trials - left, quiet=options.quiet) as report:
        if options.workers or options.scheduler:
            from backtests.sweep.cluster import drive_cluster

            address, count = options.scheduler or "", options.workers or 0
            drive_cluster(store, library=library, report=report, workers=count, scheduler=address)
        else:
            drive(store, library=library, report=report, threads=options.threads)
    judgement = judge(store, library=library)
    if judgement is not None:
        text = as_json(judgement.plain())
        (store.folder / "overfitting.json").write_text(text, encoding="utf-8")
    return store, judgement


def _size(store: "Store", chunk: int) -> int:
    first, stop = store.plan.bounds(chunk)
    return stop - first


def _show(store: "Store", judgement: "Judgement | None") -> None:
    from backtests.sweep.judgement import UNJUDGED

    objective = store.plan.settings.objective
    failures = store.failures()
    best = store.best(objective, count=5)
    shown = dict.fromkeys(["trial", *store.plan.keys, objective, "cagr", "max_drawdown", "trades"])
    lines = [
        f"{store.plan.trials:,} trials, {sum(failures.values()):,} failed. "
        f"The best by {objective}:",
        best[list(shown)].to_string(index=False),
        *(f"{count:,} failed: {reason}" for reason, count in failures.items()),
        *(judgement.lines() if judgement else [UNJUDGED]),
        f"All trials: {store.folder}; the sheet: {store.folder / 'sheet.html'}",
    ]
    print("\n".join(lines))  # noqa: T201 (a command speaks to its user)


if __name__ == "__main__":
    sys.exit(main())
