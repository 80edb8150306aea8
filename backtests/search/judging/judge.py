"""What a sweep's best row is worth: overfitting statistics of the trials around it, in numbers."""

import itertools
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.analysis import metrics
from backtests.analysis.bootstrap import Sampling
from backtests.analysis.bootstrap_blocks import shared_block_length
from backtests.analysis.episodes import episode_starts, episodes_entered
from backtests.analysis.overfitting import (
    Overfitting,
    Superiority,
    backtest_overfitting,
    effective_trials,
    superior_ability,
)
from backtests.analysis.sharpe_error import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    luck_variance,
    sharpe_sample,
)
from backtests.analysis.trades import round_trips
from backtests.config.config import Config
from backtests.engines.compiled_engine import simulate
from backtests.market.elapsed_time import Timescale, timescale
from backtests.search.judging.contenders import Field, field_of
from backtests.search.store import Store
from backtests.search.trials.trial_library import Library, traded_tape
from feeds.arrays import Floats

__all__ = ["Judgement", "judge"]
# cross-validation cuts the shared bars into 16 blocks, of at least two bars each
FEWEST_BARS: Final = 32


@dataclass(frozen=True, slots=True)
class BarRange:
    """How many bars, and the days of the first and the last."""

    count: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Earned:
    """What an account earned per year; NaN where undefined."""

    sharpe_ratio: float
    cagr: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """The statistics of one sweep's best trial; Sharpe ratios per year, probabilities 0 to 1.

    `trials` counts everything tried, `counted` what the deflated ratio takes for it: of a
    guided search all settings in its `reach`. The field is `drawn` of the `reach` and the
    leading rows; `left_out` of them have too few of the best row's `bars`, and the others,
    `compared`, are cross-validated and tested on `shared_bars`, of which there are
    `periods_per_year`. `same_spans` says whether all
    have the same bars. `effective_trials` is how many independent ones `counted` amount to.
    `held` is what holding the best row's coin earned on its `bars`.
    """

    best: int
    asset: str
    search: str
    trials: int
    counted: int
    effective_trials: float
    reach: int
    drawn: int
    compared: int
    left_out: int
    trades: int
    episodes: int
    bars: BarRange
    shared_bars: BarRange
    periods_per_year: float
    same_spans: bool
    earned: Earned
    held: Earned
    luckiest: float
    deflated: float
    deflated_effective: float
    overfitting: Overfitting
    superiority: Superiority

    @property
    def sharpe_ratio(self) -> float:
        """The best row's, on its own bars, as the table has it."""
        return self.earned.sharpe_ratio

    def plain(self) -> dict[str, Any]:
        """Return all figures as plain numbers and texts, without the splits."""
        found = asdict(self)
        del found["overfitting"]["in_sample"], found["overfitting"]["out_of_sample"]
        return found


def judge(store: Store, *, library: Library, draws: int = 1_000) -> Judgement | None:
    """Return the judgement of a sweep; None if too few trials or bars can be compared."""
    settings = store.plan.settings
    total = store.total()
    best, grown = total.leader(settings.objective), total.leader("cagr")
    if best is None:
        return None
    # the test against holding is about growth, so the trial that grew most takes part
    leaders = [best, best if grown is None else grown]
    field = field_of(store, leaders, library=library)
    shared = field.on_shared_bars()
    if len(shared.configs) < 2 or len(shared.times) < FEWEST_BARS:
        return None
    chosen = field.best.config
    scale = timescale_of(field.best.returns, chosen)
    per_year = scale.periods_per_year
    own, regular = field.best.returns.to_numpy(), ~scale.after_hole
    sample = sharpe_sample(own[regular], cash_return=scale.cash_returns[regular])
    left_out = len(field.configs) - len(shared.configs)
    # a guided search's trials crowd around its best, and a few bars show almost any ratio
    is_sampled = settings.search == "guided" or left_out > 0
    spread = _spread_of_drawn(field) if is_sampled else total.ratios.variance
    # trials that are nearly the same differ less than luck makes any one of them differ
    variance = np.fmax(spread / per_year, luck_variance(periods=sample.periods))
    counted = field.reach + settings.tried_before
    effective = effective_trials(field.returns, population=counted)
    trades, episodes = _trades(chosen, library)
    return Judgement(
        best=best,
        asset=chosen.asset,
        search=settings.search,
        trials=store.plan.trials + settings.tried_before,
        counted=counted,
        effective_trials=effective,
        reach=field.reach,
        drawn=int(field.is_drawn.sum()),
        compared=len(shared.configs),
        left_out=left_out,
        trades=trades,
        episodes=episodes,
        bars=_bars(pd.DatetimeIndex(field.best.returns.index)),
        shared_bars=_bars(shared.times),
        periods_per_year=timescale(
            shared.times, timeframe=shared.timeframe, rate=0.0
        ).periods_per_year,
        same_spans=not np.isnan(field.returns).any(),
        earned=_earnings(field.best.returns, chosen),
        held=_earnings(field.best.held, chosen),
        luckiest=expected_maximum_sharpe(trials=counted, variance=variance) * per_year**0.5,
        deflated=deflated_sharpe_ratio(sample, trials=counted, variance=variance),
        deflated_effective=deflated_sharpe_ratio(sample, trials=effective, variance=variance),
        overfitting=backtest_overfitting(_excess(shared)),
        superiority=growth_test(shared, draws=draws),
    )


