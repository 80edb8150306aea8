"""Calling own functions: what they are given is theirs to change, what they answer is checked."""

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from feeds.arrays import Flags, Floats
from feeds.errors import ConfigError
from strategies.registry import Entry

ROWS: Final = {"index": "session", "coin": "bar", "coins": "bar and coin"}

Frame = pd.DataFrame | pd.Series


def flags_of(entry: Entry, given: Sequence[Frame], *, parameters: Mapping[str, Any]) -> Flags:
    """Return where an own signal or exit fires, a flag per row of the first of `given`.

    Raises
    ------
    ConfigError
        If the function fails, or answers anything but flags or whole numbers of 0 and more.
    """
    found = _answer(entry, given, parameters)
    _require_shape(entry, found, (len(given[0]),))
    if found.dtype == np.bool_:
        return np.asarray(found, np.bool_)
    numbers = _numbers(entry, found)
    unknown = np.flatnonzero(~np.isfinite(numbers))
    if unknown.size:
        raise ConfigError(
            f"{_name_of(entry)} must answer true or false, received {numbers[unknown[0]]} on "
            f"{unknown.size:,} of {numbers.size:,} rows, the first {_row(given[0], unknown[0])}. "
            "Say false where it cannot know."
        )
    if (numbers < 0).any() or (numbers % 1 != 0).any():
        raise ConfigError(
            f"{_name_of(entry)} must answer true or false, or whole numbers of 0 and "
            f"more; received {numbers[(numbers < 0) | (numbers % 1 != 0)][0]}."
        )
    return numbers > 0


def states(entry: Entry, given: Sequence[Frame], *, parameters: Mapping[str, Any]) -> Floats:
    """Return an own filter's answers: 1.0 open, 0.0 closed, NaN not known yet.

    Raises
    ------
    ConfigError
        If the function fails, or answers anything else.
    """
    found = _answer(entry, given, parameters)
    _require_shape(entry, found, (len(given[0]),))
    numbers = _numbers(entry, found)
    strange = ~(np.isnan(numbers) | (numbers == 0) | (numbers == 1))
    if strange.any():
        raise ConfigError(
            f"{_name_of(entry)} must answer true, false, or NaN where it cannot know; received "
            f"{numbers[strange][0]}."
        )
    return numbers


def amounts(
    entry: Entry, given: Sequence[Any], *, parameters: Mapping[str, Any], shape: tuple[int, ...]
) -> Floats:
    """Return an own sizing's or weighting's numbers of 0 and more, NaN where unknown.

    Raises
    ------
    ConfigError
        If the function fails, or answers anything else.
    """
    found = _answer(entry, given, parameters)
    _require_shape(entry, found, shape)
    numbers = _numbers(entry, found)
    if (numbers < 0).any() or np.isinf(numbers).any():
        raise ConfigError(
            f"{_name_of(entry)} must answer numbers of 0 and more, NaN where unknown; received "
            f"{numbers[(numbers < 0) | np.isinf(numbers)][0]}."
        )
    return numbers


def _answer(entry: Entry, given: Sequence[Any], parameters: Mapping[str, Any]) -> Any:
    own = [each.copy() if isinstance(each, Frame) else each for each in given]
    try:
        return np.asarray(entry.function(*own, **parameters))
    except ConfigError:
        raise
    except Exception as error:
        lines = traceback.extract_tb(error.__traceback__)
        file = getattr(getattr(entry.function, "__code__", None), "co_filename", "")
        line = next((one for one in reversed(lines) if one.filename == file), lines[-1])
        where = f"{Path(line.filename).name}, line {line.lineno}"
        raise ConfigError(f"{_name_of(entry)} failed at {where}: {error!r}.") from error


def _require_shape(entry: Entry, found: Any, shape: tuple[int, ...]) -> None:
    if found.shape != shape:
        raise ConfigError(
            f"{_name_of(entry)} must answer one value per {ROWS[entry.reads[0]]}, "
            f"{' x '.join(f'{size:,}' for size in shape)}; received "
            f"{' x '.join(f'{size:,}' for size in found.shape) or 'one value'}."
        )


def _numbers(entry: Entry, found: Any) -> Floats:
    try:
        return np.asarray(found, np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{_name_of(entry)} must answer flags or numbers, received {found.dtype}."
        ) from error


def _name_of(entry: Entry) -> str:
    return f"the {entry.kind} {entry.name!r} of {entry.origin.name}"


def _row(given: Frame, position: int | np.integer[Any]) -> str:
    label = given.index[int(position)]
    return f"{label:%Y-%m-%d}" if isinstance(label, pd.Timestamp) else str(label)
