"""The fast path: files in our own form, which need no recognising."""

import re
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from feeds.raw_table import RawTable

BOM: Final = b"\xef\xbb\xbf"
HEADERS: Final = {
    header.encode(): tuple(header.split(","))
    for header in (
        "date,value",
        "date,close",
        "date,open,high,low,close",
        "date,open,high,low,close,volume",
        "date,open,high,low,close,volume,market_cap",
    )
}
ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}([T ][\d:.]+)?(?P<zone>Z)?")
YEARS: Final = (np.datetime64("1700-01-01", "us"), np.datetime64("2262-01-01", "us"))


def own_form(data: bytes, *, origin: str) -> RawTable | None:
    """Return the table of a file that is our own form in every byte, else None.

    None is no verdict: the reader of all forms then reads the file, or says what is wrong.
    """
    data = data.removeprefix(BOM)
    head, _, _ = data[:200].partition(b"\n")
    names = HEADERS.get(head.rstrip(b"\r"))
    if names is None:
        return None
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(use_threads=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.float64() for name in names[1:]} | {"date": pa.string()},
                null_values=[""],
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return _table(table, rows_expected=data.rstrip(b"\r\n").count(b"\n"), origin=origin)


def _table(table: pa.Table, *, rows_expected: int, origin: str) -> RawTable | None:
    dates = plain_iso_dates(table.column("date").combine_chunks())
    # a blank line shifts the lines of the file, a quoted one holds several
    if dates is None or table.num_rows == 0 or table.num_rows != rows_expected:
        return None
    columns: dict[str, object] = {"date": dates}
    for name in table.column_names[1:]:
        column = table.column(name).combine_chunks()
        numbers = column.to_numpy(zero_copy_only=False)
        if np.isfinite(numbers).sum() + column.null_count != len(numbers):
            return None
        columns[name] = numbers
    lines = np.arange(2, table.num_rows + 2)
    return RawTable(pd.DataFrame(columns, copy=False), origin=origin, lines=lines)


def plain_iso_dates(texts: pa.Array) -> pd.DatetimeIndex | None:
    """Return ISO 8601 texts as dates: all without a zone, or all with Z, as UTC; else None."""
    match = ISO.fullmatch(texts[0].as_py()) if len(texts) else None
    if match is None:  # to try and fail takes longer than to read
        return None
    zone = "UTC" if match["zone"] else None
    if zone and not pc.all(pc.ends_with(texts, "Z")).as_py():
        return None  # an offset tells what day it was where it was written
    try:
        instants = texts.cast(pa.timestamp("us", zone)).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    if not (YEARS[0] <= instants.min() and instants.max() < YEARS[1]):
        return None
    dates = pd.DatetimeIndex(instants).as_unit("ns")
    return dates.tz_localize("UTC") if zone else dates
