"""The folder of a sweep: its plan, and a Parquet file for every chunk that is done.

A chunk's file appears whole or not at all, so whatever stops a sweep, what is there is
right, and the rest can be done later. It holds a row per trial, or the best rows by each
figure, and what all of its trials amount to.
"""

import base64
import functools
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backtests.config.raw_settings import MOST_BYTES, NotTomlError
from backtests.records.atomic_writing import as_json, run_id, write_folder
from backtests.records.run_files import own_code, provenance
from backtests.records.safe_reading import UnreadableError, parsed_table, text_of
from backtests.search.chunk_summary import (
    OBJECTIVE,
    SUMMARY,
    TrialSummary,
    read_summary,
    summary_of_rows,
    total_of,
)
from backtests.search.parameter_space import Choice
from backtests.search.plan import Plan, parsed_plan
from backtests.search.rows import ROWS_KEPT, parquet_of
from backtests.search.trials.kernel import FIGURES
from feeds.arrays import Floats
from feeds.bars import Bars
from feeds.errors import ConfigError, DataError
from feeds.folders import full_disk_named

PLAN: Final = "sweep.toml"
MANIFEST: Final = "manifest.json"
TRIALS: Final = "trials"
PART: Final = re.compile(r"part-(\d{6,12})\.parquet", re.ASCII)


