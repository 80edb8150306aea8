"""The same run at other costs, and where the rule stops being ahead of holding."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from backtests.config.config import Config
from backtests.config.run_settings import CostSettings
from backtests.engines.account import Account
from backtests.engines.backtest import Run, engine_of_comparisons
from backtests.engines.baselines import benchmark

MULTIPLES: Final = (0.0, 1.0, 2.0, 3.0)
MOST_BPS: Final = 5_000.0
ATTEMPTS: Final = 4
NEAR: Final = 1e-3  # gap of log growth that counts as none


@dataclass(frozen=True, slots=True)
class CostRun:
    """The rule and its benchmark at `multiple` times the costs, `bps` per side in total."""

    multiple: float
    bps: float
    strategy: Account
    buy_and_hold: Account

    @property
    def gap(self) -> float:
        """Log growth of the strategy minus that of buy-and-hold; 0 where both lost all."""
        growth = [
            float(account.equity.iloc[-1]) / account.initial_cash
            for account in (self.strategy, self.buy_and_hold)
        ]
        with np.errstate(divide="ignore"):
            return float(np.diff(np.log(growth[::-1]))[0]) if any(growth) else 0.0


@dataclass(frozen=True, slots=True)
class CostRuns:
    """The run at several costs, and where it stops being better than buy-and-hold.

    `break_even_bps` are the costs per side, commission and slippage together (an impact grows
    with them), at which both end with the same money; NaN where the strategy is behind even
    without costs, and infinite where no costs the program knows make it so.
    """

    runs: tuple[CostRun, ...]
    break_even_bps: float


def cost_runs(result: Run) -> CostRuns:
    """Run the config again at multiples of its costs (of the default, where it has none)."""
    runs = tuple(_run(result, each) for each in MULTIPLES)
    if runs[0].gap <= 0:
        return CostRuns(runs, np.nan)
    return CostRuns(runs, _break_even(result, runs[0], runs[-1]))


def _break_even(result: Run, low: CostRun, high: CostRun) -> float:
    """Return where the gap closes: it falls almost in a line, so a secant finds it quickly."""
    for _ in range(ATTEMPTS):
        bps = _between(low, high)
        if not np.isfinite(bps):
            return bps
        found = _run(result, bps / _total_bps(_base(result.config)))
        if abs(found.gap) < NEAR:
            break
        low, high = (found, high) if found.gap > 0 else (low, found)
    return bps


def _between(low: CostRun, high: CostRun) -> float:
    if not high.gap < low.gap:
        return np.inf
    bps = low.bps + low.gap * (high.bps - low.bps) / (low.gap - high.gap)
    return bps if bps <= MOST_BPS else np.inf


def _run(result: Run, multiple: float) -> CostRun:
    costs = _scale(_base(result.config), multiple)
    if costs == result.config.costs:
        return CostRun(multiple, _total_bps(costs), result.strategy, result.buy_and_hold)
    config = result.config.model_copy(update={"costs": costs})
    tape = result.market.traded
    simulate = engine_of_comparisons(tape, config)
    held = benchmark(tape, config, simulate=simulate)
    return CostRun(multiple, _total_bps(costs), simulate(tape, config), held)


def _base(config: Config) -> CostSettings:
    if _total_bps(config.costs):
        return config.costs
    default = CostSettings()
    return config.costs.model_copy(
        update={name: getattr(default, name) for name in ("commission_bps", "slippage_bps")}
    )


def _scale(costs: CostSettings, multiple: float) -> CostSettings:
    scaled = {
        name: min(getattr(costs, name) * multiple, MOST_BPS)
        for name in ("commission_bps", "slippage_bps")
    }
    scaled["impact_coefficient"] = costs.impact_coefficient * multiple
    return costs.model_copy(update=scaled)


def _total_bps(costs: CostSettings) -> float:
    return costs.commission_bps + costs.slippage_bps
