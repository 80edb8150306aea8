"""Published shares of companies in the Russell 2000 that earn nothing: dated facts, no series.

Nobody publishes a free series. What there is are figures in the press, each by its own
measure, so that a step from one to the next may be a change of measure. Where only the month
of publication is known, its last day stands for it.
"""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from feeds.series import Series, release_frame, terms
from feeds.wording import share_text

NAME: Final = "UNPROFITABLE_SHARE"
NEGATIVE_EARNINGS: Final = "negative earnings"
NEGATIVE_INCOME: Final = "negative net income"


@dataclass(frozen=True, slots=True)
class PublishedShare:
    """One figure: the share (a fraction) of companies, of when, how measured, by whom.

    `published` is the day it could be known. A figure `of` a time long before was counted in
    hindsight: it is no part of what was known then, and no news when it came out.
    """

    published: str
    share: float
    measure: str
    source: str
    of: str = ""

    @property
    def is_hindsight(self) -> bool:
        """Whether the figure tells of a time long before it was published."""
        return bool(self.of)


PUBLISHED: Final = (
    PublishedShare("2018-08-22", 0.25, NEGATIVE_EARNINGS, "Merrill Lynch: above 25 %"),
    PublishedShare("2020-06-23", 0.42, "break-even or loss", "Financial Times, Strategas"),
    PublishedShare("2020-06-23", 0.44, "break-even or loss", "Financial Times", of="January 2010"),
    PublishedShare("2023-08-05", 0.40, NEGATIVE_INCOME, "press: over 40 %"),
    PublishedShare("2024-07-31", 0.41, NEGATIVE_EARNINGS, "Apollo, Bloomberg"),
    PublishedShare("2024-09-30", 0.42, NEGATIVE_EARNINGS, "Apollo, Bloomberg"),
    PublishedShare("2024-10-15", 0.43, NEGATIVE_EARNINGS, "The Kobeissi Letter"),
    PublishedShare("2024-10-15", 0.41, NEGATIVE_EARNINGS, "The Kobeissi Letter", of="end of 2008"),
    PublishedShare("2024-11-15", 0.14, NEGATIVE_EARNINGS, "FS Investments, Bloomberg", of="1994"),
    PublishedShare("2025-03-31", 0.36, NEGATIVE_INCOME, "Goldman Sachs, FactSet: Q4 2024"),
    PublishedShare("2025-10-31", 0.40, "negative 12-month EPS", "Apollo"),
    PublishedShare("2025-10-31", 0.15, "negative 12-month EPS", "Apollo", of="the 1990s"),
    PublishedShare("2025-11-30", 0.44, NEGATIVE_EARNINGS, "press"),
    PublishedShare("2025-12-31", 0.40, NEGATIVE_EARNINGS, "The Kobeissi Letter"),
)


def unprofitable_share(*, lag_days: float | None = None) -> Series:
    """Return the figures as they came out, each standing until the next one.

    Dated by publication and known at that day's end, or `lag_days` later. Figures about a
    time long before are left out: they were not known then.
    """
    figures = [figure for figure in PUBLISHED if not figure.is_hindsight]
    values = pd.Series(
        [figure.share for figure in figures],
        index=pd.DatetimeIndex([figure.published for figure in figures]),
    )
    units, release = terms(NAME, lag_days)
    measures = sorted({figure.measure for figure in figures})
    early = ", ".join(
        f"{share_text(each.share)} {each.of}" for each in PUBLISHED if each.is_hindsight
    )
    note = (
        f"{NAME}: {len(figures)} published figures from {figures[0].published} on, by different "
        f"measures ({', '.join(measures)}), so that a step may be a change of measure; figures "
        f"counted in hindsight are not used ({early})"
    )
    return Series(
        NAME, units, release_frame(values, release), "published", "press figures", (note,)
    )
