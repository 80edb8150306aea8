"""What a sweep varies: axes of settings, and the trials a grid or a draw makes of them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.config.explain_errors import as_written
from feeds.arrays import Integers
from feeds.errors import ConfigError

_RANGE_KEYS: Final = frozenset({"from", "to", "step", "count", "log"})
LARGEST: Final = 1e300
MOST_VALUES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting and the values it takes, in order."""

    key: str
    values: tuple[Any, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        """All values: each must be allowed."""
        return self.values


@dataclass(frozen=True, slots=True)
class Range:
    """A setting drawn from low to high, both included, evenly or evenly in its logarithm."""

    key: str
    low: float
    high: float
    log: bool = False

    @property
    def ends(self) -> tuple[Any, ...]:
        """The extreme values: if they are allowed, so is all between."""
        return (self.low, self.high)

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are drawn."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def draw(self, count: int, *, rng: np.random.Generator) -> NDArray[Any]:
        """Return that many values."""
        if self.whole and not self.log:
            return rng.integers(int(self.low), int(self.high) + 1, count)
        if not self.log:
            return rng.uniform(self.low, self.high, count)
        values = np.exp(rng.uniform(math.log(self.low), math.log(self.high), count))
        values = np.clip(values, self.low, self.high)
        return np.rint(values).astype(np.int64) if self.whole else values


Axis = Choice | Range


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one setting over many trials: distinct values, and which a trial has."""

    values: tuple[Any, ...]
    codes: Integers

    def take(self) -> list[Any]:
        """Return the value of each trial."""
        return [self.values[code] for code in self.codes]

    def array(self) -> NDArray[Any]:
        """Return the value of each trial; for numbers and switches only."""
        return np.array(self.values)[self.codes]


Columns = dict[str, Column]


def axis(key: str, given: Any) -> Axis:
    """Return the axis of a list of values or of a `{from, to, step | count, log}` table.

    Raises
    ------
    ConfigError
        Naming the key, what was received and what is allowed.
    """
    if isinstance(given, list) and given and not any(isinstance(v, Mapping) for v in given):
        return Choice(key, tuple(given))
    if not isinstance(given, Mapping) or not {"from", "to"} <= given.keys() <= _RANGE_KEYS:
        raise ConfigError(
            f"`sweep.{key}` must be a list of values or {{from, to, step | count, log}}, "
            f"received {as_written(given)}."
        )
    span = _span(key, given["from"], given["to"], given.get("log", False))
    if "step" in given and ("count" in given or span.log):
        other = "`count`" if "count" in given else "`log`"
        raise ConfigError(f"`sweep.{key}`: `step` and {other} exclude each other. Leave one out.")
    if "step" in given:
        return Choice(key, _step_values(span, given["step"]))
    if "count" in given:
        return Choice(key, _count(span, given["count"]))
    return span


def _span(key: str, low: Any, high: Any, log: Any) -> Range:
    for name, end in (("from", low), ("to", high)):
        if not _is_number(end):
            raise ConfigError(
                f"`sweep.{key}`: `{name}` must be a number, received {as_written(end)}."
            )
    if not isinstance(log, bool):
        raise ConfigError(
            f"`sweep.{key}`: `log` must be true or false, received {as_written(log)}."
        )
    if not low <= high or (log and low <= 0):
        above = "above 0 and " if log else ""
        raise ConfigError(
            f"`sweep.{key}`: `from` must be {above}at most `to`, received {as_written(low)} and "
            f"{as_written(high)}."
        )
    return Range(key, low, high, log)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= LARGEST  # also where it is a whole number too long for a float, or NaN


def _step_values(span: Range, step: Any) -> tuple[Any, ...]:
    if not _is_number(step) or not step > 0:
        raise ConfigError(
            f"`sweep.{span.key}`: `step` must be above 0, received {as_written(step)}."
        )
    count = math.floor((span.high - span.low) / step + 1e-9) + 1
    if count > MOST_VALUES:
        raise ConfigError(
            f"`sweep.{span.key}`: `step` {step!r} makes {count:,} values, at most {MOST_VALUES:,} "
            "are possible. Take a larger one."
        )
    # rounded, so that 0.1 + 2 x 0.1 is 0.3 and its hash that of a config that says 0.3
    values = (span.low + number * step for number in range(count))
    return tuple(round(v, 12) if isinstance(v, float) else v for v in values)


def _count(span: Range, count: Any) -> tuple[Any, ...]:
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_VALUES:
        raise ConfigError(
            f"`sweep.{span.key}`: `count` must be a whole number from 1 to {MOST_VALUES:,}, "
            f"received {as_written(count)}."
        )
    space = np.geomspace if span.log else np.linspace
    spaced = space(span.low, span.high, count)
    values = [round(v) if span.whole else round(float(v), 12) for v in spaced]
    return tuple(dict.fromkeys(values))


def grid_size(axes: Sequence[Axis]) -> int:
    """Return how many trials the full grid has; every axis must be a `Choice`."""
    sizes = []
    for one in axes:
        if isinstance(one, Range):
            raise ConfigError(
                f"`sweep.{one.key}`: a grid needs `step` or `count` beside `from` and `to`, "
                'received neither. Add one, or set search = "random".'
            )
        sizes.append(len(one.values))
    return math.prod(sizes)


def grid_columns(axes: Sequence[Axis], trials: Integers) -> Columns:
    """Return some trials of the full grid, by number; the last axis turns fastest."""
    choices = [one for one in axes if isinstance(one, Choice)]
    sizes = [len(one.values) for one in choices]
    strides = [math.prod(sizes[place + 1 :]) for place in range(len(sizes))]
    return {
        one.key: Column(one.values, (trials // stride) % size)
        for one, stride, size in zip(choices, strides, sizes, strict=True)
    }


def random_columns(axes: Sequence[Axis], *, count: int, rng: np.random.Generator) -> Columns:
    """Return `count` trials drawn at random, each setting on its own."""
    columns = {}
    for one in axes:
        if isinstance(one, Choice):
            columns[one.key] = Column(one.values, rng.integers(0, len(one.values), count))
        else:
            columns[one.key] = drawn_column(one.draw(count, rng=rng))
    return columns


def column_of(taken: Sequence[Any]) -> Column:
    """Return a column of one value a trial."""
    # by type too: True is not 1, and 1 is not 1.0
    codes: dict[tuple[type, Any], int] = {}
    places = [codes.setdefault((type(value), value), len(codes)) for value in taken]
    values = tuple(value for _, value in codes)
    return Column(values, np.array(places, np.int64))


def drawn_column(values: NDArray[Any]) -> Column:
    """Return a column of numbers of one type, one per trial."""
    codes, distinct = pd.factorize(values)
    return Column(tuple(distinct.tolist()), codes.astype(np.int64))


def subset(columns: Columns, rows: Integers) -> Columns:
    """Return the columns of some of their trials, without values that none of these has."""
    return {key: _subset(own, rows) for key, own in columns.items()}


def _subset(column: Column, rows: Integers) -> Column:
    codes = column.codes[rows]
    if len(column.values) <= rows.size:
        return Column(column.values, codes)
    distinct, codes = np.unique(codes, return_inverse=True)
    return Column(tuple(column.values[code] for code in distinct.tolist()), codes)


def join_columns(parts: Iterable[Columns]) -> Columns:
    """Return the columns of trials that follow each other; of at least one part."""
    every = list(parts)
    return {key: _follow([part[key] for part in every]) for key in every[0]}


def _follow(parts: Sequence[Column]) -> Column:
    if all(part.values == parts[0].values for part in parts):
        return Column(parts[0].values, np.concatenate([part.codes for part in parts]))
    return column_of([value for part in parts for value in part.take()])


def combinations(columns: Iterable[Column], *, count: int) -> Integers:
    """Return a number for each of `count` trials, the same for the same values in all columns.

    Numbers count from 0 in the order in which combinations first occur.
    """
    found = np.zeros(count, np.int64)
    for column in columns:
        # numbered anew each time, so that many long columns cannot overflow
        found = pd.factorize(found * len(column.values) + column.codes)[0]
    return found


def value_text(value: Any) -> str:
    """Return a value of a setting as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in ("", ()):
        return "none"
    return f"{value:.10g}" if isinstance(value, float) else str(value).replace("_", " ")
