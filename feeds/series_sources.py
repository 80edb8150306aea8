"""Series for filters: from files, or live through the cache."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import pandas as pd

from feeds import fund_flows
from feeds.bars import Bars
from feeds.cache.store import Damaged, Key, StoredTable
from feeds.cache.updates import Cache, Fetched
from feeds.derived_series import (
    LIQUIDITY_PARTS,
    NET_LIQUIDITY,
    UNPROFITABLE_SHARE,
    net_liquidity,
    unprofitable_share,
)
from feeds.errors import Absent, ConfigError, DataError, NotCached
from feeds.files import Files
from feeds.folders import cache_folder, is_folder
from feeds.instruments import BY_SYMBOL, INDEX_NAMES, SERIES_NAME, index, is_symbol
from feeds.live import Live
from feeds.message_text import nearest_hint
from feeds.reading import NOTHING_CHOSEN, Choices
from feeds.releases import FRED_SERIES, SERIES, after_days
from feeds.series import Series, release_frame, series_from_file, series_path, terms
from feeds.sessions import bar_ends
from feeds.sources import Source, is_live
from feeds.vendors.request_policy import PROCESS_REACH, Reach
from feeds.vendors.series_publishers import Alternative, Fred, Ishares

log = logging.getLogger(__name__)
# These vendors serve whole series only, and none of them is published more often.
MAX_AGE: Final = pd.Timedelta(days=1)
# The index is computed from options that trade a quarter of an hour longer than stocks.
LATE_CLOSES: Final = {"VIX": pd.Timedelta(minutes=15)}
# What FRED has of an index whose bars cannot be had; known only the next morning.
STAND_INS: Final = {"VIX": "VIXCLS"}
# Who serves a series that is not FRED's.
PUBLISHERS: Final = {"ETF_FLOWS": "ishares", "FEAR_GREED": "alternative"}


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
    if name == UNPROFITABLE_SHARE and source == "files":
        return unprofitable_share(lag_days=lag_days)
    raise Absent(f"the series {name} is not here. Put {name}_series.csv into --data-dir.")


def series_names(data_dir: str = "") -> list[str]:
    """Return the series that have a source: built in, or a file in the folder."""
    folder = Path(data_dir)
    held = folder.glob("*_series.*") if data_dir and is_folder(folder) else ()
    files = {path.name.partition("_series.")[0] for path in held}
    return sorted({NET_LIQUIDITY, *SERIES, *BY_SYMBOL, *files})


def _from_folder(folder: Path, files: Files, name: str, lag_days: float | None) -> Series | None:
    def from_file(name: str) -> Series:
        return series_from_file(folder, name, lag_days=lag_days, choices=files.choices)

    if series_path(folder, name) is not None:
        return from_file(name)
    parts = LIQUIDITY_PARTS
    if name == NET_LIQUIDITY and all(series_path(folder, part) for part in parts):
        return net_liquidity(*map(from_file, parts))
    if name == fund_flows.NAME:
        return _flows(folder, lag_days)
    if is_symbol(name) and files.holds(index(name), timeframe="1d"):
        return closes(files.load(index(name), timeframe="1d"), lag_days=lag_days)
    return None


def _flows(folder: Path, lag_days: float | None) -> Series | None:
    paths = fund_flows.fund_files(folder)
    if len(paths) > 1:
        raise DataError(
            f"the series {fund_flows.NAME} has two files: {paths[0].name} and {paths[1].name} are "
            "both a fund's history. Leave one of them in the folder."
        )
    return fund_flows.flows_from_file(paths[0], lag_days=lag_days) if paths else None


class SeriesVendor(Protocol):
    """A publisher of whole series."""

    @property
    def name(self) -> str:
        """The word that names it in the cache and in messages."""
        ...

    def fetch(self, name: str) -> Series:
        """Return the series, or raise as `feeds.vendors.registry.Vendor.fetch` promises."""
        ...


class LiveSeries:
    """Series from their publishers and from index bars, each held in the cache.

    Parameters
    ----------
    bars
        Where the bars of an index come from.
    offline
        Whether series come from the cache alone.
    vendors, reach
        The publishers by name and the memory of who answers; tests give their own.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        bars: Source,
        offline: bool = False,
        vendors: Mapping[str, SeriesVendor] | None = None,
        reach: Reach = PROCESS_REACH,
    ) -> None:
        self._cache = cache
        self._bars = bars
        self._offline = offline
        self._vendors = vendors or {
            "fred": Fred(),
            "ishares": Ishares(),
            "alternative": Alternative(),
        }
        self._reach = reach

    def load(self, name: str, *, lag_days: float | None = None) -> Series:
        """Return the series called `name`, known from its release or after `lag_days`.

        Raises
        ------
        NotServed, NotCached, Unreachable, DataError
            As for bars.
        """
        if name == NET_LIQUIDITY:
            return net_liquidity(*(self.load(part, lag_days=lag_days) for part in LIQUIDITY_PARTS))
        if name == UNPROFITABLE_SHARE:
            return unprofitable_share(lag_days=lag_days)
        if name in FRED_SERIES or name in PUBLISHERS:
            return self._publish(name, lag_days)
        if name in BY_SYMBOL:
            return self._of_index(name, lag_days)
        near = nearest_hint(name, (NET_LIQUIDITY, *SERIES, *BY_SYMBOL))
        raise Absent(f"the series {name} is not here. Put {name}_series.csv into --data-dir.{near}")

    def _of_index(self, name: str, lag_days: float | None) -> Series:
        try:
            return closes(self._bars.load(index(name), timeframe="1d"), lag_days=lag_days)
        except DataError as error:
            stand_in = STAND_INS.get(name)
            if stand_in is None:
                raise
            log.info("%s: %s", name, error)
        series = self._publish(stand_in, lag_days)
        note = f"the series {name}: {stand_in} of FRED stands in for its bars, a day later"
        return replace(series, name=name, notes=(note, *series.notes))

    def _publish(self, name: str, lag_days: float | None) -> Series:
        key = Key(PUBLISHERS.get(name, "fred"), name, "series")
        table = self._table(key) if self._offline else self._renew(key)
        if table is None:
            raise NotCached(
                f"the series {name} is not in the cache {self._cache.store.folder}, and --offline "
                f"uses nothing else. Drop --offline, or put {name}_series.csv into --data-dir."
            )
        units, release = terms(name, lag_days)
        about = table.manifest.about
        frame = release_frame(table.frame["value"], release)
        return Series(name, units, frame, about.source, about.origin, about.notes)

    def _renew(self, key: Key) -> StoredTable | None:
        try:
            self._cache.renew(key, lambda _: self._fetch(key), max_age=MAX_AGE)
        except DataError as error:
            if not self._cache.holds(key):
                raise
            log.warning("%s: the cached values are used as they are, because: %s", key, error)
        try:
            return self._table(key)
        except Damaged as damage:
            self._cache.reload(key, lambda _: self._fetch(key), reason=str(damage))
            return self._table(key)

    def _table(self, key: Key) -> StoredTable | None:
        return self._cache.store.read(key)

    def _fetch(self, key: Key) -> Fetched:
        with self._reach.asking(key.vendor):
            series = self._vendors[key.vendor].fetch(key.symbol)
        return Fetched(series.frame[["value"]], series.source, series.origin, series.notes)


def open_live_series(*, cache_dir: str = "", offline: bool = False) -> LiveSeries:
    """Return the live series, kept in the same cache as bars."""
    cache = Cache(cache_folder(cache_dir))
    return LiveSeries(cache, bars=Live(cache, offline=offline), offline=offline)


def closes(bars: Bars, *, lag_days: float | None = None) -> Series:
    """Return the closes of daily index bars, known at the session's close or after `lag_days`."""
    name = bars.instrument.symbol
    late = LATE_CLOSES.get(name, pd.Timedelta(0))

    def release(sessions: pd.DatetimeIndex) -> pd.DatetimeIndex:
        if lag_days is not None:
            return after_days(sessions, lag_days=lag_days)
        return bar_ends(sessions, kind="index", timeframe="1d") + late

    frame = release_frame(bars.frame["close"], release)
    return Series(name, "index", frame, bars.source, bars.origin, bars.notes)
