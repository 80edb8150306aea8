"""The contest of all trials on one window: the best, the median and the ranks."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from backtests.config.config import Config
from backtests.search.plan import Plan
from backtests.search.trials.evaluate import evaluate
from backtests.search.trials.groups import Library
from backtests.search.trials.kernel import FIGURES
from feeds.arrays import Floats

# What a ratio of gain to risk counts as where nothing was traded: no gain over cash. All other
# figures are defined there, but for the win rate of no trades, which stays undefined.
WORTH_OF_NOTHING: Final = {"sharpe_ratio": 0.0, "sortino_ratio": 0.0, "calmar_ratio": 0.0}


@dataclass(frozen=True, slots=True)
class Contest:
    """The plan's objective and the number of trades of every trial, shape (trials,) each.

    A trial that traded nothing has what doing nothing is worth; NaN is left where a trial
    failed (`failures` counts the reasons) or traded without its figure being defined.
    """

    figure: Floats
    trades: Floats
    failures: Counter[str]

    @property
    def best(self) -> int | None:
        """The trial with the highest figure, of equals the first; None if there is none.

        A trial that traded nothing has shown nothing, and cannot be chosen.
        """
        shown = np.where(self.trades > 0, self.figure, np.nan)
        return int(np.nanargmax(shown)) if np.isfinite(shown).any() else None

    @property
    def median(self) -> float:
        """The median of all trials' figures, NaN without any."""
        known = self.figure[np.isfinite(self.figure)]
        return float(np.median(known)) if known.size else np.nan

    def rank(self, trial: int) -> float:
        """Return the share of the other trials that one is ahead of, equals counting half.

        NaN if its figure is undefined, or that of all others.
        """
        own, known = self.figure[trial], self.figure[np.isfinite(self.figure)]
        if not np.isfinite(own) or known.size < 2:
            return np.nan
        equals = np.count_nonzero(known == own) - 1
        return float((np.count_nonzero(known < own) + equals / 2) / (known.size - 1))


def contest(plan: Plan, base: Config, *, library: Library) -> Contest:
    """Return how all trials of the plan did on the dates of `base`."""
    objective = plan.settings.objective
    columns = [FIGURES.index(name) for name in (objective, "trades")]
    parts, failures = [], Counter[str]()
    for batch in plan.batches():
        found = evaluate(base, plan.columns(batch), library=library)
        parts.append(found.figures[:, columns])
        failures.update(reason for reason in found.failures if reason is not None)
    figure, trades = np.concatenate(parts).T
    idle = (trades == 0) & np.isnan(figure)
    return Contest(np.where(idle, worth_of_nothing(objective), figure), trades, failures)


def worth_of_nothing(objective: str) -> float:
    """Return what a figure that trading nothing leaves undefined counts as; else NaN."""
    return WORTH_OF_NOTHING.get(objective, np.nan)
