"""Doing a sweep's missing chunks: on threads here, or on the workers of a cluster."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final, Protocol

import pyarrow as pa

from backtests.sweep.plan import Plan
from backtests.sweep.store import Store, table_of
from backtests.sweep.trials.evaluate import evaluate
from backtests.sweep.trials.groups import Library

Report = Callable[[int], None]


class Driver(Protocol):
    """What does all missing chunks of a store."""

    def __call__(self, store: Store, *, library: Library, report: Report) -> None:
        """Do them, reporting how many trials are done at a time."""


# Chunks in flight per thread: one running, and none waiting, so that memory stays constant.
IN_FLIGHT: Final = 1


def chunk_table(plan: Plan, chunk: int, *, library: Library) -> pa.Table:
    """Return a chunk's rows, the same wherever and whenever they are computed."""
    columns = plan.columns(chunk)
    return table_of(plan, chunk, columns, evaluate(plan.base, columns, library=library))


def drive(store: Store, *, library: Library, report: Report, threads: int | None = None) -> None:
    """Do all missing chunks on threads; the kernel leaves the interpreter to the others."""
    if store.plan.settings.search == "guided":
        from backtests.sweep.guided import drive_guided

        drive_guided(store, library=library, report=report)
        return

    def done(chunk: int) -> int:
        table = chunk_table(store.plan, chunk, library=library)
        store.write(chunk, table)
        return int(table.num_rows)

    workers = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        running: set[Future[int]] = set()
        try:
            for chunk in store.missing():
                if len(running) >= workers * IN_FLIGHT:
                    running = _some_done(running, report)
                running.add(pool.submit(done, chunk))
            while running:
                running = _some_done(running, report)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _some_done(running: "set[Future[int]]", report: Report) -> "set[Future[int]]":
    finished, rest = wait(running, return_when=FIRST_COMPLETED)
    for future in finished:
        report(future.result())
    return rest


@contextlib.contextmanager
def progress(plan: Plan, *, done: int, quiet: bool) -> Iterator[Report]:
    """Yield a function to report finished trials to; it shows rate and time left to a watcher."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            rate = f"{task.speed:,.0f}" if task.speed else "-"
            return Text(f"{task.completed:,.0f} of {task.total:,.0f}, {rate} a second")

    columns = (BarColumn(bar_width=20), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=plan.trials, completed=done)
        yield lambda count: bar.advance(task, count)
