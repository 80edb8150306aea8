"""How an evening is told: one sentence to read aloud, then a line per fact."""

import math
from collections.abc import Iterator

import numpy as np

from backtests.analysis.episodes import AHEAD_DAYS, FEW_EPISODES, Forebears
from backtests.desk.changes import Change
from backtests.desk.today import Evening, GateState, Order
from backtests.report.words import notation as written
from feeds.arrays import Floats


def headline(evening: Evening) -> str:
    """Return the answer in a sentence: what is held, and what to do at the next open."""
    if evening.stale:
        return (
            f"{evening.asset}: cannot be told, bars are missing: {'; '.join(evening.stale)}. As of "
            f"{_instant(evening)}: {_state(evening)}; {order_words(evening.order, evening)}."
        )
    return f"{evening.asset}: {_state(evening)}; {order_words(evening.order, evening)}."


def _instant(evening: Evening) -> str:
    return f"{evening.as_of:%Y-%m-%d %H:%M} UTC"


def _state(evening: Evening) -> str:
    if not evening.in_market:
        return "out of the market"
    since = f"in the market since {evening.since:%Y-%m-%d} ({written.words(evening.entry_reason)})"
    if evening.window_end is None:
        return f"{since}, until an exit"
    return f"{since}, until {evening.window_end:%Y-%m-%d}"


def order_words(order: Order | None, evening: Evening) -> str:
    """Return what to do at the next open."""
    if order is None:
        return "nothing to do at the next open"
    why = written.words(order.reason)
    if len(order.units) > 1:
        coins = ", ".join(
            f"{written.decimal(each, 6, plus=True)} {written.coin(name)}"
            for name, each in order.units.items()
        )
        return f"{order.side} at the next open ({why}): {coins}"
    worth = written.money(evening.equity)
    return (
        f"{order.side} {order.total:.6g} {evening.asset} at the next open ({why}; equity {worth})"
    )


def facts(evening: Evening) -> Iterator[tuple[str, str]]:
    """Yield what an evening is known by: a name, and what it is."""
    yield "As of", _instant(evening)
    yield f"{evening.index}", _index_words(evening)
    if evening.support is not None:
        support = evening.support
        held = "held as support" if support.is_held else "under test"
        yield (
            "Support",
            (
                f"{written.price(support.level)} {held}, lost by a close below "
                f"{written.price(support.lost_below)}"
            ),
        )
    for gate in evening.gates:
        yield f"Filter {gate.name}", gate_words(gate, evening)
    for change in evening.changes:
        yield "Would change it", change_words(change)
    yield "Next session known", f"{evening.next_close:%Y-%m-%d %H:%M} UTC"


def _index_words(evening: Evening) -> str:
    gap = evening.next_high_at / evening.index_close - 1
    far = "at its high" if gap <= 0 else f"{written.percent(gap)} higher"
    return (
        f"closed at {written.price(evening.index_close)}; the next high is a close above "
        f"{written.price(evening.next_high_at)}, {far}"
    )


def gate_words(gate: GateState, evening: Evening) -> str:
    """Return what a filter says, since when it is known, and whether it lets a trigger pass."""
    state = "unknown" if math.isnan(gate.state) else "open" if gate.state else "closed"
    known = "never known"
    if gate.known_at is not None:
        age = (evening.as_of - gate.known_at).total_seconds() / 86_400
        known = f"known since {gate.known_at:%Y-%m-%d %H:%M} UTC, {age:.1f} days old"
    return f"{state}, {known}; {'lets' if gate.lets_pass else 'does not let'} a trigger pass"


def change_words(change: Change) -> str:
    """Return what would change the answer, and to what."""
    if change.on is not None:
        return f"{change.on:%Y-%m-%d %H:%M} UTC: the {change.subject} ends, {change.then}"
    note = f" ({change.note})" if change.note else ""
    bound = f"{change.direction} {written.price(change.level)}"
    return f"{change.subject} closes {bound}{note}: {change.then}"


def forebears_words(found: Forebears | None) -> list[str]:
    """Return how the present episode compares with those before it."""
    if found is None:
        return ["No episode has begun since the coin's first bar."]
    begun = f"{found.present.session:%Y-%m-%d}"
    if not found.is_running:
        return [f"No episode is running: the latest began on {begun}, {found.day:,} days ago."]
    then, ahead = (each[np.isfinite(each)] for each in (found.then, found.ahead))
    day = f"Day {found.day} of the episode of {begun}"
    if then.size == 0:
        return [f"{day}: no earlier one can be laid beside it."]
    if found.day == 0:
        sentences = [f"The episode of {begun} begins at the next open."]
    else:
        place = f"{day}: {_growth(found.growth)}, place {found.rank} of {then.size + 1}."
        place += f" The index: {_growth(float(found.present.index[found.day - 1]))}."
        sentences = [f"{place} On that day the {_range(then, 'stood')}."]
    if ahead.size:
        sentences.append(f"Over the {AHEAD_DAYS} days from there the {_range(ahead, 'made')}.")
    few = f"{then.size} {'is' if then.size == 1 else 'are'} too few to say what follows: "
    sentences.append(f"{few if then.size < FEW_EPISODES else ''}it is what was, not what will be.")
    return sentences


def _range(values: Floats, verb: str) -> str:
    """Return what earlier episodes did, one or several of them."""
    if values.size == 1:
        return f"one earlier episode {verb} {_growth(float(values[0]))}"
    low, middle, high = (_growth(float(each)) for each in np.quantile(values, (0, 0.5, 1)))
    count = written.count_noun(values.size, "earlier episode")
    return f"{count} {verb} from {low} to {high}, median {middle}"


def _growth(growth: float) -> str:
    return written.decimal(growth * 100, 1, unit=" %", plus=True)
