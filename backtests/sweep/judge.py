"""What a sweep's best row is worth: overfitting statistics, and what they say in words."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from backtests.analysis.bootstrap import Sampling, shared_block_length
from backtests.analysis.overfitting import (
    Overfitting,
    Superiority,
    backtest_overfitting,
    effective_trials,
    superior_ability,
)
from backtests.analysis.sharpe import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    sharpe_sample,
)
from backtests.baselines import buy_and_hold
from backtests.config import Config
from backtests.fast import simulate
from backtests.format import percent
from backtests.sweep.groups import Library, traded_tape
from backtests.sweep.store import Store
from feeds.sessions import periods_per_year

MOST_COMPARED: Final = 400
CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Judgement:
    """The statistics of one sweep's best trial; Sharpe ratios a year, probabilities 0 to 1.

    `trials` counts everything tried, `effective_trials` how many independent ones the
    `compared` trials amount to: an even sample of those on the best trial's market.
    """

    best: int
    trials: int
    compared: int
    effective_trials: float
    sharpe_ratio: float
    luckiest: float
    deflated: float
    deflated_effective: float
    overfitting: Overfitting
    superiority: Superiority

    def plain(self) -> dict[str, object]:
        """Return all figures as plain numbers, without the splits."""
        overfitting = asdict(self.overfitting)
        del overfitting["in_sample"], overfitting["out_of_sample"]
        own = {name: getattr(self, name) for name in self.__slots__}
        return {**own, "overfitting": overfitting, "superiority": asdict(self.superiority)}

    def words(self) -> str:
        """Return a paragraph that says whether the best row means anything."""
        split, ability = self.overfitting, self.superiority
        doubts = (
            not self.deflated >= CONFIDENCE,
            not split.high < 0.5,
            not ability.consistent <= 1 - CONFIDENCE,
        )
        verdict = (
            "Nothing here speaks for luck alone, but it is still the best of many."
            if not any(doubts)
            else "The best row is what luck would show, and means nothing by itself."
            if all(doubts)
            else "The evidence is divided: do not trust the best row without other bars."
        )
        return (
            f"{verdict} It has a Sharpe ratio of {self.sharpe_ratio:.2f}; the luckiest of "
            f"{self.trials:,} trials without any skill would show {self.luckiest:.2f}. The "
            f"probability that it is better than that is {percent(self.deflated)} (deflated "
            f"Sharpe ratio; {percent(self.deflated_effective)} if the trials count as the "
            f"{self.effective_trials:.0f} independent ones they amount to). Chosen in one half of "
            f"the bars, the best fell into the lower half of the field in the other in "
            f"{percent(split.probability)} of the splits (95 % bounds {percent(split.low)} to "
            f"{percent(split.high)}), and had a Sharpe ratio below 0 there in "
            f"{percent(split.loss_probability)}. That no trial beats buy-and-hold has a p-value "
            f"of {ability.consistent:.3f} (Hansen; {ability.lower:.3f} to {ability.upper:.3f}; "
            f"reality check {ability.reality_check:.3f})."
        )


def judge(store: Store, *, library: Library, draws: int = 1_000) -> Judgement | None:
    """Return the judgement of a sweep; None if fewer than two trials have a Sharpe ratio."""
    spread = _spread_of_ratios(store)
    objective = store.plan.settings.objective
    row = store.best(objective, count=1)
    if np.isnan(spread) or row[objective].isna().all():
        return None
    best = int(row["trial"].iloc[0])
    compared = _compared(store, best)
    chosen = compared[best]
    per_year = periods_per_year(chosen.data.timeframe)
    returns = returns_of(list(compared.values()), library).to_numpy()
    matrix, held = returns[:, :-1], returns[:, -1]
    if matrix.shape[1] < 2:
        return None
    own = matrix[:, list(compared).index(best)]
    sample = sharpe_sample(own, cash_return=chosen.costs.cash_return(per_year))
    variance = spread / per_year
    trials = store.plan.trials + store.plan.settings.tried_before
    effective = max(effective_trials(matrix), 1.0)
    block = shared_block_length({"best": own, "held": held})
    return Judgement(
        best=best,
        trials=trials,
        compared=len(compared),
        effective_trials=effective,
        sharpe_ratio=float(sample.sharpe_ratio * np.sqrt(per_year)),
        luckiest=expected_maximum_sharpe(trials=trials, variance=variance) * per_year**0.5,
        deflated=deflated_sharpe_ratio(sample, trials=trials, variance=variance),
        deflated_effective=deflated_sharpe_ratio(sample, trials=effective, variance=variance),
        overfitting=backtest_overfitting(matrix),
        superiority=superior_ability(
            matrix, benchmark=held, sampling=Sampling(block_bars=block, draws=draws)
        ),
    )


def returns_of(configs: list[Config], library: Library) -> pd.DataFrame:
    """Return per-bar returns of each config, and last of buy-and-hold, on their common bars."""
    columns = [_returns(config, library).rename(row) for row, config in enumerate(configs)]
    held = buy_and_hold(library.market(configs[0]).traded, costs=configs[0].costs)
    return pd.concat([*columns, held.returns.rename("held")], axis=1, join="inner")


def _returns(config: Config, library: Library) -> pd.Series:
    return simulate(traded_tape(config, library), config).returns


def _spread_of_ratios(store: Store) -> float:
    """Return the variance (ddof 1) of all trials' Sharpe ratios, a year; NaN below two."""
    count, mean, squares = 0, 0.0, 0.0
    for _, part in store.parts(["sharpe_ratio"]):
        every = part["sharpe_ratio"].to_numpy()
        ratios = every[~np.isnan(every)]
        if ratios.size == 0:
            continue
        # two groups' squares about their means, joined about the common mean
        gap, total = ratios.mean() - mean, count + ratios.size
        squares += (
            float(np.sum((ratios - ratios.mean()) ** 2)) + gap**2 * count * ratios.size / total
        )
        mean += gap * ratios.size / total
        count = total
    return squares / (count - 1) if count > 1 else np.nan


def _compared(store: Store, best: int) -> dict[int, Config]:
    """Return an even sample of trials on the best trial's market, the best included."""
    spread = np.linspace(0, store.plan.trials - 1, 4 * MOST_COMPARED).round().astype(int)
    trials = sorted({*spread.tolist(), best})
    values = dict(zip(trials, store.values(trials), strict=True))
    same = [one for one in trials if _market_of(values[one]) == _market_of(values[best])]
    step = max(1, -(-len(same) // (MOST_COMPARED - 1)))
    return {trial: store.plan.config(values[trial]) for trial in sorted({*same[::step], best})}


def _market_of(values: Mapping[str, Any]) -> list[Any]:
    """Return the settings that say on which bars a trial is."""
    sections = ("asset", "data", "index")
    return [value for key, value in values.items() if key.partition(".")[0] in sections]
