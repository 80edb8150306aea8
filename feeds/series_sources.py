"""Series for filters: from files, or from FRED."""

from pathlib import Path

import pandas as pd

from feeds.errors import DataError
from feeds.files import Files
from feeds.instruments import index
from feeds.releases import FRED_SERIES
from feeds.series import Series, series_from_file
from feeds.sessions import bar_ends
from feeds.vendors.fred import NET_LIQUIDITY, NET_LIQUIDITY_PARTS, Fred, net_liquidity


def load_series(
    name: str, *, source: str, data_dir: str, offline: bool, lag_days: float | None
) -> Series:
    """Return the series called `name`.

    A file `<NAME>_series.csv` in `data_dir` comes first, then the closes of index bars of
    that name (VIX), then, for a live source, FRED. `lag_days` of None takes the built-in
    release calendar.

    Raises
    ------
    DataError
        If none of them has it.
    """
    folder = Path(data_dir)
    if data_dir and folder.is_dir():
        found = _from_folder(folder, name, lag_days)
        if found is not None:
            return found
    live = source not in ("files", "sample") and not offline
    if live and (name in FRED_SERIES or name == NET_LIQUIDITY):
        return Fred().fetch(name)
    raise DataError(f"the series {name} is not here. Put {name}_series.csv into --data-dir.")


def _from_folder(folder: Path, name: str, lag_days: float | None) -> Series | None:
    if (folder / f"{name}_series.csv").is_file():
        return series_from_file(folder, name, lag_days=lag_days)
    parts = [folder / f"{part}_series.csv" for part in NET_LIQUIDITY_PARTS]
    if name == NET_LIQUIDITY and all(part.is_file() for part in parts):
        return net_liquidity(*(series_from_file(folder, part) for part in NET_LIQUIDITY_PARTS))
    if any((folder / f"{name}_1d{suffix}").is_file() for suffix in (".parquet", ".csv")):
        return _closes(folder, name)
    return None


def _closes(folder: Path, name: str) -> Series:
    bars = Files(folder).load(index(name), timeframe="1d")
    sessions = pd.DatetimeIndex(bars.frame.index)
    frame = pd.DataFrame(
        {
            "value": bars.frame["close"].to_numpy(),
            "available_at": bar_ends(sessions, kind="index", timeframe="1d"),
        },
        index=sessions,
    )
    return Series(name, "index", frame, bars.source, bars.origin, bars.notes)
