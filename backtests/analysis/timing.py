"""Timing: what an earlier or later entry after the index's events would have earned.

An entry before the event is known uses the future and is a diagnostic only: it shows
whether the coin had already moved when the signal came.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests.analysis.effects import Placement, effect_against_random, outcomes
from backtests.analysis.episodes import episodes
from backtests.analysis.events import Events
from backtests.analysis.forward import (
    AssetPrices,
    delayed_growth,
    entry_positions,
)

DELAYS: Final[NDArray[np.int64]] = np.arange(-30, 121)
_DELAY_KEY: Final = 2_000_000  # beyond any horizon that is used as a key


def entry_delays(
    asset: AssetPrices,
    events: Events,
    *,
    placement: Placement,
    horizon_days: int,
    delays: NDArray[np.int64] = DELAYS,
) -> pd.DataFrame:
    """Return the growth over `horizon_days` from an entry `delay` days after the first open.

    A row a delay: `delay_days`, `uses_future` (below 0), `episodes`, `geometric_mean`,
    `random_mean` (of random dates), `excess` with its interval, and `p_value`. Returns are
    simple fractions. With this many delays some look good by chance alone.
    """
    own = episodes(np.flatnonzero(events.occurred), gap=placement.gap)
    entries = entry_positions(asset, available_at=events.available_at)
    rows = []
    for delay in delays:
        growth = delayed_growth(asset, entries, delay=float(delay), days=horizon_days)
        effect = effect_against_random(outcomes(growth, own), placement=placement, key=_DELAY_KEY)
        rows.append(
            {
                "delay_days": int(delay),
                "uses_future": bool(delay < 0),
                "episodes": effect.episodes,
                "geometric_mean": float(np.expm1(effect.mean)),
                "random_mean": float(np.expm1(effect.random_mean)),
                "excess": float(np.expm1(effect.excess)),
                "excess_low": float(np.expm1(effect.low)),
                "excess_high": float(np.expm1(effect.high)),
                "p_value": effect.p_value,
            }
        )
    return pd.DataFrame(rows)


def best_delay(table: pd.DataFrame) -> dict[str, float]:
    """Return the row of the largest excess among entries that do not use the future.

    Empty where no such entry has an outcome.
    """
    honest = table[~table["uses_future"] & table["excess"].notna()]
    if honest.empty:
        return {}
    best = honest.iloc[int(honest["excess"].to_numpy().argmax())]
    return {str(name): float(value) for name, value in best.items()}
