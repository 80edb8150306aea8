"""The present episode of a config's trigger beside all earlier ones."""

import numpy as np
import pandas as pd

from backtests.analysis.episodes import episode_starts
from backtests.analysis.forebears import CoinBars, Forebears, forebears
from backtests.config.config import Config
from backtests.market.market import Market, market_schedule


def forebears_of(market: Market, config: Config) -> Forebears | None:
    """Return the latest episode of the config's trigger beside those before it.

    Episodes are triggers more than 60 sessions apart. None where there is none.
    """
    schedule = market_schedule(market, config)
    starts = episode_starts(np.flatnonzero(schedule.kinds > 0))
    lines = market.tape.cut(slice(0, market.tradable.stop)).lines
    return forebears(
        pd.DatetimeIndex(market.index.frame.index)[starts],
        (schedule.known_at[starts] + schedule.delay) / 1e9,
        CoinBars(*(lines[name] for name in ("time", "bar_end", "open", "close", "index_close"))),
    )
