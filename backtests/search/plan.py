"""What a sweep will do: the config all trials start from, and the `[sweep]` table beside it."""

import difflib
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import tomli_w

from backtests.config.config import Config, validated_config
from backtests.config.explain_errors import as_written
from backtests.config.raw_settings import config_tree, parsed_toml, put
from backtests.search.parameter_space import (
    Axis,
    Choice,
    Columns,
    Range,
    axis,
    grid_columns,
    grid_size,
    join_columns,
    random_columns,
    subset,
)
from backtests.search.sweep_settings import SearchSettings, search_settings, validated_search
from feeds.arrays import Integers
from feeds.errors import ConfigError

# Settings that decide which bars and series are read.
NEEDS_BARS: Final = re.compile(
    r"asset|idle\.asset|basket\.(members|universe)|index\.(symbol|timeframe)"
    r"|data\.(source|data_dir|cache_dir|offline|timeframe)|vendors\..+"
    r"|filters\..+\.(kind|series|benchmark|lag_days)"
)
MOST_TRIALS: Final = 10**10
# Where only the best are kept: chunks as large as that, if there are no fewer, and no more.
BEST_OF: Final = 160_000
FEWEST_CHUNKS: Final = 32
MOST_CHUNKS: Final = 1_024


@dataclass(frozen=True, slots=True)
class Plan:
    """A sweep before its first trial: every value of every axis has been validated."""

    base: Config
    axes: tuple[Axis, ...]
    settings: SearchSettings

    @property
    def keys(self) -> tuple[str, ...]:
        """The settings that vary, in the order of the file."""
        return tuple(one.key for one in self.axes)

    @property
    def trials(self) -> int:
        """How many trials the sweep has."""
        return grid_size(self.axes) if self.settings.search == "grid" else self.settings.trials

    @property
    def tried(self) -> int:
        """How many trials the best of them was chosen from, those before the sweep included."""
        return self.trials + self.settings.tried_before

    @property
    def chunks(self) -> int:
        """How many chunks the trials are done in, each with a file of its own."""
        return -(-self.trials // self.chunk)

    @property
    def chunk(self) -> int:
        """How many trials a chunk has: a batch, or several where only the best are kept."""
        return self.settings.chunk * self._batches

    @property
    def _batches(self) -> int:
        """How many batches make a chunk: so many that all chunks' best rows stay few."""
        if self.settings.keep == "all":
            return 1
        wanted = max(min(self.trials // FEWEST_CHUNKS, BEST_OF), self.trials // MOST_CHUNKS)
        return max(1, wanted // self.settings.chunk)

    def bounds(self, chunk: int) -> tuple[int, int]:
        """Return the first trial of a chunk and the one after its last."""
        first = chunk * self.chunk
        return first, min(first + self.chunk, self.trials)

    def batches(self, chunk: int | None = None) -> range:
        """Return the batches of a chunk, or all: these are drawn and done one by one."""
        first, stop = (0, self.trials) if chunk is None else self.bounds(chunk)
        return range(first // self.settings.chunk, -(-stop // self.settings.chunk))

    def columns(self, batch: int) -> Columns:
        """Return the settings of a batch's trials, the same whoever asks and when."""
        size = self.settings.chunk
        first, stop = batch * size, min((batch + 1) * size, self.trials)
        if self.settings.search == "grid":
            return grid_columns(self.axes, np.arange(first, stop))
        rng = np.random.default_rng([self.settings.seed, batch])
        return random_columns(self.axes, count=stop - first, rng=rng)

    def columns_of(self, trials: Integers) -> Columns:
        """Return the settings of some trials in ascending order; not of a guided search."""
        if self.settings.search == "grid":
            return grid_columns(self.axes, trials)
        batch = trials // self.settings.chunk
        return join_columns(
            subset(self.columns(one), trials[batch == one] - one * self.settings.chunk)
            for one in np.unique(batch).tolist()
        )

    def markets(self) -> list[Config]:
        """Return one config for each set of bars the sweep needs."""
        choices = [one for one in self.axes if isinstance(one, Choice)]
        needed = [one for one in choices if NEEDS_BARS.fullmatch(one.key)]
        keys = [one.key for one in needed]
        sets = itertools.product(*(one.values for one in needed))
        return [self.config(dict(zip(keys, values, strict=True))) for values in sets]

    def config(self, values: Mapping[str, Any]) -> Config:
        """Return the config of a trial with these values."""
        return with_values(self.base, values)

    def to_toml(self) -> str:
        """Return the plan as TOML; reading it gives the same plan."""
        table: dict[str, Any] = self.settings.model_dump(exclude_none=True)
        # TOML moves tables behind values, and draws depend on the order of the axes
        table["order"] = list(self.keys)
        table.update({one.key: _axis_table(one) for one in self.axes})
        return tomli_w.dumps({**self.base.model_dump(exclude_none=True), "sweep": table})


def with_values(base: Config, values: Mapping[str, Any]) -> Config:
    """Return `base` with other values of some settings, validated."""
    tree = base.model_dump(exclude_none=True)
    for key, value in values.items():
        put(tree, key, value)
    return validated_config(tree)


def load_plan(
    path: Path | None, *, overrides: Sequence[str] = (), flags: Mapping[str, Any] | None = None
) -> Plan:
    """Return the plan of a sweep file; `sweep.KEY=...` among the overrides changes the search.

    Raises
    ------
    ConfigError
        If any setting, or any value of any axis, is not allowed.
    """
    tree = config_tree(path, overrides=overrides, flags=flags)
    given = tree.get("sweep")
    if isinstance(given, dict):
        for key, _ in flat_axes(config_tree(None, overrides=overrides).get("sweep", {})):
            if "." in key:
                given.pop(key, None)  # written "rules.hold_days" in the file, given anew by --set
    return plan_of(tree)


def plan_of(tree: dict[str, Any]) -> Plan:
    """Return the plan of a tree of settings, which loses the tables that are no part of a run.

    Raises
    ------
    ConfigError
        As `load_plan`.
    """
    given = tree.pop("sweep", {})
    tree.pop("walkforward", None)  # how a walk-forward cuts the bars: its own matter
    base = validated_config(tree)
    if not isinstance(given, dict):
        raise ConfigError(
            f"`sweep` must be a table of settings to vary, received {as_written(given)}."
        )
    options = {key: given[key] for key in given if key in SearchSettings.model_fields}
    axes = _axes(base, {key: given[key] for key in given if key not in options})
    base = _with_all_keys(base, axes)
    plan = Plan(base, axes, search_settings(base, axes, options))
    if plan.trials > MOST_TRIALS:
        raise ConfigError(
            f"`sweep` makes {plan.trials:,} trials, at most {MOST_TRIALS:,} are possible. Take "
            'larger steps, or set search = "random" and `trials`.'
        )
    return plan


def parsed_plan(text: str) -> Plan:
    """Return the plan that `Plan.to_toml` wrote.

    Raises
    ------
    NotTomlError
        If the text is no TOML.
    ConfigError
        If it is no plan.
    """
    tree = parsed_toml(text.encode())
    given = tree.pop("sweep", None)
    tree.pop("walkforward", None)
    needed = SearchSettings.model_fields.keys() - {"keep"}  # which older plans do not have
    if not isinstance(given, dict) or not needed <= given.keys():
        raise ConfigError("the table [sweep] is not complete")
    options = {key: given.pop(key) for key in SearchSettings.model_fields if key in given}
    base = validated_config(tree)
    return Plan(base, _axes(base, given), validated_search(options))


def value_at(config: Config, key: str) -> Any:
    """Return the value of a dotted setting."""
    found: Any = config
    for part in key.split("."):
        found = found[part] if isinstance(found, Mapping) else getattr(found, part)
    return found


def _axes(base: Config, given: Mapping[str, Any]) -> tuple[Axis, ...]:
    found: dict[str, Axis] = {}
    for key, value in flat_axes({key: given[key] for key in given if key != "order"}):
        if key in found:
            raise ConfigError(f"`sweep.{key}` is given twice. Leave one out.")
        near = difflib.get_close_matches(key, SearchSettings.model_fields, n=1)
        if near and "." not in key and key not in Config.model_fields:
            raise ConfigError(f"`sweep.{key}` is not a setting. The nearest is `sweep.{near[0]}`.")
        found[key] = _validated_axis(base, axis(key, value))
    if not found:
        raise ConfigError(
            '`sweep` names no setting to vary. Add lines such as "rules.hold_days" = [30, 60, 90].'
        )
    order = given.get("order", [])
    if not isinstance(order, list) or not all(isinstance(key, str) for key in order):
        raise ConfigError(
            f"`sweep.order` must be a list of the settings that vary, received {as_written(order)}."
        )
    return tuple(found[key] for key in dict.fromkeys([*order, *found]) if key in found)


def _with_all_keys(base: Config, axes: Sequence[Axis]) -> Config:
    """Return a base that has every setting to vary: a filter may be named by its axis alone."""
    for one in axes:
        try:
            value_at(base, one.key)
        except KeyError:
            base = with_values(base, {one.key: one.ends[0]})
    return base


def flat_axes(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return axes by dotted key: `"rules.hold_days" = ...` and `rules.hold_days = ...` alike."""
    found: list[tuple[str, Any]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping) and "from" not in value:
            found += flat_axes(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", value))
    return found


def _validated_axis(base: Config, one: Axis) -> Axis:
    ends = _validate(base, one)
    if isinstance(one, Range):
        return Range(one.key, ends[0], ends[1], one.log)
    if len({(type(value), value) for value in ends}) < len(ends):
        raise ConfigError(
            f"`sweep.{one.key}` names a value twice, received {as_written(ends)}. Leave one out."
        )
    return Choice(one.key, ends)


def _validate(base: Config, one: Axis) -> tuple[Any, ...]:
    """Return values as the config holds them: a commission of 10 is 10.0 there, and in its hash."""

    def held(value: Any) -> Any:
        return value_at(with_values(base, {one.key: value}), one.key)

    kinds = {type(value) for value in one.ends}
    # what is no number has no place among the smallest and the largest
    undefined = any(isinstance(value, float) and math.isnan(value) for value in one.ends)
    if len(kinds) > 1 or not kinds <= {int, float} or undefined:
        return tuple(map(held, one.ends))
    # what is allowed of a number has no gaps: if the extremes are, so is all between
    kind = {type(held(end)) for end in (min(one.ends), max(one.ends))}.pop()
    return tuple(map(kind, one.ends))


def _axis_table(one: Axis) -> Any:
    if isinstance(one, Choice):
        return list(one.values)
    return {"from": one.low, "to": one.high, "log": one.log}
