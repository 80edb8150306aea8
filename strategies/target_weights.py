"""How much to hold: the sizing, and from the rule's answer to wanted weights.

Entries, slices, rebalancing, coins that died: numbers, tuples and sequences of one number per coin,
nothing changed in place. Every engine calls these functions, compiled or not.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from feeds.arrays import Floats
from strategies.position_rule import ENTER, EXIT_REASONS, NONE, STAY, TRIGGER_KINDS, State, own_name
from strategies.registry import built_in, find
from strategies.rule_settings import SizeSettings

Numbers = Sequence[float] | Floats

ALIVE: Final = 1.0  # the `alive` line: the coin has a bar,
HALTED: Final = 0.0  # has none,
DELISTED: Final = -1.0  # or is taken for dead

# Why weights are wanted: the kind of trigger, an exit of the rule, or one of these.
NOTHING: Final = 0
EXITED: Final = 10  # plus the rule's exit
SCALE_IN: Final = 20
IDLE: Final = 21
REBALANCE: Final = 22
MAX_WEIGHT: Final = 23
DEAD: Final = 24
LEFT_OVER: Final = 25

REASONS: Final = {
    NOTHING: "",
    **TRIGGER_KINDS,
    **{EXITED + code: name for code, name in EXIT_REASONS.items()},
    SCALE_IN: "scale_in",
    IDLE: "idle",
    REBALANCE: "rebalance",
    MAX_WEIGHT: "max_weight",
    DEAD: "delisted",
    LEFT_OVER: "left_over",
}
PerYear = Floats | float


def reason_name(reason: int) -> str:
    """Return why weights were wanted, in the word of fills and trades."""
    if reason in REASONS:
        return REASONS[reason]
    return own_name(reason if reason > 0 else EXITED - reason)


class Upkeep(NamedTuple):
    """How positions are kept between the rule's answers."""

    scale_in_bars: int  # bars over which the full weight is reached
    threshold: float  # how far a weight may drift before it is traded back; 0 is never
    max_weight: float  # weight above which a position that has grown is trimmed
    idles: bool  # whether something is held while the signal is off
    is_single: bool  # one coin or cash: stops compare its price, not the level of a basket


class Stance(NamedTuple):
    """What is remembered from one bar to the next."""

    is_on: bool  # whether the signal is followed
    bars_on: int
    is_settled: bool  # whether the idle asset has been bought a first time
    level: float  # of what is held since the signal came, 1 at its start
    value: float  # of the positions at the last bar's end, in money


class Wanted(NamedTuple):
    """What is known of the weights when a bar ends; sequences have one number per coin."""

    weight: float  # of equity, while the signal is on; NaN where unknown
    kind: int  # of the latest trigger
    is_rebalanced: bool  # whether all weights are to be set right
    on_weights: Numbers  # of each coin while the signal is on, adding up to at most 1
    idle_weights: Numbers  # while it is off
    alive: Numbers


class Book(NamedTuple):
    """The account when a bar ends."""

    cash: float
    units: Numbers
    closes: Numbers


class Start(NamedTuple):
    """What a run opens with: its state, and the weights due at its first open, with the reason."""

    state: State
    stance: Stance
    reason: int
    planned: Floats


def fresh_start(upkeep: Upkeep) -> Start:
    """Return the start of a run that knows of nothing before it."""
    state = State(-np.inf, NONE, -np.inf, -np.inf)
    return Start(state, new_stance(upkeep), NOTHING, np.empty(0))


def new_stance(upkeep: Upkeep) -> Stance:
    """Return the stance before the first bar: nothing to buy before the first signal."""
    return Stance(False, 0, not upkeep.idles, 1.0, 0.0)


def opening(
    upkeep: Upkeep, state: State, stance: Stance, wanted: Wanted, index_close: float
) -> Start:
    """Return what a run opens with.

    `state` and `stance` are those of an account that followed the rule on all bars before.
    Where that is in the market, so is the run, with the slices of an entry that are due by
    then; the window and what is blocked go on. The position is the run's own: bought at its
    first open, and its stops measure from there, because a stop guards the money paid. Where
    the account was stopped out the run waits for a later trigger, as it would.
    """
    nothing = np.zeros(len(wanted.alive))
    own = State(state.window_end, state.blocked_through, -np.inf, index_close)
    reason, ready = NOTHING, new_stance(upkeep)
    if upkeep.idles and sum(wanted.idle_weights) > 0:
        reason, ready = IDLE, Stance(False, 0, True, 1.0, 0.0)
    if stance.is_on:
        _, entered = due(upkeep, ready, ENTER, wanted, Book(0.0, nothing, nothing))
        if entered != NOTHING:
            reason, ready = entered, Stance(True, stance.bars_on, True, 1.0, 0.0)
    return Start(own, ready, reason, targets(upkeep, ready, reason, wanted, nothing))


def worth(units: Numbers, prices: Numbers) -> float:
    """Return what the units are worth at these prices."""
    total = 0.0
    for coin in range(len(units)):
        total += units[coin] * prices[coin]
    return total


def next_stance(stance: Stance, book: Book, bought: float) -> Stance:
    """Chain the level: what the positions are worth over what was there and was paid in.

    `bought` is the value of what the bar's orders bought, less that of what they sold.
    """
    value = worth(book.units, book.closes)
    before = stance.value + bought
    level = stance.level
    if stance.is_on and before > 0:
        level *= value / before
    return Stance(stance.is_on, stance.bars_on, stance.is_settled, level, value)


