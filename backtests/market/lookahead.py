"""Whether a function sees the future: its answers must not change when later bars do.

Each function is asked again with the data cut at many sessions, and with another future put in
their place. An answer to an earlier session that changes has seen what came later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.market.altered_inputs import (
    FUTURES,
    Asked,
    Future,
    asked_of_own,
    input_names,
    published_at,
)
from backtests.market.inputs import Inputs
from feeds.arrays import Flags, Floats, Integers
from feeds.errors import InputError

LOOK_AHEAD: Final = "LOOK-AHEAD"  # begins the warning that a run or study cannot be trusted
QUICK: Final = 12
THOROUGH: Final = 160
TOLERANCE: Final = 1e-9
FEWEST_ROWS: Final = 3
BLAMED: Final = 3  # cuts by which the inputs it sees the future of are told
MEASURED: Final = 60  # cuts by which the reach of a leak is measured


@dataclass(frozen=True, slots=True)
class Leak:
    """A function that saw the future: at which row, of which inputs, and how far.

    `reach` is how many rows later the last one is that the answer to `row` depends on, the most
    of any row found; 0 where that is most of the data.
    """

    name: str
    row: pd.Timestamp
    inputs: tuple[str, ...]
    reach: int
    unit: str
    reason: str = ""

    @property
    def text(self) -> str:
        """What is wrong, as a sentence without its full stop."""
        if self.reason:
            return f"the {self.name} {self.reason}"
        inputs = " and ".join(self.inputs) or "its inputs together"
        far = (
            f"bars up to {self.reach:,} {self.unit}{'s' if self.reach > 1 else ''} later"
            if self.reach
            else "all bars to the end of the data"
        )
        return (
            f"the {self.name} sees the future of {inputs}: its answer to {self.row:%Y-%m-%d} "
            f"depends on {far}"
        )


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found about one function: cuts made, leaks, and notes that are no fault."""

    name: str
    cuts: int
    leaks: tuple[Leak, ...]
    notes: tuple[str, ...]


def own_leaks(config: Config, inputs: Inputs, *, cuts: int = QUICK) -> tuple[Leak, ...]:
    """Return the leaks of a config's own functions, found by a few cuts."""
    found = (look_at(each, cuts=cuts) for each in asked_of_own(config, inputs))
    return tuple(leak for each in found for leak in each.leaks)


def look_at(asked: Asked, *, cuts: int) -> Looked:
    """Return what cuts and other futures show about one function; the first leak is enough."""
    if not is_same(asked.ask(asked.inputs), asked.whole):
        reason = "answers differently when it is asked twice: it draws at random without a seed"
        return Looked(asked.name, 0, (_without_row(asked, reason),), ())
    tried = _cuts(asked, cuts)
    for number, (place, future) in enumerate(tried):
        if changed_row(asked, place, future) is not None:
            leak = _leak(asked, place, future, tried[number:])
            return Looked(asked.name, number // 2 + 1, (leak,), ())
    return Looked(asked.name, len(tried) // 2, (), ())


def _cuts(asked: Asked, cuts: int) -> list[tuple[int, Future]]:
    """Return every cut and the futures that are put behind it: none, and one in turn."""
    return [
        (int(place), future)
        for number, place in enumerate(cut_places(asked, cuts=cuts))
        for future in ("cut", FUTURES[number % len(FUTURES)])
    ]


def cut_places(asked: Asked, *, cuts: int) -> Integers:
    """Return the rows after which data are cut: half where the answer changes, half all along."""
    last = len(asked.whole) - 2
    if last < asked.first + FEWEST_ROWS:
        return np.empty(0, np.int64)
    decided = asked.whole if asked.decided is None else asked.decided
    decided = np.nan_to_num(decided, nan=-1.0).reshape(last + 2, -1)
    moved = np.flatnonzero((np.diff(decided, axis=0) != 0).any(axis=1))
    near = np.unique(np.concatenate([moved + step for step in (-1, 0, 1)]))
    near = near[(near >= asked.first) & (near <= last)]
    evenly = np.linspace(asked.first, last, cuts // 2).astype(np.int64)
    return np.unique(np.concatenate([_evenly(near, cuts - cuts // 2), evenly]))


def _evenly(places: Integers, most: int) -> Integers:
    if places.size <= most:
        return places
    return places[np.linspace(0, places.size - 1, most).astype(np.int64)]


def changed_row(asked: Asked, place: int, future: Future, only: str = "") -> int | None:
    """Return the first row up to a cut whose answer changes with what comes after it."""
    try:
        found = asked.ask(asked.world(place, future=future, only=only))
    except InputError:  # it fails on what it does not know: it did not before, knowing more
        return place
    size = min(place + 1, len(found))
    changed = np.flatnonzero(~same(found[:size], asked.whole[:size]))
    return int(changed[0]) if changed.size else None


def _leak(asked: Asked, place: int, future: Future, tried: Sequence[tuple[int, Future]]) -> Leak:
    # a cut leaves out rows of the answer as well, so it blames only what nothing else does
    rewritten = [(at, other) for at, _ in tried[: 2 * BLAMED : 2] for other in FUTURES]
    blamed = _inputs_to_blame(asked, rewritten) or _inputs_to_blame(asked, [(place, future)])
    few = tried[:: -(-len(tried) // MEASURED)] if len(tried) > MEASURED else tried
    rows = ((at, changed_row(asked, at, other)) for at, other in few)
    far = [(at + 1 - row, row) for at, row in rows if row is not None]
    reach, row = max(far, key=lambda each: each[0])
    bounded = reach < len(asked.whole) // 4
    return Leak(asked.name, asked.rows[row], blamed, reach if bounded else 0, asked.unit)


def _inputs_to_blame(asked: Asked, tried: Sequence[tuple[int, Future]]) -> tuple[str, ...]:
    """Return the inputs of which alone another future changes what was before."""
    return tuple(
        name
        for name in input_names(asked.inputs)
        if any(changed_row(asked, at, other, only=name) is not None for at, other in tried)
    )


def _without_row(asked: Asked, reason: str) -> Leak:
    return Leak(asked.name, asked.rows[0], (), 0, "", reason)


def same(one: Floats, other: Floats) -> Flags:
    """Return the rows where two answers are the same but for rounding, in every column."""
    alike = np.isclose(one, other, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    return alike if alike.ndim == 1 else np.asarray(alike.all(axis=1))


def is_same(one: Floats, other: Floats) -> bool:
    """Return whether two answers are the same but for rounding, throughout."""
    return one.shape == other.shape and bool(same(one, other).all())


def early_series(config: Config, inputs: Inputs) -> Iterator[Leak]:
    """Yield the series that filters read before they were published."""
    for name, series in inputs.series.items():
        read = pd.DatetimeIndex(series.frame["available_at"]).as_unit("ns").asi8
        early = published_at(series) - read
        if (early > 0).any():
            row = int(np.argmax(early))
            days = pd.Timedelta(int(early[row])).total_seconds() / 86_400
            who = [one for one, each in config.filters.items() if each.series == name]
            reason = (
                f"reads {name} of {series.frame.index[row]:%Y-%m-%d} {days:.0f} days before it was "
                f'published: `filters.{who[0] if who else name}.lag_days` must be "release" or '
                "longer than that"
            )
            subject = f"filter {who[0]}" if who else f"series {name}"
            yield Leak(subject, series.frame.index[row], (name,), 0, "day", reason)
