"""How counts, times, numbers and lengths are spelled in notes and errors."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

NAMED: Final = 3  # so many are named, the others counted
LEAST, MOST = 1e-12, 1e16  # between them a number is written without an exponent
BAR_NOUNS: Final = {"1h": "hourly bar", "4h": "4-hour bar", "1d": "daily bar"}
ONE: Final = {"minute": "a minute", "hour": "an hour", "day": "a day"}


def counted(count: int, noun: str) -> str:
    """Return `1 bar`, `1,178 bars`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def listed(texts: Sequence[str], *, count: int | None = None) -> str:
    """Return the first three, each once, and how many more there are of `count`."""
    rest = (len(texts) if count is None else count) - NAMED
    return ", ".join(texts[:NAMED]) + (f" and {rest:,} more" if rest > 0 else "")


def listed_times(times: pd.DatetimeIndex) -> str:
    """Return the first three different times and how many more there are."""
    different = times.unique()
    return listed(time_texts(different[:NAMED]), count=len(different))


def time_texts(times: pd.DatetimeIndex) -> list[str]:
    """Return each as `2024-01-02`, `2024-01-02 14:30` or with seconds, as short as it is.

    Any year can be written, also one that no `Timestamp` holds.
    """
    moments = times.tz_localize(None).as_unit("s").to_numpy()
    texts = np.datetime_as_string(moments).tolist() if len(moments) else []
    return [
        "nothing"
        if text == "NaT"
        else text.replace("T", " ").removesuffix(":00").removesuffix(" 00:00")
        for text in texts
    ]


def number_text(value: float) -> str:
    """Return a number as a person writes it, with all its digits."""
    number = float(value)
    if np.isnan(number):
        return "nothing"
    if np.isinf(number):
        return "infinite" if number > 0 else "minus infinite"
    if number and not LEAST <= abs(number) < MOST:
        return repr(number)
    return np.format_float_positional(number, trim="-")


def length_text(length: pd.Timedelta) -> str:
    """Return `an hour`, `30 minutes`, `7 days`."""
    minutes = length / pd.Timedelta(minutes=1)
    for size, noun in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            amount = f"{minutes / size:.3g}"
            return ONE[noun] if amount == "1" else f"{amount} {noun}s"
    return f"{length.total_seconds():.3g} seconds"
