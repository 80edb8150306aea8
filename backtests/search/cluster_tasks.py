"""Handing a sweep's chunks out to Dask workers, and taking their files back.

A task is some chunks, so many that it takes about half a second: less is lost between
tasks, and latency hides behind the one that waits. Towards the end tasks become smaller,
and what a slow worker still holds is done again by one that answers.
"""

import hashlib
import pickle
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import Any, Final

from distributed import Client, Future, KilledWorker, as_completed, get_worker

from backtests.config.plugins import config_texts, ship
from backtests.search.cluster_workers import Crew, code_digest
from backtests.search.plan import Plan, parsed_plan
from backtests.search.rows import parquet_of
from backtests.search.run_chunks import Report, chunk_table
from backtests.search.store import Store
from backtests.search.trials.trial_library import Library

# Tasks per thread of a worker: one running and one waiting, so that none is idle.
TASKS_PER_THREAD: Final = 2
SECONDS_PER_TASK: Final = 0.5
# Chunks in flight in all, so that files waiting here stay below some 250 MB.
CHUNKS_IN_FLIGHT: Final = 256
# A task that takes so long at the end, and so many times longer than others, is done twice.
SECONDS_OF_PATIENCE: Final = 2.0
TIMES_OF_PATIENCE: Final = 3.0
SECONDS_BETWEEN_TICKS: Final = 0.05
# A worker may be killed for reasons that are not the chunk's: so often Dask may give it up,
# each time after some deaths.
LIVES: Final = 6

_shared: dict[str, tuple[Plan, Library]] = {}
_sharing = threading.Lock()


@dataclass(frozen=True, slots=True)
class SharedWork:
    """What all chunks of a sweep have in common, but for the inputs.

    `own` are the plug-ins by path, each with its files, which need not be on the worker;
    `key` tells sweeps apart, also those of the same plan over other bars.
    """

    plan: str
    own: Mapping[str, Mapping[str, str]]
    key: str


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """What a worker made of a task: a Parquet file per chunk, and how long it took."""

    worker: str
    code: str
    seconds: float
    files: tuple[bytes, ...]


@dataclass(slots=True)
class _Task:
    chunks: tuple[int, ...]
    begun: float = field(default_factory=time.monotonic)
    asked: set[str] = field(default_factory=set)


def hand_out(client: Client, crew: Crew, store: Store, *, library: Library, report: Report) -> None:
    """Have all missing chunks done and write them.

    Raises
    ------
    OSError
        If the scheduler is lost, or a file cannot be written.
    """
    for chunk, content in Handout(client, crew, store, pickle.dumps(library.loaded)).files():
        store.write(chunk, content)
        first, stop = store.plan.bounds(chunk)
        report(stop - first)


def shared_work(store: Store, inputs: bytes) -> SharedWork:
    """Return what the tasks of a sweep share; `inputs` are pickled."""
    plan, own = store.plan.to_toml(), config_texts(store.plan.base)
    told = hashlib.sha256(inputs)
    told.update(repr((plan, own)).encode())
    return SharedWork(plan, own, told.hexdigest())


def do_chunks(work: SharedWork, inputs: bytes, chunks: tuple[int, ...]) -> TaskFiles:
    """Do a task on a worker, which keeps what tasks of the same sweep share."""
    started = time.perf_counter()
    files = tuple(chunk_files(work, inputs, chunks))
    seconds = time.perf_counter() - started
    return TaskFiles(str(get_worker().contact_address), code_digest(), seconds, files)


def chunk_files(work: SharedWork, inputs: bytes, chunks: tuple[int, ...]) -> Iterator[bytes]:
    """Yield the Parquet file of each chunk."""
    with _sharing:
        if work.key not in _shared:
            _shared.clear()
            ship(work.own)
            # who could send other bytes could send other tasks too
            loaded = pickle.loads(inputs)  # noqa: S301
            _shared[work.key] = (parsed_plan(work.plan), Library(inputs=loaded))
        plan, library = _shared[work.key]
    for chunk in chunks:
        yield parquet_of(plan, chunk_table(plan, chunk, library=library))


