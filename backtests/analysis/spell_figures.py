"""Each stretch with the signal on, in figures: what it made, what the coin did then and after."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from pandas.api.typing import NaTType

from backtests.analysis.episodes import Spell, episode_starts, rows_of, spells, trigger_sessions
from backtests.engines.backtest import Run

AFTER_DAYS: Final = 90
ONE_DAY: Final = pd.Timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SpellFigures:
    """What one stretch with the signal on made, as fractions; NaN where nothing can be said.

    `gain` is what the account made from its first open, costs included; `coin` what the coin (or
    the basket) did over the same bars and `after` over the 90 days behind them; `share` the part
    of the run's whole log growth. `session` is that of the trigger, `index_level` its close,
    `episode` counts the cluster of triggers, of the run, that it falls into; 0 before the first.
    """

    spell: Spell
    episode: int
    session: pd.Timestamp | NaTType
    index_level: float
    gain: float
    coin: float
    after: float
    share: float


def spell_figures(result: Run) -> list[SpellFigures]:
    """Return the figures of every stretch, in order."""
    begun = result.market.available_at[episode_starts(trigger_sessions(result))]
    return [
        _figures(result, spell, episode=int(begun.searchsorted(spell.start, side="right")))
        for spell in spells(result)
    ]


def _figures(result: Run, spell: Spell, *, episode: int) -> SpellFigures:
    times = pd.DatetimeIndex(result.strategy.bars.index)
    rows = rows_of(spell, times)
    returns = result.strategy.returns.to_numpy()
    whole = float(np.log1p(returns).sum())
    own = float(np.log1p(returns[rows]).sum())
    bars = result.market.traded_bars
    first, last = rows.start, rows.stop - 1
    opened = float(bars["open"].iloc[first])
    is_over = not isinstance(spell.end, NaTType)
    closed = float(bars["open" if is_over else "close"].iloc[last])
    session, level = _trigger(result, first)
    return SpellFigures(
        spell=spell,
        episode=episode,
        session=session,
        index_level=level,
        gain=float(np.expm1(own)),
        coin=closed / opened - 1,
        after=_after(bars, last, closed) if is_over else float("nan"),
        share=own / whole if whole else float("nan"),
    )


def _after(bars: pd.DataFrame, last: int, closed: float) -> float:
    """Return what was made in the days after the sale's open; NaN where they are not over."""
    then = bars.index[last] + AFTER_DAYS * ONE_DAY
    if then > bars.index[-1]:
        return float("nan")
    return float(bars["open"].iloc[int(bars.index.searchsorted(then))]) / closed - 1


def _trigger(result: Run, first: int) -> tuple[pd.Timestamp | NaTType, float]:
    """Return the session whose trigger was bought at a row's open, and the index's close on it."""
    lines = result.market.traded.lines
    before = lines["trigger_session"][:first]
    fired = np.flatnonzero(before >= 0)
    if fired.size == 0:  # a window that was open when the run began
        return pd.NaT, float("nan")
    session = int(before[fired[-1]])
    frame = result.market.index.frame
    return pd.Timestamp(frame.index[session]), float(frame["close"].iloc[session])
