"""What a chunk's trials amount to: all that judging and the page need, without their rows.

It is written beside the rows while a chunk is done, so nobody has to read all rows again.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from backtests.search.outcomes import Outcome, better_outcomes, merged_outcomes
from backtests.search.parameter_space import Columns, column_of
from backtests.search.plan import Plan
from backtests.search.trials.evaluate import Evaluated
from backtests.search.trials.kernel import FIGURES
from feeds.arrays import Floats, Integers

SUMMARY: Final = b"summary"
OBJECTIVE: Final = b"objective"
MOST_DRAWN: Final = 400
_RATIO: Final = FIGURES.index("sharpe_ratio")


@dataclass(frozen=True, slots=True)
class Moments:
    """How many numbers there are, their mean, and the squares about it, added up."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    @property
    def variance(self) -> float:
        """Their variance (ddof 1); NaN below two."""
        return self.squares / (self.count - 1) if self.count > 1 else np.nan

    def and_those(self, other: "Moments") -> "Moments":
        """Return the moments of both: squares about two means, joined about the common one."""
        total, gap = self.count + other.count, other.mean - self.mean
        if other.count == 0:
            return self
        return Moments(
            total,
            self.mean + gap * other.count / total,
            self.squares + (other.squares + gap**2 * self.count * other.count / total),
        )


@dataclass(frozen=True, slots=True)
class TrialSummary:
    """What trials amount to, whoever did them and in whatever parts.

    `failures` counts each reason, `ratios` are the moments of the Sharpe ratios, `leaders` the
    highest value and the earliest trial that has it, for the objective and for growth. Every
    trial has a random number: `drawn` are those that did not fail with the smallest `numbers`,
    in the order of these.
    """

    trials: int
    failures: dict[str, int]
    ratios: Moments
    leaders: dict[str, tuple[float, int]]
    outcomes: tuple[Outcome, ...]
    numbers: Floats
    drawn: Integers

    def leader(self, figure: str) -> int | None:
        """Return the trial with the highest figure; None if no trial has one."""
        return self.leaders[figure][1] if figure in self.leaders else None


class Tally:
    """Makes a summary of trials that go by in order; of its values, every n-th is kept.

    `every` is that n; without it none is kept.
    """

    def __init__(self, plan: Plan, *, first: int, every: int = 0) -> None:
        self._plan, self._every = plan, every
        self._trials = 0
        self._failures: Counter[str] = Counter()
        self._ratios = Moments()
        self._leaders: dict[str, tuple[float, int]] = {}
        self._outcomes: list[Outcome] = []
        self._numbers, self._drawn = np.empty(0), np.empty(0, np.int64)
        self._sample: list[Floats] = []
        self._rng = np.random.default_rng(plan.settings.seed)
        # a number takes one step, so that of a trial is the same whoever does it
        self._rng.bit_generator.advance(first)  # type: ignore[attr-defined]

    def add(self, first: int, columns: Columns, evaluated: Evaluated) -> None:
        """Count the trials from `first` on."""
        figures, failures = evaluated.figures, evaluated.failures
        self._trials += len(figures)
        self._failures.update(reason for reason in failures if reason is not None)
        self._ratios = self._ratios.and_those(moments(figures[:, _RATIO]))
        self._draw(first, failures)
        objective = self._plan.settings.objective
        for name in dict.fromkeys((objective, "cagr")):
            self._lead(name, first, figures[:, FIGURES.index(name)])
        self._outcomes = better_outcomes(self._outcomes, first, columns, figures, plan=self._plan)
        if self._every:
            start = -first % self._every
            self._sample.append(figures[start :: self._every, FIGURES.index(objective)].copy())

    def summary(self) -> TrialSummary:
        """Return what all of them amount to."""
        return TrialSummary(
            self._trials,
            dict(self._failures),
            self._ratios,
            self._leaders,
            tuple(self._outcomes),
            self._numbers,
            self._drawn,
        )

    def metadata(self) -> dict[bytes, bytes]:
        """Return summary and sample as a Parquet file holds them: ASCII, which all readers take."""
        found = {SUMMARY: _encode(self.summary(), self._plan)}
        if self._every:
            found[OBJECTIVE] = base64.b64encode(np.concatenate(self._sample).tobytes())
        return found

    def _lead(self, name: str, first: int, values: Floats) -> None:
        known = np.where(np.isnan(values), -np.inf, values)
        place = int(known.argmax())
        highest = float(known[place])
        if not np.isnan(values[place]) and highest > self._leaders.get(name, (-np.inf,))[0]:
            self._leaders[name] = (highest, first + place)

    def _draw(self, first: int, failures: Sequence[str | None]) -> None:
        numbers = self._rng.random(len(failures))
        is_few = self._numbers.size < MOST_DRAWN
        rows = np.flatnonzero(numbers < (np.inf if is_few else self._numbers[-1]))
        if self._failures:
            rows = rows[[failures[row] is None for row in rows.tolist()]]
        self._numbers, self._drawn = _smallest(
            np.concatenate((self._numbers, numbers[rows])),
            np.concatenate((self._drawn, rows + first)),
        )


