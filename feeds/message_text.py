"""How counts, times, numbers and lengths are spelled in notes and errors."""

import difflib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

NAMED: Final = 3  # so many are named, the others counted
LEAST, MOST = 1e-12, 1e16  # between them a number is written without an exponent
BAR_NOUNS: Final = {"1h": "hourly bar", "4h": "4-hour bar", "1d": "daily bar"}
ONE: Final = {"minute": "a minute", "hour": "an hour", "day": "a day"}


def count_noun(count: int, noun: str) -> str:
    """Return `1 bar`, `1,178 bars`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def share_text(fraction: float, *, decimals: int = 0) -> str:
    """Return a share as percent: 0.0525 with one decimal is `5.3 %`."""
    return f"{100 * fraction:,.{decimals}f} %"


def list_words(texts: Sequence[str], *, count: int | None = None) -> str:
    """Return the first three, each once, and how many more there are of `count`."""
    rest = (len(texts) if count is None else count) - NAMED
    return ", ".join(texts[:NAMED]) + (f" and {rest:,} more" if rest > 0 else "")


def listed_times(times: "pd.DatetimeIndex") -> str:
    """Return the first three different times and how many more there are."""
    different = times.unique()
    return list_words(time_texts(different[:NAMED]), count=len(different))


def time_texts(times: "pd.DatetimeIndex") -> list[str]:
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


def length_text(length: timedelta) -> str:
    """Return `an hour`, `30 minutes`, `7 days`."""
    minutes = length / timedelta(minutes=1)
    for size, noun in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            amount = f"{minutes / size:.3g}"
            return ONE[noun] if amount == "1" else f"{amount} {noun}s"
    return f"{length.total_seconds():.3g} seconds"


# below this two names have no more in common than chance
ALIKE: Final = 0.6


def nearest(name: str, known: Iterable[str], *, alike: float = ALIKE) -> str:
    """Return the known name most like `name`, whatever its case; "" where none is near."""
    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(each.casefold(), each)
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=alike)
    return folded[near[0]] if near else ""


def nearest_hint(name: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """Return " The nearest is ...", to end a message with; `otherwise` where none is near."""
    near = nearest(name, known)
    return f" The nearest is {near!r}." if near else otherwise
