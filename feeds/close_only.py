"""Bars of a source that gives closes alone, as an index's and a coin's are made of them."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from feeds.arrays import Floats
from feeds.table import RawTable

if TYPE_CHECKING:
    from feeds.instruments import Kind


def with_prices(table: RawTable, *, kind: "Kind") -> RawTable:
    """Return a table of closes with the other three prices, marked as close-only.

    An index opens anew each session and nothing is known of the day but its close: open,
    high and low are the close. A coin trades without a break: it opens at the last close
    before it in time, and high and low are the larger and the smaller of the two; the first
    bar opens at its own close. A table that has an open is returned as it is.
    """
    if "open" in list(table.frame.columns):  # an index of names is slow to ask
        return table
    close = table.frame["close"].to_numpy(np.float64)
    opens = close if kind == "index" else _closes_before(table)
    opens = np.where(np.isnan(close), np.nan, opens)
    prices = {"open": opens, "high": np.maximum(opens, close), "low": np.minimum(opens, close)}
    columns = {name: table.frame[name] for name in table.frame.columns}
    frame = pd.DataFrame({"date": columns.pop("date"), **prices, **columns})
    return replace(table, frame=frame, is_close_only=True)


def _closes_before(table: RawTable) -> Floats:
    """Return the close before each row in time, its own where there is none before."""
    dates = pd.DatetimeIndex(table.frame["date"]).asi8
    close = table.frame["close"].to_numpy(np.float64)
    priced = ~np.isnan(close)
    # a row that repeats a date has the same bar before it: the last one of an earlier date
    order = np.argsort(dates[priced], kind="stable")
    times, values = dates[priced][order], close[priced][order]
    before = times.searchsorted(dates, side="left") - 1
    return np.where(before >= 0, values[before], close) if values.size else close
