"""The windows of a walk-forward: how the bars are cut, and the contest of all trials on each."""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
import pandas as pd
from pydantic import Field

from backtests.config.config import Config
from backtests.engines.backtest import ONE_DAY
from backtests.search.plan import Plan
from backtests.search.trials.evaluate import evaluate
from backtests.search.trials.kernel import FIGURES
from backtests.search.trials.trial_library import Library
from feeds.arrays import Floats
from feeds.errors import ConfigError
from strategies.rule_settings import Settings

FEWEST_WINDOWS: Final = 2
# A rest of the bars shorter than the shortest test allowed says nothing, and is not traded.
FEWEST_TEST_DAYS: Final = 10
CENTURY: Final = 36_525
# What a ratio of gain to risk counts as where nothing was traded: no gain over cash. All other
# figures are defined there, but for the win rate of no trades, which stays undefined.
WORTH_OF_NOTHING: Final = {"sharpe_ratio": 0.0, "sortino_ratio": 0.0, "calmar_ratio": 0.0}


class WindowSettings(Settings):
    """How the bars are cut: days to choose on, days left out after them, days to trade.

    `embargo_days` end the training that much before the test begins, so that nothing a
    choice rests on reaches into the days it is tried on. Anchored, every choice looks back
    to the first day, and `train_days` is what the first of them has.
    """

    train_days: Annotated[int, Field(ge=30, le=CENTURY)] = 1_095
    test_days: Annotated[int, Field(ge=FEWEST_TEST_DAYS, le=CENTURY)] = 365
    embargo_days: Annotated[int, Field(ge=0, le=CENTURY)] = 0
    anchored: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """One step forward; all dates are included."""

    train_start: pd.Timestamp
    train_end: pd.Timestamp
    test_start: pd.Timestamp
    test_end: pd.Timestamp

    @property
    def test_days(self) -> int:
        """How many days are traded."""
        return int((self.test_end - self.test_start) / ONE_DAY) + 1


def windows(first: pd.Timestamp, last: pd.Timestamp, settings: WindowSettings) -> list[Window]:
    """Return the windows from the first to the last day to trade.

    Tests follow each other without a gap, anchored or not on the same days; the last may be
    shorter, but not shorter than `FEWEST_TEST_DAYS`. Before each the embargo is left out.

    Raises
    ------
    ConfigError
        If the bars do not hold two windows.
    """
    train, test = settings.train_days * ONE_DAY, settings.test_days * ONE_DAY
    embargo = settings.embargo_days * ONE_DAY
    found: list[Window] = []
    start = first + train + embargo
    while start + (FEWEST_TEST_DAYS - 1) * ONE_DAY <= last:
        stop = min(start + test, last + ONE_DAY)
        since = first if settings.anchored else start - embargo - train
        found.append(Window(since, start - embargo - ONE_DAY, start, stop - ONE_DAY))
        start = stop
    if len(found) < FEWEST_WINDOWS:
        raise ConfigError(
            f"`--train-days`, `--test-days` and `--embargo-days` leave {len(found)} of the "
            f"{FEWEST_WINDOWS} steps a walk needs in the bars from {first:%Y-%m-%d} to "
            f"{last:%Y-%m-%d}, received {settings.train_days}, {settings.test_days} and "
            f"{settings.embargo_days}. Use fewer days."
        )
    return found


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
