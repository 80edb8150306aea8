"""Guided search: Optuna proposes each chunk from the figures of the chunks before it."""

import math
import warnings
from typing import Any

import optuna
import pyarrow.parquet as pq

from backtests.sweep.plan import Plan
from backtests.sweep.space import Axis, Choice, Columns, column_of
from backtests.sweep.store import Store, table_of
from backtests.sweep.trials.evaluate import evaluate
from backtests.sweep.trials.groups import Library


def drive_guided(store: Store, *, library: Library, report: Any) -> None:
    """Do the chunks one after another; those already saved are told again, in order.

    So a sweep that was stopped goes on exactly as if it had not been.
    """
    plan = store.plan
    study = _study(plan)
    for chunk in range(plan.chunks):
        first, stop = plan.bounds(chunk)
        asked = [study.ask(_distributions(plan)) for _ in range(stop - first)]
        if store.path(chunk).exists():
            column = pq.read_table(store.path(chunk), columns=[plan.settings.objective])
            told = column.column(0).to_pylist()
        else:
            columns = _columns(plan, asked)
            table = table_of(plan, chunk, columns, evaluate(plan.base, columns, library=library))
            store.write(chunk, table)
            told = table.column(plan.settings.objective).to_pylist()
            report(table.num_rows)
        for trial, value in zip(asked, told, strict=True):
            known = value is not None and math.isfinite(value)
            state = optuna.trial.TrialState.COMPLETE if known else optuna.trial.TrialState.FAIL
            study.tell(trial, value if known else None, state=state)


def _study(plan: Plan) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        # multivariate sampling is marked experimental; settings do depend on each other
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=plan.settings.seed, multivariate=True, constant_liar=True
        )
    return optuna.create_study(direction="maximize", sampler=sampler)


def _distributions(plan: Plan) -> dict[str, optuna.distributions.BaseDistribution]:
    return {one.key: _distribution(one) for one in plan.axes}


def _distribution(one: Axis) -> optuna.distributions.BaseDistribution:
    if isinstance(one, Choice):
        ordered = all(isinstance(value, int | float) for value in one.values)
        places = range(len(one.values))
        if ordered and list(one.values) == sorted(one.values):
            return optuna.distributions.IntDistribution(0, len(one.values) - 1)
        return optuna.distributions.CategoricalDistribution(list(places))
    if one.whole:
        return optuna.distributions.IntDistribution(int(one.low), int(one.high), log=one.log)
    return optuna.distributions.FloatDistribution(one.low, one.high, log=one.log)


def _columns(plan: Plan, asked: list[optuna.Trial]) -> Columns:
    taken = {one.key: [_value(one, trial.params[one.key]) for trial in asked] for one in plan.axes}
    return {key: column_of(values) for key, values in taken.items()}


def _value(one: Axis, drawn: Any) -> Any:
    return one.values[drawn] if isinstance(one, Choice) else drawn
