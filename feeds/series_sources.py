"""Series for filters: from files, or live through the cache."""

from pathlib import Path

from feeds import net_liquidity
from feeds.cache.updates import Cache
from feeds.errors import DataError
from feeds.files import Files
from feeds.folders import cache_folder
from feeds.instruments import index, is_symbol
from feeds.live import Live
from feeds.live_series import LiveSeries, closes
from feeds.reading import NOTHING_CHOSEN, Choices
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
) -> Series:
    """Return the series called `name`.

    A file `<NAME>_series.csv` in `data_dir` comes first, then the closes of index bars of
    that name there (VIX); a live `source` then has FRED's series and index bars. `lag_days`
    of None takes the built-in release calendar.

    Raises
    ------
    DataError
        If none of them has it.
    """
    folder = Path(data_dir)
    if data_dir and folder.is_dir():
        found = _from_folder(folder, name, lag_days, choices)
        if found is not None:
            return found
    if is_live(source):
        return open_live_series(cache_dir=cache_dir, offline=offline).load(name, lag_days=lag_days)
    raise DataError(f"the series {name} is not here. Put {name}_series.csv into --data-dir.")


def open_live_series(*, cache_dir: str = "", offline: bool = False) -> LiveSeries:
    """Return the live series, kept in the same cache as bars."""
    cache = Cache(cache_folder(cache_dir))
    return LiveSeries(cache, bars=Live(cache, offline=offline), offline=offline)


def _from_folder(
    folder: Path, name: str, lag_days: float | None, choices: Choices
) -> Series | None:
    if series_path(folder, name) is not None:
        return series_from_file(folder, name, lag_days=lag_days, choices=choices)
    parts = net_liquidity.PARTS
    if name == net_liquidity.NAME and all(series_path(folder, part) for part in parts):
        return net_liquidity.net_liquidity(
            *(series_from_file(folder, part, lag_days=lag_days, choices=choices) for part in parts)
        )
    files = Files(folder, choices=choices)
    if is_symbol(name) and files.holds(index(name), timeframe="1d"):
        return closes(files.load(index(name), timeframe="1d"), lag_days=lag_days)
    return None
