"""The folder of a sweep: its plan, and a Parquet file for every chunk that is done.

A chunk's file appears whole or not at all, so whatever stops a sweep, what is there is
right, and the rest can be done later.
"""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from backtests.config.config import Config
from backtests.config.files import MOST_BYTES, NotTomlError
from backtests.records.provenance import own_code, provenance
from backtests.records.reading import UnreadableError, parsed_table, text_of
from backtests.records.text import as_json
from backtests.records.writing import run_id, write_folder
from backtests.search.plan import Plan, parsed_plan, with_values
from backtests.search.space import Choice, Column, Columns, short_hashes
from backtests.search.trials.evaluate import Evaluated
from backtests.search.trials.kernel import FIGURES
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
        """Yield each chunk done so far, in order, and those columns of its trials."""
        for chunk in self.done():
            yield chunk, self.part(chunk, columns)

    def part(self, chunk: int, columns: Sequence[str]) -> pa.Table:
        """Return some columns of a chunk's trials; files are too small to read on threads.

        Raises
        ------
        DataError
            If the file is damaged, or not the one this plan makes.
        """
        first, stop = self.plan.bounds(chunk)
        try:
            with pq.ParquetFile(self.path(chunk)) as file:
                table = file.read(columns=list(columns), use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise self._damage_error(chunk, "it cannot be read") from error
        if table.num_rows != stop - first or set(table.column_names) != set(columns):
            raise self._damage_error(chunk, "it holds other trials")
        return table

    def require_whole(self) -> None:
        """Refuse a part that is damaged before any work rests on it; only its end is read.

        Raises
        ------
        DataError
            Naming the first such part.
        """
        for chunk in self.done():
            first, stop = self.plan.bounds(chunk)
            try:
                about = pq.read_metadata(self.path(chunk))
            except (pa.ArrowException, OSError) as error:
                raise self._damage_error(chunk, "it cannot be read") from error
            expected = {"trial", *self.plan.keys, "config", *FIGURES, "failure"}
            if about.num_rows != stop - first or set(about.schema.names) != expected:
                raise self._damage_error(chunk, "it holds other trials")

    def _damage_error(self, chunk: int, reason: str) -> DataError:
        return DataError(
            f"{self.path(chunk)} is damaged: {reason}. Delete it, and do it again with --resume "
            f"{self.folder}"
        )

    def rows(self, trials: Sequence[int], columns: Sequence[str]) -> pa.Table:
        """Return those columns of some trials, in ascending order of trial."""
        wanted = np.unique(np.asarray(trials, np.int64))
        chunks = wanted // self.plan.settings.chunk
        parts = []
        for chunk in np.unique(chunks).tolist():
            places = wanted[chunks == chunk] - self.plan.bounds(chunk)[0]
            parts.append(self.part(chunk, columns).take(pa.array(places)))
        return pa.concat_tables(parts)

    def best(self, figure: str, *, count: int) -> pd.DataFrame:
        """Return the rows with the highest figure; of equals the earliest trial comes first."""
        best = pd.Series(dtype=np.float64)  # by trial, the highest first
        for chunk, part in self.parts([figure]):
            values = part[figure].to_pandas()
            values.index += self.plan.bounds(chunk)[0]
            best = pd.concat([best, values.nlargest(count)]).nlargest(count)
        columns = ["trial", *self.plan.keys, "config", *FIGURES]
        table: pd.DataFrame = self.rows(best.index.tolist(), columns).to_pandas()
        return table.set_index("trial", drop=False).loc[best.index].reset_index(drop=True)

    def values(self, trials: Sequence[int]) -> list[dict[str, Any]]:
        """Return the settings that vary of some trials, in ascending order of trial."""
        rows = self.rows(trials, self.plan.keys).to_pylist()
        return [{one.key: _read(one, row[one.key]) for one in self.plan.axes} for row in rows]

    def failures(self) -> dict[str, int]:
        """Return each reason trials failed for, and how many did."""
        reasons: Counter[str] = Counter()
        for _, part in self.parts(["failure"]):
            reasons.update(part["failure"].drop_null().to_pylist())
        return dict(reasons)


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


def table_of(plan: Plan, chunk: int, columns: Columns, evaluated: Evaluated) -> pa.Table:
    """Return a chunk's rows: trial, settings, config hash, figures, and why a trial failed."""
    first, stop = plan.bounds(chunk)
    fields: dict[str, Any] = {"trial": np.arange(first, stop)}
    fields |= {one.key: _write(one, columns[one.key]) for one in plan.axes}
    fields["config"] = pa.array(short_hashes(plan.base, columns), pa.string())
    fields |= {name: evaluated.figures[:, place] for place, name in enumerate(FIGURES)}
    fields["failure"] = pa.array(evaluated.failures, pa.string())
    return pa.table(fields)


def parquet_of(plan: Plan, table: pa.Table) -> bytes:
    """Return the file of a chunk's rows, the same bytes wherever it is made."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", use_dictionary=list(plan.keys))
    return bytes(sink.getvalue())


def config_of_trial(folder: Path, trial: int) -> Config:
    """Return the config of one row of a sweep, to run it again.

    Raises
    ------
    ConfigError
        If the folder holds no sweep, or the sweep has not done that trial.
    """
    store = open_store(folder)
    chunk = trial // store.plan.settings.chunk
    if not 0 <= trial < store.plan.trials or not store.path(chunk).exists():
        raise ConfigError(
            f"`--from-trial` {trial} is not in {folder}: "
            f"it has trials 0 to {store.plan.trials - 1}, as far as they are done."
        )
    (written,) = store.rows([trial], ["config"])["config"].to_pylist()
    try:
        config = store.plan.config(store.values([trial])[0])
    except KeyError as error:
        raise ConfigError(
            f"`--from-trial` {trial}: {store.path(chunk)} holds a value that {PLAN} does not name. "
            "Run the sweep again."
        ) from error
    if config.short_hash != written:
        raise ConfigError(
            f"`--from-trial` {trial}: {folder} was written by another version of the program "
            f"(config {written}, now {config.short_hash}). Run the sweep again."
        )
    return config


def chosen_config(folder: Path, trial: int) -> Config:
    """Return the config of one row, which knows how many it was chosen from; errors as above."""
    tried = open_store(folder).plan.tried
    return with_values(config_of_trial(folder, trial), {"significance.tried": tried})


def _kind(one: Any) -> pa.DataType | None:
    """Return the column type of a setting; None for mixed values, written as text."""
    kinds = {type(value) for value in one.ends}
    if len(kinds) > 1:
        return None
    found = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
    return found.get(kinds.pop())


def _write(one: Any, column: Column) -> pa.Array:
    kind = _kind(one)
    values = column.values if kind else tuple(str(value) for value in column.values)
    return pa.array(values, kind or pa.string()).take(pa.array(column.codes))


def _read(one: Any, value: Any) -> Any:
    if isinstance(one, Choice):
        return {str(choice): choice for choice in one.values}[str(value)]
    return value
