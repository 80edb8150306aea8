"""Markets made for tests: six-row tapes, bars of given returns, and one seeded random walk."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from feeds.bars import Bars
from feeds.instruments import Instrument, coin, index
from feeds.raw_table import RawTable
from feeds.sessions import sessions_between
from feeds.validation import validate_bars

ROW = ("date", "open", "high", "low", "close")
FIRST = "2015-01-01"


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


def coin_bars(name: str, returns: np.ndarray, *, first: str = FIRST) -> Bars:
    """Return daily bars of these returns, which open at the close before, starting from 100."""
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
    return Bars(coin(name), "1d", frame, "simulated", "memory")


def weekdays(days: int, *, first: str = FIRST) -> pd.DatetimeIndex:
    """Return the weekdays among the first `days` days."""
    dates = pd.date_range(first, periods=days, freq="D", unit="ns")
    return dates[dates.day_of_week < 5]


def closes_known(dates: pd.DatetimeIndex) -> np.ndarray:
    """Return the instants (nanoseconds, UTC) at which the sessions' closes are known."""
    return (dates + pd.Timedelta(hours=21)).as_unit("ns").asi8


def index_bars(returns: np.ndarray, *, first: str = FIRST) -> Bars:
    """Return index bars of these returns on the exchange's own sessions, from 1000."""
    closes = 1000 * np.cumprod(1 + returns)
    dates = sessions_between(pd.Timestamp(first), pd.Timestamp(first) + pd.Timedelta(days=9000))
    frame = pd.DataFrame(
        dict.fromkeys(("open", "high", "low", "close"), closes) | {"volume": np.nan},
        index=dates[: returns.size],
    )
    return Bars(index("RUT"), "1d", frame, "simulated", "memory")


def save_bars(folder: Path, bars: Bars) -> Path:
    """Write bars as a file of their own into a folder, which is made, and return the file."""
    folder.mkdir(exist_ok=True)
    frame = bars.frame.drop(columns="volume")
    frame.insert(0, "date", frame.index.strftime("%Y-%m-%d"))
    path = folder / f"{bars.instrument.symbol}_{bars.timeframe}.csv"
    frame.to_csv(path, index=False)
    return path


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
