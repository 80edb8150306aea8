"""From a path to the tables in it, texts or Parquet, known by their first bytes."""

import codecs
import datetime as dt
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from posixpath import splitext
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from feeds.errors import DataError
from feeds.reading.dialects import plain_name, table
from feeds.reading.grid import Grid
from feeds.reading.numbers import printable

# Beyond this a file is no table of bars; a small archive can unpack to any size.
LARGEST_BYTES: Final = 1 << 30
MOST_MEMBERS: Final = 5_000

MARKS: Final = (  # UTF-32's little mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Everything but control characters, among which a tab, a newline and a page break are text.
TEXT_BYTES: Final = bytes({9, 10, 12, *range(32, 127), *range(128, 256)})
ZIP: Final = b"PK\x03\x04"
EMPTY_ZIP: Final = b"PK\x05\x06"
GZIP: Final = b"\x1f\x8b"
PARQUET: Final = b"PAR1"
# What the standard library raises over the bytes of an archive that are not as they should be.
BROKEN_ARCHIVE: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(OSError, EOFError, ValueError, IndexError, OverflowError),
)
SAVE_AS_CSV: Final = "Save the sheet as CSV."
NO_TABLES: Final = (
    (b"\xd0\xcf\x11\xe0", f"is an Excel workbook. {SAVE_AS_CSV}"),
    (b"%PDF", "is a PDF. Give a table as CSV."),
    (b"SQLite format 3", "is a database. Export the table as CSV."),
    (b"ARROW1", "is an Arrow file. Write it as Parquet or CSV."),
    (b"version https://git-lfs", "is a pointer to a large file that was not fetched. Fetch it."),
)
NO_TEXT_TABLES: Final = (
    (("<!doctype html", "<html"), "is a web page, not a table. Download the file itself."),
    (("<?xml", "<ss:workbook", "<workbook"), f"is a workbook in XML. {SAVE_AS_CSV}"),
    (("{", "[{", "[["), "is JSON, not a table. Convert it to CSV."),
)
BROKEN = (ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, MemoryError)


@dataclass(frozen=True, slots=True)
class Content:
    """One table's bytes and the name that stands for it in messages."""

    name: str
    data: bytes

    @property
    def is_parquet(self) -> bool:
        """Whether the bytes are a Parquet file."""
        return self.data.startswith(PARQUET)


