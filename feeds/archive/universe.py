"""The coins of a venue on each day, as they were known then: dead ones included."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from feeds.archive.folder import ArchiveFolder
from feeds.archive.pair_table import ABOUT, FORMAT, SOURCE, TIME, base_of
from feeds.archive.zip_members import COLUMNS, span_of
from feeds.arrays import Flags, Floats, Integers
from feeds.bars import QUOTE_VOLUME, Bars
from feeds.checks import LONG_GAP
from feeds.errors import DataError, NotCached
from feeds.instruments import Instrument
from feeds.sessions import BAR_LENGTHS
from feeds.universe import is_altcoin, number_ticker
from feeds.vendors.registry import one_line

# The archive publishes a day pair by pair: the last days are left out until this share of the
# coins has them.
WHOLE_SHARE: Final = 0.9
MOST_UNPUBLISHED: Final = 3
FEWEST_COINS: Final = 20  # of fewer, one that dies is a large share
DOWNLOAD: Final = "python -m feeds.download --universe binance --timeframe 1d"
NAMES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Coin:
    """One coin: its instrument, and which rows of which pair are its own.

    The coin that takes a dead one's ticker over is called LUNA.2, see `feeds.universe`. `place`
    counts pairs, `first` to `stop` - 1 that pair's rows.
    """

    instrument: Instrument
    pair: str
    place: int
    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class CoinPanel:
    """All coins on one grid of bars, shape (bars, coins), coins sorted by symbol.

    `alive` is whether a coin has a bar; `close` and `money` (what was traded, in dollars)
    are NaN where it has none.
    """

    times: pd.DatetimeIndex
    coins: tuple[Instrument, ...]
    alive: Flags
    close: Floats
    money: Floats


class Universe:
    """Every altcoin a venue ever listed, from the cache.

    Raises
    ------
    NotCached
        If it was never downloaded.
    DataError
        If what is held is damaged.
    """

    def __init__(self, folder: ArchiveFolder) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._folder = folder
        try:
            self._file = pq.ParquetFile(folder.universe, page_checksum_verification=True)
            self._about: Mapping[str, Any] = json.loads(self._file.metadata.metadata[ABOUT])
            self._groups: list[Mapping[str, Any]] = self._about["pairs"]
            is_readable = self._about["format"] == FORMAT and len(self._groups) > 0
        except FileNotFoundError as error:
            raise NotCached(
                f"`basket.universe` {folder.venue} is not in the cache {folder.root}. Fetch it "
                f"with `{DOWNLOAD}`."
            ) from error
        except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
            raise _damage(folder, one_line(error)) from error
        if not is_readable:
            raise _damage(folder, "it is empty or of another version")

    @property
    def is_complete(self) -> bool:
        """Whether every pair the venue lists is there."""
        return not self._about["absent"]

    @property
    def pair_count(self) -> int:
        """How many pairs are there."""
        return len(self._groups)

    @cached_property
    def coins(self) -> tuple[Coin, ...]:
        """Every coin, sorted by symbol; a ticker used twice is two coins."""
        bases = {base_of(group["pair"]) for group in self._groups}
        found = [
            coin
            for place, group in enumerate(self._groups)
            if is_altcoin(base_of(group["pair"]), listed=bases)
            for coin in self._lives(group, place)
        ]
        return tuple(sorted(found, key=lambda coin: coin.instrument.symbol))

    @cached_property
    def panel(self) -> CoinPanel:
        """All coins on one grid of bars, up to the last one that was published for nearly all."""
        opens, step = self._columns[TIME], self._step
        begin = int(opens.min())
        shape = (int((opens.max() - begin) // step) + 1, len(self.coins))
        close, money = np.full(shape, np.nan), np.full(shape, np.nan)
        for place, coin in enumerate(self.coins):
            own = slice(self._starts[coin.place] + coin.first, self._starts[coin.place] + coin.stop)
            bars = (opens[own] - begin) // step
            close[bars, place] = self._columns["close"][own]
            money[bars, place] = self._columns[QUOTE_VOLUME][own]
        times = _instants(begin + np.arange(shape[0]) * step)
        alive = np.isfinite(close)
        count = self._published_bars(times, alive)
        instruments = tuple(coin.instrument for coin in self.coins)
        return CoinPanel(times[:count], instruments, alive[:count], close[:count], money[:count])

    @cached_property
    def died(self) -> tuple[Coin, ...]:
        """The coins whose last bar lies well before the end."""
        quiet = int(LONG_GAP.as_unit("ns").value // self._step)
        silent = ~self.panel.alive[-quiet - 1 :].any(axis=0)
        return tuple(self.coins[place] for place in np.flatnonzero(silent))

    def bars(self, instruments: Iterable[Instrument]) -> tuple[Bars, ...]:
        """Return all bars of some coins, sorted by symbol; one without any is left out."""
        wanted, last = set(instruments), self.panel.times[-1]
        found = []
        for coin in (each for each in self.coins if each.instrument in wanted):
            content = self._read(partial(self._file.read_row_group, coin.place))
            rows = slice(coin.first, coin.stop)
            columns = {name: content[name][rows] for name in COLUMNS}
            frame = pd.DataFrame(columns, index=_instants(content[TIME][rows]))
            frame = frame[frame.index <= last]
            origin = f"{self._folder.venue} archive {coin.pair}"
            found.append(Bars(coin.instrument, self._folder.timeframe, frame, SOURCE, origin))
        return tuple(bars for bars in found if len(bars))

    def summary(self) -> str:
        """Return in a line what there is: pairs, coins, deaths and range."""
        part = "" if self.is_complete else " (PART of those listed)"
        times = self.panel.times
        return (
            f"{self._folder.venue} {self._folder.timeframe}: {self.pair_count:,} pairs{part}, "
            f"{len(self.coins):,} coins, {len(self.died):,} of them died, "
            f"{times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}"
        )

    def notes(self) -> tuple[str, ...]:
        """Return what a reader should know of the universe as a whole."""
        venue, about = self._folder.venue, self._about
        missing = [f"{group['pair']} {', '.join(group['missing'])}" for group in self._groups
                   if group["missing"]]  # fmt: skip
        found = []
        if about["absent"]:
            found.append(
                f"PART OF A UNIVERSE: {len(about['absent'])} of the {venue} archive's "
                f"{len(about['absent']) + self.pair_count} pairs were never downloaded, so the "
                f"largest of each month may be missing. `{DOWNLOAD}` fetches the rest"
            )
        if about["refused"]:
            found.append(f"{venue} archive: left out of the universe: {name_of(about['refused'])}")
        if missing:
            found.append(
                f"{venue} archive: files that are listed and could not be had: {name_of(missing)}; "
                f"`{DOWNLOAD}` tries again"
            )
        return tuple(found)

    @property
    def _step(self) -> int:
        return BAR_LENGTHS[self._folder.timeframe].as_unit("ns").value

    @cached_property
    def _starts(self) -> Integers:
        return np.cumsum([0, *(group["rows"] for group in self._groups)])

    @cached_property
    def _columns(self) -> dict[str, NDArray[Any]]:
        """The columns that coins are told apart and ranked by, of all pairs."""
        return self._read(partial(self._file.read, columns=[TIME, "close", QUOTE_VOLUME]))

    def _read(self, read: Callable[[], Any]) -> dict[str, NDArray[Any]]:
        import pyarrow as pa

        try:
            content = read()
        except (OSError, pa.ArrowException) as error:
            raise _damage(self._folder, one_line(error)) from error
        return {name: np.asarray(content[name]) for name in content.column_names}

    def _lives(self, group: Mapping[str, Any], place: int) -> Iterator[Coin]:
        """Cut the rows of a ticker where it came back as another coin."""
        start, rows = int(self._starts[place]), group["rows"]
        opens = self._columns[TIME][start : start + rows]
        silent = np.diff(opens) - self._step
        breaks = np.flatnonzero(silent >= LONG_GAP.as_unit("ns").value) + 1
        holes = [tuple(end.as_unit("ns").value for end in span_of(p)) for p in group["missing"]]
        # a file that could not be had leaves a gap in what we hold, not in the trading
        real = [
            at for at in breaks.tolist()
            if not any(begin < opens[at] and end > opens[at - 1] for begin, end in holes)
        ]  # fmt: skip
        ticker = Instrument(f"{base_of(group['pair'])}-USD", "coin")
        for number, (first, stop) in enumerate(pairwise([0, *real, rows]), start=1):
            yield Coin(number_ticker(ticker, number), group["pair"], place, first, stop)

    def _published_bars(self, times: pd.DatetimeIndex, alive: Flags) -> int:
        """Return how many bars there are up to the last that all pairs could have."""
        count = len(times)
        if self._about["known_until"]:
            ends = times + BAR_LENGTHS[self._folder.timeframe]
            count = int(ends.searchsorted(pd.Timestamp(self._about["known_until"]), side="right"))
        counts = alive[:count].sum(axis=1)
        for _ in range(min(MOST_UNPUBLISHED, count - 1)):
            before = counts[count - 2]
            if before >= FEWEST_COINS and counts[count - 1] < WHOLE_SHARE * before:
                count -= 1
        return max(count, 1)


def name_of(names: Iterable[str]) -> str:
    """Return the first few names in words."""
    listed = list(names)
    rest = len(listed) - NAMES_SHOWN
    return ", ".join(listed[:NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _instants(nanoseconds: Integers) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(nanoseconds.view("datetime64[ns]")).tz_localize("UTC")


def _damage(folder: ArchiveFolder, reason: str) -> DataError:
    return DataError(
        f"the universe in {folder.root} is damaged ({reason}). `{DOWNLOAD}` puts it together "
        "again; nothing is fetched twice."
    )
