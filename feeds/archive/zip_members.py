"""One zip of the archive: a month's or a day's klines of one pair, fetched, verified and read."""

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import numpy as np
import pandas as pd

from feeds.archive.client import Client, File
from feeds.arrays import Floats
from feeds.bars import PRICES, QUOTE_VOLUME
from feeds.errors import DataError, NotServed, Unreachable
from feeds.sessions import BAR_LENGTHS
from feeds.vendors.registry import reading
from feeds.vendors.request_policy import PassingError

COLUMNS: Final = (*PRICES, "volume", QUOTE_VOLUME)
# Open time, open, high, low, close, volume, close time, quote volume; four more are not read.
PLACES: Final = (0, 1, 2, 3, 4, 5, 7)
FIELDS: Final = 8
CHECKSUM: Final = ".CHECKSUM"
# Milliseconds until 2024, microseconds from 2025-01-01 on: told apart by their size, which
# holds for both units from 1973 to 5138.
SMALLEST_MICROSECONDS: Final = 10**14
MOST_BYTES: Final = 256 * 2**20

_NAME = re.compile(r"(?P<pair>[^/]+)-(?P<timeframe>\w+)-(?P<period>\d{4}-\d{1,2}(-\d{1,2})?)\.zip")
_HEADINGS = pd.Index(COLUMNS)  # made once: there are tens of thousands of zips
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Unverified(PassingError):
    """A file came and is not what its checksum says."""


