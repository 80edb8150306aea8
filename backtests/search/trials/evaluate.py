"""The figures of a batch of trials: by the kernel where it can, else from their accounts."""

import logging
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backtests.analysis.summary import summarise
from backtests.config.config import BASIS_POINT, Config
from backtests.engines.backtest import run_inputs
from backtests.search.plan import value_at
from backtests.search.space import Column, Columns, combinations
from backtests.search.trials import kernel
from backtests.search.trials.full import run_in_full
from backtests.search.trials.groups import Group, Library, join, weights
from backtests.search.trials.kernel import FIGURES
from backtests.search.trials.keys import tape_key
from backtests.search.trials.scope import PER_TRIAL, is_understood
from backtests.search.trials.spans import Trials
from feeds.arrays import Floats, Integers
from feeds.errors import InputError
from strategies.position_rule import NONE

log = logging.getLogger(__name__)


DAY_IN_SECONDS: Final = 86_400.0


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
    taken = {key: column.values for key, column in columns.items()}
    understood = is_understood(base, vary=taken)
    by_tape: dict[Any, list[tuple[Config, Integers]]] = {}
    for values, rows in _distinct(shared, count):
        try:
            config = library.config(base, values)
            if config.strategy:
                _run_strategy(config, rows, columns, library, figures)
            elif understood:
                library.group(config)
                by_tape.setdefault(tape_key(config), []).append((config, rows))
            else:
                _run_in_full(config, rows, columns, library, figures)
        except Exception as error:  # noqa: BLE001 (whatever it is, the sweep goes on)
            if not isinstance(error, InputError):
                log.warning("a trial failed: %r", error)
            reason = str(error) if isinstance(error, InputError) else repr(error)
            for row in rows:
                failures[row] = reason
    for sets in by_tape.values():
        _run_on_tape(sets, columns, library, figures)
    return Evaluated(figures, failures)


def _distinct(columns: Columns, count: int) -> list[tuple[dict[str, Any], Integers]]:
    """Return each distinct set of values with the rows that have it."""
    code = combinations(columns.values(), count=count)
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
    kernel.run(tape, join([group for _, group in groups.values()]), trials, table, out)
    figures[rows] = out


def _trials(base: Config, columns: Columns, rows: Integers) -> Trials:
    def take(key: str) -> NDArray[Any]:
        column = columns.get(key, Column((value_at(base, key),), np.zeros(1, np.int64)))
        return column.array()[rows] if key in columns else column.array().repeat(rows.size)

    days = take("rules.hold_days")
    return Trials(
        group=rows,
        hold_seconds=np.where(days > 0, days * DAY_IN_SECONDS, np.inf),
        exit_on_support_lost=take("rules.exit_on_support_lost"),
        stop_loss=take("rules.stop_loss"),
        trailing_stop=take("rules.trailing_stop"),
        index_drawdown=take("rules.index_drawdown"),
        commission=take("costs.commission_bps") * BASIS_POINT,
        slippage=take("costs.slippage_bps") * BASIS_POINT,
        impact=take("costs.impact_coefficient") * (base.costs.impact != "none"),
        initial_cash=take("costs.initial_cash"),
        weight=rows,
    )


def _run_strategy(
    config: Config, rows: Integers, columns: Columns, library: Library, figures: Floats
) -> None:
    """Fill in the figures of a strategy of one's own, which runs on backtrader row by row."""
    for row in rows:
        own = {key: column.values[column.codes[row]] for key, column in columns.items()}
        chosen = library.config(config, own)
        found = summarise(run_inputs(chosen, library.inputs(chosen))).figures["strategy"]
        figures[row] = [found[name] for name in FIGURES]


def _run_in_full(
    config: Config, rows: Integers, columns: Columns, library: Library, figures: Floats
) -> None:
    out = np.empty((rows.size, len(FIGURES)))
    run_in_full(library.full_tape(config), _trials(config, columns, rows), out)
    figures[rows] = out
