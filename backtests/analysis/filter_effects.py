"""What each filter did to a run: when it was open, which triggers it blocked, exits it caused."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.config.config import Config
from backtests.engines.backtest import Run
from feeds.arrays import Flags, Integers
from strategies.filters import Gate
from strategies.position_rule import ENTER, EXIT_FILTER, EXIT_REASONS, STAY, TRIGGER_KINDS
from strategies.registry import trigger_parts

OPEN, CLOSED, UNKNOWN = "open", "closed", "unknown"


@dataclass(frozen=True, slots=True)
class GateSpan:
    """A stretch of bars in which a gate did not change: `stop` is where it did, or the end."""

    start: pd.Timestamp
    stop: pd.Timestamp
    state: str


@dataclass(frozen=True, slots=True)
class GateRecord:
    """What one filter did during the tradable bars.

    `shares` maps open, closed and unknown to their fraction of the bars. `triggers` counts
    those that came while nothing was held for the signal; `blocked` those at which this
    filter said no, `blocked_alone` those at which it was the only one to. `exits` counts the
    sales this filter asked for.
    """

    name: str
    spans: tuple[GateSpan, ...]
    shares: dict[str, float]
    triggers: int
    blocked: int
    blocked_alone: int
    exits: int


def gate_records(result: Run) -> tuple[GateRecord, ...]:
    """Return one record a filter, in the config's order."""
    tape = result.market.traded
    ends = tape.ends
    asked = (tape.lines["trigger_session"] >= 0) & ~signal_on(result)
    left = _filter_exits(result)
    passed = {gate.name: gate.passes(ends) for gate in result.market.gates}
    return tuple(
        _record(gate, ends, times=tape.times, asked=asked, left=left, passed=passed)
        for gate in result.market.gates
    )


def signal_on(result: Run) -> Flags:
    """Return whether the position of the signal is held at each bar's end.

    It is on from the fill of a trigger to the fill of an exit, or until nothing is left;
    where something else is held while the signal is off, holding says nothing.
    """
    times = result.strategy.bars.index
    changes = np.zeros(len(times), np.int8)
    entries, exits = signal_reasons(result.config)
    fills = result.strategy.fills
    for row, reason in zip(
        times.get_indexer(pd.DatetimeIndex(fills["time"])), fills["reason"], strict=True
    ):
        changes[row] = ENTER if reason in entries else -1 if reason in exits else changes[row]
    latest = np.maximum.accumulate(np.where(changes != STAY, np.arange(len(times)), 0))
    on = np.asarray(changes[latest] == ENTER)
    return on if result.config.idle.asset else on & result.strategy.invested.to_numpy()


def signal_reasons(config: Config) -> tuple[set[str], set[str]]:
    """Return the reasons of fills that follow the signal in, and those that follow it out."""
    names = trigger_parts(config.rules.trigger)[1]
    entries = {*TRIGGER_KINDS.values(), *names, " and ".join(names)}
    return entries, {*EXIT_REASONS.values(), *(config.rules.exits or ())}


def _filter_exits(result: Run) -> Flags:
    """Return the bars at whose end a filter decided to leave: those before its fills."""
    fills, times = result.strategy.fills, result.strategy.bars.index
    sold = fills.loc[fills["reason"] == EXIT_REASONS[EXIT_FILTER], "time"]
    decided = np.zeros(len(times), np.bool_)
    decided[times.get_indexer(pd.DatetimeIndex(sold.unique())) - 1] = True
    return decided


def _record(
    gate: Gate,
    ends: Integers,
    *,
    times: pd.DatetimeIndex,
    asked: Flags,
    left: Flags,
    passed: dict[str, Flags],
) -> GateRecord:
    answers = gate.at(ends)
    states = np.select([answers == 1, answers == 0], [OPEN, CLOSED], UNKNOWN)
    refused = asked & ~passed[gate.name]
    others = [own for name, own in passed.items() if name != gate.name]
    alone = refused & np.logical_and.reduce([np.ones_like(refused), *others])
    return GateRecord(
        gate.name,
        _spans(states, times),
        {state: float((states == state).mean()) for state in (OPEN, CLOSED, UNKNOWN)},
        triggers=int(asked.sum()),
        blocked=int(refused.sum()),
        blocked_alone=int(alone.sum()),
        exits=int((left & ~passed[gate.name]).sum()) if gate.settings.on_exit else 0,
    )


def _spans(states: NDArray[np.str_], times: pd.DatetimeIndex) -> tuple[GateSpan, ...]:
    changes = np.flatnonzero(states[1:] != states[:-1]) + 1
    edges = [0, *changes.tolist(), len(states)]
    return tuple(
        GateSpan(times[start], times[min(stop, len(times) - 1)], str(states[start]))
        for start, stop in pairwise(edges)
    )