@dataclass(frozen=True, slots=True)
class Member:
    """One zip: the month ("2022-05") or day ("2022-05-31") it covers, and its listing's entry."""

    pair: str
    timeframe: str
    period: str
    key: str
    etag: str
    has_checksum: bool

    def __str__(self) -> str:
        return f"{self.pair} {self.period}"

    @property
    def month(self) -> str:
        """The month the zip is of, or is in."""
        return self.period[:7]

    @property
    def span(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """The instant the period begins, and the one it is over (UTC)."""
        return span_of(self.period)


@cache
def span_of(period: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the instant (UTC) a month or day begins, and the one it is over."""
    found = pd.Period(period, freq="D" if len(period) > len("2022-05") else "M")
    return found.start_time.tz_localize("UTC"), (found + 1).start_time.tz_localize("UTC")


def members_of(files: Iterable[File], *, pair: str, timeframe: str) -> dict[str, Member]:
    """Return the zips among `files` by the period they cover; other files are passed over."""
    listed = list(files)
    checksums = {file.key for file in listed if file.key.endswith(CHECKSUM)}
    found = {}
    for file in listed:
        name = _NAME.fullmatch(file.key.rpartition("/")[2])
        if name is None or (name["pair"], name["timeframe"]) != (pair, timeframe):
            continue
        period = "-".join(part.zfill(2) for part in name["period"].split("-"))  # 2020-8 occurs
        has_checksum = file.key + CHECKSUM in checksums
        found[period] = Member(pair, timeframe, period, file.key, file.etag, has_checksum)
    return found


@dataclass(frozen=True, slots=True)
class MemberTable:
    """A verified zip, read: its rows by opening instant, its digest, and its size in bytes."""

    member: Member
    rows: pd.DataFrame
    sha256: str
    size: int
    note: str = ""


def fetch_member(member: Member, client: Client) -> MemberTable:
    """Fetch a zip, verify it, and read its rows.

    Raises
    ------
    Unreachable
        If the archive does not answer.
    DataError
        If it never matched its checksum, or does and cannot be read all the same.
    """
    once = partial(_verify, member, client)
    try:
        payload, digest, note = client.patiently(once, subject=str(member))
    except Unreachable as error:
        if isinstance(error.__cause__, Unverified):
            raise DataError(f"{error} It is left out.") from error
        raise
    with reading(f"binance archive {member}", "It is left out."):
        rows = rows_of(_unzip(payload, member), member)
    return MemberTable(member, rows, digest, len(payload), note)


def _verify(member: Member, client: Client) -> tuple[bytes, str, str]:
    payload = client.file(member.key)
    digest = hashlib.sha256(payload).hexdigest()
    published = _publish(member, client)
    if published:
        if digest != published:
            raise Unverified("does not match its checksum")
        return payload, digest, ""
    # S3's tag of a file sent in one piece is its MD5
    if hashlib.md5(payload, usedforsecurity=False).hexdigest() == member.etag:
        return payload, digest, f"{member}: without a checksum, verified by the listing's MD5"
    if "-" in member.etag or not member.etag:
        return payload, digest, f"{member}: without a checksum, verified by the zip's own CRC only"
    raise Unverified("has no checksum and does not match the listing's MD5")


def _publish(member: Member, client: Client) -> str:
    """Return the SHA-256 published beside a zip, empty where there is none."""
    if not member.has_checksum:
        return ""
    try:
        text = client.file(member.key + CHECKSUM).decode("ascii", "replace").lower()
    except NotServed:
        return ""
    digest = text.split()[0] if text.split() else ""
    if not _DIGEST.fullmatch(digest):
        raise Unverified("has a checksum that is none")
    return digest


def _unzip(payload: bytes, member: Member) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            tables = [each for each in archive.infolist() if each.filename.endswith(".csv")]
            if len(tables) != 1 or tables[0].file_size > MOST_BYTES:
                raise DataError(
                    f"binance archive {member}: the zip holds {len(tables)} tables where one is "
                    "expected, or a huge one. It is left out."
                )
            return archive.read(tables[0]).decode("utf-8-sig")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(
            f"binance archive {member}: the zip is as published and cannot be read ({error}). "
            "It is left out."
        ) from error


def rows_of(text: str, member: Member) -> pd.DataFrame:
    """Return klines as float64 `COLUMNS` by opening instant (UTC), as they stand there.

    Raises
    ------
    DataError
        Naming line and value, if a line is no kline or lies outside the member's period.
    """
    lines = text.splitlines()
    first = 1 if lines and lines[0].lower().startswith("open") else 0  # newer files' header
    cells = [line.split(",") for line in lines[first:] if line.strip()]
    for row, each in enumerate(cells):
        if len(each) < FIELDS:
            raise _wrong(member, row + first, f"has {len(each)} fields where 12 are expected")
    try:
        numbers = np.array([[each[at] for at in PLACES] for each in cells], np.float64)
    except ValueError as error:
        row = _unreadable(cells) + first
        raise _wrong(member, row, "holds a cell that is no number") from error
    numbers = numbers.reshape(-1, len(PLACES))
    opens = _instants(numbers[:, 0], member, first)
    return pd.DataFrame(numbers[:, 1:], index=opens, columns=_HEADINGS)


def _instants(stamps: Floats, member: Member, first: int) -> pd.DatetimeIndex:
    start, stop = (end.as_unit("ns").value for end in member.span)
    scale = np.where(stamps >= SMALLEST_MICROSECONDS, 1_000, 1_000_000)
    with np.errstate(invalid="ignore"):
        opens = stamps.astype(np.int64) * scale
    astray = ~((stamps > 0) & (opens >= start) & (opens < stop))
    astray |= (opens - start) % BAR_LENGTHS[member.timeframe].as_unit("ns").value != 0
    if astray.any():
        row = int(astray.argmax())
        bar = f"no {member.timeframe} bar of {member.period}"
        raise _wrong(member, row + first, f"opens at {stamps[row]:.0f}, which is {bar}")
    return pd.DatetimeIndex(opens.view("datetime64[ns]")).tz_localize("UTC")


def _unreadable(cells: list[list[str]]) -> int:
    """Return the first row with a cell that is no number."""
    for row, each in enumerate(cells):
        try:
            [float(each[at]) for at in PLACES]
        except ValueError:
            return row
    return 0


def _wrong(member: Member, row: int, reason: str) -> DataError:
    return DataError(f"binance archive {member}: line {row + 1} {reason}. It is left out.")