def is_tended(upkeep: Upkeep, stance: Stance, units: Numbers) -> bool:
    """Return whether anything can be due at a bar without a signal."""
    bounded = upkeep.threshold > 0 or upkeep.max_weight < 1
    if upkeep.is_single and upkeep.scale_in_bars == 1 and not bounded:
        return False  # all in or all out
    return stance.is_on or upkeep.idles or sum(units) > 0


def due(
    upkeep: Upkeep, stance: Stance, action: int, wanted: Wanted, book: Book
) -> tuple[Stance, int]:
    """Return the new stance and why weights are wanted: a key of `REASONS`.

    `action` is the rule's answer to the bar.
    """
    _, bars_on, is_settled, level, value = stance
    if action == ENTER:
        entered = Stance(True, 0, is_settled, 1.0, value)
        total = 0.0
        for coin in range(len(book.units)):
            weight = wanted_weight(upkeep, entered, wanted, coin)
            total += 0.0 if math.isnan(weight) else weight
        if total > 0:
            return entered, wanted.kind
        # no coin or no weight known yet: asked again while the window is open
        return Stance(stance.is_on, 0, is_settled, level, value), NOTHING
    if action != STAY:
        return Stance(False, bars_on, is_settled, level, value), EXITED + action
    stance = Stance(stance.is_on, bars_on + 1, is_settled, level, value)
    reason = upkeep_reason(upkeep, stance, wanted, book)
    if reason != NOTHING:
        return Stance(stance.is_on, bars_on + 1, True, level, value), reason
    for coin in range(len(book.units)):
        if is_stray(stance, wanted, book.units, coin):
            return stance, DEAD if stance.is_on else LEFT_OVER
    return stance, NOTHING


def upkeep_reason(upkeep: Upkeep, stance: Stance, wanted: Wanted, book: Book) -> int:
    """Return why all weights are to be brought to their targets without a signal, if they are."""
    if stance.is_on and stance.bars_on < upkeep.scale_in_bars:
        return SCALE_IN
    if not stance.is_settled:
        return IDLE
    if wanted.is_rebalanced:
        return REBALANCE
    if upkeep.threshold > 0 or upkeep.max_weight < 1:
        return bound_left(upkeep, stance, wanted, book)
    return NOTHING


def bound_left(upkeep: Upkeep, stance: Stance, wanted: Wanted, book: Book) -> int:
    """Return which bound the weights have left, if any."""
    equity = book.cash + worth(book.units, book.closes)
    scale = equity if equity > 0 else 1.0
    held, aimed, drift = 0.0, 0.0, 0.0
    for coin in range(len(book.units)):
        weight = book.units[coin] * book.closes[coin] / scale
        target = wanted_weight(upkeep, stance, wanted, coin)
        held += weight
        if not math.isnan(target):
            aimed += target
            drift = max(drift, abs(weight - target))
    if drift > upkeep.threshold > 0 and aimed > 0:
        return REBALANCE
    if stance.is_on and held > upkeep.max_weight + upkeep.threshold:
        return MAX_WEIGHT
    return NOTHING


def wanted_weight(upkeep: Upkeep, stance: Stance, wanted: Wanted, coin: int) -> float:
    """Return the weight of equity one coin should have; NaN where unknown."""
    if not stance.is_on:
        return wanted.idle_weights[coin]
    share = min(1.0, (stance.bars_on + 1) / upkeep.scale_in_bars)
    return wanted.weight * share * wanted.on_weights[coin]


def is_stray(stance: Stance, wanted: Wanted, units: Numbers, coin: int) -> bool:
    """Return whether a coin is held without being wanted: dead, or left from a halt."""
    if not units[coin] > 0:
        return False
    return wanted.alive[coin] == DELISTED if stance.is_on else wanted.idle_weights[coin] == 0


def targets(upkeep: Upkeep, stance: Stance, reason: int, wanted: Wanted, units: Numbers) -> Floats:
    """Return the wanted weight of each coin, shape (coins,); NaN leaves a coin alone.

    `stance` and `reason` are what `due` returned.
    """
    found = np.empty(len(units))
    for coin in range(len(units)):
        if reason in (DEAD, LEFT_OVER):
            found[coin] = 0.0 if is_stray(stance, wanted, units, coin) else np.nan
        else:
            found[coin] = wanted_weight(upkeep, stance, wanted, coin)
    return found


def target_weights(close: Floats, *, settings: SizeSettings, periods_per_year: PerYear) -> Floats:
    """Return the weight an entry decided at each bar's end would take, shape (bars,).

    `periods_per_year` are the bars per year as seen from each bar, or from every one. NaN where
    the weight is not known yet: no entry is made there.
    """
    found: Floats = find("sizing", settings.mode).function(close, settings, periods_per_year)
    return found


@built_in("sizing", "fraction", settings=("size.fraction",))
def fraction(close: Floats, settings: SizeSettings, periods_per_year: PerYear) -> Floats:
    """Return the same fraction of equity on every bar."""
    del periods_per_year
    return np.full(close.size, min(settings.fraction, settings.max_weight))


@built_in("sizing", "vol_target", settings=("size.vol_target", "size.vol_lookback"))
def vol_target(close: Floats, settings: SizeSettings, periods_per_year: PerYear) -> Floats:
    """Return min(max_weight, target / realised volatility) of the last `vol_lookback` returns.

    Volatility is annualised, ddof 1. A coin that did not move takes `max_weight`.
    """
    volatility = pd.Series(close).pct_change().rolling(settings.vol_lookback).std(
        ddof=1
    ).to_numpy() * np.sqrt(periods_per_year)
    with np.errstate(divide="ignore"):
        return np.asarray(np.minimum(settings.max_weight, settings.vol_target / volatility))
