"""Functions that decide, as they can be asked again with other inputs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.market.gates import gates_of
from backtests.market.inputs import Inputs
from backtests.market.market import traded_coin
from backtests.market.own_inputs import Known
from backtests.market.worlds import Future, bars_known_at, world_at
from feeds.arrays import Floats
from feeds.sessions import Instants
from strategies.own import amounts, flags_of, states
from strategies.registry import Entry, find, is_own
from strategies.signals import index_signals

# what a function answers to some inputs, a number per session or bar; NaN is unknown
Ask = Callable[[Inputs], Floats]


EVENTS: Final = ("new_high", "breakout", "support_held", "support_lost")


@dataclass(frozen=True, slots=True)
class Asked:
    """A function as it is asked: its name, and what it answers to the whole inputs.

    `instants` (nanoseconds, UTC) are when each of `rows` is known; `unit` is what a row is.
    `decided` is the part of the answers near whose changes data are cut, if it is not all.
    """

    name: str
    config: Config
    inputs: Inputs
    ask: Ask
    whole: Floats
    instants: Instants
    rows: pd.DatetimeIndex
    unit: str
    first: int = 1  # the first row after which it can be asked
    decided: Floats | None = None

    def world(self, place: int, *, future: Future = "cut", only: str = "") -> Inputs:
        """Return the inputs with another future after a row, see `world_at`."""
        instant = int(self.instants[place])
        return world_at(self.inputs, self.config, instant, future=future, only=only)


def own_uses(config: Config) -> Iterator[tuple[Entry, dict[str, Any]]]:
    """Yield every own function a config uses, but those of a basket, with its parameters.

    A filter comes once per gate, as each has parameters of its own.
    """
    sections = {"signal": config.signal, "exit": config.rules, "sizing": config.size}
    for entry in config.own_functions:
        if entry.kind in sections:
            yield entry, sections[entry.kind].parameters(entry.name)
    for gate in config.filters.values():
        if (entry := find("filter", gate.kind)).is_own:
            yield entry, gate.parameters(entry.name)


def asked_of_own(config: Config, inputs: Inputs) -> Iterator[Asked]:
    """Yield every own function the config uses, but those of a basket, as it is asked."""
    for entry, parameters in own_uses(config):
        yield ask_of(
            f"{entry.kind} {entry.name}",
            partial(ask_own, entry, parameters, config),
            inputs,
            config,
            per_bar=entry.kind in ("exit", "sizing"),
        )


def ask_own(entry: Entry, parameters: dict[str, Any], config: Config, inputs: Inputs) -> Floats:
    """Return what an own function answers to some inputs."""
    known = known_of(config, inputs, with_coin="coin" in entry.reads)
    if entry.kind in ("signal", "filter"):
        given = known.per_session(entry)
        judge = flags_of if entry.kind == "signal" else states
        return judge(entry, given, parameters=parameters).astype(np.float64)
    given = known.per_bar(entry)
    if entry.kind == "exit":
        return flags_of(entry, given, parameters=parameters).astype(np.float64)
    return amounts(entry, given, parameters=parameters, shape=(len(given[0]),))


def known_of(config: Config, inputs: Inputs, *, with_coin: bool) -> Known:
    """Return what own functions read, by calendars."""
    delay = config.index.delay_minutes
    instants = pd.DatetimeIndex(bars_known_at(inputs.index, delay_minutes=delay), tz="UTC")
    return Known(inputs, instants, traded_coin(config, inputs) if with_coin else None)


def ask_of(name: str, ask: Ask, inputs: Inputs, config: Config, *, per_bar: bool = False) -> Asked:
    """Return a function with its answers to the whole inputs."""
    bars = traded_coin(config, inputs) if per_bar else inputs.index
    delay = 0 if per_bar else config.index.delay_minutes
    return Asked(
        name,
        config,
        inputs,
        ask,
        ask(inputs),
        bars_known_at(bars, delay_minutes=delay),
        pd.DatetimeIndex(bars.frame.index),
        "bar" if per_bar else "session",
    )


def asked_of_house(config: Config, inputs: Inputs) -> Iterator[Asked]:
    """Yield the index's signals and the config's built-in filters, as they are asked."""

    def signals(some: Inputs) -> Floats:
        frame = some.index.frame
        found = index_signals(
            close=frame["close"].to_numpy(), low=frame["low"].to_numpy(), settings=config.signal
        )
        flags = [found.event(name) * 2.0**place for place, name in enumerate(EVENTS)]
        return np.asarray(np.sum(flags, axis=0))

    def gate(name: str, some: Inputs) -> Floats:
        only = config.model_copy(update={"filters": {name: config.filters[name]}})
        known = known_of(config, some, with_coin=False)
        (found,) = gates_of(only, known)
        return found.at(known.sessions)

    yield ask_of("signal of the index", signals, inputs, config)
    built_in = [name for name, each in config.filters.items() if not is_own("filter", each.kind)]
    for name in built_in:
        yield ask_of(f"filter {name}", partial(gate, name), inputs, config)
