"""Dates of a table as they are read: every one a date, none twice, else one clear error."""

from typing import Final

import numpy as np
import pandas as pd

from feeds.errors import DataError

FIRST_YEAR: Final = 1700
LAST_YEAR: Final = 2200


def require_dates(
    parsed: pd.Series, *, column: pd.Series, origin: str, remedy: str
) -> pd.DatetimeIndex:
    """Return parsed dates as a nameless index; NaT names its row and what stood there.

    Raises
    ------
    DataError
        Naming origin, row (1 is the first data row) and value.
    """
    dates = pd.DatetimeIndex(parsed)
    wrong = np.asarray(dates.isna())
    if not wrong.any():  # a year that nanoseconds cannot hold is mistyped
        wrong = np.asarray((dates.year < FIRST_YEAR) | (dates.year > LAST_YEAR))
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{origin}: row {row + 1}, column `date`: {column.iloc[row]!r} is not a date. {remedy}"
        )
    return dates.as_unit("ns").rename(None)
