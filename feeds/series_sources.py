"""Series for filters: from files, or live through the cache."""

from pathlib import Path

from feeds import fund, net_liquidity, unprofitable
from feeds.cache.updates import Cache
from feeds.errors import Absent, DataError
from feeds.files import Files
from feeds.folders import cache_folder
from feeds.instruments import index
from feeds.live import Live
from feeds.live_series import LiveSeries, closes
from feeds.series import Series, series_from_file
from feeds.sources import is_live


def load_series(
    name: str,
    *,
    source: str,
    data_dir: str = "",
    cache_dir: str = "",
    offline: bool = False,
    lag_days: float | None = None,
    history: str = "longest",
) -> Series:
    """Return the series called `name`.

    A file `<NAME>_series.csv` in `data_dir` comes first, then what else there makes the series
    (a fund's history file, index bars); a live `source` then asks its publisher. Published
    shares of unprofitable companies are on board. `lag_days` of None takes the built-in
    release calendar.

    Raises
    ------
    Absent
        If none of them has it.
    DataError
        If one has it and it cannot be read.
    """
    folder = Path(data_dir)
    if data_dir and folder.is_dir():
        found = _from_folder(folder, name, lag_days, history)
        if found is not None:
            return found
    if is_live(source):
        return open_live_series(cache_dir=cache_dir, offline=offline).load(name, lag_days=lag_days)
    if name == unprofitable.NAME and source == "files":
        return unprofitable.unprofitable_share(lag_days=lag_days)
    raise Absent(f"the series {name} is not here. Put {name}_series.csv into --data-dir.")


def open_live_series(*, cache_dir: str = "", offline: bool = False) -> LiveSeries:
    """Return the live series, kept in the same cache as bars."""
    cache = Cache(cache_folder(cache_dir))
    return LiveSeries(cache, bars=Live(cache, offline=offline), offline=offline)


def _from_folder(folder: Path, name: str, lag_days: float | None, history: str) -> Series | None:
    if (folder / f"{name}_series.csv").is_file():
        return series_from_file(folder, name, lag_days=lag_days)
    parts = net_liquidity.PARTS
    if name == net_liquidity.NAME and all((folder / f"{p}_series.csv").is_file() for p in parts):
        return net_liquidity.net_liquidity(
            *(series_from_file(folder, part, lag_days=lag_days) for part in parts)
        )
    if name == fund.NAME:
        return _flows(folder, lag_days)
    if any((folder / f"{name}_1d{suffix}").is_file() for suffix in (".parquet", ".csv")):
        return closes(
            Files(folder, history=history).load(index(name), timeframe="1d"), lag_days=lag_days
        )
    return None


def _flows(folder: Path, lag_days: float | None) -> Series | None:
    paths = fund.fund_files(folder)
    if len(paths) > 1:
        raise DataError(
            f"the series {fund.NAME} has two files: {paths[0].name} and {paths[1].name} are both "
            "a fund's history. Leave one of them in the folder."
        )
    return fund.flows_from_file(paths[0], lag_days=lag_days) if paths else None
