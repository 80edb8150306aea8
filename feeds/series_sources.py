"""Series for filters: from files, or live through the cache."""

import re
from pathlib import Path

from feeds import fund, net_liquidity, unprofitable
from feeds.cache.updates import Cache
from feeds.errors import Absent, ConfigError, DataError
from feeds.files import Files
from feeds.folders import cache_folder, is_folder
from feeds.instruments import BY_SYMBOL, INDEX_NAMES, SERIES_NAME, index, is_symbol
from feeds.live import Live
from feeds.live_series import LiveSeries, closes
from feeds.reading import NOTHING_CHOSEN, Choices
from feeds.releases import SERIES
from feeds.series import Series, series_from_file, series_path
from feeds.sources import is_live


def load_series(
    name: str,
    *,
    source: str,
    data_dir: str = "",
    cache_dir: str = "",
    offline: bool = False,
    lag_days: float | None = None,
    choices: Choices = NOTHING_CHOSEN,
    history: str = "longest",
) -> Series:
    """Return the series called `name`.

    A file `<NAME>_series.csv` in `data_dir` comes first, then what else there makes the series
    (a fund's history file, index bars); a live `source` then asks its publisher. Published
    shares of unprofitable companies are on board. `lag_days` of None takes the built-in
    release calendar.

    Raises
    ------
    ConfigError
        If the name could leave the folder.
    Absent
        If none of them has it.
    DataError
        If it is there and cannot be read.
    """
    if not re.fullmatch(SERIES_NAME, name):
        raise ConfigError(
            f"a series must have a plain name of letters and digits, such as M2SL, received "
            f"{name!r}."
        )
    name = INDEX_NAMES.get(name, name)
    folder = Path(data_dir)
    if data_dir and is_folder(folder):
        files = Files(folder, choices=choices, history=history)
        found = _from_folder(folder, files, name, lag_days)
        if found is not None:
            return found
    if is_live(source):
        return open_live_series(cache_dir=cache_dir, offline=offline).load(name, lag_days=lag_days)
    if name == unprofitable.NAME and source == "files":
        return unprofitable.unprofitable_share(lag_days=lag_days)
    raise Absent(f"the series {name} is not here. Put {name}_series.csv into --data-dir.")


def series_names(data_dir: str = "") -> list[str]:
    """Return the series that have a source: built in, or a file in the folder."""
    folder = Path(data_dir)
    held = folder.glob("*_series.*") if data_dir and is_folder(folder) else ()
    files = {path.name.partition("_series.")[0] for path in held}
    return sorted({net_liquidity.NAME, *SERIES, *BY_SYMBOL, *files})


def open_live_series(*, cache_dir: str = "", offline: bool = False) -> LiveSeries:
    """Return the live series, kept in the same cache as bars."""
    cache = Cache(cache_folder(cache_dir))
    return LiveSeries(cache, bars=Live(cache, offline=offline), offline=offline)


def _from_folder(folder: Path, files: Files, name: str, lag_days: float | None) -> Series | None:
    def from_file(name: str) -> Series:
        return series_from_file(folder, name, lag_days=lag_days, choices=files.choices)

    if series_path(folder, name) is not None:
        return from_file(name)
    parts = net_liquidity.PARTS
    if name == net_liquidity.NAME and all(series_path(folder, part) for part in parts):
        return net_liquidity.net_liquidity(*map(from_file, parts))
    if name == fund.NAME:
        return _flows(folder, lag_days)
    if is_symbol(name) and files.holds(index(name), timeframe="1d"):
        return closes(files.load(index(name), timeframe="1d"), lag_days=lag_days)
    return None


def _flows(folder: Path, lag_days: float | None) -> Series | None:
    paths = fund.fund_files(folder)
    if len(paths) > 1:
        raise DataError(
            f"the series {fund.NAME} has two files: {paths[0].name} and {paths[1].name} are both "
            "a fund's history. Leave one of them in the folder."
        )
    return fund.flows_from_file(paths[0], lag_days=lag_days) if paths else None
