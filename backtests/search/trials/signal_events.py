"""The events of a market's signals, and what filters change in them."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from backtests.config.config import Config
from backtests.market.known_when import Past, Schedule, all_pass, entry_delay
from backtests.market.market import Market, market_schedule
from backtests.market.tape import Lines, nanoseconds
from backtests.market.user_inputs import GateReadings, Known, combine_flags, gate_of, readings_of
from backtests.search.trials.sharing_keys import Remembered, remember
from backtests.search.trials.trial_events import Group
from feeds.arrays import Flags, Floats, Integers
from feeds.sessions import BAR_LENGTHS, latest_among, sessions_within
from strategies.filters import Gate, LatestAnswers, latest_answers
from strategies.position_rule import NONE, STAY
from strategies.registry import is_own
from strategies.rule_settings import FilterSettings

GATE_BYTES: Final = 16_000_000
LEAST_GATES: Final = 8


class SignalGroup(NamedTuple):
    """The events of a market without filters, and what filters change in them."""

    market: Market
    past: Past
    group: Group


class BarTimes:
    """What all schedules on a market's bars share: instants in nanoseconds, and own exits."""

    def __init__(self, market: Market) -> None:
        tape = market.tape
        self.market = market
        self.ends: Floats = tape.lines["bar_end"]
        self.before = np.concatenate(([-np.inf], self.ends[:-1]))
        self.closed = runs(tape.lines["leave"] != STAY)
        self._opens, self._ends = nanoseconds(tape.lines["time"]), tape.ends
        self._schedules: dict[str, Schedule] = {}
        self._within: dict[int, tuple[Integers, Integers]] = {}
        self._lost: Integers | None = None

    def schedule(self, config: Config) -> Schedule:
        """Return what `market_schedule` does."""
        trigger = config.rules.trigger
        if trigger not in self._schedules:
            self._schedules[trigger] = market_schedule(self.market, config)
        return replace(self._schedules[trigger], delay=entry_delay(config))

    def past(self, schedule: Schedule) -> Past:
        """Return what was known when the first bar opened."""
        length = BAR_LENGTHS[self.market.coin.timeframe].value
        return schedule.past(int(self._opens[0]), length=length)

    def arrivals(self, schedule: Schedule) -> tuple[Integers, Integers]:
        """Return the sessions that trigger, and that lose support, at each bar's end."""
        if self._lost is None:
            self._lost = latest_among(schedule.lost, *self._sessions(schedule, 0))
        within = self._sessions(schedule, schedule.delay)
        return latest_among(schedule.kinds > 0, *within), self._lost

    def _sessions(self, schedule: Schedule, delay: int) -> tuple[Integers, Integers]:
        if delay not in self._within:
            effective_at = schedule.known_at + delay
            self._within[delay] = sessions_within(effective_at, opens=self._opens, ends=self._ends)
        return self._within[delay]


def signals_on(times: BarTimes, schedule: Schedule) -> SignalGroup:
    """Return the events of a schedule on the bars of a market that has no filters."""
    past = times.past(schedule)
    return SignalGroup(times.market, past, _group(times, schedule, past))


def _group(times: BarTimes, schedule: Schedule, past: Past) -> Group:
    tradable = times.market.tradable
    trigger, lost = times.arrivals(schedule)
    happens = (trigger > NONE) | (lost > NONE)
    bar = np.flatnonzero(happens[: tradable.stop])
    triggered = trigger[bar]
    return Group(
        bar=bar,
        trigger=triggered,
        kind=np.where(triggered > NONE, schedule.kinds[triggered], 0),
        lost=lost[bar],
        time=times.ends[bar],
        before=times.before[bar],
        opens=np.ones(bar.size, np.bool_),
        closed=times.closed,
        first=tradable.start,
        stop=tradable.stop,
        lead=past.lead(all_pass),
    )


class GateLine(NamedTuple):
    """A filter, and whether it is open when each bar ends, shape (bars,)."""

    gate: Gate
    passes: Flags