@dataclass(frozen=True, slots=True)
class Store:
    """A sweep's folder and its plan."""

    folder: Path
    plan: Plan

    @property
    def has_all_rows(self) -> bool:
        """Whether there is a row for every trial, or only for the best."""
        return self.plan.settings.keep == "all"

    def missing(self) -> Iterator[int]:
        """Yield the chunks still to be done."""
        done = set(self.done())
        return (chunk for chunk in range(self.plan.chunks) if chunk not in done)

    def done(self) -> list[int]:
        """Return the chunks that are done, in order; what else lies there is none of them."""
        names = (path.name for path in (self.folder / TRIALS).glob("part-*.parquet"))
        chunks = (int(found[1]) for found in map(PART.fullmatch, names) if found)
        return sorted(chunk for chunk in chunks if chunk < self.plan.chunks)

    def path(self, chunk: int) -> Path:
        """Return where a chunk's trials are, or will be."""
        return self.folder / TRIALS / f"part-{chunk:06d}.parquet"

    def write(self, chunk: int, rows: pa.Table | bytes) -> None:
        """Put a chunk's file in place in one step; `rows` may be a file made elsewhere.

        Raises OSError if it cannot be written; then nothing of it is left.
        """
        path = self.path(chunk)
        path.parent.mkdir(exist_ok=True)
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        content = rows if isinstance(rows, bytes) else parquet_of(self.plan, rows)
        try:
            with full_disk_named(path.parent, size=len(content)), scratch.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(path)
        except OSError as error:
            scratch.unlink(missing_ok=True)
            raise OSError(
                f"{path} cannot be written ({error}). {len(self.done())} of {self.plan.chunks} "
                f"chunks are saved; make room and go on with --resume {self.folder}"
            ) from error

    def parts(self, columns: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
        """Yield each chunk done so far, in order, and those columns of its rows."""
        for chunk in self.done():
            yield chunk, self.part(chunk, columns)

    def part(self, chunk: int, columns: Sequence[str]) -> pa.Table:
        """Return some columns of a chunk's rows; files are too small to read on threads.

        Raises
        ------
        DataError
            If the file is damaged, or not the one this plan makes.
        """
        try:
            with pq.ParquetFile(self.path(chunk)) as file:
                table = file.read(columns=list(columns), use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise self._damage_error(chunk, "it cannot be read") from error
        if not self._is_size(chunk, table.num_rows) or set(table.column_names) != set(columns):
            raise self._damage_error(chunk, "it holds other trials")
        return table.replace_schema_metadata(None)

    def _is_size(self, chunk: int, rows: int) -> bool:
        first, stop = self.plan.bounds(chunk)
        return rows == stop - first if self.has_all_rows else rows <= stop - first

    def _about(self, chunk: int) -> pq.FileMetaData:
        """Return what the end of a chunk's file says; errors as above."""
        try:
            about = pq.read_metadata(self.path(chunk))
        except (pa.ArrowException, OSError) as error:
            raise self._damage_error(chunk, "it cannot be read") from error
        expected = {"trial", *self.plan.keys, "config", *FIGURES, "failure"}
        is_told = self.has_all_rows or {SUMMARY, OBJECTIVE} <= (about.metadata or {}).keys()
        is_whole = is_told and self._is_size(chunk, about.num_rows)
        if not is_whole or set(about.schema.names) != expected:
            raise self._damage_error(chunk, "it holds other trials")
        return about

    def require_whole(self) -> None:
        """Refuse a part that is damaged before any work rests on it; only its end is read."""
        for chunk in self.done():
            self._about(chunk)

    def total(self) -> TrialSummary:
        """Return what all trials done so far amount to; read again only where a file changed."""
        files = (self.path(chunk).stat() for chunk in self.done())
        return _total(self, tuple((file.st_mtime_ns, file.st_size) for file in files))

    def summary(self, chunk: int) -> TrialSummary:
        """Return what a chunk's trials amount to, from the end of its file."""
        told = self._about(chunk).metadata or {}
        if SUMMARY not in told:
            # of an earlier version of the program
            rows = self.part(chunk, [*self.plan.keys, *FIGURES, "failure"])
            return summary_of_rows(rows, self.plan, chunk)
        try:
            found = read_summary(told[SUMMARY], plan=self.plan)
        except (ValueError, KeyError, TypeError) as error:
            raise self._damage_error(chunk, "its summary cannot be read") from error
        first, stop = self.plan.bounds(chunk)
        if found.trials != stop - first:
            raise self._damage_error(chunk, "it holds other trials")
        return found

    def objective(self, chunk: int, *, every: int) -> Floats:
        """Return the objective of a chunk's trials whose number `every` divides, in order."""
        first, stop = self.plan.bounds(chunk)
        if self.has_all_rows:
            (column,) = self.part(chunk, [self.plan.settings.objective]).columns
            return np.asarray(column.to_numpy()[-first % every :: every])
        text = self._about(chunk).metadata[OBJECTIVE]
        found = np.frombuffer(base64.b64decode(text))
        if found.size != len(range(-first % every, stop - first, every)):
            raise self._damage_error(chunk, "it holds other trials")
        return found

    def _damage_error(self, chunk: int, reason: str) -> DataError:
        return DataError(
            f"{self.path(chunk)} is damaged: {reason}. Delete it, and do it again with --resume "
            f"{self.folder}"
        )

    def rows(self, trials: Sequence[int], columns: Sequence[str]) -> pa.Table:
        """Return those columns of some trials that have rows, in ascending order of trial."""
        wanted = np.unique(np.asarray(trials, np.int64))
        chunks = wanted // self.plan.chunk
        parts = []
        for chunk in np.unique(chunks).tolist():
            own = pa.array(wanted[chunks == chunk])
            table = self.part(chunk, list(dict.fromkeys(["trial", *columns])))
            parts.append(table.filter(pc.is_in(table["trial"], own)).select(list(columns)))
        return pa.concat_tables(parts)

    def best(self, figure: str, *, count: int) -> pd.DataFrame:
        """Return the rows with the highest figure; of equals the earliest trial comes first.

        Where only the best are kept, no more than are, and of `OBJECTIVES` alone.
        """
        count = count if self.has_all_rows else min(count, ROWS_KEPT)
        best = pd.Series(dtype=np.float64)  # by trial, the highest first
        for _, part in self.parts(list(dict.fromkeys(["trial", figure]))):
            values = part[figure].to_pandas()
            values.index = part["trial"].to_numpy()
            best = pd.concat([best, values.nlargest(count)]).nlargest(count)
        columns = ["trial", *self.plan.keys, "config", *FIGURES]
        table: pd.DataFrame = self.rows(best.index.tolist(), columns).to_pandas()
        return table.set_index("trial", drop=False).loc[best.index].reset_index(drop=True)

    def values(self, trials: Sequence[int]) -> list[dict[str, Any]]:
        """Return the settings that vary of some trials, in ascending order of trial."""
        if self.plan.settings.search != "guided":
            columns = self.plan.columns_of(np.unique(np.asarray(trials, np.int64)))
            taken = [column.take() for column in columns.values()]
            return [dict(zip(columns, row, strict=True)) for row in zip(*taken, strict=True)]
        rows = self.rows(trials, self.plan.keys).to_pylist()
        return [{one.key: _read(one, row[one.key]) for one in self.plan.axes} for row in rows]

    def failures(self) -> dict[str, int]:
        """Return each reason trials failed for, and how many did."""
        return self.total().failures


@functools.lru_cache(maxsize=1)
def _total(store: Store, _files: tuple[tuple[int, int], ...]) -> TrialSummary:
    return total_of(map(store.summary, store.done()), plan=store.plan)


def create(out: Path, plan: Plan, *, bars: Sequence[Bars], warnings: Sequence[str] = ()) -> Store:
    """Make the folder of a new sweep under `out`: `<UTC stamp>-sweep-<asset>-<plan hash>`."""
    text = plan.to_toml()
    name = run_id(
        asset=f"sweep-{plan.base.asset}",
        config_hash=hashlib.sha256(text.encode()).hexdigest()[:8],
        now=pd.Timestamp.now(tz="UTC"),
    )
    manifest = {
        "trials": plan.trials,
        "chunks": plan.chunks,
        "bars": list({each.sha256: provenance(each) for each in bars}.values()),
        "own_code": own_code(plan.base),
        "warnings": list(warnings),
    }
    return Store(write_folder(out, name, {PLAN: text, MANIFEST: as_json(manifest)}), plan)


def open_store(folder: Path) -> Store:
    """Return the store of an existing sweep.

    Raises
    ------
    ConfigError
        If the folder holds no sweep, or its plan cannot be read.
    """
    try:
        text = text_of(folder / PLAN, most=MOST_BYTES)
    except UnreadableError as error:
        raise ConfigError(
            f"{str(folder)!r} is not the folder of a sweep: {error}. Give one that holds {PLAN}."
        ) from error
    try:
        return Store(folder, parsed_plan(text))
    except (ConfigError, NotTomlError) as error:
        if str(error).startswith(("`plugins`", "`strategy`")):
            raise
        raise ConfigError(f"{folder / PLAN} is damaged: {error}. Start a new sweep.") from error


def require_same_bars(store: Store, bars: Sequence[Bars]) -> None:
    """Refuse to mix trials of other bars into a sweep."""
    try:
        manifest = parsed_table(text_of(store.folder / MANIFEST), MANIFEST)
        before = {str(each["sha256"]): str(each["symbol"]) for each in manifest["bars"]}
        before |= {str(each["sha256"]): str(each["name"]) for each in manifest.get("own_code", [])}
    except (UnreadableError, KeyError, TypeError) as error:
        raise DataError(
            f"{store.folder / MANIFEST} is missing or damaged, so nobody knows which bars the "
            "trials so far are of. Start a new sweep."
        ) from error
    now = {each.sha256: each.instrument.symbol for each in bars}
    now |= {each["sha256"]: each["name"] for each in own_code(store.plan.base)}
    changed = {(before | now)[digest] for digest in before.keys() ^ now.keys()}
    if changed:
        raise DataError(
            f"`--resume` {store.folder}: {', '.join(sorted(changed))} changed since. "
            "Give it the same bars and code, or start a new sweep."
        )


def _read(one: Any, value: Any) -> Any:
    if isinstance(one, Choice):
        return {str(choice): choice for choice in one.values}[str(value)]
    return value
