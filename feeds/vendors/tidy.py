"""A vendor's answer, as columns of whatever it sent, on its way to the one border."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from feeds.bars import Bars
from feeds.border import validate_bars
from feeds.errors import DataError
from feeds.instruments import Instrument
from feeds.table import RawTable


def tidy(
    raw: pd.DataFrame,
    *,
    instrument: Instrument,
    timeframe: str,
    source: str,
    origin: str,
    now: pd.Timestamp,
    notes: Iterable[str] = (),
    is_close_only: bool = False,
) -> Bars:
    """Return the vendor's finished bars, validated; every row left out is in the notes.

    `raw` has parsed dates; its other columns may be numbers, text or nothing. With
    `is_close_only` it needs no open, high and low.

    Raises
    ------
    NotServed
        If no finished bar is among them.
    DataError
        If a cell is no number, or the bars contradict each other or are not what was asked.
    """
    columns = {
        name: column if name == "date" else _numbers(column, origin)
        for name, column in raw.reset_index(drop=True).items()
    }
    return validate_bars(
        RawTable(pd.DataFrame(columns), origin, notes=tuple(notes), is_close_only=is_close_only),
        instrument=instrument,
        timeframe=timeframe,
        source=source,
        now=now,
        is_live=True,
    )


def _numbers(column: pd.Series, origin: str) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    wrong = np.asarray(numbers.isna() & column.notna())
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{origin}: row {row + 1}, column `{column.name}`: {str(column.iloc[row])[:40]!r} is "
            "not a number. Try again; if it stays, use another source."
        )
    return numbers
