"""The answers to a claim's questions as codes, its own figure, and what followed its date."""

from dataclasses import dataclass
from math import isnan, nan
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.forward_returns import (
    NO_ENTRY,
    AssetPrices,
    entry_positions,
    forward_growth,
    growth_paths,
)
from backtests.claims.question import Question
from backtests.claims.verdicts import NOT_SUPPORTED, SUPPORTED, AsStated, Evidence, Finding, verdict
from backtests.config.claims import ClaimSettings, StatedFigure
from feeds.arrays import DAY_IN_NANOSECONDS
from feeds.series import Series

NEAR: Final = 0.1  # writers round: within a tenth of the stated figure it is so
_ROUNDING: Final = 1e-9
FEWEST_SPANS: Final = 30


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


@dataclass(frozen=True, slots=True)
class SincePublished:
    """What holding the claim's asset brought after it was published, fractions.

    From the first open after the day of publication to the last bar, and over the claim's
    horizon where it is over (NaN where not). `usual` is the median of all spans as long as the
    first one before publication, `share_below` the share of them that brought less.
    """

    first: pd.Timestamp
    last: pd.Timestamp
    value: float
    at_horizon: float
    usual: float
    share_below: float

    @property
    def days(self) -> float:
        """Days from the first open to the last bar's end."""
        return (self.last - self.first) / pd.Timedelta(days=1)


def as_stated(
    finding: Finding, claim: ClaimSettings, *, figure: FigureCheck | None = None
) -> AsStated:
    """Return whether what was stated is so, whatever it proves.

    A figure that is reached from no date its author can have used is not reproducible, nor is one
    that no series here comes near, nor a claim that no data can tell. Where a claim gives no
    figure its direction is what it states, true where the estimate has it.
    """
    if figure is not None:
        return "true" if figure.is_near else "not_reproducible"
    if isnan(finding.estimate):
        return "not_reproducible"
    if claim.measure == "one_episode":
        return "true" if finding.estimate >= claim.effect else "not_reproducible"
    if claim.measure == "every_episode":
        return "true" if finding.decided is None else "false"
    return "true" if finding.estimate > 0 else "false"


def evidence(finding: Finding) -> Evidence:
    """Return whether a finding is evidence: for the claim, against its size, or neither."""
    found = verdict(finding)
    if found == SUPPORTED:
        return "supported"
    if found == NOT_SUPPORTED and finding.high < finding.claimed:
        return "ruled_out"
    return "too_little"


def since_published(asset: AssetPrices, claim: ClaimSettings) -> SincePublished | None:
    """Return what followed the day a claim was published; None where no bar opens after it."""
    if not claim.published:
        return None
    day = pd.Timestamp(claim.published, tz="UTC") + pd.Timedelta(days=1)
    begin = int(np.searchsorted(asset.times, day.value))
    if begin >= asset.times.size - 1:
        return None
    days = (asset.times[-1] - asset.times[begin]) / DAY_IN_NANOSECONDS
    earlier = entry_positions(asset, available_at=asset.times[:begin])
    # a span that began earlier ends by the publication, so that none of it is counted twice
    over = asset.times[:begin] + int(days * DAY_IN_NANOSECONDS) <= asset.times[begin]
    spans = forward_growth(asset, np.where(over, earlier, NO_ENTRY), days=days)
    spans = spans[np.isfinite(spans)]
    distances = np.array([days, claim.horizon_days])
    value, at_horizon = growth_paths(asset, np.array([begin]), days=distances)[0].tolist()
    is_known = spans.size >= FEWEST_SPANS
    return SincePublished(
        first=pd.Timestamp(asset.times[begin], tz="UTC"),
        last=pd.Timestamp(asset.times[-1], tz="UTC"),
        value=float(np.expm1(value)),
        at_horizon=float(np.expm1(at_horizon)),
        usual=float(np.expm1(np.median(spans))) if is_known else nan,
        share_below=float((spans < value).mean()) if is_known else nan,
    )
