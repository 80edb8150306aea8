"""The judgement of a sweep's best row, in numbers; its sentences are the report's."""

from dataclasses import asdict, dataclass
from typing import Any

from backtests.analysis.overfitting import Overfitting, Superiority


@dataclass(frozen=True, slots=True)
class BarRange:
    """How many bars, and the days of the first and the last."""

    count: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Earned:
    """What an account earned per year; NaN where undefined."""

    sharpe_ratio: float
    cagr: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """The statistics of one sweep's best trial; Sharpe ratios per year, probabilities 0 to 1.

    `trials` counts everything tried, `counted` what the deflated ratio takes for it: of a
    guided search all settings in its `reach`. The field is `drawn` of the `reach` and the
    leading rows; `left_out` of them have too few of the best row's `bars`, and the others,
    `compared`, are cross-validated and tested on `shared_bars`, of which there are
    `periods_per_year`. `same_spans` says whether all
    have the same bars. `effective_trials` is how many independent ones `counted` amount to.
    `held` is what holding the best row's coin earned on its `bars`.
    """

    best: int
    asset: str
    search: str
    trials: int
    counted: int
    effective_trials: float
    reach: int
    drawn: int
    compared: int
    left_out: int
    trades: int
    episodes: int
    bars: BarRange
    shared_bars: BarRange
    periods_per_year: float
    same_spans: bool
    earned: Earned
    held: Earned
    luckiest: float
    deflated: float
    deflated_effective: float
    overfitting: Overfitting
    superiority: Superiority

    @property
    def sharpe_ratio(self) -> float:
        """The best row's, on its own bars, as the table has it."""
        return self.earned.sharpe_ratio

    def plain(self) -> dict[str, Any]:
        """Return all figures as plain numbers and texts, without the splits."""
        found = asdict(self)
        del found["overfitting"]["in_sample"], found["overfitting"]["out_of_sample"]
        return found
