"""Every rule of when: what of an index is known at each bar, and which bars a run may trade.

An index bar is known from its official close on plus a delay, a coin's bar from its end on. What
is known when a bar ends is traded at the next bar's open; what was known before the first bar
opened is carried by the lead, the bars up to that open.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from backtests.config.config import ALTS, Config
from backtests.market.elapsed_time import nominal_bars_per_year, observed_bars_per_year
from backtests.market.tape import NANOSECONDS, Lines, Tape
from feeds.arrays import Flags, Floats, Integers
from feeds.bars import PRICES, Bars
from feeds.sessions import BAR_LENGTHS, Instants, bar_ends, latest_arrival, latest_known, values_at
from strategies.position_rule import NONE, triggers
from strategies.registry import find
from strategies.signals import IndexSignals
from strategies.target_weights import target_weights

# before the first bar only the latest lost support and the latest trigger count, then it opens
LEAD_ROWS: Final = 3
ASKED_AT_ONCE: Final = 64  # triggers, from the latest back: mostly one of them passes

Passes = Callable[[Instants], Flags]


@dataclass(frozen=True, slots=True)
class Schedule:
    """When each session of an index is known, and what it brings, shape (sessions,).

    `known_at` and `delay`, by which triggers take effect later, are nanoseconds (UTC); `kinds`
    are the kinds of trigger, 0 where there is none.
    """

    known_at: Instants
    delay: int
    close: Floats
    kinds: Integers
    lost: Flags

    def lines(self, opens: Instants, ends: Instants) -> Lines:
        """Return what is known at each bar's end, and the events that arrive with it."""
        session = latest_known(self.known_at, at=ends)
        trigger = latest_arrival(
            self.kinds > 0, effective_at=self.known_at + self.delay, opens=opens, ends=ends
        )
        lost = latest_arrival(self.lost, effective_at=self.known_at, opens=opens, ends=ends)
        return self.lines_of(session, trigger, lost)

    def past(self, first_open: int, *, length: int) -> "Past":
        """Return what was known when the first bar opened; bars have that length."""
        fired = np.flatnonzero((self.kinds > 0) & (self.known_at + self.delay <= first_open))
        lost = np.flatnonzero(self.lost & (self.known_at <= first_open))[-1:]
        return Past(
            schedule=self,
            first_open=first_open,
            length=length,
            fired=fired,
            fired_at=_grid(self.known_at[fired] + self.delay, first_open, length),
            lost=dict(zip(_grid(self.known_at[lost], first_open, length), lost, strict=True)),
        )

    def lines_of(self, session: Integers, trigger: Integers, lost: Integers) -> Lines:
        """Return the lines of sessions known at some instants, and of events that arrive."""
        arrived = np.where(trigger > NONE, self.kinds[trigger], 0) if self.kinds.size else trigger
        return {
            "session": session.astype(np.float64),
            "index_close": values_at(self.close, positions=session),
            "trigger_session": trigger.astype(np.float64),
            "trigger_kind": arrived.astype(np.float64),
            "lost_session": lost.astype(np.float64),
        }


@dataclass(frozen=True, slots=True)
class Past:
    """The triggers before the first bar opened, and the latest support lost by then.

    `fired` are sessions and `fired_at` the ends of the bars at which they took effect, counted
    back from the first open; `lost` has the same of the lost support: the end, and the session.
    """

    schedule: Schedule
    first_open: int
    length: int
    fired: Integers
    fired_at: Instants
    lost: dict[int, int]

    def lead(self, passes: Passes) -> Lines:
        """Return the lines of `LEAD_ROWS` bars up to the first bar's open.

        They carry what a rule without a position remembers of all sessions known by then: the
        latest trigger that the filters let pass, and the latest support lost, each on the bar
        (of that length, back from the first open) at whose end it took effect.
        """
        ends, lines = self.lines_after(self._latest(passes))
        return {**lines, "gate": passes(ends).astype(np.float64)}

    def lines_after(self, number: int) -> tuple[Instants, Lines]:
        """Return the ends of the bars of `lead`, and their lines but for the gate.

        `number` is the place in `fired` of the latest trigger that passes, `NONE` for none.
        """
        triggers = {self.fired_at[number]: self.fired[number]} if number != NONE else {}
        rows = sorted({self.first_open, *triggers, *self.lost})
        while len(rows) < LEAD_ROWS:
            rows.insert(0, rows[0] - self.length)
        ends = np.array(rows, np.int64)
        trigger, loss = (
            np.array([found.get(end, NONE) for end in rows]) for found in (triggers, self.lost)
        )
        session = latest_known(self.schedule.known_at, at=ends)
        lines = self.schedule.lines_of(session, trigger, loss)
        return ends, {"time": seconds(ends - self.length), "bar_end": seconds(ends), **lines}

    def _latest(self, passes: Passes) -> int:
        """Return the place in `fired` of the latest trigger that passes, `NONE` for none."""
        for stop in range(self.fired.size, 0, -ASKED_AT_ONCE):
            some = slice(max(stop - ASKED_AT_ONCE, 0), stop)
            passed = np.flatnonzero(passes(self.fired_at[some]))
            if passed.size:
                return int(some.start + passed[-1])
        return NONE


