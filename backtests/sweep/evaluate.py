"""The figures of a batch of trials: by the kernel where it can, else by a full run."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backtests.config import ALTS, Config
from backtests.sweep import kernel
from backtests.sweep.groups import Group, Library, joined, tape_key, weights
from backtests.sweep.kernel import FIGURES
from backtests.sweep.plan import value_at, with_values
from backtests.sweep.ranges import Floats
from backtests.sweep.space import Column, Columns
from backtests.sweep.spans import Trials
from feeds.errors import InputError
from strategies.rules import NONE

log = logging.getLogger(__name__)

Integers = NDArray[np.int64]

DAY_IN_SECONDS: Final = 86_400.0
BASIS_POINT: Final = 1e-4

# Settings that need no other signals: the kernel takes a number of each per trial.
PER_TRIAL: Final = (
    "rules.hold_days",
    "rules.exit_on_support_lost",
    "rules.stop_loss",
    "rules.trailing_stop",
    "rules.index_drawdown",
    "costs.commission_bps",
    "costs.slippage_bps",
    "costs.initial_cash",
)
# All else the kernel understands; a config that uses anything else is run in full.
SHARED: Final = (
    "asset",
    "rules.trigger",
    "rules.entry_delay_days",
    "size.mode",
    "size.fraction",
    "size.vol_target",
    "size.vol_lookback",
    "costs.cash_rate",
)
SHARED_SECTIONS: Final = ("data.", "index.", "signal.", "significance.", "claim.")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Figures of shape (trials, len(FIGURES)), NaN where a trial failed, and why it did."""

    figures: Floats
    failures: list[str | None]


def evaluate(base: Config, columns: Columns, *, library: Library) -> Evaluated:
    """Return the figures of every trial; a trial that fails stops no other."""
    count = next(iter(columns.values())).codes.size
    figures = np.full((count, len(FIGURES)), np.nan)
    failures: list[str | None] = [None] * count
    shared = {key: column for key, column in columns.items() if key not in PER_TRIAL}
    by_tape: dict[Any, list[tuple[Config, Integers]]] = {}
    understood = is_understood(base) and all(_is_known(key) for key in columns)
    for values, rows in _distinct(shared, count):
        try:
            config = library.config(base, values)
            if understood and config.asset != ALTS:
                library.group(config)
                by_tape.setdefault(tape_key(config), []).append((config, rows))
            else:
                for row in rows:
                    figures[row], failures[row] = _run_in_full(base, columns, row, library)
        except InputError as error:
            for row in rows:
                failures[row] = str(error)
    for sets in by_tape.values():
        _run_on_tape(sets, columns, library, figures)
    return Evaluated(figures, failures)


def is_understood(config: Config) -> bool:
    """Return whether the kernel knows every setting the config uses: it holds one coin."""
    plain = _flat(Config().model_dump())
    return config.asset != ALTS and all(
        _is_known(key) or plain.get(key) == value
        for key, value in _flat(config.model_dump()).items()
    )


def _is_known(key: str) -> bool:
    return key in PER_TRIAL or key in SHARED or key.startswith(SHARED_SECTIONS)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _distinct(columns: Columns, count: int) -> list[tuple[dict[str, Any], Integers]]:
    """Return each distinct set of values with the rows that have it."""
    code = np.zeros(count, np.int64)
    for column in columns.values():
        code = code * len(column.values) + column.codes
        # numbered anew, so that many long axes cannot overflow
        code = np.unique(code, return_inverse=True)[1]
    order = np.argsort(code, kind="stable")
    borders = np.flatnonzero(np.diff(code[order])) + 1
    return [
        ({key: column.values[column.codes[rows[0]]] for key, column in columns.items()}, rows)
        for rows in np.split(order, borders)
    ]


def _run_on_tape(
    sets: list[tuple[Config, Integers]], columns: Columns, library: Library, figures: Floats
) -> None:
    tape = library.tape(sets[0][0])
    groups: dict[int, tuple[int, Group]] = {}
    lines: dict[Any, tuple[int, Floats]] = {}
    group_of, weight_of = np.empty((2, figures.shape[0]), np.int64)
    for config, rows in sets:
        group = library.group(config)
        group_of[rows] = groups.setdefault(id(group), (len(groups), group))[0]
        weight_of[rows] = NONE
        if config.size not in lines:
            line = weights(config, tape)
            if line is None:
                continue
            lines[config.size] = (len(lines), line)
        weight_of[rows] = lines[config.size][0]
    rows = np.concatenate([rows for _, rows in sets])
    base = sets[0][0]
    trials = _trials(base, columns, rows)._replace(group=group_of[rows], weight=weight_of[rows])
    table = np.array([line for _, line in lines.values()] or [np.empty(0)])
    out = np.empty((rows.size, len(FIGURES)))
    kernel.run(tape, joined([group for _, group in groups.values()]), trials, table, out)
    figures[rows] = out


def _trials(base: Config, columns: Columns, rows: Integers) -> Trials:
    def taken(key: str) -> NDArray[Any]:
        column = columns.get(key, Column((value_at(base, key),), np.zeros(1, np.int64)))
        return column.array()[rows] if key in columns else column.array().repeat(rows.size)

    days = taken("rules.hold_days")
    return Trials(
        group=rows,
        hold_seconds=np.where(days > 0, days * DAY_IN_SECONDS, np.inf),
        exit_on_support_lost=taken("rules.exit_on_support_lost"),
        stop_loss=taken("rules.stop_loss"),
        trailing_stop=taken("rules.trailing_stop"),
        index_drawdown=taken("rules.index_drawdown"),
        commission=taken("costs.commission_bps") * BASIS_POINT,
        slippage=taken("costs.slippage_bps") * BASIS_POINT,
        initial_cash=taken("costs.initial_cash"),
        weight=rows,
    )


def _run_in_full(
    base: Config, columns: Columns, row: int, library: Library
) -> tuple[Floats, str | None]:
    from backtests.analysis.summary import summarise
    from backtests.backtest import run_inputs

    try:
        values = {key: column.values[column.codes[row]] for key, column in columns.items()}
        config = with_values(base, values)
        found = summarise(run_inputs(config, library.inputs(config))).figures["strategy"]
    except Exception as error:  # noqa: BLE001 (whatever it is, the sweep goes on)
        log.warning("a trial failed: %s", error)
        return np.full(len(FIGURES), np.nan), f"{type(error).__name__}: {error}"
    return np.array([found[name] for name in FIGURES]), None