class Handout:
    """The tasks of one sweep in flight."""

    def __init__(self, client: Client, crew: Crew, store: Store, inputs: bytes) -> None:
        self._client, self._crew, self._store, self._inputs = client, crew, store, inputs
        self._work = shared_work(store, inputs)
        # a task and not scattered data, because what is scattered is lost with its workers
        self._carried = client.submit(bytes, inputs, pure=False)
        self._left = deque(store.missing())
        self._open: set[int] = set()
        self._tasks: dict[Future[Any], _Task] = {}
        self._running = as_completed(with_results=True, raise_errors=False)
        self._seconds_per_chunk = 0.0
        # whoever answered last stands last
        self._heard: dict[str, None] = {}
        self._deaths: Counter[int] = Counter()

    def files(self) -> Iterator[tuple[int, bytes]]:
        """Yield every chunk once, and its file, as they come in."""
        try:
            self._fill()
            while self._open:
                finished = self._running.next_batch(block=False)
                if not finished:
                    self._tick()
                for future, result in finished:
                    yield from self._take(future, result)
                    self._fill()
        finally:
            if self._client.status == "running":
                self._client.cancel(list(self._tasks))

    def _take(self, future: Future[Any], result: Any) -> Iterator[tuple[int, bytes]]:
        task = self._tasks.pop(future)
        if future.status != "finished":
            self._fail(task, result)
            return
        if not self._crew.admits(result.worker, code=result.code):
            self._give_back(task.chunks)
            return
        self._learn(result, count=len(task.chunks))
        for chunk, content in zip(task.chunks, result.files, strict=True):
            if chunk in self._open:
                self._open.remove(chunk)
                yield chunk, content

    def _fail(self, task: _Task, result: Any) -> None:
        """Hand a failed task out again where others are to blame, or raise."""
        if isinstance(result, CancelledError):
            raise ConnectionError(
                f"the connection to the scheduler was lost. {len(self._store.done())} of "
                f"{self._store.plan.chunks} chunks are saved; go on with --resume "
                f"{self._store.folder}"
            ) from result
        _, error, trace = result
        left_out = self._crew.left_out
        self._crew.look()
        self._deaths.update(task.chunks)
        blameless = isinstance(error, KilledWorker) or self._crew.left_out > left_out
        if max(self._deaths[chunk] for chunk in task.chunks) > LIVES * blameless:
            raise error.with_traceback(trace)
        self._give_back(task.chunks)

    def _give_back(self, chunks: tuple[int, ...]) -> None:
        again = [chunk for chunk in chunks if chunk in self._open]
        self._open.difference_update(again)
        self._left.extendleft(reversed(again))

    def _learn(self, result: TaskFiles, *, count: int) -> None:
        each = result.seconds / count
        before = self._seconds_per_chunk or each
        self._seconds_per_chunk = (before + each) / 2
        self._heard.pop(result.worker, None)
        self._heard[result.worker] = None

    def _fill(self) -> None:
        while self._left and len(self._tasks) < self._width:
            chunks = tuple(self._left.popleft() for _ in range(self._size))
            self._open.update(chunks)
            allowed = self._crew.allowed
            others = {"workers": allowed, "allow_other_workers": True} if allowed else {}
            self._submit(_Task(chunks), self._carried, **others)

    @property
    def _width(self) -> int:
        return TASKS_PER_THREAD * max(1, self._crew.threads)

    @property
    def _size(self) -> int:
        """How many chunks the next task has, ever fewer so that all workers end together."""
        each = self._seconds_per_chunk
        wanted = int(SECONDS_PER_TASK / each) if each else 1
        even = len(self._left) // (2 * self._width)
        return max(1, min(wanted, even, CHUNKS_IN_FLIGHT // self._width, len(self._left)))

    def _submit(self, task: _Task, inputs: Any, **where: Any) -> None:
        future = self._client.submit(
            do_chunks, self._work, inputs, task.chunks, pure=False, **where
        )
        self._tasks[future] = task
        self._running.add(future)

    def _tick(self) -> None:
        time.sleep(SECONDS_BETWEEN_TICKS)
        self._crew.look_again()
        self._fill()
        if not self._left:
            for task in list(self._tasks.values()):
                self._do_twice(task)

    def _do_twice(self, task: _Task) -> None:
        """Have a late task done by another worker too, which is sent the inputs with it."""
        usual = TIMES_OF_PATIENCE * self._seconds_per_chunk * len(task.chunks)
        is_late = time.monotonic() - task.begun > max(SECONDS_OF_PATIENCE, usual)
        chunks = tuple(chunk for chunk in task.chunks if chunk in self._open)
        worker = next((each for each in reversed(self._heard) if each not in task.asked), None)
        if is_late and chunks and worker:
            task.asked.add(worker)
            task.begun = time.monotonic()
            # least asked next
            self._heard = {worker: None} | self._heard
            self._submit(_Task(chunks, asked=task.asked), self._inputs, workers=[worker])
