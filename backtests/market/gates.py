"""The gates of a config: each filter's states with the instants they become known."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.market.inputs import Inputs
from backtests.market.own_inputs import Known, own_states
from feeds.arrays import DAY_IN_NANOSECONDS, Flags, Integers
from strategies.filters import Gate, Readings, gate_states
from strategies.registry import find
from strategies.settings import FilterSettings


def gates_of(config: Config, known: Known) -> tuple[Gate, ...]:
    """Return one gate per filter, in the config's order."""
    return tuple(gate_of(name, settings, known) for name, settings in config.filters.items())


def combine(gates: Sequence[Gate], instants: Integers, *, how: str) -> Flags:
    """Return whether the gates together let an entry pass at each instant."""
    if not gates:
        return np.ones(instants.size, np.bool_)
    return combine_flags([gate.passes(instants) for gate in gates], how=how)


def combine_flags(opened: Sequence[Flags], *, how: str) -> Flags:
    """Return where "all" or "any" of some gates are open."""
    return functools.reduce(np.logical_and if how == "all" else np.logical_or, opened)


def leaving(gates: Sequence[Gate], instants: Integers) -> Flags:
    """Return whether a filter that also exits is closed at each instant."""
    leave = np.zeros(instants.size, np.bool_)
    for gate in gates:
        if gate.settings.on_exit:
            leave |= ~gate.passes(instants)
    return leave


def blind_filters(gates: Sequence[Gate], instants: Integers, *, how: str) -> tuple[str, ...]:
    """Return the filters, by name, that blocked every entry because they were never known.

    Such a run says nothing about the idea. `how` is how gates are combined: with "any" one that
    is known is enough.
    """
    blind = [
        gate.name
        for gate in gates
        if gate.settings.unknown == "block" and np.isnan(gate.at(instants)).all()
    ]
    return () if how == "any" and len(blind) < len(gates) else tuple(blind)


class GateReadings(NamedTuple):
    """What filters of one series, or of the index and a benchmark, read.

    `known_at` (nanoseconds since 1970, UTC, ascending) is when each value becomes known.
    """

    readings: Readings
    known_at: Integers


def gate_of(
    name: str, settings: FilterSettings, known: Known, *, given: GateReadings | None = None
) -> Gate:
    """Return the gate of a filter of that name; `given` is what `readings_of` returned."""
    is_own = find("filter", settings.kind).is_own
    if is_own:
        states, known_at = own_states(settings, known), known.sessions
    else:
        readings, known_at = given or readings_of(settings, known)
        states = gate_states(readings, settings=settings)
    return Gate(
        name=name,
        known_at=known_at,
        states=states,
        max_age=settings.max_age_days * DAY_IN_NANOSECONDS,
        settings=settings,
    )


def readings_of(settings: FilterSettings, known: Known) -> GateReadings:
    """Return what a built-in filter reads: its `series`, or the index and its `benchmark`."""
    if settings.kind == "series":
        return _series_readings(settings, known.inputs)
    return GateReadings(_index_readings(settings, known.inputs), known.sessions)


def _index_readings(settings: FilterSettings, inputs: Inputs) -> Readings:
    close = inputs.index.frame["close"]
    benchmark = inputs.benchmarks.get(settings.benchmark)
    other = benchmark.frame["close"].reindex(close.index) if benchmark else close * np.nan
    return Readings(close.to_numpy(), pd.DatetimeIndex(close.index), other.to_numpy())


def _series_readings(settings: FilterSettings, inputs: Inputs) -> GateReadings:
    series = inputs.series.get(settings.series)
    if series is None:
        nothing = Readings(np.empty(0), pd.DatetimeIndex([], tz="UTC"), np.empty(0))
        return GateReadings(nothing, np.empty(0, np.int64))
    values = series.frame["value"].to_numpy(np.float64)
    dates = pd.DatetimeIndex(series.frame.index)
    known_at = pd.DatetimeIndex(series.frame["available_at"]).as_unit("ns").asi8
    return GateReadings(Readings(values, dates, np.full(values.size, np.nan)), known_at)
