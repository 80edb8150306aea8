"""Walk-forward: choose the best trial on past bars, trade it on the next, and so on."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.analysis.metrics import return_figures, total_return
from backtests.config.config import Config
from backtests.config.run_settings import CostSettings
from backtests.engines.account import Account
from backtests.engines.backtest import ONE_DAY
from backtests.engines.baselines import benchmark
from backtests.engines.compiled_engine import simulate
from backtests.market.elapsed_time import Timescale, timescale
from backtests.market.tape import Tape
from backtests.search.bars_used import UsedBars, used_bars
from backtests.search.plan import Plan, with_values
from backtests.search.trials.trial_library import Library, traded_tape
from backtests.search.walkforward.windows import (
    Contest,
    Window,
    WindowSettings,
    contest,
    windows,
    worth_of_nothing,
)
from feeds.errors import ConfigError
from strategies.orders_and_fills import selling_factor

Figures = dict[str, float]

# Figures that mean the same on a window of three years and on six years of trading.
RATES: Final = ("cagr", "sharpe_ratio", "sortino_ratio")
NO_RATE: Final = "only a CAGR, a Sharpe or a Sortino ratio means the same on spans of any length"
NO_LOSS: Final = "it is undefined where no bar lost"
NO_GAIN: Final = "the choices promised no gain that could be kept"


@dataclass(frozen=True, slots=True)
class WalkStep:
    """What was chosen on a window and what came of it.

    `trial` is None and `values` empty where no trial could be chosen: then the window is
    spent in cash. `in_sample` and `out_of_sample` are the objective of the chosen trial,
    `median` that of all trials out of sample, `rank` the share of the others the chosen one
    left behind there, equals counting half. `trades` is how often it traded, `gain` and
    `held` what was earned by it and by buy-and-hold.
    """

    window: Window
    trial: int | None
    values: dict[str, Any]
    in_sample: float
    out_of_sample: float
    median: float
    rank: float
    trades: int
    gain: float
    held: float


@dataclass(frozen=True, slots=True)
class Efficiency:
    """How much of what the choices promised was kept.

    `promised` is the mean of the objective in sample, each step weighted by the days it was
    traded; `kept` the objective of all days traded, put together; `share` the second over
    the first. Trading nothing promises and keeps what it is worth. `reason` says why there
    is no share.
    """

    promised: float
    kept: float
    reason: str = ""

    @property
    def share(self) -> float:
        """What was kept of what was promised; NaN where that cannot be said."""
        return np.nan if self.reason else self.kept / self.promised


@dataclass(frozen=True, slots=True)
class WalkForward:
    """All steps, and the returns of following them beside those of buy-and-hold.

    `failures` counts why trials failed, over all windows.
    """

    steps: tuple[WalkStep, ...]
    returns: pd.Series
    held: pd.Series
    figures: dict[str, Figures]
    efficiency: Efficiency
    used: UsedBars
    failures: Counter[str]

    @property
    def chosen(self) -> tuple[WalkStep, ...]:
        """The steps on which a trial could be chosen."""
        return tuple(step for step in self.steps if step.trial is not None)

    @property
    def traded(self) -> tuple[WalkStep, ...]:
        """The steps that traded."""
        return tuple(step for step in self.steps if step.trades)

    def stability(self) -> dict[str, float]:
        """Return for each setting the share of choices that took its most frequent value."""
        chosen = [step.values for step in self.chosen]
        found = {key: [values[key] for values in chosen] for key in chosen[0]}
        return {key: max(map(values.count, values)) / len(values) for key, values in found.items()}


def walk_forward(plan: Plan, *, settings: WindowSettings, library: Library) -> WalkForward:
    """Return what choosing by the plan's objective on each window would have brought.

    Each window opens in the state the rule would be in, with signals that look back as far as
    they need: what is then to be held is bought at its first open, and a position left at its
    end is sold at the last close, both with costs. The days traded follow each other without a
    gap; an embargo only ends the days to choose on earlier.

    Raises
    ------
    InputError
        If an axis cannot vary here, bars are missing, too short for two windows, or not a
        single window has a trial to choose.
    """
    require_walkable(plan)
    used = used_bars(plan, library)
    days = library.market(plan.base).traded_bars.index
    cuts = windows(days[0].normalize(), days[-1].normalize(), settings)
    held = _hold(_between(plan.base, cuts[0].test_start, cuts[-1].test_end), library)
    walked = [_step(plan, window, held, library) for window in cuts]
    steps = tuple(step for step, _, _ in walked)
    failures = sum((counted for _, _, counted in walked), Counter[str]())
    if not any(step.trial is not None for step in steps):
        raise ConfigError(_nothing_to_choose(plan, len(steps), failures, library))
    returns = pd.concat([own for _, own, _ in walked])
    figures = {
        name: _figures(series, plan.base)
        for name, series in (("walk_forward", returns), ("buy_and_hold", held))
    }
    kept = efficiency(steps, figures["walk_forward"], plan)
    return WalkForward(steps, returns, held, figures, kept, used, failures)


def require_walkable(plan: Plan) -> None:
    """Refuse a guided search, and axes that would change what the walk is compared with.

    Raises
    ------
    ConfigError
        Naming the setting.
    """
    if plan.settings.search == "guided":
        raise ConfigError('`sweep.search` must be "grid" or "random" here, received "guided".')
    for key in plan.keys:
        if key == "asset" or key.startswith("data."):
            raise ConfigError(
                f"`sweep.{key}` cannot vary here, because the result is compared with holding one "
                f"coin over the same bars. Remove it, and walk forward once for each."
            )


def efficiency(steps: tuple[WalkStep, ...], figures: Figures, plan: Plan) -> Efficiency:
    """Return how much was kept of what the steps promised; `figures` are of all days traded."""
    objective = plan.settings.objective
    nothing = _nothing(objective, plan.base)
    promises = np.array([step.in_sample for step in steps])
    days = [step.window.test_days for step in steps]
    promised = float(np.average(np.where(np.isnan(promises), nothing, promises), weights=days))
    if objective not in RATES:
        return Efficiency(promised, np.nan, NO_RATE)
    kept = figures[objective]
    if np.isnan(kept) and not any(step.trades for step in steps):
        kept = nothing
    if np.isnan(promised) or np.isnan(kept):
        return Efficiency(promised, kept, NO_LOSS)
    return Efficiency(promised, kept, "" if promised > 0 else NO_GAIN)


def _nothing(objective: str, base: Config) -> float:
    return base.costs.cash_rate if objective == "cagr" else worth_of_nothing(objective)


def _step(
    plan: Plan, window: Window, held: pd.Series, library: Library
) -> tuple[WalkStep, pd.Series, Counter[str]]:
    """Return a step, its returns on the bars of `held`, and why trials failed."""
    train = _between(plan.base, window.train_start, window.train_end)
    test = _between(plan.base, window.test_start, window.test_end)
    inside = contest(plan, train, library=library)
    outside = contest(plan, test, library=library)
    beside = held[window.test_start : window.test_end + ONE_DAY - pd.Timedelta(1)]
    values = {} if inside.best is None else plan_values(plan, inside.best)
    # one that fails here is counted among the failures, and the window spent in cash
    runs = inside.best is not None and np.isfinite(outside.trades[inside.best])
    returns = _traded_bars(with_values(test, values), library) if runs else beside[:0]
    returns = returns.reindex(beside.index)
    returns = returns.fillna(pd.Series(_timescale(beside, plan.base).cash_returns, beside.index))
    own = _choose(inside, outside) if runs else _in_cash(plan, inside, returns)
    step = WalkStep(
        window=window,
        trial=inside.best,
        values=values,
        median=outside.median,
        gain=total_return(returns.to_numpy()),
        held=total_return(beside.to_numpy()),
        **own,
    )
    return step, returns, inside.failures + outside.failures


def _choose(inside: Contest, outside: Contest) -> dict[str, Any]:
    """Return what the best trial of one window did on the next."""
    best = inside.best or 0
    return {
        "in_sample": float(inside.figure[best]),
        "out_of_sample": float(outside.figure[best]),
        "rank": outside.rank(best),
        "trades": int(outside.trades[best]),
    }


def _in_cash(plan: Plan, inside: Contest, returns: pd.Series) -> dict[str, Any]:
    """Return what a window without a trial to trade comes to."""
    promised = np.nan if inside.best is None else float(inside.figure[inside.best])
    kept = _figures(returns, plan.base).get(plan.settings.objective, np.nan)
    kept = worth_of_nothing(plan.settings.objective) if np.isnan(kept) else kept
    return {"in_sample": promised, "out_of_sample": kept, "rank": np.nan, "trades": 0}


def plan_values(plan: Plan, trial: int) -> dict[str, Any]:
    """Return the settings of a trial that vary."""
    columns = plan.columns_of(np.array([trial]))
    return {key: column.values[column.codes[0]] for key, column in columns.items()}


def _nothing_to_choose(plan: Plan, count: int, failures: Counter[str], library: Library) -> str:
    missing = [note for inputs in library.loaded.values() for note in inputs.notes]
    causes = [*(reason for reason, _ in failures.most_common(1)), *missing]
    why = f" The first reason: {causes[0]}" if causes else ""
    return (
        f"`sweep`: nothing can be chosen, because none of the {plan.trials:,} trials traded with a "
        f"defined `{plan.settings.objective}` on any of the {count} windows to choose on.{why}"
    )


def _traded_bars(config: Config, library: Library) -> pd.Series:
    tape = traded_tape(config, library)
    account = simulate(tape, config)
    returns = account.returns.copy()
    if account.invested.iloc[-1]:
        share = account.bars["weight"].iloc[-1]
        lost = lost_by_selling(account, tape, config.costs)
        returns.iloc[-1] = (1 + returns.iloc[-1]) * (1 - share * lost) - 1
    return returns


def lost_by_selling(account: Account, tape: Tape, costs: CostSettings) -> float:
    """Return which part of what is held at the end selling it at the last close would cost."""
    value = account.positions.iloc[-1].to_numpy() * tape.matrix("close")[-1]
    impact = costs.impact_factor * tape.matrix("impact")[-1]
    fetched = selling_factor(value, slippage=costs.slippage, impact=impact)
    beyond = float((1 - costs.slippage - fetched) @ value)
    moved = beyond / value.sum() if beyond else 0.0
    return 1 - (1 - costs.slippage - moved) * (1 - costs.commission)


def _hold(config: Config, library: Library) -> pd.Series:
    return benchmark(library.market(config).traded, config, simulate=simulate).returns


def _between(base: Config, start: pd.Timestamp, end: pd.Timestamp) -> Config:
    dates = {"data.start": f"{start:%Y-%m-%d}", "data.end": f"{end:%Y-%m-%d}"}
    return with_values(base, dates)


def _timescale(returns: pd.Series, config: Config) -> Timescale:
    return timescale(
        pd.DatetimeIndex(returns.index),
        timeframe=config.data.timeframe,
        rate=config.costs.cash_rate,
    )


def _figures(returns: pd.Series, config: Config) -> Figures:
    scale = _timescale(returns, config)
    return return_figures(
        returns.to_numpy(),
        periods_per_year=scale.periods_per_year,
        years=scale.years,
        cash_return=scale.cash_returns,
        left_out=scale.after_hole,
    )
