"""What is kept of one pair: one Parquet file of all its bars, which says what it is made of.

Tens of thousands of small zips become one file per pair. The file holds the list of months
and days it was made of, each with its digest, and is replaced by one rename: a process killed
at any moment leaves the old one or the new one, and the next run fetches what it lacks.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd

from feeds.archive.zip_members import COLUMNS, MemberTable, span_of
from feeds.bars import Bars
from feeds.folders import write_whole
from feeds.instruments import Instrument
from feeds.vendors.registry import tidy

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

FORMAT: Final = 1
ABOUT: Final = b"russell_archive"
TIME: Final = "time"
SUFFIX: Final = ".parquet"
SOURCE: Final = "binance_archive"
QUOTE: Final = "USDT"


@dataclass(frozen=True, slots=True)
class Held:
    """A zip that is held: the listing's tag of it, and its own SHA-256."""

    etag: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PairTable:
    """All bars held of a pair, float64 by opening instant (UTC), and what they are made of.

    `members` are the zips by period, `missing` the periods that are listed and could not be
    had, `notes` every repair made.
    """

    pair: str
    timeframe: str
    rows: pd.DataFrame
    members: Mapping[str, Held]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def holds(self, period: str, etag: str) -> bool:
        """Return whether this very zip is held."""
        return period in self.members and self.members[period].etag == etag

    def about(self) -> str:
        """Return all but the rows as JSON, the same for the same members."""
        members = {period: asdict(held) for period, held in sorted(self.members.items())}
        return json.dumps(
            {
                "format": FORMAT,
                "pair": self.pair,
                "timeframe": self.timeframe,
                "members": members,
                "missing": self.missing,
                "notes": self.notes,
            }
        )


def base_of(pair: str) -> str:
    """Return the coin of a pair: LUNA of LUNAUSDT."""
    return pair.removesuffix(QUOTE)


def extend(
    held: PairTable | None,
    news: Iterable[MemberTable],
    *,
    pair: str,
    timeframe: str,
    now: pd.Timestamp,
) -> PairTable:
    """Return the table with what was fetched in the place of what was held of those periods.

    Raises
    ------
    DataError
        If the bars do not pass the gate for bars.
    """
    rows = held.rows if held else no_rows()
    members = dict(held.members) if held else {}
    parts = []
    for each in news:
        start, stop = each.member.span
        if len(rows):
            rows = rows[(rows.index < start) | (rows.index >= stop)]
        members = {period: one for period, one in members.items() if not _within(period, each)}
        members[each.member.period] = Held(each.member.etag, each.sha256)
        parts.append(each.rows)
    joined = pd.concat([*([rows] if len(rows) else []), *parts]) if parts else rows
    if joined.empty:
        return PairTable(pair, timeframe, joined, members)
    bars = _pass_on(joined.sort_index(kind="stable"), pair, timeframe, now)
    notes = tuple(dict.fromkeys((*(held.notes if held else ()), *bars.notes)))
    return PairTable(pair, timeframe, bars.frame[list(COLUMNS)], members, notes=notes)


def _within(period: str, each: MemberTable) -> bool:
    start, stop = each.member.span
    first, last = span_of(period)
    return start <= first and last <= stop


def _pass_on(rows: pd.DataFrame, pair: str, timeframe: str, now: pd.Timestamp) -> Bars:
    return tidy(
        rows.rename_axis("date").reset_index(),
        instrument=Instrument(f"{base_of(pair)}-USD", "coin"),
        timeframe=timeframe,
        source=SOURCE,
        origin=f"binance archive {pair}",
        now=now,
    )


def path_of(folder: Path, pair: str) -> Path:
    """Return where the table of a pair lies; pairs may be written in any script."""
    return folder / f"{quote(pair, safe='')}{SUFFIX}"


def pairs_held(folder: Path) -> list[str]:
    """Return the pairs that have a table, sorted."""
    return sorted(unquote(path.stem) for path in folder.glob(f"[!.]*{SUFFIX}"))


def write_table(folder: Path, table: PairTable) -> None:
    """Put the table of a pair in its place, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    content = arrow_of(table.rows).replace_schema_metadata({ABOUT: table.about()})
    pq.write_table(content, sink, **WRITING)
    write_whole(path_of(folder, table.pair), sink.getvalue().to_pybytes())


# Prices hardly repeat; checksums of pages stand for the digest that other tables have.
WRITING: Final[Mapping[str, Any]] = {
    "compression": "zstd",
    "use_dictionary": False,
    "use_byte_stream_split": list(COLUMNS),
    "write_page_checksum": True,
}


def no_rows() -> pd.DataFrame:
    """Return a table of bars without any."""
    index = pd.DatetimeIndex([], tz="UTC").as_unit("ns")
    return pd.DataFrame(columns=list(COLUMNS), index=index, dtype=np.float64)


def arrow_of(rows: pd.DataFrame) -> "pa.Table":
    """Return rows as they are stored: the instants in nanoseconds since 1970, then `COLUMNS`."""
    import pyarrow as pa

    times = pd.DatetimeIndex(rows.index).as_unit("ns").asi8
    return pa.table({TIME: times, **{name: rows[name].to_numpy(np.float64) for name in COLUMNS}})


def read_table(folder: Path, pair: str) -> PairTable | None:
    """Return the table of a pair; None where there is none, or none that can be trusted."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path_of(folder, pair), page_checksum_verification=True) as file:
            content = file.read(use_threads=False)
        about = json.loads(content.schema.metadata[ABOUT])
        return _table(content, about) if about["format"] == FORMAT else None
    except FileNotFoundError:
        return None
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        log.warning("binance archive %s: the table held is damaged (%s)", pair, error)
        return None


def _table(content: "pa.Table", about: Mapping[str, Any]) -> PairTable:
    index = pd.DatetimeIndex(np.asarray(content[TIME]).view("datetime64[ns]")).tz_localize("UTC")
    columns = {name: np.asarray(content[name], np.float64) for name in COLUMNS}
    return PairTable(
        about["pair"],
        about["timeframe"],
        pd.DataFrame(columns, index=index),
        {period: Held(**held) for period, held in about["members"].items()},
        tuple(about["missing"]),
        tuple(about["notes"]),
    )


def about_digest(folder: Path, pair: str) -> str:
    """Return what tells one state of a pair's table from another; empty if it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        about = pq.read_schema(path_of(folder, pair)).metadata[ABOUT]
    except (OSError, pa.ArrowException, KeyError, TypeError):
        return ""
    return hashlib.sha256(about).hexdigest()
