"""The figures of a batch of trials: by the kernel where it can, else from their accounts."""

import contextlib
import logging
from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backtests.analysis.run_figures import summarise
from backtests.config.config import Config
from backtests.config.run_settings import BASIS_POINT
from backtests.engines.backtest import run_inputs
from backtests.search.parameter_space import Column, Columns, combinations
from backtests.search.plan import value_at, with_values
from backtests.search.trials import kernel
from backtests.search.trials.by_account import run_in_full
from backtests.search.trials.filter_gates import PREFIX, Filtered, Filters
from backtests.search.trials.kernel import FIGURES
from backtests.search.trials.position_paths import CLEARED, TAKEN
from backtests.search.trials.range_tables import TrialTape
from backtests.search.trials.routes import PER_TRIAL, KeptPositions, needs_account, paths_on
from backtests.search.trials.sharing_keys import batch_key
from backtests.search.trials.trial_events import Group, TrialEvents, Trials, join
from backtests.search.trials.trial_library import Library
from feeds.arrays import Floats, Integers
from feeds.errors import InputError
from feeds.message_text import count_noun

log = logging.getLogger(__name__)


DAY_IN_SECONDS: Final = 86_400.0
NO_ROWS: Final = np.empty(0, np.int64)


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
    batches: dict[Hashable, _Batch] = {}
    unforeseen: Counter[str] = Counter()
    shared = {key: column for key, column in columns.items() if key not in PER_TRIAL}
    gates = {key: column for key, column in shared.items() if key.startswith(PREFIX)}
    others = {key: column for key, column in shared.items() if key not in gates}
    # in random order a chunk may have few trials of each set, and there may be many chunks
    known: dict[Hashable, _Known] = {} if gates else library.found_under(base)
    for values, rows in _distinct(others, np.arange(count)):
        key = tuple((name, type(value), value) for name, value in values.items())
        with _note_failures(failures, rows, unforeseen):
            if key in known:
                own = known[key].own._replace(rows=rows)
                _batch_of(own, known[key].batch, batches, library).sets.append(own)
                continue
            config = library.config(base, values)
            filtered, batch = Filtered(config, library), None
            for values_of_gates, some in _distinct(gates, rows):
                with _note_failures(failures, some, unforeseen):
                    filters = filtered.filters(values_of_gates)
                    if config.strategy:
                        chosen = filtered.config_with(filters)
                        _run_strategy(chosen, some, columns, library, figures)
                        continue
                    own = _Set(filtered, filters, filtered.group(filters), some)
                    if batch is None:  # it does not depend on filters
                        place = batch_key(own.config, own.group.stop)
                        batch = _batch_of(own, place, batches, library)
                    batch.sets.append(own)
                    if not gates:
                        known[key] = _Known(own._replace(rows=NO_ROWS), place)
    for batch in batches.values():
        _run_batch(batch, columns, library, figures)
    _warn(unforeseen, library)
    return Evaluated(figures, failures)


def _warn(unforeseen: Counter[str], library: Library) -> None:
    """Warn of each reason the first time that a trial fails of it."""
    for reason, failed in unforeseen.items():
        if library.is_new(reason):
            said = count_noun(failed, "trial")
            log.warning("%s failed: %s; more of the same are only counted", said, reason)


@contextlib.contextmanager
def _note_failures(
    failures: list[str | None], rows: Integers, unforeseen: Counter[str]
) -> Iterator[None]:
    """Note why trials fail, and go on with the others; count what is no wrong input."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 (whatever it is, the sweep goes on)
        if not isinstance(error, InputError):
            unforeseen[repr(error)] += rows.size
        reason = str(error) if isinstance(error, InputError) else repr(error)
        for row in rows:
            failures[row] = reason


class _Set(NamedTuple):
    """The trials of one set of shared settings."""

    filtered: Filtered
    filters: Filters
    group: Group
    rows: Integers

    @property
    def config(self) -> Config:
        return self.filtered.config_with(self.filters)


class _Batch(NamedTuple):
    """The trials the kernel takes at once: those on the same bars with positions of one kind."""

    tape: TrialTape
    positions: KeptPositions
    sets: list[_Set]


class _Known(NamedTuple):
    """A set that was met before, whatever its trials, and the key of its batch."""

    own: _Set
    batch: Hashable


def _batch_of(
    own: _Set, key: Hashable, batches: dict[Hashable, _Batch], library: Library
) -> _Batch:
    """Return the batch of a set's bars and positions."""
    if key not in batches:
        config = own.config
        positions = library.positions(config, own.group)
        batches[key] = _Batch(library.tape(config), positions, [])
    return batches[key]