def _grid(instants: Instants, first_open: int, length: int) -> Instants:
    """Return the ends of bars, counted back from the first open, within which instants lie."""
    return np.asarray(first_open - (first_open - instants) // length * length)


def schedule_of(
    config: Config,
    *,
    close: Floats,
    signals: IndexSignals,
    available_at: pd.DatetimeIndex,
) -> Schedule:
    """Return the schedule of an index's sessions under the config's trigger and entry delay."""
    return Schedule(
        known_at=available_at.as_unit("ns").asi8,
        delay=entry_delay(config),
        close=close,
        kinds=triggers(signals, trigger=config.rules.trigger),
        lost=signals.support_lost,
    )


def entry_delay(config: Config) -> int:
    """Return by how many nanoseconds triggers take effect later."""
    return int(pd.Timedelta(days=config.rules.entry_delay_days).value)


def with_lead(config: Config, tape: Tape, lead: Lines) -> Tape:
    """Return the tape of all bars with what was known before the first of them opened.

    The first open can be bought as the rule would: a single coin at once, a basket once bars
    have told which coins are in it.
    """
    kinds = latest_kind(np.concatenate((lead["trigger_kind"], tape.lines["trigger_kind"])))
    price = tape.lines["open"][0]
    per_year = nominal_bars_per_year(tape.lines["time"], tape.lines["bar_end"])
    is_last = np.arange(LEAD_ROWS) == LEAD_ROWS - 1
    weight = np.where(is_last, weight_before(config, price, per_year=per_year), np.nan)
    lines = {
        **dict.fromkeys(tape.lines, np.zeros(LEAD_ROWS)),
        **dict.fromkeys(PRICES, np.full(LEAD_ROWS, price)),
        **lead,
        "trigger_kind": kinds[:LEAD_ROWS],
        "weight": weight,
    }
    coins = {symbol: _lead_coin(config, own, is_last) for symbol, own in tape.coins.items()}
    own = {**tape.lines, "trigger_kind": kinds[LEAD_ROWS:]}
    return Tape(own, tape.coins, Tape(lines, coins))


def _lead_coin(config: Config, own: Lines, is_last: Flags) -> Lines:
    held = {name: np.full(LEAD_ROWS, own["open"][0]) for name in PRICES}
    is_known = is_last & (config.asset != ALTS)
    return {
        **dict.fromkeys(own, np.zeros(LEAD_ROWS)),
        **held,
        "on_weight": np.where(is_known, own["on_weight"][0], 0.0),
        "idle_weight": np.where(is_last, own["idle_weight"][0], 0.0),
    }


def all_pass(instants: Instants) -> Flags:
    """Let every trigger pass: there are no filters."""
    return np.ones(instants.size, np.bool_)


def entry_weights(
    config: Config,
    *,
    opens: Floats,
    ends: Floats,
    close: Floats,
    own: Floats | None = None,
) -> Floats:
    """Return the weight an entry decided at each bar's end would take, NaN where unknown.

    Volatility is made annual by the bars per year there are among those it is taken from. `own`
    are the weights of an own sizing, see `backtests.market.user_inputs`.
    """
    if own is not None:
        return own
    nominal = nominal_bars_per_year(opens, ends)
    per_year = observed_bars_per_year(ends, lookback=config.size.vol_lookback, nominal=nominal)
    return target_weights(close, settings=config.size, periods_per_year=per_year)


def weight_before(config: Config, price: float, *, per_year: float) -> float:
    """Return the weight an entry at the very first open would take, NaN where unknown.

    An own sizing is first asked when the first bar ends.
    """
    if find("sizing", config.size.mode).is_own:
        return float(np.nan)
    known = target_weights(np.array([price]), settings=config.size, periods_per_year=per_year)
    return float(known[0])


def latest_kind(kinds: Floats) -> Floats:
    """Return the kind of the latest trigger by each bar's end; `kinds` is 0 where none arrives."""
    latest = np.maximum.accumulate(np.where(kinds > 0, np.arange(kinds.size), 0))
    return np.asarray(kinds[latest])


def seconds(instants: Instants) -> Floats:
    """Return nanoseconds as seconds, in which tapes count."""
    return np.asarray(instants / NANOSECONDS)


def known_from(index: Bars, config: Config) -> pd.DatetimeIndex:
    """Return the instant (UTC) from which each index bar is known."""
    ends = bar_ends(
        pd.DatetimeIndex(index.frame.index), kind=index.instrument.kind, timeframe=index.timeframe
    )
    return (ends + pd.Timedelta(minutes=config.index.delay_minutes)).as_unit("ns")


def lead_of(schedule: Schedule, coin: Bars, passes: Passes) -> Lines:
    """Return the lines of what was known of the index when the coin's first bar opened."""
    first = pd.DatetimeIndex(coin.frame.index[:1]).as_unit("ns").asi8
    return schedule.past(int(first[0]), length=BAR_LENGTHS[coin.timeframe].value).lead(passes)


def between(opens: pd.DatetimeIndex, *, start: str, end: str) -> Flags:
    """Return which bars open on the days from `start` to `end` (UTC, both included, "" is open)."""
    inside = np.ones(len(opens), np.bool_)
    if start:
        inside &= np.asarray(opens >= pd.Timestamp(start, tz="UTC"))
    if end:
        inside &= np.asarray(opens < pd.Timestamp(end, tz="UTC") + pd.Timedelta(days=1))
    return inside
