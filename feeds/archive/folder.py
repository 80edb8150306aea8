"""Where the archive is kept: a table per pair, what is known of all, and all in one file."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from feeds.archive.pair_table import (
    ABOUT,
    FORMAT,
    WRITING,
    about_digest,
    arrow_of,
    no_rows,
    pairs_held,
    read_table,
)
from feeds.errors import ConfigError, DataError
from feeds.folders import write_whole

if TYPE_CHECKING:
    import pyarrow as pa

VENUE: Final = "binance"


@dataclass(frozen=True, slots=True)
class ArchiveState:
    """What is known of all pairs.

    `listed` are those the archive has, `checked` says when each was last brought up to date
    (ISO 8601, UTC), `refused` why the bars of some are not used.
    """

    listed: tuple[str, ...] = ()
    checked: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


class ArchiveFolder:
    """The tables of one venue and timeframe inside the cache."""

    def __init__(self, cache: Path, *, timeframe: str, venue: str = VENUE) -> None:
        self.venue = venue
        self.timeframe = timeframe
        self.root = cache / "archive" / venue / timeframe
        self.pairs = self.root / "pairs"
        self.universe = self.root / "universe.parquet"
        self._state = self.root / "state.json"

    @property
    def size(self) -> int:
        """Bytes of all that is held."""
        return sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file())

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder for writing, and clear what a killed writer left half-way.

        Raises
        ------
        ConfigError
            If it cannot be written.
        DataError
            If another process is filling it.
        """
        import filelock

        try:
            self.pairs.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.root / ".lock", timeout=0)
            lock.acquire()
        except filelock.Timeout as error:
            raise DataError(
                f"another process is filling {self.root}. Wait until it is done, or end it."
            ) from error
        except OSError as error:
            raise ConfigError(
                f"`--cache-dir` must be a folder that can be written, received {str(self.root)!r} "
                f"({error.strerror or error}). Set it or RUSSELL_CACHE_DIR to another folder."
            ) from error
        try:
            for leftover in self.root.rglob(".*.part"):
                leftover.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def state(self) -> ArchiveState:
        """Return what is known of all pairs; nothing where that was never written down."""
        try:
            tree = json.loads(self._state.read_text(encoding="utf-8"))
            return ArchiveState(tuple(tree["listed"]), dict(tree["checked"]), dict(tree["refused"]))
        except (OSError, ValueError, KeyError, TypeError):
            return ArchiveState()  # every pair is checked again then, and none fetched again

    def write_state(self, state: ArchiveState) -> None:
        """Write down what is known of all pairs."""
        write_whole(self._state, json.dumps(asdict(state), indent=1, sort_keys=True).encode())

    def build(self) -> None:
        """Put all pairs into one file; those that have not changed are taken over as they are."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        state, before, entries = self.state(), _Before(self.universe), []
        refused = dict(state.refused)
        half = set(state.listed) - set(state.checked)  # what has come of them would look dead
        sink = pa.BufferOutputStream()
        with pq.ParquetWriter(sink, arrow_of(no_rows()).schema, **WRITING) as writer:
            for pair in pairs_held(self.pairs):
                if pair in refused or pair in half:
                    continue
                entry, rows = self._entry(pair, before)
                if entry is None:
                    refused[pair] = "its table is damaged"
                elif entry["rows"]:
                    writer.write_table(rows, row_group_size=entry["rows"])
                    entries.append(entry)
                elif entry["missing"]:
                    refused[pair] = "none of its files could be had"
            about = {"format": FORMAT, "pairs": entries, "refused": refused}
            about |= _completeness(state, entries, refused)
            writer.add_key_value_metadata({ABOUT.decode(): json.dumps(about)})
        write_whole(self.universe, sink.getvalue().to_pybytes())

    def _entry(self, pair: str, before: "_Before") -> tuple[dict[str, Any] | None, "pa.Table"]:
        """Return what the file says of a pair, and its rows; None where its table is damaged."""
        digest = about_digest(self.pairs, pair)
        if digest in before.entries and (rows := before.rows(digest)) is not None:
            return before.entries[digest], rows
        table = read_table(self.pairs, pair)
        if table is None:
            return None, None
        entry = {
            "pair": pair, "rows": len(table.rows), "digest": digest, "missing": table.missing,
        }  # fmt: skip
        return entry, arrow_of(table.rows)


class _Before:
    """The file of all pairs as it was, by the digest of each pair's table."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.entries: dict[str, dict[str, Any]] = {}
        self._places: dict[str, int] = {}
        with contextlib.suppress(OSError, pa.ArrowException, ValueError, KeyError, TypeError):
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
            pairs = json.loads(self._file.metadata.metadata[ABOUT])["pairs"]
            self.entries = {entry["digest"]: entry for entry in pairs}
            self._places = {entry["digest"]: place for place, entry in enumerate(pairs)}

    def rows(self, digest: str) -> "pa.Table | None":
        """Return the rows of a pair, None if they cannot be trusted."""
        import pyarrow as pa

        try:
            return self._file.read_row_group(self._places[digest], use_threads=False)
        except (OSError, pa.ArrowException):
            return None


def _completeness(
    state: ArchiveState, entries: list[dict[str, Any]], refused: Mapping[str, str]
) -> dict[str, Any]:
    """Return up to when all pairs are known, and which of those listed are not.

    A pair that a later run did not ask for would look dead: all end where the one checked
    longest ago ends.
    """
    held = {entry["pair"] for entry in entries}
    absent = [pair for pair in state.listed if pair not in state.checked and pair not in refused]
    until = min((state.checked[pair] for pair in state.listed if pair in held), default="")
    return {"known_until": until, "absent": absent}
