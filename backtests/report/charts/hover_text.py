"""What was the case on each day and session, in words for hover boxes, and support levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final, Literal

import numpy as np
import pandas as pd

from backtests.report.charts.figure_dicts import plain
from backtests.report.words import notation as written
from feeds.arrays import Floats
from strategies.rule_settings import SignalSettings
from strategies.signals import IndexSignals

Fate = Literal["lost", "failed", "lapsed", "replaced", "held so far", "under test"]
FATES: Final[dict[Fate, str]] = {
    "lost": "was held as support, then lost",
    "failed": "failed its test",
    "lapsed": "lapsed: not confirmed in time",
    "replaced": "replaced by a later breakout",
    "held so far": "still held at the last session",
    "under test": "still under test at the last session",
}
NAMED: Final = 3  # coins an order list names before it only counts them


@dataclass(frozen=True, slots=True)
class LevelSpan:
    """One broken resistance, from the session it broke to the last it was followed.

    `held_from` is the session at which it became support, None if it never did.
    """

    level: float
    start: int
    stop: int
    held_from: int | None
    fate: Fate


def level_spans(
    signals: IndexSignals, *, close: Floats, settings: SignalSettings
) -> list[LevelSpan]:
    """Return every support level in order of its breakout, session numbers counting from 0."""
    starts = np.flatnonzero(signals.breakout).tolist()
    return [
        _span(signals, close, settings, start, after)
        for start, after in pairwise([*starts, close.size])
    ]


def _span(
    signals: IndexSignals,
    close: Floats,
    settings: SignalSettings,
    start: int,
    after: int,
) -> LevelSpan:
    level = float(signals.prior_high[start])
    gone = np.flatnonzero(np.isnan(signals.support_level[start:after]))
    stop = start + int(gone[0]) if gone.size else after
    # what fires on the session of the next breakout still belongs to this level
    held = np.flatnonzero(signals.support_held[start + 1 : stop + 1])
    held_from = start + 1 + int(held[0]) if held.size else None
    if gone.size:
        fate = _fate_at_end(close[stop] < level * (1 - settings.tolerance), held_from)
    elif after < close.size:
        fate = "replaced"
    else:
        fate = "under test" if held_from is None else "held so far"
    return LevelSpan(level, start, min(stop, close.size - 1), held_from, fate)


def _fate_at_end(is_below: bool, held_from: int | None) -> Fate:
    if not is_below:
        return "lapsed"
    return "failed" if held_from is None else "lost"


def day_states(held: pd.Series, trades: pd.DataFrame) -> list[str]:
    """Return for each day of `held` what the strategy did, or where its money was.

    `held` says for an unbroken run of days whether the coin was held at the day's end.
    """
    states = ["in the market" if is_held else "in cash" for is_held in held]
    for trade in trades.to_dict("records"):
        price, why = written.price(trade["entry_price"]), written.words(trade["entry_reason"])
        _put(states, held.index, trade["entry_time"], f"bought at {price} ({why})")
        if trade["status"] == "closed":
            price, why = written.price(trade["exit_price"]), written.words(trade["exit_reason"])
            gain = written.percent(trade["return"])
            _put(states, held.index, trade["exit_time"], f"sold at {price} ({why}), {gain}")
    return states


def order_states(held: pd.Series, fills: pd.DataFrame) -> list[str]:
    """Return the same for several coins: each day's orders by reason."""
    states = ["in the market" if is_held else "in cash" for is_held in held]
    names, sides = fills["symbol"].tolist(), fills["side"].tolist()
    reasons, times = fills["reason"].tolist(), pd.DatetimeIndex(fills["time"])
    # all orders of one bar come from one decision and share its reason
    for rows in fills.groupby("time").indices.values():
        done = [
            f"{verb} {_name_values(symbols)}"
            for side, verb in (("sell", "sold"), ("buy", "bought"))
            if (symbols := [names[row] for row in rows if sides[row] == side])
        ]
        why = written.words(reasons[rows[0]])
        _put(states, held.index, times[rows[0]], f"{' and '.join(done)} ({why})")
    return states


def _name_values(symbols: Sequence[str]) -> str:
    names = [written.coin(symbol) for symbol in symbols]
    return ", ".join(names) if len(names) <= NAMED else f"{len(names)} coins"


def session_states(signals: IndexSignals, spans: Sequence[LevelSpan]) -> list[str]:
    """Return for each index session its signals and the state of the level being followed."""
    states = [""] * signals.new_high.size
    for span in spans:
        level = written.price(span.level)
        for session in range(span.start, span.stop + 1):
            is_held = span.held_from is not None and session >= span.held_from
            states[session] = f"level {level} {'held as support' if is_held else 'under test'}"
        if span.held_from is not None:
            states[span.held_from] = f"level {level} confirmed as support"
    for span in spans:
        if span.fate in ("lost", "failed", "lapsed"):
            states[span.stop] = f"level {written.price(span.level)} {FATES[span.fate]}"
    own = ((fires, f"signal {written.words(name)}") for name, fires in signals.own.items())
    ours = ((signals.breakout, "breakout"), (signals.new_high, "record high"))
    for flags, word in (*ours, *own):
        for session in np.flatnonzero(flags).tolist():
            states[session] = f"{word}; {states[session]}".removesuffix("; ")
    return states


def runs(states: Sequence[str]) -> list[tuple[int, str]]:
    """Return equal neighbours as (how many, text): the page unfolds them again."""
    return [(len(list(equal)), plain(text)) for text, equal in groupby(states)]


def _put(states: list[str], days: pd.Index, time: pd.Timestamp, text: str) -> None:
    day = days.searchsorted(time.normalize())
    is_event = states[day] not in ("in the market", "in cash")
    states[day] = f"{states[day]}; {text}" if is_event else text
