"""What a trial is to the kernel: the events of its signals, and what it does with them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from backtests.engines.compiled import step
from backtests.engines.compiling import compile_function
from backtests.engines.parts import Money
from backtests.market.gates import combine, combine_flags
from backtests.market.known_when import Past, Schedule, all_pass, past_of
from backtests.market.market import Market
from backtests.market.tape import Lines
from feeds.arrays import Flags, Floats, Integers
from feeds.sessions import bar_ends
from strategies.filters import Gate
from strategies.position_rule import NONE, STAY, Moment, Rule, State

LEAD: Final = ("bar_end", "trigger_session", "lost_session", "gate")


@dataclass(frozen=True, slots=True)
class Group:
    """The events before bar `stop` of one set of settings; trading begins with bar `first`.

    `opens` is whether its filters let an entry pass at each event, `closed`, shape (runs, 2), the
    first bar and the one after the last of each run on which a filter or an exit wants out.
    `lead` is what was known before the first bar of all.
    """

    bar: Integers
    trigger: Integers
    kind: Integers  # of the trigger, 0 where none arrives
    lost: Integers
    time: Floats
    before: Floats
    opens: Flags
    closed: Integers
    first: int
    stop: int
    lead: Lines


class TrialEvents(NamedTuple):
    """The bars on which a signal arrives, for all groups of trials in one array.

    Group g reads `bar[begin[g]:end[g]]` (ascending), with the session that triggers there and
    the one that lost support, else NONE; groups may share them. Its filters let an entry pass
    at event e where `opens[e + opens_from[g]]`, and want out on the bars of the rows
    `closed[closed_from[g]:closed_to[g]]`, each a first bar and the one after the last. It
    trades bars `first[g]` to `stop[g]` - 1. `lead`, shape (groups, len(LEAD), rows), is what
    came before the first bar.
    """

    bar: Integers
    trigger: Integers
    lost: Integers
    time: Floats  # when the bar ends
    before: Floats  # when the bar before it ended
    begin: Integers
    end: Integers
    opens: Flags
    opens_from: Integers
    closed: Integers
    closed_from: Integers
    closed_to: Integers
    lead: Floats
    first: Integers
    stop: Integers


class Trials(NamedTuple):
    """What each trial does with its group's signals, shape (trials,) each."""

    group: Integers
    hold_seconds: Floats
    exit_on_support_lost: Flags
    stop_loss: Floats
    trailing_stop: Floats
    index_drawdown: Floats
    commission: Floats
    slippage: Floats
    impact: Floats  # its coefficient, 0 for none; the kernel charges none
    initial_cash: Floats


class Trial(NamedTuple):
    """One trial: where its events are, which bars it trades, what it does.

    `window_end` and `blocked` are what its rule remembers when the first bar of all opens.
    """

    window_end: float
    blocked: int
    events_from: int
    events_to: int
    opens_from: int
    closed_from: int
    closed_to: int
    first: int
    stop: int
    rule: Rule
    money: Money  # its cash and costs, for one unit of equity
    initial_cash: float


def _rule_at(trials: Trials, number: int) -> Rule:
    """Return the rule of one trial out of many."""
    return Rule(
        trials.hold_seconds[number],
        trials.exit_on_support_lost[number],
        trials.stop_loss[number],
        trials.trailing_stop[number],
        trials.index_drawdown[number],
    )


def _trial_at(events: TrialEvents, trials: Trials, number: int, bar_interest: float) -> Trial:
    """Return one trial out of many."""
    group, rule = trials.group[number], rule_at(trials, number)
    state = State(-np.inf, NONE, -np.inf, -np.inf)
    for row in range(events.lead.shape[2]):
        time, trigger, lost, gate = events.lead[group, :, row]
        moment = Moment(time, np.nan, np.nan, NONE, int(trigger), int(lost), gate > 0, False)
        state, _ = step(rule, state, moment, np.nan)
    return Trial(
        state.window_end,
        state.blocked_through,
        events.begin[group],
        events.end[group],
        events.opens_from[group],
        events.closed_from[group],
        events.closed_to[group],
        events.first[group],
        events.stop[group],
        rule,
        Money(1.0, trials.commission[number], trials.slippage[number], 0.0, bar_interest),
        trials.initial_cash[number],
    )


