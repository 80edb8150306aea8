"""Simulated markets for the tests: bars, and an index whose closes are known at 21:00 UTC."""

from pathlib import Path

import numpy as np
import pandas as pd

from feeds import instruments
from feeds.bars import Bars
from feeds.sessions import sessions_between

FIRST = "2015-01-01"


def coin_bars(name: str, returns: np.ndarray, *, first: str = FIRST) -> Bars:
    """Return daily bars that open at the close before, starting from 100."""
    closes = 100 * np.cumprod(1 + returns)
    opens = np.concatenate(([100.0], closes[:-1]))
    frame = pd.DataFrame(
        {
            "open": opens,
            "high": np.maximum(opens, closes),
            "low": np.minimum(opens, closes),
            "close": closes,
            "volume": np.nan,
        },
        index=pd.date_range(first, periods=returns.size, freq="D", tz="UTC", unit="ns"),
    )
    return Bars(instruments.coin(name), "1d", frame, "simulated", "memory")


def sessions(days: int, *, first: str = FIRST) -> pd.DatetimeIndex:
    """Return the weekdays among the first `days` days."""
    dates = pd.date_range(first, periods=days, freq="D", unit="ns")
    return dates[dates.day_of_week < 5]


def closes_known(dates: pd.DatetimeIndex) -> np.ndarray:
    """Return the instants (nanoseconds, UTC) at which the sessions' closes are known."""
    return (dates + pd.Timedelta(hours=21)).as_unit("ns").asi8


def index_bars(returns: np.ndarray, *, first: str = FIRST) -> Bars:
    """Return index bars on the exchange's own sessions, closing at 1000 times growth."""
    closes = 1000 * np.cumprod(1 + returns)
    dates = sessions_between(pd.Timestamp(first), pd.Timestamp(first) + pd.Timedelta(days=9000))
    frame = pd.DataFrame(
        dict.fromkeys(("open", "high", "low", "close"), closes) | {"volume": np.nan},
        index=dates[: returns.size],
    )
    return Bars(instruments.index("RUT"), "1d", frame, "simulated", "memory")


def save_bars(folder: Path, bars: Bars) -> Path:
    """Write bars as a file of their own into a folder, which is made, and return the file."""
    folder.mkdir(exist_ok=True)
    frame = bars.frame.drop(columns="volume")
    frame.insert(0, "date", frame.index.strftime("%Y-%m-%d"))
    path = folder / f"{bars.instrument.symbol}_{bars.timeframe}.csv"
    frame.to_csv(path, index=False)
    return path
