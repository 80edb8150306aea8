"""What a trial is to the kernel: the events of its signals, and what it does with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from backtests.engines.compile_cache import compile_function
from backtests.engines.compiled_engine import step
from backtests.engines.tape_arrays import Money
from backtests.market.tape import Lines
from feeds.arrays import Flags, Floats, Integers
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
        moment = Moment(time, np.nan, np.nan, NONE, int(trigger), int(lost), gate > 0, STAY)
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


rule_at = compile_function(_rule_at, is_inlined=True)
trial_at = compile_function(_trial_at, is_inlined=True)
