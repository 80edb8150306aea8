"""Is a run's result more than luck? Intervals, placebos, and which signal is the better."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isnan
from typing import Any, Final, Literal

import numpy as np

from backtests.analysis.bootstrap import (
    Interval,
    Sampling,
    paired_intervals,
)
from backtests.analysis.bootstrap_blocks import shared_block_length
from backtests.analysis.episodes import episode_starts
from backtests.analysis.exposure import (
    Exposure,
    evenly_held_returns,
    exposure_of,
    scaled_returns,
)
from backtests.analysis.placebo import shift_placebo
from backtests.analysis.sharpe_error import (
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_sample,
)
from backtests.config.run_settings import SignificanceSettings
from backtests.engines.backtest import Run
from feeds.arrays import Floats

STRATEGY: Final = "strategy"
COMPARED: Final = ("buy_and_hold", "exposure_matched", "control")
EQUAL_EXPOSURE: Final = "control_at_equal_exposure"
LEVEL: Final = 0.05

Better = Literal["index", "coin", "neither", "undefined"]


@dataclass(frozen=True, slots=True)
class Significance:
    """How sure a run's figures are.

    `intervals` maps series -> figure -> interval for the strategy and each of `COMPARED`;
    `differences` the strategy minus each, and minus the control at equal exposure: of the two
    the one with the larger average exposure counts only in part, the rest of its money idle.
    `exposure_matched` is the coin at the strategy's average weight on every bar, `control` the
    same rule on the coin's own price.

    `shift_p_value` is the share of all shifts of the strategy's positions in time that grew
    at least as much, `shift_median_cagr` what the middle one earned per year, and
    `control_shift_p_value` the first of the control. `tried` is how many settings the rule was
    chosen from, itself included.

    The Sharpe ratio's probability is that of the true ratio being above 0;
    `minimum_track_record_days` is the length that would show it at the confidence, infinite
    where the ratio is not positive. Both allow for returns that depend on each other: the bars
    tell as much as `effective_bars` independent ones.
    """

    episodes: int
    bars: int
    confidence: float
    tried: int
    block_bars: float
    draws: int
    intervals: dict[str, dict[str, Interval]]
    differences: dict[str, dict[str, Interval]]
    shifts: int
    shift_p_value: float
    shift_median_cagr: float
    control_shift_p_value: float
    probabilistic_sharpe_ratio: float
    minimum_track_record_days: float
    effective_bars: float
    exposure: float
    control_exposure: float

    @property
    def has_timing(self) -> bool:
        """Whether the strategy's timing is better than chance, all settings tried counted."""
        return self.shift_p_value * self.tried <= LEVEL

    @property
    def better(self) -> Better:
        """Which signal is shown to be the better one: the index's, or the coin's own.

        Shown is what holds in two ways. At equal exposure the interval of the difference in
        growth lies on one side of 0, and the better one's own timing is better than chance:
        against shifts of its positions in time. The first alone would call every lucky account
        the better one of two, as the interval knows nothing of how few the episodes are; the
        second alone compares with nothing. If the index tells nothing of the coin, the second
        holds in at most `LEVEL` of all runs, whatever the coin does.
        """
        gap = self.differences[EQUAL_EXPOSURE]["cagr"]
        if isnan(gap.low) or isnan(self.shift_p_value):
            return "undefined"
        if gap.low > 0 and self.has_timing:
            return "index"
        if gap.high < 0 and self.control_shift_p_value <= LEVEL:
            return "coin"
        return "neither"

    def figures(self) -> dict[str, Any]:
        """Return everything as plain numbers and mappings, for a JSON file."""
        return {**asdict(self), "better_signal": self.better}


def significance(result: Run, settings: SignificanceSettings | None = None) -> Significance:
    """Return how sure the result is; the same settings and bars give the same figures.

    `settings` are by default those of the result's config.
    """
    chosen = settings or result.config.significance
    exposures = {
        name: exposure_of(result, account)
        for name, account in ((STRATEGY, result.strategy), ("control", result.control))
    }
    own, control = exposures.values()
    series = _series(result, own)
    scaled, pair = _at_equal_exposure(series, exposures)
    sampling = _sampling(chosen, series)
    intervals = paired_intervals(
        series | scaled,
        years=result.years,
        periods_per_year=result.periods_per_year,
        cash_return=result.cash_returns,
        left_out=result.after_hole,
        sampling=sampling,
        pairs={**{name: (STRATEGY, name) for name in COMPARED}, EQUAL_EXPOSURE: pair},
    )
    placebo = shift_placebo(own, draws=chosen.draws, seed=chosen.seed)
    regular = ~result.after_hole
    sample = sharpe_sample(
        series[STRATEGY][regular],
        cash_return=result.cash_returns[regular],
        block=sampling.block_bars,
    )
    record = minimum_track_record_length(sample, confidence=chosen.confidence)
    middle = float(np.median(placebo.shifted)) if placebo.shifted.size else np.nan
    return Significance(
        episodes=_episodes(result),
        bars=sample.periods,
        confidence=chosen.confidence,
        tried=chosen.tried,
        block_bars=sampling.block_bars,
        draws=chosen.draws,
        intervals={name: intervals.figures[name] for name in series},
        differences=intervals.differences,
        shifts=placebo.shifted.size,
        shift_p_value=placebo.p_value,
        shift_median_cagr=float(np.expm1(middle / result.years)),
        control_shift_p_value=shift_placebo(control, draws=chosen.draws, seed=chosen.seed).p_value,
        probabilistic_sharpe_ratio=probabilistic_sharpe_ratio(sample),
        minimum_track_record_days=record * result.days / max(sample.periods, 1),
        effective_bars=sample.effective_periods,
        exposure=own.mean_weight,
        control_exposure=control.mean_weight,
    )


def _series(result: Run, exposure: Exposure) -> dict[str, Floats]:
    return {
        STRATEGY: result.strategy.returns.to_numpy(),
        "buy_and_hold": result.buy_and_hold.returns.to_numpy(),
        "exposure_matched": evenly_held_returns(exposure),
        "control": result.control.returns.to_numpy(),
    }


def _at_equal_exposure(
    series: Mapping[str, Floats], exposures: Mapping[str, Exposure]
) -> tuple[dict[str, Floats], tuple[str, str]]:
    """Return the larger account scaled to the smaller's exposure, and the pair to compare.

    One that never held anything has no exposure to compare at: its series is NaN.
    """
    mean = {name: exposure.mean_weight for name, exposure in exposures.items()}
    larger, smaller = (
        (STRATEGY, "control") if mean[STRATEGY] > mean["control"] else ("control", STRATEGY)
    )
    share = mean[smaller] / mean[larger] if mean[smaller] > 0 else np.nan
    name = f"{larger}_scaled"
    idle = exposures[larger].idle_returns
    scaled = scaled_returns(series[larger], share=share, idle_returns=idle)
    pair = (name, smaller) if larger == STRATEGY else (smaller, name)
    return {name: scaled}, pair


def _sampling(settings: SignificanceSettings, series: Mapping[str, Floats]) -> Sampling:
    block = settings.block_bars
    if block == "auto":
        held = ("buy_and_hold", STRATEGY)
        block = shared_block_length({name: series[name] for name in held})
    return Sampling(block, settings.draws, settings.confidence, settings.seed)


def _episodes(result: Run) -> int:
    sessions = result.market.traded.lines["trigger_session"]
    return len(episode_starts(sessions[sessions >= 0].astype(np.int64)))
