"""Walk-forward: choose the best trial on past bars, trade it on the next, and so on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.analysis.metrics import return_figures
from backtests.backtest import ONE_DAY
from backtests.baselines import buy_and_hold
from backtests.config import Config
from backtests.fast import simulate
from backtests.sweep.evaluate import evaluate
from backtests.sweep.groups import Library, traded_tape
from backtests.sweep.kernel import FIGURES
from backtests.sweep.plan import Plan, with_values
from backtests.sweep.windows import Window, WindowSettings, windows
from feeds.errors import ConfigError
from feeds.sessions import BAR_LENGTHS, periods_per_year

Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """What was chosen on a window and what came of it.

    `in_sample` and `out_of_sample` are the chosen trial's figure, `median` that of all
    trials out of sample, `rank` the share of trials the chosen one left behind there.
    """

    window: Window
    trial: int
    values: dict[str, Any]
    in_sample: float
    out_of_sample: float
    median: float
    rank: float


@dataclass(frozen=True, slots=True)
class WalkForward:
    """All steps, and the returns of following them beside those of buy-and-hold."""

    steps: tuple[Step, ...]
    returns: pd.Series
    held: pd.Series
    figures: dict[str, dict[str, float]]

    @property
    def efficiency(self) -> float:
        """The figures out of sample over those in sample, summed; NaN unless these are above 0.

        A step whose figure is undefined in either, such as one without a trade, is left out.
        """
        pairs = np.array([(step.in_sample, step.out_of_sample) for step in self.steps])
        promised, kept = pairs[np.isfinite(pairs).all(axis=1)].sum(axis=0)
        return float(kept / promised) if promised > 0 else np.nan

    def stability(self) -> dict[str, float]:
        """Return for each setting the share of steps that chose its most frequent value."""
        keys = self.steps[0].values
        chosen = {key: [step.values[key] for step in self.steps] for key in keys}
        return {key: max(map(values.count, values)) / len(values) for key, values in chosen.items()}


def walk_forward(plan: Plan, *, settings: WindowSettings, library: Library) -> WalkForward:
    """Return what choosing by the plan's objective on each window would have brought.

    Each window is traded from cash, with signals that look back as far as they need; a
    position left at its end is sold at the last close, with costs. The days traded follow
    each other without a gap; an embargo only shortens what a choice looks back on.
    """
    for key in ("asset", "data.timeframe"):
        if key in plan.keys:
            raise ConfigError(
                f"`sweep.{key}` cannot vary here, because the result is compared with holding one "
                f"coin. Remove it, and walk forward once for each."
            )
    days = library.market(plan.base).traded_bars.index
    steps, parts = [], []
    for window in windows(days[0].normalize(), days[-1].normalize(), settings):
        step = _step(plan, window, library)
        steps.append(step)
        parts.append(_traded(plan, step, library))
    traded = pd.concat(parts)
    whole = _between(plan.base, traded.index[0], traded.index[-1])
    held = _held(whole, library)
    cash_return = whole.costs.cash_return(periods_per_year(whole.data.timeframe))
    returns = traded.reindex(held.index, fill_value=cash_return)
    figures = {
        name: _figures(series, whole, cash_return)
        for name, series in (("walk_forward", returns), ("buy_and_hold", held))
    }
    return WalkForward(tuple(steps), returns, held, figures)


def _step(plan: Plan, window: Window, library: Library) -> Step:
    inside = _objective(plan, _between(plan.base, window.train_start, window.train_end), library)
    outside = _objective(plan, _between(plan.base, window.test_start, window.test_end), library)
    best = int(np.nanargmax(inside)) if np.isfinite(inside).any() else 0
    chunk = best // plan.settings.chunk
    columns = plan.columns(chunk)
    row = best - plan.bounds(chunk)[0]
    known = outside[np.isfinite(outside)]
    kept = outside[best]
    return Step(
        window=window,
        trial=best,
        values={key: column.values[column.codes[row]] for key, column in columns.items()},
        in_sample=float(inside[best]),
        out_of_sample=float(kept),
        median=float(np.median(known)) if known.size else np.nan,
        rank=float(np.mean(known < kept)) if known.size and np.isfinite(kept) else np.nan,
    )


def _objective(plan: Plan, base: Config, library: Library) -> Row:
    place = FIGURES.index(plan.settings.objective)
    return np.concatenate(
        [
            evaluate(base, plan.columns(chunk), library=library).figures[:, place]
            for chunk in range(plan.chunks)
        ]
    )


def _traded(plan: Plan, step: Step, library: Library) -> pd.Series:
    base = _between(plan.base, step.window.test_start, step.window.test_end)
    config = with_values(base, step.values)
    account = simulate(traded_tape(config, library), config)
    returns = account.returns.copy()
    if account.invested.iloc[-1]:
        share = account.bars["weight"].iloc[-1]
        lost = 1 - (1 - config.costs.slippage) * (1 - config.costs.commission)
        returns.iloc[-1] = (1 + returns.iloc[-1]) * (1 - share * lost) - 1
    return returns


def _held(config: Config, library: Library) -> pd.Series:
    return buy_and_hold(library.market(config).traded, costs=config.costs).returns


def _between(base: Config, start: pd.Timestamp, end: pd.Timestamp) -> Config:
    dates = {"data.start": f"{start:%Y-%m-%d}", "data.end": f"{end:%Y-%m-%d}"}
    return with_values(base, dates)


def _figures(returns: pd.Series, config: Config, cash_return: float) -> dict[str, float]:
    timeframe = config.data.timeframe
    return return_figures(
        returns.to_numpy(),
        periods_per_year=periods_per_year(timeframe),
        days=len(returns) * (BAR_LENGTHS[timeframe] / ONE_DAY),
        cash_return=cash_return,
    )
