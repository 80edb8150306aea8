"""Handing chunks to workers of this process that are slow, of other code, or dying."""

import threading
from collections.abc import Iterator
from pathlib import Path

import dask
import pytest
from distributed import Client, LocalCluster, get_worker

from backtests.search import cluster_tasks, cluster_workers
from backtests.search.cluster_workers import Crew
from backtests.search.plan import load_plan
from backtests.search.store import Store, create
from backtests.search.trials.trial_library import Library
from feeds.errors import ConfigError

SWEEP = """
[sweep]
chunk = 3
"rules.hold_days" = {from = 1, to = 90, step = 1}
"""
CHUNKS = 30


@pytest.fixture
def client() -> Iterator[Client]:
    """Two workers that have done nothing yet, as Dask favours those that were fast."""
    with (
        dask.config.set({"distributed.admin.tick.limit": "1h"}),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            host="127.0.0.1",
            protocol="tcp",
            dashboard_address=None,
            silence_logs="CRITICAL",
        ) as cluster,
        Client(cluster) as connected,
    ):
        yield connected


@pytest.fixture
def store(tmp_path: Path) -> Store:
    file = tmp_path / "sweep.toml"
    file.write_text(SWEEP)
    return create(tmp_path / "out", load_plan(file), bars=[])


def is_first_worker() -> bool:
    return bool(get_worker().name == 0)


def names(work: object, inputs: bytes, chunks: tuple[int, ...]) -> Iterator[bytes]:
    """What stands for a chunk's file."""
    return (f"chunk {chunk}".encode() for chunk in chunks)


def hand_out(client: Client, store: Store) -> list[int]:
    """Return the trials reported."""
    reported: list[int] = []
    cluster_tasks.hand_out(client, Crew(client), store, library=Library(), report=reported.append)
    return reported


def require_whole(store: Store, reported: list[int]) -> None:
    assert reported == [3] * CHUNKS
    texts = {path.name: path.read_text() for path in store.folder.glob("trials/part-*.parquet")}
    assert texts == {f"part-{chunk:06d}.parquet": f"chunk {chunk}" for chunk in range(CHUNKS)}


def test_chunks_of_a_worker_that_stands_still_are_done_by_another(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    held: list[tuple[int, ...]] = []

    def files(work: object, inputs: bytes, chunks: tuple[int, ...]) -> Iterator[bytes]:
        if is_first_worker():
            held.append(chunks)
            over.wait(60)
        return names(work, inputs, chunks)

    monkeypatch.setattr(cluster_tasks, "chunk_files", files)
    monkeypatch.setattr(cluster_tasks, "SECONDS_OF_PATIENCE", 0.1)
    try:
        reported = hand_out(client, store)
        assert held
        assert not over.is_set()
    finally:
        over.set()
    require_whole(store, reported)


def test_results_of_a_worker_with_other_code_are_done_again_elsewhere(
    client: Client,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def files(work: object, inputs: bytes, chunks: tuple[int, ...]) -> Iterator[bytes]:
        return iter([b"wrong"] * len(chunks)) if is_first_worker() else names(work, inputs, chunks)

    monkeypatch.setattr(cluster_tasks, "chunk_files", files)
    monkeypatch.setattr(
        cluster_tasks, "code_digest", lambda: "older" if is_first_worker() else "same"
    )
    monkeypatch.setattr(cluster_workers, "code_digest", lambda: "same")
    require_whole(store, hand_out(client, store))
    (told,) = [
        record.message for record in caplog.records if record.name == cluster_workers.__name__
    ]
    assert told.endswith("left out: the same version number, but other code")


def test_error_of_a_chunk_is_raised_and_not_tried_for_ever(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def files(work: object, inputs: bytes, chunks: tuple[int, ...]) -> Iterator[bytes]:
        raise ConfigError(f"chunk {chunks[0]} is wrong")

    monkeypatch.setattr(cluster_tasks, "chunk_files", files)
    with pytest.raises(ConfigError, match=r"chunk \d+ is wrong"):
        hand_out(client, store)
    assert store.done() == []


def test_tasks_grow_to_half_a_second_and_shrink_towards_the_end(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def files(work: object, inputs: bytes, chunks: tuple[int, ...]) -> Iterator[bytes]:
        sizes.append(len(chunks))
        return names(work, inputs, chunks)

    monkeypatch.setattr(cluster_tasks, "chunk_files", files)
    require_whole(store, hand_out(client, store))
    assert sum(sizes) >= CHUNKS
    assert max(sizes) > 1
    assert sizes[-1] == 1


def test_work_of_the_same_plan_over_other_inputs_is_told_apart(store: Store) -> None:
    one, other = (cluster_tasks.shared_work(store, inputs) for inputs in (b"1", b"2"))
    assert one.key != other.key
    assert (one.plan, one.own) == (other.plan, other.own)
    assert one == cluster_tasks.shared_work(store, b"1")
