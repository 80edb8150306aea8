"""Dates of a table as they are read: every one a date, none twice, else one clear error."""

import pandas as pd

from feeds.errors import DataError


def require_dates(
    parsed: pd.Series, *, column: pd.Series, origin: str, remedy: str
) -> pd.DatetimeIndex:
    """Return parsed dates as a nameless index; NaT names its row and what stood there.

    Raises
    ------
    DataError
        Naming origin, row (1 is the first data row) and value.
    """
    if parsed.isna().any():
        row = int(parsed.isna().to_numpy().argmax())
        raise DataError(
            f"{origin}: row {row + 1}, column `date`: {column.iloc[row]!r} is not a date. {remedy}"
        )
    return pd.DatetimeIndex(parsed).as_unit("ns").rename(None)


def require_unique(dates: pd.DatetimeIndex, *, origin: str, form: str) -> None:
    """Refuse a date that stands there twice; `form` is how it is written in the message."""
    repeated = dates.duplicated()
    if repeated.any():
        row = int(repeated.argmax())
        raise DataError(
            f"{origin}: row {row + 1}, column `date`: {dates[row].strftime(form)} stands there "
            "twice. Remove one of the two rows."
        )
