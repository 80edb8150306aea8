"""Flows of a fund from its own history file: net asset value and shares outstanding a day.

The file that iShares offers as `.xls` is text in SpreadsheetML: newest first, `--` for
missing, with byte-order marks and bare `&` that XML parsers refuse, month names in the
language of the download. A CSV with the columns date, nav, shares is read as well.
"""

import csv
import html
import logging
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from feeds.errors import DataError
from feeds.series import Series, release_frame, terms

log = logging.getLogger(__name__)

NAME: Final = "ETF_FLOWS"
MILLION: Final = 1e6
# Shares of these days in IWM's file are misprints: they return to the day before at once.
MISPRINTS: Final = pd.DatetimeIndex(["2007-06-21", "2007-06-22", "2007-06-25", "2007-06-28"])
MISSING: Final = ("--", "-", "")
EARLIEST_YEAR: Final = 1900
HEAD_BYTES: Final = 2_000
# How a heading begins or what it holds, in the languages of the fund's sites.
NAV: Final = ("nav", "liquidativ", "inventar")
SHARES: Final = ("outstanding", "umlauf", "circula", "uitstaand")
MONTHS: Final = (
    ("jan", "gen", "ene"), ("feb", "fev"), ("mar", "mrt", "maa"), ("apr", "abr", "avr"),
    ("may", "mai", "mei", "mag"), ("jun", "juin", "giu"), ("jul", "juil", "lug"),
    ("aug", "ago", "aou"), ("sep", "set"), ("oct", "okt", "ott"), ("nov",), ("dec", "dez", "dic"),
)  # fmt: skip
REMEDY: Final = "Download the fund's file again, or correct the row."


@dataclass(frozen=True, slots=True)
class FundHistory:
    """A fund's days, ascending and unique: columns `nav` (USD a share) and `shares`."""

    frame: pd.DataFrame
    origin: str
    notes: tuple[str, ...] = ()


def fund_files(folder: Path) -> list[Path]:
    """Return the fund histories in a folder, told by what is in them, sorted by name."""
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    return [path for path in paths if _is_named_so(path)]


def is_workbook(head: bytes) -> bool:
    """Return whether a file that begins so is a workbook as text."""
    return b"<ss:Workbook" in head[:HEAD_BYTES]


def flows_from_file(path: Path, *, lag_days: float | None = None) -> Series:
    """Return the flows of the fund whose history stands in `path`."""
    read = sheet_history if path.suffix.lower() == ".xls" else table_history
    history = read(_begin_of(path), origin=path.name)
    return flows(history, source="files", lag_days=lag_days)


def flows(history: FundHistory, *, source: str, lag_days: float | None = None) -> Series:
    """Return what came into the fund each day, in USD million.

    (shares of the day - shares of the day before) x net asset value of the day. The first
    day has none. Without `lag_days` a day's flow is known at the next session's close.
    """
    frame, notes = history.frame, list(history.notes)
    wrong = frame.index.isin(MISPRINTS)
    if wrong.any():
        frame = frame.assign(shares=frame["shares"].where(~wrong).ffill()).dropna()
        days = ", ".join(f"{day:%Y-%m-%d}" for day in history.frame.index[wrong])
        notes.append(f"{history.origin}: shares of {days} are misprints, those before stand")
    values = (frame["shares"].diff() * frame["nav"] / MILLION).iloc[1:]
    if values.empty:
        raise DataError(f"{history.origin}: fewer than two days with shares. {REMEDY}")
    units, release = terms(NAME, lag_days)
    return Series(NAME, units, release_frame(values, release), source, history.origin, tuple(notes))


def sheet_history(payload: bytes, *, origin: str) -> FundHistory:
    """Return the history of a fund's workbook (SpreadsheetML as text).

    Raises
    ------
    DataError
        If no sheet has dates, net asset values and shares, or a cell cannot be read.
    """
    text = payload.decode("utf-8", errors="replace").lstrip("\ufeff")
    for sheet in re.findall(r"<ss:Worksheet\b.*?</ss:Worksheet>", text, re.DOTALL):
        rows = [_cells(row) for row in re.findall(r"<ss:Row\b.*?</ss:Row>", sheet, re.DOTALL)]
        for place, row in enumerate(rows):
            columns = _columns(row)
            if columns is not None:
                return _history(rows[place + 1 :], columns, origin)
    raise DataError(
        f"{origin}: no sheet has columns for the date, the net asset value and the shares "
        "outstanding. Take the fund's whole file, with its sheet Historical."
    )


