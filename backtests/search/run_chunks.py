"""Doing a sweep's missing chunks: on threads here, or on the workers of a cluster."""

import contextlib
import math
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Final, Protocol

import optuna
import pyarrow as pa
import pyarrow.parquet as pq

from backtests.search.chunk_summary import Tally
from backtests.search.parameter_space import Axis, Choice, Columns, column_of
from backtests.search.parameter_surface import spacing
from backtests.search.plan import Plan
from backtests.search.rows import BestRows, table_of
from backtests.search.store import Store
from backtests.search.trials.evaluate import Evaluated, evaluate
from backtests.search.trials.trial_library import Library
from feeds.commands import progress_bar

Report = Callable[[int], None]


class Driver(Protocol):
    """What does all missing chunks of a store."""

    def __call__(self, store: Store, *, library: Library, report: Report) -> None:
        """Do them, reporting how many trials are done at a time."""


# Chunks in flight per thread: one running, and none waiting, so that memory stays constant.
IN_FLIGHT: Final = 1


def chunk_table(
    plan: Plan, chunk: int, *, library: Library, report: Report = lambda _: None
) -> pa.Table:
    """Return a chunk's rows, the same wherever and whenever they are computed.

    What its trials amount to is in the table's metadata.
    """
    if plan.settings.keep == "best":
        return _best_table(plan, chunk, library=library, report=report)
    columns = plan.columns(chunk)
    evaluated = evaluate(plan.base, columns, library=library)
    table = _whole_table(plan, chunk, columns, evaluated)
    report(table.num_rows)
    return table


def _whole_table(plan: Plan, chunk: int, columns: Columns, evaluated: Evaluated) -> pa.Table:
    first, _ = plan.bounds(chunk)
    tally = Tally(plan, first=first)
    tally.add(first, columns, evaluated)
    table = table_of(plan, chunk, columns, evaluated)
    return table.replace_schema_metadata(tally.metadata())


def _best_table(plan: Plan, chunk: int, *, library: Library, report: Report) -> pa.Table:
    """Return the best rows of a chunk, batch by batch: none is held but the one being done."""
    first, _ = plan.bounds(chunk)
    tally, best = Tally(plan, first=first, every=spacing(plan.trials)), BestRows(plan)
    for batch in plan.batches(chunk):
        columns = plan.columns(batch)
        evaluated = evaluate(plan.base, columns, library=library)
        tally.add(first, columns, evaluated)
        best.add(first, columns, evaluated.figures)
        first += len(evaluated.figures)
        report(len(evaluated.figures))
    return best.table().replace_schema_metadata(tally.metadata())


def drive(store: Store, *, library: Library, report: Report, threads: int | None = None) -> None:
    """Do all missing chunks on threads; the kernel leaves the interpreter to the others."""
    if store.plan.settings.search == "guided":
        drive_guided(store, library=library, report=report)
        return
    is_stopped = threading.Event()

    def told(count: int) -> None:
        if is_stopped.is_set():
            raise _StoppedError  # a chunk may take long, and nobody waits for it any more
        report(count)

    def do(chunk: int) -> None:
        store.write(chunk, chunk_table(store.plan, chunk, library=library, report=told))

    workers = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        try:
            _do_each(store.missing(), lambda chunk: pool.submit(do, chunk), workers * IN_FLIGHT)
        except BaseException:
            is_stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _do_each(chunks: Iterable[int], submit: Callable[[int], Future[None]], most: int) -> None:
    """Do the chunks, so many at once."""
    running: set[Future[None]] = set()
    for chunk in chunks:
        if len(running) >= most:
            running = _some_done(running)
        running.add(submit(chunk))
    while running:
        running = _some_done(running)


class _StoppedError(Exception):
    """The chunk in flight is not wanted any more."""


def _some_done(running: "set[Future[None]]") -> "set[Future[None]]":
    finished, rest = wait(running, return_when=FIRST_COMPLETED)
    for future in finished:
        future.result()
    return rest


@contextlib.contextmanager
def progress(plan: Plan, *, done: int, quiet: bool) -> Iterator[Report]:
    """Yield a function to report finished trials to; it shows rate and time left to a watcher."""
    with progress_bar(quiet=quiet) as bar:
        task = bar.add_task("", total=plan.trials, completed=done)
        yield lambda count: bar.advance(task, count)


def drive_guided(store: Store, *, library: Library, report: Any) -> None:
    """Do the chunks one after another; those already saved are told again, in order.

    So a sweep that was stopped goes on exactly as if it had not been.
    """
    plan = store.plan
    study = _study(plan)
    for chunk in range(plan.chunks):
        first, stop = plan.bounds(chunk)
        asked = [study.ask(_distributions(plan)) for _ in range(stop - first)]
        if store.path(chunk).exists():
            column = pq.read_table(store.path(chunk), columns=[plan.settings.objective])
            told = column.column(0).to_pylist()
        else:
            columns = _columns(plan, asked)
            evaluated = evaluate(plan.base, columns, library=library)
            table = _whole_table(plan, chunk, columns, evaluated)
            store.write(chunk, table)
            told = table.column(plan.settings.objective).to_pylist()
            report(table.num_rows)
        for trial, value in zip(asked, told, strict=True):
            known = value is not None and math.isfinite(value)
            state = optuna.trial.TrialState.COMPLETE if known else optuna.trial.TrialState.FAIL
            study.tell(trial, value if known else None, state=state)


def _study(plan: Plan) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        # multivariate sampling is marked experimental; settings do depend on each other
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=plan.settings.seed, multivariate=True, constant_liar=True
        )
    return optuna.create_study(direction="maximize", sampler=sampler)


def _distributions(plan: Plan) -> dict[str, optuna.distributions.BaseDistribution]:
    return {one.key: _distribution(one) for one in plan.axes}


def _distribution(one: Axis) -> optuna.distributions.BaseDistribution:
    if isinstance(one, Choice):
        ordered = all(isinstance(value, int | float) for value in one.values)
        places = range(len(one.values))
        if ordered and list(one.values) == sorted(one.values):
            return optuna.distributions.IntDistribution(0, len(one.values) - 1)
        return optuna.distributions.CategoricalDistribution(list(places))
    if one.whole:
        return optuna.distributions.IntDistribution(int(one.low), int(one.high), log=one.log)
    return optuna.distributions.FloatDistribution(one.low, one.high, log=one.log)


def _columns(plan: Plan, asked: list[optuna.Trial]) -> Columns:
    taken = {one.key: [_value(one, trial.params[one.key]) for trial in asked] for one in plan.axes}
    return {key: column_of(values) for key, values in taken.items()}


def _value(one: Axis, drawn: Any) -> Any:
    return one.values[drawn] if isinstance(one, Choice) else drawn
