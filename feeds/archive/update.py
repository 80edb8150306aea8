"""Bring what is held of the archive up to date: only what is new or was revised is fetched."""

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from feeds.archive.client import ArchiveListing, Client
from feeds.archive.pair_table import QUOTE, PairTable, base_of, extend, read_table, write_table
from feeds.archive.zip_members import Member, MemberTable, fetch_member, members_of
from feeds.errors import DataError, InputError, Unreachable
from feeds.sessions import Clock, utc_now
from feeds.universe import is_altcoin

log = logging.getLogger(__name__)

MONTHLY: Final = "data/spot/monthly/klines/"
DAILY: Final = "data/spot/daily/klines/"
WORKERS: Final = 16  # each waits for the network most of the time
MOST_SILENT: Final = 2 * WORKERS  # pairs in a row that find nobody: the network is gone


@dataclass(frozen=True, slots=True)
class Update:
    """What one pair's update brought: zips fetched, their bytes, and what a reader should know.

    `failures` are zips that are listed and could not be had, one line each; `holes` are months
    between its first and its last of which the archive has no file.
    """

    pair: str
    fetched: int
    size: int
    notes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    holes: tuple[str, ...] = ()


class Archive:
    """The pairs of the archive, each kept as one table in `folder`."""

    def __init__(
        self, folder: Path, *, timeframe: str, client: Client | None = None, clock: Clock = utc_now
    ) -> None:
        self.folder = folder
        self.timeframe = timeframe
        self._client = client or Client()
        self._listing = ArchiveListing(self._client)
        self._clock = clock
        self._stopped = threading.Event()

    def pairs(self) -> list[str]:
        """Return every pair of an altcoin that the archive has, sorted, each once.

        A pair listed this month has no monthly file yet.
        """
        named = {name for top in (MONTHLY, DAILY) for name in self._listing.folders(top)}
        coins = {base_of(name) for name in named if name.endswith(QUOTE) and name != QUOTE}
        return sorted(f"{name}{QUOTE}" for name in coins if is_altcoin(name, listed=coins))

    def updates(
        self, pairs: Sequence[str], *, anew: bool = False
    ) -> Iterator[tuple[str, Update | InputError]]:
        """Update several pairs at once, and yield each as it is done or has failed.

        Raises
        ------
        Unreachable
            If so many pairs in a row found nobody that the network must be gone.
        """
        silent = 0
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            running = {pool.submit(self.update, pair, anew=anew): pair for pair in pairs}
            try:
                for future in as_completed(running):
                    outcome = _outcome(future.result)
                    if isinstance(outcome, Unreachable):
                        silent += 1
                        if silent >= MOST_SILENT:
                            raise outcome
                    else:
                        silent = 0
                    yield running[future], outcome
            finally:
                self._stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
                self._stopped.clear()

    def update(self, pair: str, *, anew: bool = False) -> Update:
        """Fetch what is new of one pair and put its table in its place.

        What had arrived before a failure is kept.

        Raises
        ------
        Unreachable, NotServed, DataError
            If the archive does not answer, or what it serves is no table of bars.
        """
        run = _Run(None if anew else read_table(self.folder, pair))
        listed = self._list_months(pair)
        try:
            for period in sorted(listed):
                self._fetch(listed[period], run)
        except InputError:
            if run.news:
                self._put(pair, listed, run)
            raise
        table = self._put(pair, listed, run)
        before = run.held.notes if run.held else ()
        return Update(
            pair,
            fetched=len(run.news),
            size=sum(each.size for each in run.news),
            notes=(*run.notes, *(note for note in table.notes if note not in before)),
            failures=tuple(run.failures),
            holes=_holes([member.month for member in listed.values()]),
        )

    def _list_months(self, pair: str) -> dict[str, Member]:
        """Return the months the archive has, and the days of the months it has not."""
        monthly = self._members(MONTHLY, pair)
        daily = self._members(DAILY, pair, after=_first_without(sorted(monthly)))
        return monthly | {day: one for day, one in daily.items() if one.month not in monthly}

    def _members(
        self, top: str, pair: str, *, after: str = "", within: str = ""
    ) -> dict[str, Member]:
        prefix = f"{top}{pair}/{self.timeframe}/"
        stem = f"{prefix}{pair}-{self.timeframe}-"
        files = self._listing.files(
            f"{stem}{within}" if within else prefix, after=f"{stem}{after}" if after else ""
        )
        return members_of(files, pair=pair, timeframe=self.timeframe)

    def _fetch(self, member: Member, run: "_Run") -> None:
        """Fetch a zip unless it is held; the days of a month stand in for one that is broken."""
        if self._stopped.is_set():
            raise DataError(f"binance archive {member.pair}: stopped. Run it again to go on.")
        if run.holds(member):
            return
        try:
            run.take(fetch_member(member, self._client))
        except Unreachable:
            raise
        except DataError as error:
            is_month = member.period == member.month
            days = self._members(DAILY, member.pair, within=member.month) if is_month else {}
            if not days:
                run.failures.append(str(error))
                return
            run.notes.append(f"{error} Its {len(days)} days stand in for it.")
            for day in sorted(days):
                self._fetch(days[day], run)

    def _put(self, pair: str, listed: Collection[str], run: "_Run") -> PairTable:
        table = extend(run.held, run.news, pair=pair, timeframe=self.timeframe, now=self._clock())
        months_of_days = {period[: len("2022-05")] for period in table.members}
        missing = sorted(set(listed) - set(table.members) - months_of_days)
        table = replace(table, missing=tuple(missing))
        if run.held is None or run.news or run.held.missing != table.missing:
            write_table(self.folder, table)
        return table


class _Run:
    """What has happened to one pair so far."""

    def __init__(self, held: PairTable | None) -> None:
        self.held = held
        self.news: list[MemberTable] = []
        self.notes: list[str] = []
        self.failures: list[str] = []

    def holds(self, member: Member) -> bool:
        return self.held is not None and self.held.holds(member.period, member.etag)

    def take(self, news: MemberTable) -> None:
        self.news.append(news)
        if news.note:
            self.notes.append(news.note)
        if self.held is not None and news.member.period in self.held.members:
            self.notes.append(f"binance archive {news.member}: revised there since it was fetched")


def _outcome(result: Callable[[], Update]) -> Update | InputError:
    try:
        return result()
    except InputError as error:
        return error


def _first_without(months: Sequence[str]) -> str:
    """Return the first month from the first one on that has no monthly file, empty for all."""
    if not months:
        return ""
    month = pd.Period(months[0], freq="M")
    while f"{month}" in months:
        month += 1
    return f"{month}"


def _holes(months: Sequence[str]) -> tuple[str, ...]:
    if not months:
        return ()
    whole = pd.period_range(min(months), max(months), freq="M")
    return tuple(sorted({f"{month}" for month in whole} - set(months)))
