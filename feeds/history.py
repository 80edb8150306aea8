"""The longest honest history of an instrument: older sources joined on before a newer one.

The first source gives all its bars as they are. The time before its first bar comes from the
next source that reaches further back, if their closes agree on enough common bars; then the
time before that, and so on. Nothing is scaled and no bar of either source is altered.

An index is one number, whoever publishes it. So parts of an index with too few common bars
may adjoin: no session is missing between them, the newer one opens where the older one
closed, and every common close agrees. That is said in a note; a coin has no such exception,
since each of its sources is another market.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from feeds.bars import COLUMNS, Bars, Span
from feeds.checks import Disagreement, cross_check
from feeds.message_text import share_text
from feeds.sessions import sessions_between

log = logging.getLogger(__name__)

MIN_COMMON: Final = 30
MOST_APART: Final = 0.01
# Sources that end this close together are as new as each other; a shorter lag is only that.
AS_NEW: Final = pd.Timedelta(days=30)
WORTH_SAYING: Final = pd.Timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Seam:
    """How a history and an older source agree where they meet.

    `near` is the median difference of the common closes nearest to the seam, `MIN_COMMON` of
    them at most. `adjoins` tells the parts of an index that may be joined without more.
    """

    all: Disagreement
    near: float
    adjoins: bool

    @property
    def is_sound(self) -> bool:
        """Whether the older source may be joined on."""
        enough = self.all.bars >= MIN_COMMON and self.all.median <= MOST_APART
        return bool(enough or self.adjoins)


def join(sources: Mapping[str, Bars], *, order: Sequence[str]) -> Bars:
    """Return the longest history that the sources of one instrument give together.

    Parameters
    ----------
    sources
        The bars of each source, by its name; the order they stand in does not matter.
    order
        Their names by preference. The first gives its bars as they are, also where another
        one ends later; a name without bars is passed over.

    Returns
    -------
    Bars whose `spans` say which source serves which time, none if one source serves all. A
    source that reaches further back and could not be joined is named in a note, with why.
    """
    history, *others = (sources[name] for name in order if name in sources)
    notes = list(filter(None, (_goes_on(history, other) for other in others)))
    while (step := _next_older(history, others)) is not None:
        history = _extend(history, *step)
    notes += [
        _refusal(history, other, seam_between(history, other))
        for other in others
        if _reaches_further(other, history)
    ]
    for note in notes:
        log.info("%s", note)
    return replace(history, notes=(*history.notes, *notes))


def newest_first(sources: Mapping[str, Bars], *, main: str = "") -> list[str]:
    """Return the sources' names by what their bars are: new, full, the `main` one, with volume.

    Where a source reaches at most 30 days further to the present than another, the fuller
    one goes first: a day more is no reason to change the prices of all the years before.
    """
    newest = max(_last(bars) for bars in sources.values())

    def rank(name: str) -> tuple[bool, bool, bool, bool, int, str]:
        bars = sources[name]
        is_old = newest - _last(bars) > AS_NEW
        lacks_volume = bool(bars.frame["volume"].isna().all())
        lead = (is_old, bars.is_close_only, name != main, lacks_volume)
        return (*lead, -_last(bars).value, name)

    return sorted(sources, key=rank)


def seam_between(history: Bars, older: Bars) -> Seam:
    """Compare a history with a source that reaches further back."""
    compared = cross_check(history, older)
    common = history.frame.index.intersection(older.frame.index)[:MIN_COMMON]
    ratio = _closes(history, common) / _closes(older, common)
    near = float(np.median(np.abs(ratio - 1))) if len(common) else np.nan
    return Seam(compared, near, _adjoins(history, older, compared))


def spans_of(bars: Bars) -> tuple[Span, ...]:
    """Return which source serves which time, newest first, also where it is a single one."""
    return bars.spans or (_span(bars, bars.frame),)


def source_in_words(bars: Bars, *, day: str = "%Y-%m-%d") -> str:
    """Return the source of bars, of joined ones each: `yahoo from 2014-09-17, bitstamp ...`."""
    parts = (f"{span.label} from {span.first.strftime(day)}" for span in bars.spans)
    return ", ".join(parts) or bars.source


def _next_older(history: Bars, others: Sequence[Bars]) -> tuple[Bars, Seam] | None:
    for other in others:
        if _reaches_further(other, history):
            seam = seam_between(history, other)
            if seam.is_sound:
                return other, seam
    return None


def _reaches_further(other: Bars, history: Bars) -> bool:
    return bool(other.frame.index[0] < history.frame.index[0])


def _extend(history: Bars, older: Bars, seam: Seam) -> Bars:
    """Put the older source's bars before the history's first one."""
    start = history.frame.index[0]
    before = older.frame[older.frame.index < start]
    frame = pd.concat([before, history.frame])
    compared = seam.all
    span = replace(
        _span(older, before), common=compared.bars, median=compared.median, worst=compared.worst
    )
    extended = replace(
        history,
        frame=frame[[*COLUMNS, *frame.columns.difference(COLUMNS)]],
        source=_list(history.source, older.source),
        origin=_list(history.origin, older.origin),
        spans=(*spans_of(history), span),
    )
    notes = tuple(dict.fromkeys((*history.notes, *older.notes, *_cautions(history, older, seam))))
    return replace(extended, notes=notes, readings=(*history.readings, *older.readings))


def _cautions(history: Bars, older: Bars, seam: Seam) -> tuple[str, ...]:
    """Return what a reader should know of a seam that is sound and yet not plain."""
    start = history.frame.index[0]
    where = f"{history.instrument.symbol}: bars before {start:%Y-%m-%d} are of {_label(older)}"
    if seam.all.bars < MIN_COMMON:
        gap = abs(history.frame["open"].iloc[0] / _close_before(older, start) - 1)
        count = seam.all.bars
        basis = f"with {_number(count)} of {MIN_COMMON}" if count else "without common bars"
        return (
            f"{where}, joined {basis}, only because the index opened that day "
            f"{share_text(gap, decimals=2)} from "
            "its close of the session before",
        )
    if seam.near > MOST_APART:
        return (
            f"{where}; near there the closes of the two differ by "
            f"{share_text(seam.near, decimals=1)} in the median, "
            f"over all {seam.all.bars} common bars by {share_text(seam.all.median, decimals=2)}: "
            "prices of that time "
            "are uncertain by as much",
        )
    return ()


def _refusal(history: Bars, other: Bars, seam: Seam) -> str:
    own, compared = spans_of(history)[-1], seam.all
    text = (
        f"{history.instrument.symbol}: {_label(other)} reaches back to "
        f"{other.frame.index[0]:%Y-%m-%d} but is not joined on before {own.label}, "
    )
    if compared.bars < MIN_COMMON:
        text += f"with {_number(compared.bars)} where {MIN_COMMON} are needed"
    else:
        text += (
            f"its closes differ by {share_text(compared.median, decimals=2)} in the median of "
            f"{compared.bars} common "
            f"bars and {share_text(MOST_APART)} is the most"
        )
    return f"{text}; the history begins {history.frame.index[0]:%Y-%m-%d}"


def _goes_on(history: Bars, other: Bars) -> str:
    if _last(other) - _last(history) <= WORTH_SAYING:
        return ""
    return (
        f"{history.instrument.symbol}: {_label(other)} goes on to {_last(other):%Y-%m-%d} after "
        f"the end of {_label(history)} on {_last(history):%Y-%m-%d}; a history is joined on "
        "before the first bar only, never after the last"
    )


def _adjoins(history: Bars, older: Bars, compared: Disagreement) -> bool:
    if not history.instrument.has_sessions(history.timeframe):
        return False
    start = history.frame.index[0]
    before = older.frame.index[older.frame.index < start]
    if before.empty or len(sessions_between(before[-1], start)) != 2:
        return False
    opens_there = abs(history.frame["open"].iloc[0] / _close_before(older, start) - 1)
    return bool(opens_there <= MOST_APART and not compared.worst > MOST_APART)


def _close_before(older: Bars, start: pd.Timestamp) -> float:
    return float(older.frame.loc[older.frame.index < start, "close"].iloc[-1])


def _closes(bars: Bars, times: pd.Index) -> np.ndarray:
    return np.asarray(bars.frame.loc[times, "close"], dtype=np.float64)


def _span(bars: Bars, frame: pd.DataFrame) -> Span:
    first, last = frame.index[0], frame.index[-1]
    return Span(bars.source, bars.origin, first, last, len(frame), bars.is_close_only)


def _label(bars: Bars) -> str:
    return spans_of(bars)[0].label


def _last(bars: Bars) -> pd.Timestamp:
    return pd.Timestamp(bars.frame.index[-1])


def _number(common: int) -> str:
    return f"{common} common {'bar' if common == 1 else 'bars'}" if common else "no common bar"


def _list(names: str, name: str) -> str:
    return names if name in names.split(" + ") else f"{names} + {name}"
