"""The field of a sweep's best trial: what it and those it is compared with earned, bar by bar."""

import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.engines.account import returns_from
from backtests.engines.baselines import benchmark
from backtests.engines.compiled_engine import ledger_of, simulate
from backtests.market.tape import bar_times
from backtests.search.chunk_summary import MOST_DRAWN
from backtests.search.parameter_space import Axis, Choice, random_columns
from backtests.search.plan import Plan
from backtests.search.store import Store
from backtests.search.trials.routes import PER_TRIAL
from backtests.search.trials.trial_library import Library, traded_tape
from feeds.arrays import Flags, Floats, Integers
from feeds.errors import InputError


class Earner(NamedTuple):
    """What a config earned on each of its bars, and what holding its coin on the same did."""

    config: Config
    returns: pd.Series
    held: pd.Series


@dataclass(frozen=True, slots=True)
class Field:
    """The best trial and those it is compared with.

    `returns` have shape (bars, trials), a row for each of `times`, NaN where a trial has no
    bar; column 0 is the best trial. Trial t is compared with column `holds[t]` of `held`, shape
    (bars, coins). `is_drawn` says which trials were drawn at random; the others are here for
    their result. `reach` is how many settings could have been drawn.
    """

    best: Earner
    configs: tuple[Config, ...]
    times: pd.DatetimeIndex
    returns: Floats
    held: Floats
    holds: Integers
    is_drawn: Flags
    reach: int

    @property
    def timeframe(self) -> str:
        """The length of a bar here: a day where trials have bars of different length."""
        found = {config.data.timeframe for config in self.configs}
        return found.pop() if len(found) == 1 else "1d"

    @property
    def is_comparable(self) -> Flags:
        """Which trials have at least half of the best one's bars."""
        has = ~np.isnan(self.returns[~np.isnan(self.returns[:, 0])])
        return np.asarray(has.sum(axis=0) >= len(has) / 2)

    def on_shared_bars(self) -> "Field":
        """Return the comparable trials, on the bars all of them have."""
        enough = self.is_comparable
        rows = np.flatnonzero(~np.isnan(self.returns[:, enough]).any(axis=1))
        return replace(
            self,
            configs=tuple(itertools.compress(self.configs, enough)),
            times=self.times[rows],
            returns=self.returns[np.ix_(rows, enough)],
            held=self.held[rows],
            holds=self.holds[enough],
            is_drawn=self.is_drawn[enough],
        )


def field_of(store: Store, leaders: Sequence[int], *, library: Library) -> Field:
    """Return the field: `leaders`, the first of them the best trial, and trials drawn at random."""
    plan = store.plan
    chosen = [plan.config(store.values([trial])[0]) for trial in leaders]
    drawn = set(configs := list(_configs(plan, drawn_values(store))))
    configs = list(dict.fromkeys([*chosen, *configs]))
    by_days = len({config.data.timeframe for config in configs}) > 1
    table = _Table(len(configs))
    possible: list[Config] = []
    held: list[pd.Series] = []
    for earner in _earners(configs, library):
        table.add(by_day(earner.returns) if by_days else earner.returns)
        possible.append(earner.config)
        held.append(earner.held)
    coins = {id(one): one for one in held}
    lines = [(by_day(one) if by_days else one).reindex(table.times) for one in coins.values()]
    return Field(
        best=next(_earners(chosen[:1], library)),
        configs=tuple(possible),
        times=table.times,
        returns=table.matrix,
        held=np.column_stack(lines),
        holds=np.array([list(coins).index(id(one)) for one in held]),
        is_drawn=np.array([config in drawn for config in possible]),
        reach=reach(plan),
    )


def returns_of(config: Config, library: Library) -> pd.Series:
    """Return what a full run earns on each bar."""
    tape = traded_tape(config, library)
    ledger = ledger_of(tape, config)
    equity = ledger.cash + (ledger.units * tape.matrix("close")).sum(axis=1)
    moved = returns_from(equity, initial_cash=config.costs.initial_cash)
    return pd.Series(moved, index=_times(tape.lines["time"].tobytes()))


def by_day(returns: pd.Series) -> pd.Series:
    """Return what bars earned together on each day (UTC)."""
    days = pd.DatetimeIndex(returns.index).normalize()
    earned: pd.Series = np.expm1(np.log1p(returns).groupby(days).sum())
    return earned


