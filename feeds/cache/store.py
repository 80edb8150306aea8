"""Tables on disk that are whole or absent: checked Parquet segments behind one manifest.

A table is a folder. Its rows lie in segments of `SEGMENT_ROWS` rows, named by content and
never changed; `manifest.json` lists them with their digests and is replaced by one rename.
A process killed at any moment therefore leaves the old table or the new one, and adding a
day rewrites the last segment only, however long the history is.
"""

import contextlib
import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd

from feeds.cache.manifest import FORMAT, About, Malformed, Manifest, Segment
from feeds.errors import ConfigError, DataError
from feeds.folders import write_whole

SEGMENT_ROWS: Final = 4096
LOCK_TIMEOUT_SECONDS: Final = 600.0
READ_ATTEMPTS: Final = 5
TIME: Final = "time"
MANIFEST: Final = "manifest.json"


class Damaged(DataError):
    """A stored table cannot be read whole: truncated, altered, or of another format."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which table: the vendor that served it, the symbol, and the length of its bars."""

    vendor: str
    symbol: str
    timeframe: str

    def __str__(self) -> str:
        return f"{self.vendor} {self.symbol} {self.timeframe}"


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A stored table, read whole: float64 columns by ascending time, and its manifest."""

    frame: pd.DataFrame
    manifest: Manifest


class TableStore:
    """A folder of tables. Reading takes no lock; writing needs the table's `lock`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._root = folder / f"v{FORMAT}"

    def held_keys(self) -> list[Key]:
        """Return the key of every table, sorted."""
        return sorted(_key(path.parent) for path in self._root.glob(f"*/*/{MANIFEST}"))

    @contextlib.contextmanager
    def lock(self, key: Key) -> Iterator[None]:
        """Hold the table for writing; another thread or process waits its turn."""
        import filelock

        path = self._path(key)
        with self._writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(f"{path}.lock", timeout=LOCK_TIMEOUT_SECONDS)
            try:
                lock.acquire()
            except filelock.Timeout as error:
                raise DataError(
                    f"{key}: another process has been updating it for "
                    f"{LOCK_TIMEOUT_SECONDS:.0f} seconds. End it, or remove {path}.lock."
                ) from error
        try:
            yield
        finally:
            lock.release()

    def manifest(self, key: Key) -> Manifest | None:
        """Return the manifest of a table, None where there is none.

        Raises
        ------
        Damaged
            If there is one that cannot be trusted.
        """
        try:
            return Manifest.from_text((self._path(key) / MANIFEST).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, Malformed) as error:
            raise _damage(key, str(error)) from error

    def read(self, key: Key, *, last_rows: int | None = None) -> StoredTable | None:
        """Return a table, or its last segments that hold `last_rows` rows; None if absent.

        Raises
        ------
        Damaged
            If any part does not match its digest.
        """
        for attempt in range(READ_ATTEMPTS):
            manifest = self.manifest(key)
            if manifest is None:
                return None
            segments = _tail(manifest.segments, last_rows)
            try:
                parts = [self._segment(key, segment) for segment in segments]
                return StoredTable(_frame(parts, manifest), manifest)
            except Damaged:
                # a writer may have replaced the segments since the manifest was read
                if attempt == READ_ATTEMPTS - 1 or self.manifest(key) == manifest:
                    raise
        return None

    def write(self, key: Key, frame: pd.DataFrame, *, about: About, append: bool = False) -> None:
        """Store a table; with `append` the rows of `frame` replace those from its start on.

        Call it under `lock`. `frame` has float64 columns and an ascending unique index of
        instants in UTC or tz-naive dates.
        """
        kept: tuple[Segment, ...] = ()
        held = self.manifest(key) if append else None
        if held is not None:
            start = _nanoseconds(frame)[0]
            kept = tuple(s for s in held.segments if s.last < start and s.rows == SEGMENT_ROWS)
            cut = [self._segment(key, segment) for segment in held.segments[len(kept) :]]
            frame = _join(cut, frame, held)
        folder = self._path(key)
        chunks = (frame.iloc[i : i + SEGMENT_ROWS] for i in range(0, len(frame), SEGMENT_ROWS))
        zone = "" if pd.DatetimeIndex(frame.index).tz is None else "UTC"
        with self._writing():
            folder.mkdir(parents=True, exist_ok=True)
            segments = (*kept, *(_write_segment(folder, chunk) for chunk in chunks))
            self._publish(key, Manifest(segments, tuple(map(str, frame.columns)), zone, about))

    def describe(self, key: Key, about: About) -> None:
        """Replace what is known about a table and leave its rows; call it under `lock`."""
        manifest = self.manifest(key)
        if manifest is not None:
            with self._writing():
                self._publish(key, replace(manifest, about=about))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(
                f"`data.cache_dir` must be a folder that can be written, received "
                f"{str(self.folder)!r} ({error.strerror or error}). Set it or RUSSELL_CACHE_DIR "
                "to another folder."
            ) from error

    def _publish(self, key: Key, manifest: Manifest) -> None:
        folder = self._path(key)
        _settle(folder)  # the segments before the manifest that names them
        write_whole(folder / MANIFEST, manifest.to_text().encode())
        _settle(folder)  # and that manifest before old segments go
        wanted = {MANIFEST, *(segment.file for segment in manifest.segments)}
        for path in folder.iterdir():
            if path.name not in wanted:
                path.unlink(missing_ok=True)

    def _segment(self, key: Key, segment: Segment) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._path(key) / segment.file
        try:
            payload = path.read_bytes()
        except OSError as error:
            raise _damage(key, f"{segment.file} cannot be read: {error.strerror}") from error
        if hashlib.sha256(payload).hexdigest() != segment.sha256:
            raise _damage(key, f"{segment.file} does not match its digest")
        return pq.ParquetFile(pa.BufferReader(payload)).read(use_threads=False)

    def _path(self, key: Key) -> Path:
        return self._root / quote(key.vendor) / quote(f"{key.symbol}_{key.timeframe}", safe="^=")


