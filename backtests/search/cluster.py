"""Doing a sweep's chunks on Dask workers: processes here, or machines of a cluster.

A chunk is a pure function of the plan, the bars and its number, so the table is the same
whatever the number of workers, and a chunk lost with its worker is simply done again.
"""

import functools
import itertools
import logging
import pickle
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import dask
from distributed import Client, Future, LocalCluster, as_completed

from backtests.config.plugins import config_texts, ship
from backtests.search.drive import Driver, Report, chunk_table
from backtests.search.plan import Plan, parsed_plan
from backtests.search.store import Store
from backtests.search.trials.groups import Library, LoadedInputs
from feeds.errors import ConfigError

# Chunks handed out per worker: one running and one waiting, so that none is idle.
IN_FLIGHT: Final = 2
SECONDS_TO_ANSWER: Final = 15
# A worker may be killed for reasons that are not the chunk's: give the chunk many lives.
LIVES: Final = 20

_libraries: dict[str, Library] = {}


@contextmanager
def connect(plan: Plan, *, workers: int = 0, scheduler: str = "") -> Iterator[Driver]:
    """Yield what does chunks on `workers` new processes, or on those of a running scheduler.

    Only this process writes to the folder. Lost workers are survived.

    Raises
    ------
    ConfigError
        If the search cannot be shared, or the scheduler does not answer or has no workers.
    """
    if plan.settings.search == "guided":
        raise ConfigError(
            "`--workers` and `--scheduler` do not fit a guided search, in which each chunk learns "
            "from the one before. Leave them out."
        )
    _hush()
    with _client(workers, scheduler) as client:
        yield functools.partial(_drive, client)


def _drive(client: Client, store: Store, *, library: Library, report: Report) -> None:
    # a task and not scattered data, because what is scattered is lost with its workers
    inputs = client.submit(pickle.loads, pickle.dumps(library.loaded), pure=False)
    plan, own = store.plan.to_toml(), config_texts(store.plan.base)
    missing = store.missing()
    width = IN_FLIGHT * max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
    chunk_of: dict[Future[Any], int] = {}

    def hand_out(count: int) -> list[Future[Any]]:
        handed = []
        for chunk in itertools.islice(missing, count):
            future = client.submit(_chunk, plan, own, inputs, chunk, pure=False)
            chunk_of[future] = chunk
            handed.append(future)
        return handed

    running = as_completed(hand_out(width))
    for future in running:
        table = future.result()
        store.write(chunk_of.pop(future), table)
        report(table.num_rows)
        for handed in hand_out(1):
            running.add(handed)


def _chunk(
    plan_text: str, own: Mapping[str, Mapping[str, str]], inputs: LoadedInputs, chunk: int
) -> Any:
    """Do a chunk on a worker, which keeps what chunks of the same sweep share.

    `own` are the plug-ins by path, each with its files, which need not be there.
    """
    ship(own)
    if plan_text not in _libraries:
        _libraries.clear()
        _libraries[plan_text] = Library(inputs=inputs)
    return chunk_table(parsed_plan(plan_text), chunk, library=_libraries[plan_text])


def _hush() -> None:
    # it tells of every start and end on stderr; a lost worker is no news either
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("distributed", "tornado")):
            logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def _client(workers: int, scheduler: str) -> Iterator[Client]:
    settings = {
        "distributed.scheduler.allowed-failures": LIVES,
        "distributed.comm.timeouts.connect": f"{SECONDS_TO_ANSWER}s",
    }
    with dask.config.set(settings):
        if not scheduler:
            with _local(workers) as cluster, Client(cluster) as client:
                yield client
            return
        try:
            client = Client(scheduler, timeout=SECONDS_TO_ANSWER)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"`--scheduler` does not answer, received {scheduler!r} ({error}). Start one with "
                "`dask scheduler`, and give its address, such as tcp://10.0.0.1:8786."
            ) from error
        with client:
            try:
                client.wait_for_workers(1, timeout=SECONDS_TO_ANSWER)
            except TimeoutError as error:
                raise ConfigError(
                    f"`--scheduler` {scheduler} has no workers. Start some with "
                    f"`dask worker {scheduler}`."
                ) from error
            yield client


def _local(workers: int) -> LocalCluster:
    """Return a cluster of processes here that leave Ctrl-C to this one."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs="CRITICAL",
        )
    finally:
        signal.signal(signal.SIGINT, before)
