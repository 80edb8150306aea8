"""Is a run's result more than luck? Intervals, placebos and what may be concluded from them."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backtests.analysis.bootstrap import (
    Interval,
    PairedIntervals,
    Sampling,
    paired_intervals,
    shared_block_length,
)
from backtests.analysis.conclusion import conclude
from backtests.analysis.episodes import episode_starts
from backtests.analysis.exposure import Exposure, exposure_matched_returns, exposure_of
from backtests.analysis.placebo import shift_placebo
from backtests.analysis.sharpe import (
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_sample,
)
from backtests.backtest import Result
from backtests.settings import SignificanceSettings

Series = NDArray[np.float64]

STRATEGY: Final = "strategy"
COMPARED: Final = ("buy_and_hold", "exposure_matched", "control")


@dataclass(frozen=True, slots=True)
class Significance:
    """How sure a run's figures are.

    `intervals` maps series -> figure -> interval for the strategy and each of `COMPARED`;
    `differences` the strategy minus each. `exposure_matched` is the coin at the strategy's
    average weight on every bar, `control` the same rule on the coin's own price.

    `shift_p_value` is the share of all shifts of the strategy's positions in time that grew
    at least as much, `shift_median_cagr` what the middle one earned a year. The Sharpe
    ratio's probability is that of the true ratio being above 0; `minimum_track_record_days`
    is the length that would show it at the confidence, infinite where the ratio is not
    positive. `conclusion` says all this in plain words.
    """

    conclusion: str
    episodes: int
    bars: int
    confidence: float
    block_bars: float
    draws: int
    intervals: dict[str, dict[str, Interval]]
    differences: dict[str, dict[str, Interval]]
    shifts: int
    shift_p_value: float
    shift_median_cagr: float
    probabilistic_sharpe_ratio: float
    minimum_track_record_days: float
    time_in_market: float

    def figures(self) -> dict[str, Any]:
        """Return everything as plain numbers, texts and mappings, for a JSON file."""
        return asdict(self)


def significance(result: Result, settings: SignificanceSettings | None = None) -> Significance:
    """Return how sure the result is; the same settings and bars give the same figures.

    `settings` are by default those of the result's config.
    """
    chosen = settings or result.config.significance
    exposure = exposure_of(result)
    series = _series(result, exposure)
    sampling = _sampling(chosen, series)
    intervals = paired_intervals(
        series,
        years=result.years,
        periods_per_year=result.periods_per_year,
        cash_return=result.cash_returns,
        left_out=result.after_hole,
        sampling=sampling,
    )
    placebo = shift_placebo(exposure, draws=chosen.draws, seed=chosen.seed)
    regular = ~result.after_hole
    sample = sharpe_sample(series[STRATEGY][regular], cash_return=result.cash_returns[regular])
    record = minimum_track_record_length(sample, confidence=chosen.confidence)
    middle = float(np.median(placebo.shifted)) if placebo.shifted.size else np.nan
    episodes = _episodes(result)
    return Significance(
        conclusion=_conclusion(result, intervals, placebo.p_value, episodes, chosen),
        episodes=episodes,
        bars=sample.periods,
        confidence=chosen.confidence,
        block_bars=sampling.block_bars,
        draws=chosen.draws,
        intervals=intervals.figures,
        differences=intervals.differences,
        shifts=placebo.shifted.size,
        shift_p_value=placebo.p_value,
        shift_median_cagr=float(np.expm1(middle / result.years)),
        probabilistic_sharpe_ratio=probabilistic_sharpe_ratio(sample),
        minimum_track_record_days=record * result.days / max(sample.periods, 1),
        time_in_market=exposure.mean_weight,
    )


def _series(result: Result, exposure: Exposure) -> dict[str, Series]:
    return {
        STRATEGY: result.strategy.returns.to_numpy(),
        "buy_and_hold": result.buy_and_hold.returns.to_numpy(),
        "exposure_matched": exposure_matched_returns(
            exposure.coin_returns,
            weight=exposure.mean_weight,
            cost=exposure.cost,
            idle_returns=exposure.idle_returns,
        ),
        "control": result.control.returns.to_numpy(),
    }


def _sampling(settings: SignificanceSettings, series: dict[str, Series]) -> Sampling:
    block = settings.block_bars
    if block == "auto":
        held = ("buy_and_hold", STRATEGY)
        block = shared_block_length({name: series[name] for name in held})
    return Sampling(block, settings.draws, settings.confidence, settings.seed)


def _episodes(result: Result) -> int:
    sessions = result.market.traded.lines["trigger_session"]
    return len(episode_starts(sessions[sessions >= 0].astype(np.int64)))


def _conclusion(
    result: Result,
    intervals: PairedIntervals,
    shift_p_value: float,
    episodes: int,
    settings: SignificanceSettings,
) -> str:
    return conclude(
        asset=result.asset,
        growth=intervals.figures[STRATEGY]["cagr"],
        against_held=intervals.differences["buy_and_hold"]["cagr"],
        against_control=intervals.differences["control"]["cagr"],
        shift_p_value=shift_p_value,
        episodes=episodes,
        confidence=settings.confidence,
        tried=settings.tried,
    )
