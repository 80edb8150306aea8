"""How much of a result survives dearer trading: the same run at other costs."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from backtests.analysis import metrics
from backtests.config.config import Config, CostSettings
from backtests.engines.account import Account
from backtests.engines.backtest import Result, engine_of_comparisons
from backtests.engines.baselines import benchmark

MULTIPLES: Final = (0.0, 1.0, 2.0, 3.0)
MOST_BPS: Final = 5_000.0
ATTEMPTS: Final = 4
NEAR: Final = 1e-3  # gap of log growth that counts as none


@dataclass(frozen=True, slots=True)
class CostRow:
    """The run at `multiple` times its costs, `bps` a side in total, and as much of the impact.

    `gap` is a difference of log growth: strategy minus buy-and-hold.
    """

    multiple: float
    bps: float
    total_return: float
    cagr: float
    held_cagr: float
    costs_paid: float
    gap: float


@dataclass(frozen=True, slots=True)
class CostSensitivity:
    """The run at several costs, and where it stops being better than buy-and-hold.

    `break_even_bps` are the costs a side, commission and slippage together (an impact grows with
    them), at which both end with the same money; NaN where the strategy is behind even without
    costs, and infinite where no costs the program knows make it so.
    """

    rows: tuple[CostRow, ...]
    break_even_bps: float


def cost_sensitivity(result: Result) -> CostSensitivity:
    """Run the config again at multiples of its costs (of the default, where it has none)."""
    rows = tuple(_row(result, each) for each in MULTIPLES)
    if rows[0].gap <= 0:
        return CostSensitivity(rows, np.nan)
    return CostSensitivity(rows, _break_even(result, rows))


def _break_even(result: Result, rows: tuple[CostRow, ...]) -> float:
    """Return where the gap closes: it falls almost in a line, so a secant finds it quickly."""
    low, high = rows[0], rows[-1]
    for _ in range(ATTEMPTS):
        bps = _between(low, high)
        if not np.isfinite(bps):
            return bps
        found = _row(result, bps / _total_bps(_base(result.config)))
        if abs(found.gap) < NEAR:
            break
        low, high = (found, high) if found.gap > 0 else (low, found)
    return bps


def _between(low: CostRow, high: CostRow) -> float:
    if not high.gap < low.gap:
        return np.inf
    bps = low.bps + low.gap * (high.bps - low.bps) / (low.gap - high.gap)
    return bps if bps <= MOST_BPS else np.inf


def _row(result: Result, multiple: float) -> CostRow:
    costs = _scaled(_base(result.config), multiple)
    is_own = costs == result.config.costs
    config = result.config.model_copy(update={"costs": costs})
    tape = result.market.traded
    simulate = engine_of_comparisons(tape)
    own = result.strategy if is_own else simulate(tape, config)
    held = result.buy_and_hold if is_own else benchmark(tape, config, simulate=simulate)
    growth = [_final(account) / account.initial_cash for account in (own, held)]
    with np.errstate(divide="ignore"):
        gap = float(np.diff(np.log(growth[::-1]))[0]) if any(growth) else 0.0
    return CostRow(
        multiple,
        _total_bps(costs),
        total_return=growth[0] - 1,
        cagr=metrics.cagr(own.returns.to_numpy(), years=result.years),
        held_cagr=metrics.cagr(held.returns.to_numpy(), years=result.years),
        costs_paid=metrics.costs_paid(own.fills, opens=tape.opens),
        gap=gap,
    )


def _base(config: Config) -> CostSettings:
    if _total_bps(config.costs):
        return config.costs
    default = CostSettings()
    return config.costs.model_copy(
        update={name: getattr(default, name) for name in ("commission_bps", "slippage_bps")}
    )


def _scaled(costs: CostSettings, multiple: float) -> CostSettings:
    scaled = {
        name: min(getattr(costs, name) * multiple, MOST_BPS)
        for name in ("commission_bps", "slippage_bps")
    }
    scaled["impact_coefficient"] = costs.impact_coefficient * multiple
    return costs.model_copy(update=scaled)


def _total_bps(costs: CostSettings) -> float:
    return costs.commission_bps + costs.slippage_bps


def _final(account: Account) -> float:
    return float(account.equity.iloc[-1])