class GateReader:
    """Reads filters on a market's bars, each set of settings once, up to a limit.

    What they read, and which value is the latest known when a bar ends, is found once per
    series, so that a gate is little more than its own comparison.
    """

    def __init__(self, market: Market, known: Known) -> None:
        self._known = known
        self._ends = market.tape.ends
        self._sources: dict[tuple[str, ...], tuple[GateReadings, LatestAnswers]] = {}
        self._lines: Remembered[GateLine] = OrderedDict()

    def line(self, name: str, settings: FilterSettings) -> GateLine:
        """Return a filter and where it is open."""
        limit = max(LEAST_GATES, GATE_BYTES // self._ends.size)
        key = (name, settings)
        return remember(self._lines, key, lambda: self._read(name, settings), limit)

    def _read(self, name: str, settings: FilterSettings) -> GateLine:
        if is_own("filter", settings.kind):
            gate = gate_of(name, settings, self._known)
            return GateLine(gate, gate.passes(self._ends))
        is_series = settings.kind == "series"
        source = ("series", settings.series) if is_series else ("index", settings.benchmark)
        if source not in self._sources:
            given = readings_of(settings, self._known)
            self._sources[source] = given, latest_answers(given.known_at, self._ends)
        given, latest = self._sources[source]
        gate = gate_of(name, settings, self._known, given=given)
        return GateLine(gate, gate.passes_after(latest))


@dataclass(frozen=True, slots=True)
class GateAnswers:
    """What a filter says at some signals' events and before the first bar, each asked once.

    `opens` is whether it lets an entry pass at each event, `fired` at each trigger of the past,
    `lead` at the bars that lead up to the first, by the latest of those triggers that passes.
    """

    line: GateLine
    opens: Flags
    fired: Flags
    lead: dict[int, Flags]


class GatedSignals:
    """The events of a market's signals under any of its filters."""

    def __init__(self, signals: SignalGroup) -> None:
        self._signals = signals
        self._answers: dict[int, GateAnswers] = {}  # by the line, which they hold
        self._leads: dict[int, tuple[Integers, Lines]] = {}
        self._closed: dict[tuple[int, ...], Integers] = {}

    @property
    def market(self) -> Market:
        """The market of the signals."""
        return self._signals.market

    def group(self, lines: Sequence[GateLine], *, how: str) -> Group:
        """Return the group as its filters leave it; it shares the events with the one without."""
        answers = [self._answers_of(line) for line in lines]
        return replace(
            self._signals.group,
            opens=combine_flags([each.opens for each in answers], how=how),
            closed=self._closed_by([line for line in lines if line.gate.settings.on_exit]),
            lead=self._lead(answers, how=how),
        )

    def _answers_of(self, line: GateLine) -> GateAnswers:
        if id(line) not in self._answers:
            bars, fired_at = self._signals.group.bar, self._signals.past.fired_at
            fired = line.gate.passes(fired_at)
            self._answers[id(line)] = GateAnswers(line, line.passes[bars], fired, {})
        return self._answers[id(line)]

    def _closed_by(self, exits: Sequence[GateLine]) -> Integers:
        """Return the runs of bars on which a filter or an exit wants out."""
        if not exits:
            return self._signals.group.closed
        key = tuple(id(line) for line in exits)
        if key not in self._closed:
            leave = self._signals.market.tape.lines["leave"] != STAY
            passes = combine_flags([line.passes for line in exits], how="all")
            self._closed[key] = runs(leave | ~passes)
        return self._closed[key]

    def _lead(self, answers: Sequence[GateAnswers], *, how: str) -> Lines:
        """Return what `Past.lead` does, each filter asked once per latest trigger."""
        passed = np.flatnonzero(combine_flags([each.fired for each in answers], how=how))
        last = int(passed[-1]) if passed.size else NONE
        if last not in self._leads:
            self._leads[last] = self._signals.past.lines_after(last)
        ends, lines = self._leads[last]
        for each in answers:
            if last not in each.lead:
                each.lead[last] = each.line.gate.passes(ends)
        gate = combine_flags([each.lead[last] for each in answers], how=how)
        return {**lines, "gate": gate.astype(np.float64)}


def runs(wants_out: Flags) -> Integers:
    """Return the first bar of each run of true flags and the one after, shape (runs, 2)."""
    borders = np.flatnonzero(np.diff(wants_out, prepend=False, append=False))
    return borders.reshape(-1, 2)
