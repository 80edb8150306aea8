"""What own functions and filters read, as it was known at each of some instants."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.market.inputs import Inputs
from feeds.arrays import DAY_IN_NANOSECONDS, Flags, Floats, Integers
from feeds.bars import Bars
from feeds.errors import ConfigError
from feeds.sessions import Instants, bar_ends, latest_known
from strategies.filters import Gate, Readings, gate_states
from strategies.position_rule import EXIT_FILTER, STAY, code_of
from strategies.registry import Entry, find, trigger_parts
from strategies.rule_settings import FilterSettings
from strategies.signals import IndexSignals
from strategies.user_functions import Frame, amounts, flags_of, states

# labels made once: pandas takes longer to make some than to fill a table
INDEX_COLUMNS: Final = pd.Index(["open", "high", "low", "close"])
COIN_COLUMNS: Final = pd.Index([*INDEX_COLUMNS, "volume"])
VALUE_COLUMN: Final = pd.Index(["value"])


@dataclass(frozen=True, slots=True)
class Known:
    """The bars and series of a run, and when each is known; `coin` is what is traded.

    `available_at` is the instant (UTC) each index bar becomes known.
    """

    inputs: Inputs
    available_at: pd.DatetimeIndex
    coin: Bars | None = None

    @property
    def sessions(self) -> Instants:
        """The instants (nanoseconds, UTC) at which each index session is known."""
        return self.available_at.as_unit("ns").asi8

    @property
    def ends(self) -> Instants:
        """The instants at which each bar of the coin ends."""
        coin = self._coin("")
        opens = pd.DatetimeIndex(coin.frame.index)
        return bar_ends(opens, kind="coin", timeframe=coin.timeframe).as_unit("ns").asi8

    def per_session(self, entry: Entry) -> list[Frame]:
        """Return what a signal or filter asks for, a row per session."""
        rows = self.inputs.index.frame.index
        return [self._at(name, self.sessions, rows, entry) for name in entry.reads]

    def per_bar(self, entry: Entry) -> list[Frame]:
        """Return what an exit or sizing asks for, a row per bar of the coin."""
        rows = self._coin(f"{entry.kind} {entry.name!r}").frame.index
        return [self._at(name, self.ends, rows, entry) for name in entry.reads]

    def _at(self, name: str, instants: Instants, rows: pd.Index, entry: Entry) -> Frame:
        if name == "index":
            given = self.inputs.index.frame, INDEX_COLUMNS
            return _latest(*given, self.sessions, instants, rows)
        if name == "coin":
            given = self._coin(f"{entry.kind} {entry.name!r}").frame, COIN_COLUMNS
            return _latest(*given, self.ends, instants, rows)
        series = self.inputs.series.get(name.upper())
        if series is None:  # a note says that it is not to be had
            return pd.Series(np.nan, index=rows, name=name)
        known_at = pd.DatetimeIndex(series.frame["available_at"]).as_unit("ns").asi8
        found = _latest(series.frame, VALUE_COLUMN, known_at, instants, rows)
        return found["value"].rename(name)

    def _coin(self, who: str) -> Bars:
        if self.coin is None:
            raise ConfigError(
                f"the {who} reads `coin`, and a study has several assets. Use it as a "
                "trigger, or date its events from the index and series alone."
            )
        return self.coin


def _latest(
    frame: pd.DataFrame, columns: pd.Index, known_at: Instants, instants: Instants, rows: pd.Index
) -> pd.DataFrame:
    """Return the latest row known at each instant, NaN before the first."""
    latest = latest_known(known_at, at=instants)
    lines = [np.append(frame[name].to_numpy(np.float64), np.nan)[latest] for name in columns]
    return pd.DataFrame(np.array(lines).T, index=rows, columns=columns)


def with_own_signals(signals: IndexSignals, config: Config, known: Known) -> IndexSignals:
    """Return the signals with those of plug-ins that the config's trigger names."""
    names = trigger_parts(config.rules.trigger)[1]
    return replace(signals, own={**signals.own, **own_signals(names, config, known)})


def own_signals(names: Sequence[str], config: Config, known: Known) -> dict[str, Flags]:
    """Return where each own signal of these names fires, a flag per session."""
    found = {name: find("signal", name) for name in names}
    return {
        name: flags_of(entry, known.per_session(entry), parameters=config.signal.parameters(name))
        for name, entry in found.items()
        if entry.is_own
    }


def own_states(settings: FilterSettings, known: Known) -> Floats:
    """Return an own filter's state at each session: 1 open, 0 closed, NaN not known."""
    entry = find("filter", settings.kind)
    own = settings.parameters(settings.kind)
    return states(entry, known.per_session(entry), parameters=own)


def leaving_exits(config: Config, known: Known, *, filtered: Flags) -> Floats:
    """Return the exit each bar's end asks for: a filter's, an own one's, or `STAY`.

    Where several do, a filter comes first and then `rules.exits` in their order.
    """
    codes = np.where(filtered, EXIT_FILTER, STAY)
    for name in config.rules.exits or ():
        entry = find("exit", name)
        if not entry.is_own:
            raise ConfigError(
                f"`rules.exits` {name!r} is built in. Set it by `{entry.settings[0]}`."
            )
        out = flags_of(entry, known.per_bar(entry), parameters=config.rules.parameters(name))
        codes = np.where((codes == STAY) & out, -code_of(name), codes)
    return codes.astype(np.float64)


def own_weights(config: Config, known: Known) -> Floats | None:
    """Return an own sizing's weight at each bar's end; None where the sizing is built in."""
    entry = find("sizing", config.size.mode)
    if not entry.is_own:
        return None
    given = known.per_bar(entry)
    own = config.size.parameters(entry.name)
    weights = amounts(entry, given, parameters=own, shape=(len(given[0]),))
    return np.minimum(weights, config.size.max_weight)


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