def join(groups: Sequence[Group]) -> TrialEvents:
    """Return the groups' events in one array each, as the kernel reads them."""
    distinct = list({id(group.bar): group for group in groups}.values())
    places = _starts(distinct, "bar")[:-1]
    begins = {id(group.bar): place for group, place in zip(distinct, places, strict=True)}
    begin = np.array([begins[id(group.bar)] for group in groups], np.int64)
    sizes = np.array([group.bar.size for group in groups], np.int64)
    closed = _starts(groups, "closed")
    return TrialEvents(
        **{
            name: np.concatenate([getattr(group, name) for group in distinct])
            for name in ("bar", "trigger", "lost", "time", "before")
        },
        begin=begin,
        end=begin + sizes,
        opens=np.concatenate([group.opens for group in groups]),
        opens_from=_starts(groups, "opens")[:-1] - begin,
        closed=np.concatenate([group.closed for group in groups]),
        closed_from=closed[:-1],
        closed_to=closed[1:],
        lead=np.array([[group.lead[name] for name in LEAD] for group in groups]),
        first=np.array([group.first for group in groups], np.int64),
        stop=np.array([group.stop for group in groups], np.int64),
    )


def _starts(groups: Sequence[Group], name: str) -> Integers:
    """Return where the array of each group begins in that of all, and where the last ends."""
    sizes = [len(getattr(group, name)) for group in groups]
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)


def runs(wants_out: Flags) -> Integers:
    """Return the first bar of each run of true flags and the one after, shape (runs, 2)."""
    borders = np.flatnonzero(np.diff(wants_out, prepend=False, append=False))
    return borders.reshape(-1, 2)


class SignalGroup(NamedTuple):
    """The events of a market without filters, and what filters change in them."""

    market: Market
    past: Past
    group: Group


def signals_on(market: Market, schedule: Schedule) -> SignalGroup:
    """Return the events of a schedule on the bars of a market that has no filters."""
    past = past_of(schedule, market.coin)
    return SignalGroup(market, past, _group(market, schedule, past))


def _group(market: Market, schedule: Schedule, past: Past) -> Group:
    opens = pd.DatetimeIndex(market.coin.frame.index).as_unit("ns")
    ends = bar_ends(opens, kind="coin", timeframe=market.coin.timeframe)
    lines = schedule.lines(opens.asi8, ends.asi8)
    trigger, lost = (lines[name].astype(np.int64) for name in ("trigger_session", "lost_session"))
    happens = (trigger > NONE) | (lost > NONE)
    bar = np.flatnonzero(happens[: market.tradable.stop])
    time = market.tape.lines["bar_end"]
    before = np.concatenate(([-np.inf], time[:-1]))
    return Group(
        bar=bar,
        trigger=trigger[bar],
        kind=lines["trigger_kind"][bar].astype(np.int64),
        lost=lost[bar],
        time=time[bar],
        before=before[bar],
        opens=np.ones(bar.size, np.bool_),
        closed=runs(market.tape.lines["leave"] != STAY),
        first=market.tradable.start,
        stop=market.tradable.stop,
        lead=past.lead(all_pass),
    )


class GateLine(NamedTuple):
    """A filter, and whether it is open when each bar ends, shape (bars,)."""

    gate: Gate
    passes: Flags


def with_gates(signals: SignalGroup, lines: Sequence[GateLine], *, how: str) -> Group:
    """Return the group as its filters leave it; it shares the events with the one without."""
    group, gates = signals.group, [line.gate for line in lines]
    exits = [line.passes for line in lines if line.gate.settings.on_exit]
    closed = group.closed
    if exits:
        leave = signals.market.tape.lines["leave"] != STAY
        closed = runs(leave | ~combine_flags(exits, how="all"))
    return replace(
        group,
        opens=combine_flags([line.passes[group.bar] for line in lines], how=how),
        closed=closed,
        lead=signals.past.lead(partial(combine, gates, how=how)),
    )


rule_at = compile_function(_rule_at, is_inlined=True)
trial_at = compile_function(_trial_at, is_inlined=True)
