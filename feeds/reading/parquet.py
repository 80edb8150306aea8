"""Parquet to columns, whatever shape its frame had: levels of columns, dates as index."""

import datetime as dt
import io
from collections.abc import Hashable

import numpy as np
import pandas as pd
import pyarrow as pa

from feeds.errors import DataError
from feeds.reading.contents import Content
from feeds.reading.dialects import plain_name, table
from feeds.reading.grid import Grid

BROKEN = (ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, MemoryError)


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
