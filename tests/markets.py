"""Markets made for tests: six-row tapes and seeded random walks."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from feeds.bars import Bars
from feeds.border import validate_bars
from feeds.instruments import Instrument, coin, index
from feeds.sessions import sessions_between
from feeds.table import RawTable

ROW = ("date", "open", "high", "low", "close")


def bars_of(frame: pd.DataFrame, instrument: Instrument, timeframe: str = "1d") -> Bars:
    table = RawTable(frame.assign(date=pd.to_datetime(frame["date"])), "test tape")
    return validate_bars(table, instrument=instrument, timeframe=timeframe, source="test")


def coin_tape(rows: Sequence[tuple[str, float, float]], name: str = "ETH") -> Bars:
    """Return coin bars from (date, open, close); high and low just span the two."""
    return bars_of(_spanned(rows), coin(name))


def index_tape(rows: Sequence[tuple[str, float, float]], name: str = "RUT") -> Bars:
    """Return index bars from (session, open, close)."""
    return bars_of(_spanned(rows), index(name))


def coin_walk(days: int, *, seed: int, start: str = "2018-01-01", drift: float = 0.001) -> Bars:
    dates = pd.date_range(start, periods=days, freq="D")
    return bars_of(_walk(dates, seed=seed, drift=drift, volatility=0.04), coin("ETH"))


def index_walk(sessions: int, *, seed: int, end: str = "2020-12-31", drift: float = 0.001) -> Bars:
    last = pd.Timestamp(end)
    dates = sessions_between(last - pd.Timedelta(days=2 * sessions + 30), last)[-sessions:]
    return bars_of(_walk(dates, seed=seed, drift=drift, volatility=0.01), index("RUT"))


def _spanned(rows: Sequence[tuple[str, float, float]]) -> pd.DataFrame:
    spanned = [(d, o, max(o, c), min(o, c), c) for d, o, c in rows]
    return pd.DataFrame(spanned, columns=list(ROW))


def _walk(dates: pd.DatetimeIndex, *, seed: int, drift: float, volatility: float) -> pd.DataFrame:
    noise = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(noise.normal(drift, volatility, len(dates))))
    # opens gap away from the close before, so that nothing depends on their being equal
    opens = np.concatenate(([100.0], close[:-1])) * np.exp(noise.normal(0, 0.005, len(dates)))
    wide = np.exp(np.abs(noise.normal(0, volatility / 2, len(dates))))
    return pd.DataFrame(
        {
            "date": dates.strftime("%Y-%m-%d"),
            "open": opens,
            "high": np.maximum(opens, close) * wide,
            "low": np.minimum(opens, close) / wide,
            "close": close,
        }
    )
