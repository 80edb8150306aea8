"""A figure that a claim itself gives, computed from the series it must have been taken from."""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from backtests.claims.question import Question
from backtests.config.claims import StatedFigure
from feeds.series import Series

NEAR: Final = 0.1  # writers round: within a tenth of the stated figure it is so
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class FigureCheck:
    """Whether a stated figure comes out within a tenth, and what comes out, in a sentence."""

    is_near: bool
    sentence: str


def stated_figure(question: Question) -> FigureCheck:
    """Return what comes out for the claim's own figure, from what was known at its publication.

    Raises
    ------
    ValueError
        If the claim gives none.
    """
    claim = question.claim
    if claim.stated is None:
        raise ValueError("the claim states no figure")
    series = question.world.series(claim.stated.series)
    known = pd.Series(dtype=float) if series is None else _known_part(series, claim.published)
    if series is None or known.empty:
        return FigureCheck(
            is_near=False,
            sentence=f"No series {claim.stated.series} is here to compute the stated figure from.",
        )
    measured = _sum_this_year if claim.stated.measure == "sum_this_year" else _latest
    return measured(known, claim.stated, series.units)


def _known_part(series: Series, published: str) -> pd.Series:
    """Return the observations that were known by the end of the day of publication."""
    if not published:
        return series.frame["value"]
    end = pd.Timestamp(published, tz="UTC") + pd.Timedelta(days=1)
    return series.frame.loc[series.frame["available_at"] <= end, "value"]


def _sum_this_year(known: pd.Series, stated: StatedFigure, units: str) -> FigureCheck:
    dates = pd.DatetimeIndex(known.index)
    this_year = known[dates.year == dates[-1].year]
    sums = this_year.cumsum()
    found, lowest = float(sums.iloc[-1]), float(sums.min())
    first, last, day = (
        f"{date:%Y-%m-%d}" for date in (sums.index[0], sums.index[-1], sums.idxmin())
    )
    text = (
        f"{stated.words}: {_amount(found, units)} from {first} to {last}, at the lowest "
        f"{_amount(lowest, units)} to {day}; the claim says {_amount(stated.value, units)}."
    )
    return FigureCheck(_is_near(found, stated.value), text)


def _latest(known: pd.Series, stated: StatedFigure, units: str) -> FigureCheck:
    found = float(known.iloc[-1])
    text = (
        f"{stated.words}: {_amount(found, units)} on {known.index[-1]:%Y-%m-%d}, the latest known "
        f"then; the claim says {_amount(stated.value, units)}."
    )
    return FigureCheck(_is_near(found, stated.value), text)


def _is_near(found: float, stated: float) -> bool:
    return abs(found - stated) <= NEAR * abs(stated) + _ROUNDING


def _amount(value: float, units: str) -> str:
    if units == "USD million":
        return f"{value / 1_000:+.1f} billion dollars"
    return f"{value * 100:.0f} %" if units == "fraction" else f"{value:,.4g} {units}"
