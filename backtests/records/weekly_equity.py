"""A run's course: its equity at each week's end and its returns by year.

It stands in the manifest, so that many runs are compared without reading their equity files.
"""

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from feeds.arrays import Floats

if TYPE_CHECKING:
    import pandas as pd

    from backtests.engines.account import Account
    from backtests.engines.backtest import Run

NUMBERS: Final = "<f4"
BYTES: Final = 4  # of each of them
FEWEST: Final = 2  # numbers: one is no course
LONGEST: Final = 20_000  # characters: more than fifty years of weeks
WEEK: Final = timedelta(days=7)
ACCOUNTS: Final = ("strategy", "buy_and_hold")


@dataclass(frozen=True, slots=True)
class Course:
    """Equity of one account, of a starting cash of 1, at Sundays from `first` on.

    `packed` are 4-byte floats, little end first, in base64; `years` compound returns by year.
    """

    first: str
    packed: str
    years: Mapping[str, float]

    @property
    def values(self) -> Floats:
        """The equity at each week's end, the first one the starting cash of 1."""
        return np.frombuffer(base64.b64decode(self.packed), NUMBERS).astype(np.float64)


def courses_json(result: "Run") -> dict[str, Any]:
    """Return the course of the strategy and of holding, as the manifest keeps them."""
    accounts = (result.strategy, result.buy_and_hold)
    return {name: course_json(account) for name, account in zip(ACCOUNTS, accounts, strict=True)}


def course_json(account: "Account") -> dict[str, Any]:
    """Return one account's course, as the manifest keeps it."""
    from backtests.analysis.periods import yearly_returns

    weeks = week_ends(account.equity, start=account.initial_cash)
    packed = weeks.to_numpy().astype(NUMBERS).tobytes()
    return {
        "first_week": f"{weeks.index[0]:%Y-%m-%d}",
        "week_ends": base64.b64encode(packed).decode("ascii"),
        "years": {str(year): float(made) for year, made in yearly_returns(account.returns).items()},
    }


def week_ends(equity: "pd.Series", *, start: float) -> "pd.Series":
    """Return equity as a multiple of `start` on every Sunday, before the first bar 1.

    A week without bars keeps what the one before ended with. Index = Sundays, UTC.
    """
    import pandas as pd

    from backtests.analysis.periods import weekly

    weeks = weekly(equity / start)
    weeks.index = pd.DatetimeIndex(weeks.index).normalize()
    before = pd.DatetimeIndex([weeks.index[0] - WEEK])
    return pd.Series(np.append(1.0, weeks), index=before.append(pd.DatetimeIndex(weeks.index)))


def read_course(manifest: Mapping[str, Any], account: str) -> Course | None:
    """Return the course a manifest keeps, None where there is none or it is no course."""
    courses = manifest.get("course")
    found: Any = courses.get(account) if isinstance(courses, dict) else None
    try:
        course = Course(
            first=f"{date.fromisoformat(found['first_week'])}",
            packed=found["week_ends"],
            years={str(int(year)): float(made) for year, made in found["years"].items()},
        )
        is_packed = len(course.packed) <= LONGEST and _is_packed(course.packed)
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
        return None
    return course if is_packed and all(map(math.isfinite, course.years.values())) else None


def _is_packed(text: str) -> bool:
    """Whether a text is base64, to its last letter, of enough whole numbers."""
    content = base64.b64decode(text, validate=True)
    return len(content) % BYTES == 0 and len(content) >= FEWEST * BYTES
