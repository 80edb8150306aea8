"""Specification curve: the effect under every reasonable reading at once, with one p-value.

A reading is a choice of events, of outcomes and of mean or median. The sorted effects of all
show whether a result is the data's or the choice's. Readings share their data, so their p-values
cannot be counted one by one: the whole calendar of events is moved in a circle against the
history, by the same number of sessions in every reading, and the median effect of all readings
is set against its values under these shifts.

Source: Simonsohn, Simmons and Nelson (2020), Specification curve analysis, Nature Human
Behaviour 4, 1208-1214.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.episodes import FEWEST_EPISODES
from backtests.analysis.placebo import p_value
from feeds.arrays import Floats, Integers

SHIFTS: Final = 1_000
STATISTICS: Final = ("mean", "median")
_CELLS_AT_ONCE: Final = 300_000

Choices = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class EventReading:
    """One choice of what counts as an episode: the sessions they start at, ascending."""

    choices: Choices
    starts: Integers


@dataclass(frozen=True, slots=True)
class OutcomeReading:
    """One choice of what follows: log growth after each session, NaN where it does not count."""

    choices: Choices
    growth: Floats


@dataclass(frozen=True, slots=True)
class SpecificationCurve:
    """The effects of all readings, sorted, and what they amount to together.

    Choices that come to the same dates and outcomes are one reading, shown under the choices
    nearest to the question's own: counted twice, a result would seem to be confirmed.

    `effects` has a row per reading: a column per choice, `statistic`, `own` (whether it is the
    reading the question was put in), `episodes` with a known outcome, and `effect`: mean or
    median log growth of the episodes minus that of all eligible sessions. `median` is that of
    the effects, `share_above_zero` a fraction, `p` the share of `shifts` and the real calendar
    whose median is at least as large; NaN without readings or shifts. Of all combinations of
    choices, `repeated` came to the same as another, and `left_out` have fewer than
    `FEWEST_EPISODES` episodes.
    """

    effects: pd.DataFrame
    median: float
    share_above_zero: float
    p: float
    readings: int
    repeated: int
    left_out: int
    shifts: int


def specification_curve(
    events: Sequence[EventReading],
    outcomes: Sequence[OutcomeReading],
    *,
    own: Choices,
    shifts: int = SHIFTS,
    seed: int = 0,
) -> SpecificationCurve:
    """Return the curve of every combination of events, outcomes and statistic.

    Sessions are the same in all: `starts` count into `growth`, shape (sessions,). A reading
    counts, in the real calendar as in a shifted one, where at least `FEWEST_EPISODES` of its
    episodes have a known outcome. The order of the readings changes nothing.

    Parameters
    ----------
    own
        The choices of the question as it was put, `statistic` among them.
    shifts
        How many random shifts; all of them where the history has no more sessions.
    """
    grid = _Grid.of(events, outcomes)
    steps = shift_steps(grid.growth.shape[1], shifts=shifts, seed=seed)
    actual, counts = grid.effects(np.array([0]))
    every = _table(events, outcomes, counts[grid.cells, 0], actual[grid.cells, 0])
    known = every["effect"].notna().to_numpy(np.bool_)
    kept = _distinct_readings(every[known], grid.cells[known], own)
    effects = kept["effect"].to_numpy(np.float64)
    median = _middle(effects)
    return SpecificationCurve(
        effects=kept,
        median=median,
        share_above_zero=float((effects > 0).mean()) if effects.size else np.nan,
        p=float(p_value(median, grid.medians(steps))),
        readings=effects.size,
        repeated=int(known.sum()) - effects.size,
        left_out=int((~known).sum()),
        shifts=steps.size,
    )


def shift_steps(sessions: int, *, shifts: int, seed: int) -> Integers:
    """Return by how many sessions the calendar is moved: each step once, never by none."""
    steps = np.arange(1, max(sessions, 1))
    if steps.size <= shifts:
        return steps
    return np.sort(np.random.default_rng(seed).choice(steps, shifts, replace=False))


@dataclass(frozen=True, slots=True)
class _Grid:
    """Different calendars and outcomes, each once: a cell is a pair of them and a statistic."""

    starts: list[Integers]
    growth: Floats  # (outcomes, sessions), infinite where unknown, which sorts last
    centres: Floats  # (outcomes, statistics) of all eligible sessions
    cells: Integers  # (combinations,): calendar, outcome and statistic as one number

    @classmethod
    def of(cls, events: Sequence[EventReading], outcomes: Sequence[OutcomeReading]) -> "_Grid":
        calendars, calendar = _distinct([one.starts for one in events])
        columns, outcome = _distinct([one.growth for one in outcomes])
        starts = [events[number].starts for number in calendars]
        growth = np.stack([outcomes[number].growth for number in columns])
        pairs = calendar[:, np.newaxis] * len(growth) + outcome
        statistics = np.arange(len(STATISTICS))
        cells = pairs.reshape(-1, 1) * statistics.size + statistics
        known = [each[np.isfinite(each)] for each in growth]
        centres = [[_average(each), _middle(each)] for each in known]
        filled = np.where(np.isfinite(growth), growth, np.inf)
        return cls(starts, filled, np.array(centres), cells.ravel())

    def effects(self, steps: Integers) -> tuple[Floats, Integers]:
        """Return effects and episodes of every cell, shape (cells, steps) each."""
        found = [self._of_calendar(starts, steps) for starts in self.starts]
        effects = np.stack([effects for effects, _ in found]).reshape(-1, steps.size)
        counts = np.repeat(np.stack([counts for _, counts in found]), len(STATISTICS), axis=1)
        return effects, counts.reshape(-1, steps.size)

    def medians(self, steps: Integers) -> Floats:
        """Return the median effect at each step of all cells that have one."""
        most = max((starts.size for starts in self.starts), default=0)
        rows = max(1, _CELLS_AT_ONCE // max(1, most * len(self.growth)))
        parts = [self.effects(steps[at : at + rows])[0] for at in range(0, steps.size, rows)]
        return np.array([_middle(one[np.isfinite(one)]) for part in parts for one in part.T])

    def _of_calendar(self, starts: Integers, steps: Integers) -> tuple[Floats, Integers]:
        """Return effects (outcomes, statistics, steps) and episodes (outcomes, steps)."""
        outcomes, sessions = self.growth.shape
        if starts.size < FEWEST_EPISODES:
            empty = np.full((outcomes, len(STATISTICS), steps.size), np.nan)
            return empty, np.full((outcomes, steps.size), starts.size)
        values = np.sort(self.growth[:, (starts + steps[:, np.newaxis]) % sessions], axis=2)
        known = np.isfinite(values)
        counts = known.sum(axis=2)
        sums = np.where(known, values, 0.0).sum(axis=2)
        enough = np.where(counts >= FEWEST_EPISODES, counts, 1)
        ends = [
            np.take_along_axis(values, at[..., np.newaxis], axis=2)[..., 0]
            for at in ((enough - 1) // 2, enough // 2)
        ]
        both = np.stack([sums / enough, (ends[0] + ends[1]) / 2], axis=1)
        both -= self.centres[:, :, np.newaxis]
        return np.where(counts[:, np.newaxis] >= FEWEST_EPISODES, both, np.nan), counts


def _distinct(arrays: Sequence[Floats | Integers]) -> tuple[list[int], Integers]:
    """Return the places of the arrays that differ, and for each array which of them it is."""
    numbers: dict[bytes, int] = {}
    which = np.array([numbers.setdefault(each.tobytes(), len(numbers)) for each in arrays])
    firsts = np.unique(which, return_index=True)[1]
    return firsts.tolist(), which


def _table(
    events: Sequence[EventReading],
    outcomes: Sequence[OutcomeReading],
    counts: Integers,
    effects: Floats,
) -> pd.DataFrame:
    """Return a row per reading, in the order in which the grid counts them."""
    rows = [
        {**event.choices, **outcome.choices, "statistic": statistic}
        for event in events
        for outcome in outcomes
        for statistic in STATISTICS
    ]
    return pd.DataFrame(rows).assign(own=False, episodes=counts, effect=effects)


def _distinct_readings(table: pd.DataFrame, cells: Integers, own: Choices) -> pd.DataFrame:
    """Return a row per cell, under the choices nearest to one's own, by effect."""
    apart = sum((table[name] != value).astype(int) for name, value in own.items())
    choices = [str(name) for name in table if name not in ("own", "effect")]
    marked = table.assign(own=apart == 0, apart=apart, cell=cells)
    nearest = marked.sort_values(["apart", *choices], key=_comparable).drop_duplicates("cell")
    ordered = nearest.sort_values(["effect", *choices], key=_comparable, ignore_index=True)
    return ordered.drop(columns=["apart", "cell"])


def _comparable(column: pd.Series) -> pd.Series:
    return column if pd.api.types.is_numeric_dtype(column) else column.astype(str)


def _average(values: Floats) -> float:
    return float(values.mean()) if values.size else np.nan


def _middle(values: Floats) -> float:
    return float(np.median(values)) if values.size else np.nan
