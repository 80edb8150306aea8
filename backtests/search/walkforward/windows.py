"""How a walk-forward cuts the bars: days to choose on, and the days after them to trade."""

from dataclasses import dataclass
from typing import Annotated, Final

import pandas as pd
from pydantic import Field

from backtests.engines.backtest import ONE_DAY
from feeds.errors import ConfigError
from strategies.settings import Settings

FEWEST_WINDOWS: Final = 2
# A rest of the bars shorter than the shortest test allowed says nothing, and is not traded.
FEWEST_TEST_DAYS: Final = 10
CENTURY: Final = 36_525


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
