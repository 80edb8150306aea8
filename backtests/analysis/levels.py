"""Support levels of the index as spans: from a breakout to what became of them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from feeds.arrays import Floats
from strategies.settings import SignalSettings
from strategies.signals import IndexSignals

Fate = Literal["lost", "failed", "lapsed", "replaced", "held so far", "under test"]


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
