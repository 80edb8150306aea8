"""Sweep settings: python -m backtests.sweep --asset ETH --config configs/sweeps/eth.toml."""

import argparse
import contextlib
import ctypes
import functools
import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from backtests.options import (
    RESULTS,
    Parser,
    add_run_options,
    count,
    flags,
    given_path,
    run_command,
)
from feeds.commands import complain
from feeds.errors import ConfigError

if TYPE_CHECKING:
    from backtests.search.bars_used import UsedBars
    from backtests.search.judging.judge import Judgement
    from backtests.search.plan import Plan
    from backtests.search.run_chunks import Driver
    from backtests.search.store import Store
    from backtests.search.trials.trial_library import Library

EXAMPLES = """\
  python -m backtests.sweep --asset ETH --config configs/sweeps/eth.toml
  python -m backtests.sweep --config configs/sweeps/eth.toml --set sweep.search=random
  python -m backtests.sweep --config configs/sweeps/million.toml --set sweep.keep=best
  python -m backtests.sweep --resume results/20260101T000000Z-sweep-ETH-1a2b3c4d
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, do every missing trial, print the best rows; return the exit code."""
    return run_command(_work, arguments)


def command_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="python -m backtests.sweep",
        description="Try many settings: the grid, random draws or a guided search over the "
        "[sweep] table of a config; leave a table with a row per trial, or with the best rows "
        "alone (sweep.keep=best).",
        examples=EXAMPLES,
    )
    add_run_options(parser)
    group = parser.add_argument_group("how to sweep")
    group.add_argument(
        "--resume", type=given_path, metavar="FOLDER", help="go on with a stopped sweep"
    )
    group.add_argument("--threads", type=count, metavar="N", help="default: one a processor")
    group.add_argument("--workers", type=count, metavar="N", help="use N processes instead")
    group.add_argument("--scheduler", metavar="ADDRESS", help="use a Dask cluster: tls://...")
    _add_access(parser.add_argument_group("how to reach a scheduler"))
    return parser


def _add_access(group: "argparse._ArgumentGroup") -> None:
    pem: dict[str, Any] = {"type": given_path, "metavar": "FILE"}
    group.add_argument("--tls-ca", **pem, help="the cluster's certificate authority, in PEM")
    group.add_argument("--tls-cert", **pem, help="a certificate it signed")
    group.add_argument("--tls-key", **pem, help="its key, unless in the same file")
    group.add_argument(
        "--insecure", action="store_true", help="allow a scheduler elsewhere without TLS"
    )


def _work(arguments: Sequence[str] | None) -> int:
    options = command_parser().parse_args(arguments)
    _require_fitting(options)
    # before arrow is loaded: its own pool keeps what is freed, which numpy could use again
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

    from backtests.config.plugins import pin_plugins
    from backtests.report.save_search import write_judged
    from backtests.report.terminal.search import sweep_summary
    from feeds.commands import steps

    store, judgement, used = _swept(options)
    with pin_plugins(store.plan.base), steps(quiet=options.quiet) as step:
        step("drawing the sheet")
        write_judged(store, judgement, used)
    print(sweep_summary(store, judgement, used))  # noqa: T201 (a command speaks to its user)
    return 2 if sum(store.failures().values()) == store.plan.trials else 0


def _require_fitting(options: argparse.Namespace) -> None:
    given = [key for key, value in flags(options).items() if value is not None]
    given += ["out"] * (options.out != RESULTS)
    if options.resume and (options.config or options.set or given):
        raise ConfigError("`--resume` takes its whole plan from the folder. Leave others out.")
    if options.scheduler == "":
        raise ConfigError("`--scheduler` must be an address such as tcp://10.0.0.1:8786.")
    if options.workers and options.scheduler:
        raise ConfigError(
            "`--workers` starts processes here and `--scheduler` uses those of a cluster. "
            "Leave one out."
        )
    reached = [options.tls_ca, options.tls_cert, options.tls_key, options.insecure]
    if any(reached) and not options.scheduler:
        raise ConfigError(
            "`--tls-ca`, `--tls-cert`, `--tls-key` and `--insecure` say how to reach a "
            "`--scheduler`. Give its address too, or leave them out."
        )
    if options.threads and (options.workers or options.scheduler):
        raise ConfigError("`--threads` does not fit `--workers` or `--scheduler`. Leave it out.")


def _swept(options: argparse.Namespace) -> "tuple[Store, Judgement | None, UsedBars]":
    """Do and judge all trials; what was loaded and remembered for it goes when this returns."""
    from backtests.config.plugins import pin_plugins
    from backtests.records.atomic_writing import require_writable
    from backtests.search.bars_used import used_bars
    from backtests.search.judging.judge import judge
    from backtests.search.plan import load_plan
    from backtests.search.store import create, open_store, require_same_bars
    from backtests.search.trials.trial_library import Library
    from feeds.commands import steps

    library = Library()
    resumed = open_store(options.resume) if options.resume else None
    if resumed is not None:
        resumed.require_whole()
        plan, used = resumed.plan, used_bars(resumed.plan, library)
        require_same_bars(resumed, used.bars)
    else:
        plan = load_plan(options.config, overrides=options.set, flags=flags(options))
        require_writable(options.out)
        used = used_bars(plan, library)
    with pin_plugins(plan.base), _driver(options, plan) as drive:
        store = resumed or create(options.out, plan, bars=used.bars, warnings=used.warnings)
        _drive(drive, store, library, quiet=options.quiet)
    # what was remembered for the trials makes room for the accounts that judge them
    library = Library(inputs=library.loaded)
    _return_memory()
    with pin_plugins(plan.base), steps(quiet=options.quiet) as step:
        step("judging the best of them")
        judgement = judge(store, library=library)
    return store, judgement, used


def _return_memory() -> None:
    """Give what is free back to the system; threads' own pools would keep it from this one."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # not every system's library can
        ctypes.CDLL(None).malloc_trim(0)


def _driver(
    options: argparse.Namespace, plan: "Plan"
) -> "contextlib.AbstractContextManager[Driver]":
    """Return what does the chunks: threads here, or the workers of a cluster."""
    if options.workers or options.scheduler:
        from backtests.search.cluster import ClusterAccess, connect

        files = (options.tls_ca, options.tls_cert, options.tls_key)
        access = ClusterAccess(options.scheduler, *files, insecure=options.insecure)
        return connect(
            plan, workers=options.workers or 0, access=access if options.scheduler else None
        )
    from backtests.search.run_chunks import drive

    return contextlib.nullcontext(functools.partial(drive, threads=options.threads))


def _drive(drive: "Driver", store: "Store", library: "Library", *, quiet: bool) -> None:
    from backtests.search.run_chunks import progress

    sizes = (stop - first for first, stop in map(store.plan.bounds, store.missing()))
    try:
        with progress(store.plan, done=store.plan.trials - sum(sizes), quiet=quiet) as report:
            drive(store, library=library, report=report)
    except KeyboardInterrupt:
        complain(
            f"stopped: {len(store.done())} of {store.plan.chunks} chunks are saved; go on with "
            f"--resume {store.folder}"
        )
        raise


if __name__ == "__main__":
    sys.exit(main())