def table_history(payload: bytes, *, origin: str) -> FundHistory:
    """Return the history of a CSV with the columns date, nav and shares."""
    head, *rows = csv.reader(payload.decode("utf-8-sig", errors="replace").splitlines()) or [[]]
    names = [name.strip().lower() for name in head]
    missing = [name for name in ("date", "nav", "shares") if name not in names]
    if missing:
        raise DataError(
            f"{origin}: column `{missing[0]}` is missing, found {', '.join(head)}. Needed: date, "
            "nav, shares."
        )
    columns = (names.index("date"), names.index("nav"), names.index("shares"))
    return _history(rows, columns, origin)


def fund_date(text: str) -> pd.Timestamp | None:
    """Return a date such as `Oct 25, 2023`, `31.März2026`, `24/mei/2018` or `2024-01-02`."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    words = re.findall(r"[a-z]+", "".join(c for c in plain if not unicodedata.combining(c)))
    numbers = [int(number) for number in re.findall(r"\d+", plain)]
    if len(words) == 1 and len(numbers) == 2:
        starts = [any(words[0].startswith(name) for name in names) for names in MONTHS]
        month = starts.index(True) + 1 if any(starts) else 0
        year, day = max(numbers), min(numbers)
        year = year if year >= EARLIEST_YEAR else 0
    elif not words and re.fullmatch(r"\d{4}-\d{2}-\d{2}", plain.strip()):
        year, month, day = numbers
    else:
        return None
    try:
        return pd.Timestamp(year=year, month=month, day=day)
    except ValueError:
        return None


def _is_named_so(path: Path) -> bool:
    if path.suffix.lower() == ".xls":
        return is_workbook(_begin_of(path, HEAD_BYTES))
    return path.name.lower().endswith("_nav_shares_1d.csv")


def _begin_of(path: Path, count: int = -1) -> bytes:
    """Return the first `count` bytes of a file, by default all of them."""
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise DataError(f"{path.name}: cannot be read ({error.strerror}). {REMEDY}") from error


def _columns(row: Sequence[str]) -> tuple[int, int, int] | None:
    """Return where date, net asset value and shares stand, if this row is their heading."""
    plain = [unicodedata.normalize("NFKD", cell.casefold()) for cell in row]
    nav = [place for place, cell in enumerate(plain) if any(name in cell for name in NAV)]
    shares = [place for place, cell in enumerate(plain) if any(name in cell for name in SHARES)]
    return (0, nav[0], shares[0]) if nav and shares else None


def _cells(row: str) -> list[str]:
    cells = re.findall(r"<ss:Cell\b[^>]*?(?:/>|>(.*?)</ss:Cell>)", row, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in cells]


def _history(
    rows: Sequence[Sequence[str]], columns: tuple[int, int, int], origin: str
) -> FundHistory:
    dates, values, lacking = [], [], 0
    for number, row in enumerate(rows, start=1):
        cells = [row[place].strip() if place < len(row) else "" for place in columns]
        if cells[1] in MISSING or cells[2] in MISSING:
            lacking += any(cells)
            continue
        dates.append(_read_date(cells[0], number, origin))
        shares = re.sub(r",(?=\d{3}(?!\d))", "", cells[2])  # a comma in a value may be decimal
        values.append([_read_number(cell, number, origin) for cell in (cells[1], shares)])
    frame = pd.DataFrame(
        np.array(values, np.float64).reshape(-1, 2),
        columns=pd.Index(["nav", "shares"]),
        index=pd.DatetimeIndex(dates).as_unit("ns"),
    ).sort_index()
    if frame.index.has_duplicates:
        twice = frame.index[frame.index.duplicated()][0]
        raise DataError(f"{origin}: {twice:%Y-%m-%d} stands there twice. {REMEDY}")
    notes = (f"{origin}: {lacking} days without shares or value left out",) if lacking else ()
    return FundHistory(frame, origin, notes)


def _read_date(text: str, number: int, origin: str) -> pd.Timestamp:
    date = fund_date(text)
    if date is None:
        raise DataError(f"{origin}: row {number}: {text!r} is not a date. {REMEDY}")
    return date


def _read_number(text: str, number: int, origin: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not 0 < value < np.inf:
        raise DataError(f"{origin}: row {number}: {text!r} is not a positive number. {REMEDY}")
    return value