def _distinct(columns: Columns, rows: Integers) -> list[tuple[dict[str, Any], Integers]]:
    """Return each distinct set of values with those of the rows that have it.

    In the order of their values, the first column's first: neighbours share most settings.
    """
    taken = [Column(column.values, column.codes[rows]) for column in columns.values()]
    code = combinations(taken, count=rows.size)
    order = np.argsort(code, kind="stable")
    borders = np.flatnonzero(np.diff(code[order])) + 1
    sets = np.split(rows[order], borders)
    if columns:
        firsts = np.array([some[0] for some in sets])
        keys = [column.codes[firsts] for column in reversed(columns.values())]
        sets = [sets[place] for place in np.lexsort(keys)]
    return [
        ({key: column.values[column.codes[some[0]]] for key, column in columns.items()}, some)
        for some in sets
    ]


def _run_batch(batch: _Batch, columns: Columns, library: Library, figures: Floats) -> None:
    """Fill in the figures of a batch: by the kernel, and from whole accounts what it leaves."""
    sets, base = batch.sets, batch.sets[0].config
    if needs_account(base, batch.positions):
        left = np.concatenate([each.rows for each in sets])
    else:
        left = _look_up(batch, columns, library, figures)
    for each in sets:
        rows = each.rows[np.isin(each.rows, left)] if left.size else left
        if rows.size:
            _run_in_full(each.config, rows, columns, library, figures)


def _look_up(batch: _Batch, columns: Columns, library: Library, figures: Floats) -> Integers:
    """Fill in the figures of a batch by the kernel; return the rows it could not tell."""
    groups = {id(each.group): each.group for each in batch.sets}
    place = dict(zip(groups, range(len(groups)), strict=True))
    rows = np.concatenate([each.rows for each in batch.sets])
    sizes = [each.rows.size for each in batch.sets]
    group = np.repeat([place[id(each.group)] for each in batch.sets], sizes)
    trials = _trials(batch.sets[0].config, columns, rows)._replace(group=group)
    if batch.positions.possible.size:
        # paths are shared by trials of equal costs, and by those that begin on the same bar
        first = np.array([each.first for each in groups.values()])[group]
        order = np.lexsort((group, first, trials.slippage, trials.commission))
        rows, trials = rows[order], _in_order(trials, order)
    out = np.empty((rows.size, len(FIGURES)))
    _run_kernel(batch, join(list(groups.values())), trials, library, out)
    figures[rows] = out
    return rows[np.isnan(out[:, 0])]


def _run_kernel(
    batch: _Batch, events: TrialEvents, trials: Trials, library: Library, out: Floats
) -> None:
    """Run the kernel on paths of earlier batches where there are any, else on new ones."""
    bars, paths = batch.positions.bars, library.paths.take(batch.positions)
    has_some = paths.state[TAKEN] > 0
    kernel.run(batch.tape, events, trials, paths=paths, bars=bars, out=out)
    if has_some and paths.state[CLEARED] > 0:
        # which trials need their whole account must not depend on what was laid before
        paths = paths_on(batch.positions)
        kernel.run(batch.tape, events, trials, paths=paths, bars=bars, out=out)
    library.paths.give_back(batch.positions, paths)


def _in_order(trials: Trials, order: Integers) -> Trials:
    lines: dict[str, Any] = trials._asdict()
    return Trials(**{name: line[order] for name, line in lines.items()})


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
    )


def _run_strategy(
    config: Config, rows: Integers, columns: Columns, library: Library, figures: Floats
) -> None:
    """Fill in the figures of a strategy of one's own, which runs on backtrader row by row."""
    for row in rows:
        own = {key: column.values[column.codes[row]] for key, column in columns.items()}
        chosen = with_values(config, own)
        found = summarise(run_inputs(chosen, library.inputs(chosen))).figures["strategy"]
        figures[row] = [found[name] for name in FIGURES]


def _run_in_full(
    config: Config, rows: Integers, columns: Columns, library: Library, figures: Floats
) -> None:
    out = np.empty((rows.size, len(FIGURES)))
    run_in_full(library.full_tape(config), _trials(config, columns, rows), out)
    figures[rows] = out
