"""Filters: whether a gate is open, read from the index or from a named series.

Each is a pure function of values up to and including its own date, and answers with 1.0
(open), 0.0 (closed) or NaN (not known yet), registered by a decorator.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from feeds.arrays import Flags, Floats, Integers
from strategies.registry import built_in, find
from strategies.rule_settings import FilterSettings

STRENGTH_KEYS: Final = tuple(f"filters.NAME.{key}" for key in ("benchmark", "rule", "window"))
SERIES_KEYS: Final = tuple(
    f"filters.NAME.{key}" for key in ("series", "measure", "rule", "level", "window", "lag_days")
)

NEVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Readings:
    """What a filter reads: values in time order, their dates, and a benchmark's values.

    `benchmark` (relative strength) has the index's shape, NaN where it has no bar.
    """

    values: Floats
    dates: pd.DatetimeIndex
    benchmark: Floats


@dataclass(frozen=True, slots=True)
class Gate:
    """A filter's answers over time.

    `known_at` (nanoseconds since 1970, UTC, ascending) is when each of `states` becomes
    known; an answer older than `max_age` nanoseconds is unknown again.
    """

    name: str
    known_at: Integers
    states: Floats
    max_age: int
    settings: FilterSettings

    def at(self, instants: Integers) -> Floats:
        """Return the state known at each instant: 1.0 open, 0.0 closed, NaN unknown."""
        return self._states_of(latest_answers(self.known_at, instants))

    def passes(self, instants: Integers) -> Flags:
        """Return whether the gate lets an entry pass, unknown decided by the settings."""
        return self.passes_after(latest_answers(self.known_at, instants))

    def passes_after(self, latest: "LatestAnswers") -> Flags:
        """Return the same where it has been found which answer is the latest."""
        return pass_gates(self._states_of(latest), unknown=self.settings.unknown)

    def _states_of(self, latest: "LatestAnswers") -> Floats:
        if self.states.size == 0:
            return np.full(latest.age.size, np.nan)
        return np.where(latest.age <= self.max_age, self.states[latest.place], np.nan)


class LatestAnswers(NamedTuple):
    """Which answer is the latest known at some instants, and its age in nanoseconds.

    Before the first there is none: it has an age that no gate allows.
    """

    place: Integers
    age: Integers


def latest_answers(known_at: Integers, instants: Integers) -> LatestAnswers:
    """Return the latest answer at each instant of those known from `known_at` (ascending) on."""
    latest = np.searchsorted(known_at, instants, side="right") - 1
    place = np.maximum(latest, 0)
    if known_at.size == 0:
        return LatestAnswers(place, np.full(instants.size, NEVER))
    return LatestAnswers(place, np.where(latest >= 0, instants - known_at[place], NEVER))


def pass_gates(states: Floats, *, unknown: str) -> Flags:
    """Return where a state lets an entry pass."""
    return np.where(np.isnan(states), unknown == "pass", states == 1.0)


def gate_states(readings: Readings, *, settings: FilterSettings) -> Floats:
    """Return the filter's state at each reading."""
    found: Floats = find("filter", settings.kind).function(readings, settings)
    return found


@built_in("filter", "moving_average", settings=("filters.NAME.window",))
def moving_average(readings: Readings, settings: FilterSettings) -> Floats:
    """Open while the index closes above its mean of the last `window` closes."""
    return _judge(readings.values, _mean(readings.values, settings.window), "above")


@built_in("filter", "relative_strength", settings=STRENGTH_KEYS)
def relative_strength(readings: Readings, settings: FilterSettings) -> Floats:
    """Judge the index over its benchmark: above its own mean, or at a high of `window` sessions.

    `rule` "new_high" wants the highest ratio of the last `window` sessions; any other rule
    compares the ratio with its mean over `window` sessions. A session on which the benchmark
    has no bar is unknown and not counted: a window holds the last ratios there are, or one
    missing bar would blind it for as long as it is.
    """
    ratio = readings.values / readings.benchmark
    there = np.isfinite(ratio)
    states = np.full(ratio.size, np.nan)
    states[there] = _strength(ratio[there], settings)
    return states


def _strength(ratio: Floats, settings: FilterSettings) -> Floats:
    if settings.rule == "new_high":
        high = pd.Series(ratio).rolling(settings.window).max().to_numpy()
        return _known_values(ratio >= high, high)
    return _judge(ratio, _mean(ratio, settings.window), settings.rule)


@built_in("filter", "series", settings=SERIES_KEYS)
def series(readings: Readings, settings: FilterSettings) -> Floats:
    """Judge a named series by its measure and rule.

    `above` and `below` compare the measure with `level`; `rising` and `falling` compare it
    with itself `window` observations earlier; `new_high` wants the highest of `window`.
    """
    measured = MEASURES[settings.measure](readings, settings)
    if settings.rule in ("rising", "falling"):
        before = pd.Series(measured).shift(settings.window).to_numpy()
        return _judge(measured, before, "above" if settings.rule == "rising" else "below")
    if settings.rule == "new_high":
        high = pd.Series(measured).rolling(settings.window).max().to_numpy()
        return _known_values(measured >= high, high)
    return _judge(measured, np.full(measured.size, settings.level), settings.rule)


def _level(readings: Readings, settings: FilterSettings) -> Floats:
    del settings
    return readings.values


def _change(readings: Readings, settings: FilterSettings) -> Floats:
    return np.asarray(pd.Series(readings.values).diff(settings.window))


def _sum(readings: Readings, settings: FilterSettings) -> Floats:
    return pd.Series(readings.values).rolling(settings.window).sum().to_numpy()


def _sum_this_year(readings: Readings, settings: FilterSettings) -> Floats:
    del settings
    return np.asarray(pd.Series(readings.values).groupby(np.asarray(readings.dates.year)).cumsum())


Measure = Callable[[Readings, FilterSettings], Floats]

MEASURES: Final[dict[str, Measure]] = {
    "level": _level,
    "change": _change,
    "sum": _sum,
    "sum_this_year": _sum_this_year,
}


def _mean(values: Floats, window: int) -> Floats:
    return np.asarray(pd.Series(values).rolling(window).mean())


def _judge(values: Floats, bound: Floats, rule: str) -> Floats:
    fulfilled = values > bound if rule == "above" else values < bound
    return _known_values(fulfilled, values + bound)


def _known_values(fulfilled: Flags, needed: Floats) -> Floats:
    return np.where(np.isnan(needed), np.nan, fulfilled.astype(np.float64))
