"""How much of a result survives dearer trading: the figures of the same run at other costs."""

from dataclasses import dataclass

from backtests.analysis import metrics
from backtests.engines.backtest import Run
from backtests.engines.cost_runs import CostRun, CostRuns


@dataclass(frozen=True, slots=True)
class CostRow:
    """The run at `multiple` times its costs, `bps` per side in total, and as much of the impact.

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
    """The figures at several costs; `break_even_bps` is that of the runs (`CostRuns`)."""

    rows: tuple[CostRow, ...]
    break_even_bps: float


def cost_sensitivity(result: Run, runs: CostRuns) -> CostSensitivity:
    """Return the figures of a result's runs at other costs."""
    return CostSensitivity(tuple(_row(result, one) for one in runs.runs), runs.break_even_bps)


def _row(result: Run, run: CostRun) -> CostRow:
    own, held = run.strategy, run.buy_and_hold
    return CostRow(
        run.multiple,
        run.bps,
        total_return=float(own.equity.iloc[-1]) / own.initial_cash - 1,
        cagr=metrics.cagr(own.returns.to_numpy(), years=result.years),
        held_cagr=metrics.cagr(held.returns.to_numpy(), years=result.years),
        costs_paid=metrics.costs_paid(own.fills, opens=result.market.traded.opens),
        gap=run.gap,
    )