class _Table:
    """Returns on all bars of any trial, filled trial by trial."""

    def __init__(self, most: int) -> None:
        self.times = pd.DatetimeIndex([], tz="UTC")
        self._rows = np.empty((most, 0))
        self._count = 0
        self._last = pd.Index([])
        self._places = np.empty(0, np.int64)

    @property
    def matrix(self) -> Floats:
        """The returns, shape (bars, trials), NaN where a trial has no bar."""
        return self._rows[: self._count].T

    def add(self, returns: pd.Series) -> None:
        """Add a trial's returns."""
        if returns.index is not self._last:  # most trials have the bars of the one before
            self._make_room(pd.DatetimeIndex(returns.index))
            self._last = returns.index
        self._rows[self._count, self._places] = returns
        self._count += 1

    def _make_room(self, own: pd.DatetimeIndex) -> None:
        if not own.isin(self.times).all():
            times = self.times.union(own)
            rows = np.full((len(self._rows), len(times)), np.nan)
            rows[:, times.get_indexer(self.times)] = self._rows
            self.times, self._rows = times, rows
        self._places = np.asarray(self.times.get_indexer(own), np.int64)


@lru_cache(maxsize=64)
def _times(opens: bytes) -> pd.DatetimeIndex:
    """Return when bars open, from their seconds; most trials have the same bars."""
    return bar_times(np.frombuffer(opens))


def _configs(plan: Plan, values: list[dict[str, Any]]) -> Iterator[Config]:
    """Yield the configs; those that share signals together: a library remembers only some."""
    values.sort(key=lambda one: str([one[key] for key in one if key not in PER_TRIAL]))
    for one in values:
        with contextlib.suppress(InputError):  # not every draw from all settings is possible
            yield plan.config(one)


def _earners(configs: Sequence[Config], library: Library) -> Iterator[Earner]:
    """Yield what each config earned, and what holding did; costs paid once are the first one's."""
    held: dict[Any, pd.Series] = {}
    for config in configs:
        with contextlib.suppress(InputError):
            market = library.market(config)
            bars = (market.tradable.start, market.tradable.stop)
            key = (config.asset, config.data, config.index, config.basket, bars)
            if key not in held:
                paid = config.model_copy(update={"costs": configs[0].costs})
                held[key] = benchmark(library.market(paid).traded, paid, simulate=simulate).returns
            yield Earner(config, returns_of(config, library), held[key])


# A range of fractions has no end of values, but neighbours are copies: so many count.
VALUES_OF_A_RANGE: Final = 100


def drawn_values(store: Store) -> list[dict[str, Any]]:
    """Return the settings of trials drawn at random.

    A guided search's own trials crowd around its best. For it they are drawn from all settings
    in its reach instead, as if a grid had tried them.
    """
    if store.plan.settings.search == "guided":
        return random_values(store.plan)
    return store.values(random_trials(store).tolist())


def random_trials(store: Store) -> Integers:
    """Return trials that did not fail, each as likely as any other, in ascending order.

    Every trial has a random number, and those with the smallest are taken: all if they fit.
    """
    return np.sort(store.total().drawn[:MOST_DRAWN])


def random_values(plan: Plan) -> list[dict[str, Any]]:
    """Return settings drawn at random from all that the axes allow."""
    rng = np.random.default_rng(plan.settings.seed)
    columns = random_columns(plan.axes, count=MOST_DRAWN, rng=rng)
    taken = {key: column.take() for key, column in columns.items()}
    return [dict(zip(taken, row, strict=True)) for row in zip(*taken.values(), strict=True)]


def reach(plan: Plan) -> int:
    """Return from how many settings the best was chosen.

    Those tried; of a guided search all it could have tried, because it goes where the best
    is and leaves out what is worse without having to try it.
    """
    if plan.settings.search != "guided":
        return plan.trials
    return max(math.prod(_values_of(one) for one in plan.axes), plan.trials)


def _values_of(one: Axis) -> int:
    if isinstance(one, Choice):
        return len(one.values)
    return int(one.high) - int(one.low) + 1 if one.whole else VALUES_OF_A_RANGE