def contents(path: Path) -> list[Content]:
    """Return the tables in a file: itself, or the members of an archive.

    Raises
    ------
    DataError
        If the file cannot be opened, is empty, or is no table.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise DataError(f"{path.name}: is larger than {LARGEST_BYTES >> 20:,} MB. Cut it.")
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise DataError(
            f"{path.name}: cannot be opened ({reason}). Give a file that may be read."
        ) from error
    return list(_unpack(Content(path.name, data)))


def decode(content: Content) -> str:
    """Return the text of a table, lines ending in a newline, without byte-order marks.

    Raises
    ------
    DataError
        Naming the line of the first byte that is no text.
    """
    data, encoding = content.data, "utf-8"
    for mark, marked in MARKS:
        if data.startswith(mark):
            data, encoding = data.removeprefix(mark), marked
            break
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(
            f"{content.name}: line {line}: byte {data[error.start]:#04x} is no text in "
            f"{encoding.upper()}. Save the file as UTF-8, or download it again."
        ) from error
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    strange = text.encode().translate(None, TEXT_BYTES)
    if strange:
        character = chr(strange[0])
        line = text.count("\n", 0, text.index(character)) + 1
        raise DataError(
            f"{content.name}: line {line}: the character {character!r} stands in no text. "
            "Download it again."
        )
    _refuse_other_text(content.name, text)
    return text


def _refuse_other_text(name: str, text: str) -> None:
    start = text.lstrip()[:200].casefold()
    if not start:
        raise DataError(f"{name}: the file is empty. Download it again.")
    for marks, reason in NO_TEXT_TABLES:
        if start.startswith(marks):
            raise DataError(f"{name}: {reason}")


def _unpack(content: Content) -> Iterator[Content]:
    name, data = content.name, content.data
    if not data:
        raise DataError(f"{name}: the file is empty. Download it again.")
    for mark, reason in NO_TABLES:
        if data.startswith(mark):
            raise DataError(f"{name}: {reason}")
    if data.startswith((ZIP, EMPTY_ZIP)):
        yield from _members(content)
    elif data.startswith(GZIP):
        yield Content(name, _gunzip(content))
    else:
        yield content


def _gunzip(content: Content) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content.data)) as packed:
            data = packed.read(LARGEST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{content.name}: cannot be unpacked. Download it again.") from error
    if not data or len(data) > LARGEST_BYTES:
        raise DataError(f"{content.name}: {'too much' if data else 'nothing'} is packed in it.")
    return data


def _members(content: Content) -> Iterator[Content]:
    try:
        with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
            names = archive.namelist()
            if any(name.startswith(("xl/", "word/")) for name in names):
                raise DataError(f"{content.name}: is an Excel workbook. {SAVE_AS_CSV}")
            members = [one for one in archive.infolist() if _is_table(one.filename)]
            _require_sound(content.name, members)
            for member in members:
                yield Content(_member_name(content.name, member.filename), archive.read(member))
    except BROKEN_ARCHIVE as error:
        raise DataError(f"{content.name}: the archive is damaged. Download it again.") from error
    except (RuntimeError, NotImplementedError) as error:
        raise DataError(
            f"{content.name}: the archive is encrypted or packed in an unusual way. Unpack it."
        ) from error


def _require_sound(name: str, members: list[zipfile.ZipInfo]) -> None:
    if not members:
        raise DataError(f"{name}: no table is in the archive. Download it again.")
    size = sum(member.file_size for member in members)
    if size > LARGEST_BYTES or len(members) > MOST_MEMBERS:
        raise DataError(f"{name}: {len(members)} files of {size >> 20:,} MB are too many. Unpack.")


def _is_table(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    is_hidden = file.startswith(".") or folder.split("/")[0] == "__MACOSX"
    return bool(file) and not is_hidden and not file.upper().endswith(".CHECKSUM")


def _member_name(archive: str, member: str) -> str:
    name = printable(member.rpartition("/")[2])
    return name if splitext(name)[0] == splitext(archive)[0] else f"{archive}/{name}"


def parquet_grid(content: Content) -> Grid:
    """Return the columns of a Parquet file, dates that were its index among them.

    Raises
    ------
    DataError
        If the file is damaged, or a column holds what no cell of a table is.
    """
    try:
        frame = pd.read_parquet(io.BytesIO(content.data))
        frame = _without_index(frame)
        columns = tuple(_array(frame.iloc[:, at]) for at in range(frame.shape[1]))
    except (*BROKEN, NotImplementedError, RecursionError, RuntimeError) as error:
        raise DataError(
            f"{content.name}: cannot be read as Parquet: it is damaged, cut off, or has cells that "
            "are neither numbers nor dates nor texts. Write it again."
        ) from error
    if len(frame) == 0 or not columns:
        raise DataError(f"{content.name}: no rows. Download it again or remove it.")
    names, tickers = _names(list(frame.columns))
    return Grid(content.name, names, columns, np.empty(0, np.int64), tickers=tickers)


def _without_index(frame: pd.DataFrame) -> pd.DataFrame:
    index = frame.index
    if isinstance(index, pd.RangeIndex) and index.name is None:
        return frame
    if isinstance(index, pd.MultiIndex):
        levels = [_index_name(index.get_level_values(at), at) for at in range(index.nlevels)]
    else:
        levels = [_index_name(index, 0)]
    columns = {name: index.get_level_values(at) for at, name in enumerate(levels)}
    for name, values in reversed(columns.items()):
        label: Hashable = (name, "") if frame.columns.nlevels > 1 else name
        frame.insert(0, label, values, allow_duplicates=True)
    return frame


def _index_name(index: pd.Index, at: int) -> str:
    if index.name is not None:
        return str(index.name)
    return "date" if isinstance(index, pd.DatetimeIndex) else f"index {at + 1}"


def _array(column: pd.Series) -> pa.Array:
    if column.dtype == object and any(isinstance(cell, dt.date) for cell in column.head(1)):
        column = pd.to_datetime(column, errors="coerce")
    array = pa.Array.from_pandas(column)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_date(array.type):
        return array.cast(pa.timestamp("us"))
    if pa.types.is_large_string(array.type) or pa.types.is_dictionary(array.type):
        return array.cast(pa.string())
    return array


def _names(labels: list[Hashable]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of columns, and beside them the tickers where there are two levels."""
    pairs = [tuple(map(str, label)) for label in labels if isinstance(label, tuple)]
    if len(pairs) != len(labels) or any(len(pair) != 2 for pair in pairs):
        return tuple(map(str, labels)), ()
    firsts, seconds = zip(*pairs, strict=True)
    if "close" in {plain_name(name) for name in seconds}:
        firsts, seconds = seconds, firsts
    at_date = [plain_name(name) in table().date_names for pair in pairs for name in pair]
    is_date = [any(at_date[2 * at : 2 * at + 2]) for at in range(len(pairs))]
    names = [
        max(pair, key=len) if dated else name
        for pair, name, dated in zip(pairs, firsts, is_date, strict=True)
    ]
    tickers = ["" if dated else ticker for ticker, dated in zip(seconds, is_date, strict=True)]
    return tuple(names), tuple(tickers)