def growth_test(shared: Field, *, draws: int) -> Superiority:
    """Test the growth of each trial against that of holding its coin: the lead in log returns.

    Simple returns would favour what swings most: their mean grows with the variance, which
    compound growth pays for.
    """
    lead = np.log1p(shared.returns)
    lead -= np.log1p(shared.held)[:, shared.holds]
    held = shared.held[:, shared.holds[0]]
    block = shared_block_length({"best": shared.returns[:, 0], "held": held})
    sampling = Sampling(block_bars=block, draws=draws)
    return superior_ability(lead, benchmark=np.zeros(len(lead)), sampling=sampling)


def _excess(shared: Field) -> Floats:
    """Return returns above what cash earns; exactly 0 where a trial earned nothing else.

    Those that span a hole in the bars are left out.
    """
    scales = {
        rate: timescale(shared.times, timeframe=shared.timeframe, rate=rate)
        for rate in {config.costs.cash_rate for config in shared.configs}
    }
    own = [scales[config.costs.cash_rate] for config in shared.configs]
    excess: Floats = shared.returns - np.column_stack([scale.cash_returns for scale in own])
    excess = excess[~own[0].after_hole]
    excess[:, np.ptp(excess, axis=0) < metrics.ROUNDING] = 0.0
    return excess


def _earnings(returns: pd.Series, config: Config) -> Earned:
    scale, values = timescale_of(returns, config), returns.to_numpy()
    return Earned(
        sharpe_ratio=_sharpe_ratio(values, scale), cagr=metrics.cagr(values, years=scale.years)
    )


def timescale_of(returns: pd.Series, config: Config) -> Timescale:
    """Return the time scale of a trial's returns."""
    return timescale(
        pd.DatetimeIndex(returns.index),
        timeframe=config.data.timeframe,
        rate=config.costs.cash_rate,
    )


def _trades(config: Config, library: Library) -> tuple[int, int]:
    """Return how many trades the config made, and in how many independent episodes."""
    market, tape = library.market(config), traded_tape(config, library)
    sessions = tape.lines["trigger_session"]
    starts = episode_starts(sessions[sessions >= 0].astype(np.int64))
    fills = simulate(tape, config).fills
    trades = round_trips(fills, last_time=tape.times[-1], last_closes=tape.last_closes)
    return len(trades), episodes_entered(market.available_at[starts], trades["entry_time"])


def _bars(times: pd.DatetimeIndex) -> BarRange:
    return BarRange(len(times), f"{times[0]:%Y-%m-%d}", f"{times[-1]:%Y-%m-%d}")


def _spread_of_drawn(field: Field) -> float:
    """Return the variance (ddof 1) of the Sharpe ratios per year of comparable trials drawn."""
    columns = itertools.compress(
        zip(field.returns.T, field.configs, strict=True), field.is_drawn & field.is_comparable
    )
    drawn = []
    for returns, config in columns:
        has = ~np.isnan(returns)
        rate = config.costs.cash_rate
        scale = timescale(field.times[has], timeframe=field.timeframe, rate=rate)
        drawn.append(_sharpe_ratio(returns[has], scale))
    ratios = np.array(drawn)[~np.isnan(drawn)]
    return float(np.var(ratios, ddof=1)) if ratios.size > 1 else np.nan


def _sharpe_ratio(returns: Floats, scale: Timescale) -> float:
    regular = ~scale.after_hole
    return metrics.sharpe_ratio(
        returns[regular],
        periods_per_year=scale.periods_per_year,
        cash_return=scale.cash_returns[regular],
    )
