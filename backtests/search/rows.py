"""The rows of a sweep's table: settings, config hash, figures; all of a chunk, or the best."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w

from backtests.config.config import Config
from backtests.config.raw_settings import put
from backtests.search.parameter_space import (
    Axis,
    Column,
    Columns,
    combinations,
    join_columns,
    subset,
)
from backtests.search.plan import Plan
from backtests.search.sweep_settings import OBJECTIVES
from backtests.search.trials.evaluate import Evaluated
from backtests.search.trials.kernel import FIGURES
from feeds.arrays import Flags, Floats, Integers

# How many rows are kept by each figure where only the best are.
ROWS_KEPT: Final = 1_000
_JUDGED_BY: Final = [FIGURES.index(name) for name in OBJECTIVES]


class BestRows:
    """The best rows by each figure of which more is better, while trials go by in order.

    Of equal rows the earliest are kept. A failed trial has no figure, so it is none of them.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._trials: list[Integers] = []
        self._figures: list[Floats] = []
        self._columns: list[Columns] = []
        self._waiting = 0
        self._least = np.full(len(OBJECTIVES), -np.inf)

    def add(self, first: int, columns: Columns, figures: Floats) -> None:
        """Look at the trials from `first` on."""
        rows = np.flatnonzero((figures[:, _JUDGED_BY] > self._least).any(axis=1))
        if rows.size == 0:
            return
        self._trials.append(rows + first)
        self._figures.append(figures[rows])
        self._columns.append(subset(columns, rows))
        self._waiting += rows.size
        if self._waiting > 4 * ROWS_KEPT:
            self._leave_best()

    def table(self) -> pa.Table:
        """Return the rows kept, in ascending order of trial."""
        if not self._trials:
            nothing = subset(self._plan.columns(0), np.empty(0, np.int64))
            return rows_table(self._plan, np.empty(0, np.int64), nothing, _NO_FIGURES, [])
        self._leave_best()
        (trials,), (figures,), (columns,) = self._trials, self._figures, self._columns
        return rows_table(self._plan, trials, columns, figures, [None] * trials.size)

    def _leave_best(self) -> None:
        trials, figures = np.concatenate(self._trials), np.concatenate(self._figures)
        columns = join_columns(self._columns)
        is_best = np.zeros(trials.size, np.bool_)
        for place, figure in enumerate(_JUDGED_BY):
            own, self._least[place] = _highest(figures[:, figure])
            is_best |= own
        rows = np.flatnonzero(is_best)
        self._trials, self._figures = [trials[rows]], [figures[rows]]
        self._columns, self._waiting = [subset(columns, rows)], 0


_NO_FIGURES: Final = np.empty((0, len(FIGURES)))


def _highest(values: Floats) -> tuple[Flags, float]:
    """Return which are the highest `ROWS_KEPT`, and the lowest of them once there are so many."""
    known = ~np.isnan(values)
    if known.sum() <= ROWS_KEPT:
        return known, -np.inf
    least = np.partition(values[known], -ROWS_KEPT)[-ROWS_KEPT]
    is_above = values > least
    is_above[np.flatnonzero(values == least)[: ROWS_KEPT - is_above.sum()]] = True
    return is_above, float(least)


def table_of(plan: Plan, chunk: int, columns: Columns, evaluated: Evaluated) -> pa.Table:
    """Return a chunk's rows: trial, settings, config hash, figures, and why a trial failed."""
    trials = np.arange(*plan.bounds(chunk))
    return rows_table(plan, trials, columns, evaluated.figures, evaluated.failures)


def rows_table(
    plan: Plan,
    trials: Integers,
    columns: Columns,
    figures: Floats,
    failures: Sequence[str | None],
) -> pa.Table:
    """Return the rows of some trials."""
    fields: dict[str, Any] = {"trial": trials}
    fields |= {one.key: _write(one, columns[one.key]) for one in plan.axes}
    fields["config"] = pa.array(short_hashes(plan.base, columns), pa.string())
    fields |= {name: figures[:, place] for place, name in enumerate(FIGURES)}
    fields["failure"] = pa.array(failures, pa.string())
    return pa.table(fields)


def parquet_of(plan: Plan, table: pa.Table) -> bytes:
    """Return the file of a chunk's rows, its metadata at the end; the same bytes anywhere."""
    told = table.schema.metadata or {}
    plain = table.replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink, plain.schema, compression="zstd", use_dictionary=list(plan.keys)
    ) as writer:
        writer.write_table(plain)
        writer.add_key_value_metadata(told)
    return bytes(sink.getvalue())


def short_hashes(base: Config, columns: Columns) -> list[str]:
    """Return `Config.short_hash` of each trial; `base` has every setting that varies."""
    pieces, keys = _cut(base, tuple(columns))
    ordered = [columns[key] for key in keys]
    texts = [
        [_value_text(value) + after for value in column.values]
        for column, after in zip(ordered, pieces[1:], strict=True)
    ]
    group = combinations(ordered[:-1], count=ordered[-1].codes.size)
    rows = np.unique(group, return_index=True)[1]
    begun = _begin(pieces[0], texts[:-1], [column.codes[rows] for column in ordered[:-1]])
    found = []
    for place, last in zip(group.tolist(), ordered[-1].codes.tolist(), strict=True):
        digest = begun[place].copy()
        digest.update(texts[-1][last])
        found.append(digest.hexdigest()[:8])
    return found


def _begin(first: bytes, texts: list[list[bytes]], codes: list[Integers]) -> list[Any]:
    """Return a digest of each combination, shape (combinations,) each of `codes`."""
    if not codes:
        return [hashlib.sha256(first)]
    taken = [[own[code] for code in each.tolist()] for own, each in zip(texts, codes, strict=True)]
    return [hashlib.sha256(b"".join([first, *row])) for row in zip(*taken, strict=True)]


def _value_text(value: object) -> bytes:
    return tomli_w.dumps({"k": value}).removeprefix("k = ").removesuffix("\n").encode()


def _cut(base: Config, keys: tuple[str, ...]) -> tuple[list[bytes], list[str]]:
    """Return the text between the values of `keys`, and the keys in the order of the text."""
    tree = base.model_dump(exclude_none=True)
    for key in keys:
        put(tree, key, f"<{key}>")
    pieces = re.split(f'"<({"|".join(map(re.escape, keys))})>"', tomli_w.dumps(tree))
    return [piece.encode() for piece in pieces[::2]], pieces[1::2]


def _kind(one: Axis) -> pa.DataType | None:
    """Return the column type of a setting; None for mixed values, written as text."""
    kinds = {type(value) for value in one.ends}
    if len(kinds) > 1:
        return None
    found = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
    return found.get(kinds.pop())


def _write(one: Axis, column: Column) -> pa.Array:
    values = pa.array(table_values(one, column.values), _kind(one) or pa.string())
    return values.take(pa.array(column.codes))


def table_values(one: Axis, values: Sequence[Any]) -> tuple[Any, ...]:
    """Return values of a setting as the table has them: as text where they are of many kinds."""
    return tuple(values) if _kind(one) else tuple(map(str, values))