def moments(values: Floats) -> Moments:
    """Return the moments of the values that are not NaN."""
    known = values[~np.isnan(values)]
    if known.size == 0:
        return Moments()
    mean = known.mean()
    return Moments(known.size, float(mean), float(np.sum((known - mean) ** 2)))


def summary_of_rows(table: pa.Table, plan: Plan, chunk: int) -> TrialSummary:
    """Return what the rows of all trials of a chunk amount to."""
    columns = {key: column_of(table[key].to_pylist()) for key in plan.keys}
    figures = np.column_stack([table[name].to_numpy() for name in FIGURES])
    first, _ = plan.bounds(chunk)
    tally = Tally(plan, first=first)
    tally.add(first, columns, Evaluated(figures, table["failure"].to_pylist()))
    return tally.summary()


def total_of(summaries: Iterable[TrialSummary], *, plan: Plan) -> TrialSummary:
    """Return the summary of the trials of several, which are in their order."""
    total = Tally(plan, first=0).summary()
    for one in summaries:
        numbers, drawn = _smallest(
            np.concatenate((total.numbers, one.numbers)), np.concatenate((total.drawn, one.drawn))
        )
        total = TrialSummary(
            total.trials + one.trials,
            dict(Counter(total.failures) + Counter(one.failures)),
            total.ratios.and_those(one.ratios),
            _leaders(total.leaders, one.leaders),
            tuple(merged_outcomes([*total.outcomes, *one.outcomes], plan=plan)),
            numbers,
            drawn,
        )
    return total


def _leaders(
    before: Mapping[str, tuple[float, int]], after: Mapping[str, tuple[float, int]]
) -> dict[str, tuple[float, int]]:
    found = dict(before)
    for name, (value, trial) in after.items():
        if name not in found or value > found[name][0]:
            found[name] = (value, trial)
    return found


def _smallest(numbers: Floats, trials: Integers) -> tuple[Floats, Integers]:
    order = np.argsort(numbers, kind="stable")[:MOST_DRAWN]
    return numbers[order], trials[order]


def _encode(summary: TrialSummary, plan: Plan) -> bytes:
    tree = asdict(summary)
    for outcome in tree["outcomes"]:
        outcome["figures"] = list(outcome["figures"].values())
        outcome["values"] = [outcome["values"][key] for key in plan.keys]
    for name in ("numbers", "drawn"):
        tree[name] = base64.b64encode(tree[name].tobytes()).decode()
    return json.dumps(tree).encode()


def read_summary(text: bytes, *, plan: Plan) -> TrialSummary:
    """Return a summary that a file of this plan holds.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is none.
    """
    tree: dict[str, Any] = json.loads(text)
    outcomes = (
        Outcome(
            one["trial"],
            one["trials"],
            dict(zip(FIGURES, one["figures"], strict=True)),
            {key: tuple(values) for key, values in zip(plan.keys, one["values"], strict=True)},
        )
        for one in tree["outcomes"]
    )
    return TrialSummary(
        trials=tree["trials"],
        failures=tree["failures"],
        ratios=Moments(**tree["ratios"]),
        leaders={name: (value, trial) for name, (value, trial) in tree["leaders"].items()},
        outcomes=tuple(outcomes),
        numbers=np.frombuffer(base64.b64decode(tree["numbers"])),
        drawn=np.frombuffer(base64.b64decode(tree["drawn"]), np.int64),
    )