def _key(folder: Path) -> Key:
    symbol, _, timeframe = unquote(folder.name).rpartition("_")
    return Key(unquote(folder.parent.name), symbol, timeframe)


def _damage(key: Key, reason: str) -> Damaged:
    return Damaged(
        f"{key}: the cached table is damaged, {reason}. Run without --offline to fetch it again."
    )


def _tail(segments: tuple[Segment, ...], rows: int | None) -> tuple[Segment, ...]:
    if rows is None:
        return segments
    count = 0
    for position in range(len(segments) - 1, -1, -1):
        count += segments[position].rows
        if count >= rows:
            return segments[position:]
    return segments


def _frame(parts: Iterable[Any], manifest: Manifest) -> pd.DataFrame:
    tables = list(parts)
    columns = {
        name: np.concatenate([np.asarray(table[name]) for table in tables])
        for name in (TIME, *manifest.columns)
    }
    index = pd.DatetimeIndex(columns.pop(TIME).view("datetime64[ns]"))
    return pd.DataFrame(columns, index=index.tz_localize(manifest.zone or None))


def _join(parts: Iterable[Any], frame: pd.DataFrame, manifest: Manifest) -> pd.DataFrame:
    tables = list(parts)
    if not tables:
        return frame
    before = _frame(tables, manifest)
    stop = int(before.index.searchsorted(frame.index[0]))
    return pd.concat([before.iloc[:stop], frame])


def _nanoseconds(frame: pd.DataFrame) -> np.ndarray:
    return pd.DatetimeIndex(frame.index).as_unit("ns").asi8


def _write_segment(folder: Path, frame: pd.DataFrame) -> Segment:
    import pyarrow as pa
    import pyarrow.parquet as pq

    times = _nanoseconds(frame)
    # arrays, not a pandas frame: that way a NaN stays a NaN and does not become a null
    columns = {str(name): pa.array(frame[name].to_numpy(np.float64)) for name in frame.columns}
    buffer = io.BytesIO()
    pq.write_table(
        pa.table({TIME: pa.array(times), **columns}),
        buffer,
        compression="zstd",
        use_dictionary=False,
    )
    payload = buffer.getvalue()
    digest = hashlib.sha256(payload).hexdigest()
    name = f"{frame.index[0]:%Y%m%d}-{digest[:16]}.parquet"
    write_whole(folder / name, payload)
    return Segment(name, len(frame), int(times[0]), int(times[-1]), digest)


def _settle(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    if os.name == "nt":  # a folder cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
