"""Keep stored tables up to date: fetch what is missing, compare what is held, note revisions."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from feeds.cache.manifest import MAX_EVENTS, About, Event
from feeds.cache.store import Damaged, Key, StoredTable, TableStore
from feeds.errors import NotServed
from feeds.message_text import number_text, share_text
from feeds.sessions import Clock, utc_now

log = logging.getLogger(__name__)

OVERLAP_ROWS: Final = 7  # fetched again with every update, to see revisions
RECHECK_AFTER: Final = pd.Timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a vendor returned: rows by ascending unique time, and where they came from."""

    frame: pd.DataFrame
    source: str
    origin: str
    notes: tuple[str, ...] = ()
    is_close_only: bool = False


Fetch = Callable[[pd.Timestamp | None], Fetched]
IsDue = Callable[[pd.Timestamp], bool]


class Cache:
    """Stored tables and the one way they change.

    An update holds the table's lock from reading it to replacing it, so that two processes
    do not fetch the same range and neither loses what the other stored.
    """

    def __init__(self, folder: Path, *, clock: Clock = utc_now) -> None:
        self.store = TableStore(folder)
        self._clock = clock

    def update(self, key: Key, fetch: Fetch, *, is_due: IsDue, force: bool = False) -> int:
        """Bring a table up to date and return how many rows it gained.

        Parameters
        ----------
        fetch
            Called with the instant of the first row wanted, None for everything.
        is_due
            Whether a row after the last one held, whose time is given, can be there by now.
        force
            Ask even if nothing is due or the vendor was asked a moment ago.
        """
        if not force and self._is_current(key, is_due):
            return 0
        with self.store.lock(key):
            if not force and self._is_current(key, is_due):
                return 0  # another process was faster
            try:
                held = self.store.read(key, last_rows=OVERLAP_ROWS)
            except Damaged as damage:
                return self._refetch(key, fetch, str(damage))
            if held is None:
                return self._fill(key, fetch(None), None, [])
            return self._extend(key, fetch, held)

    def reload(self, key: Key, fetch: Fetch, *, reason: str) -> int:
        """Fetch a table anew in full and return how many rows it gained."""
        with self.store.lock(key):
            return self._refetch(key, fetch, reason)

    def renew(self, key: Key, fetch: Fetch, *, max_age: pd.Timedelta) -> None:
        """Fetch a table anew in full unless the vendor was asked within `max_age`.

        For vendors that serve the whole history or nothing.
        """
        if self._age(key) < max_age:
            return
        with self.store.lock(key):
            if self._age(key) >= max_age:
                self._fill(key, fetch(None), _about_if_readable(self.store, key), [])

    def holds(self, key: Key) -> bool:
        """Return whether the table is there, as far as its manifest tells."""
        try:
            return self.store.manifest(key) is not None
        except Damaged:
            return False

    def _is_current(self, key: Key, is_due: IsDue) -> bool:
        try:
            manifest = self.store.manifest(key)
        except Damaged:
            return False
        if manifest is None:
            return False
        return self._age(key) < RECHECK_AFTER or not is_due(manifest.last)

    def _age(self, key: Key) -> pd.Timedelta:
        """Return how long ago the vendor was asked, for ever if it is not known to have been."""
        about = _about_if_readable(self.store, key)
        if about is None:
            return pd.Timedelta.max
        age = self._clock() - pd.Timestamp(about.checked)
        return age if age >= pd.Timedelta(0) else pd.Timedelta.max

    def _extend(self, key: Key, fetch: Fetch, held: StoredTable) -> int:
        tail = held.frame.iloc[-OVERLAP_ROWS:]
        before = held.manifest.about
        try:
            fetched = fetch(_instant(tail.index[0]))
        except NotServed:  # a dead coin: not to be asked for again with every load
            self.store.describe(key, replace(before, checked=self._now()))
            raise
        if (fetched.source, fetched.origin) != (before.source, before.origin):
            return self._switch(key, fetch(None), held)
        fresh = fetched.frame[fetched.frame.index >= tail.index[0]]
        reason = mistrust(tail, fresh)
        if reason:
            return self._refetch(key, fetch, reason)
        # an update's own notes are on record, but the bars' notes stay those of the full fetch
        said = [note for note in fetched.notes if note not in before.notes]
        events = [
            *(self._event("revision", text) for text in revisions(tail, fresh)),
            *(self._event("note", text) for text in said),
        ]
        kept = tail[~tail.index.isin(fresh.index)]
        rows = pd.concat([kept, fresh]).sort_index() if len(kept) else fresh
        about = replace(self._about(key, fetched, before, events), notes=before.notes)
        if rows.equals(tail):
            self.store.describe(key, replace(about, updated=before.updated))
            return 0
        self.store.write(key, rows, about=about, append=True)
        return len(rows) - len(tail)

    def _refetch(self, key: Key, fetch: Fetch, reason: str) -> int:
        event = self._event("reload", reason)
        return self._fill(key, fetch(None), _about_if_readable(self.store, key), [event])

    def _switch(self, key: Key, fetched: Fetched, held: StoredTable) -> int:
        """Replace the whole table by another origin's, unless that one knows less history."""
        before, first = held.manifest.about, fetched.frame.index[0]
        if fetched.origin == before.origin:
            return self._fill(key, fetched, before, [])
        text = f"{fetched.origin} answered instead of {before.origin}"
        if first > held.manifest.first:
            text += f", but only from {first:%Y-%m-%d}: the longer history is kept as it is"
            about = replace(before, checked=self._now())
            self.store.describe(key, _record(key, about, [self._event("kept", text)]))
            return 0
        text += ": fetched again in full, the two are not spliced"
        return self._fill(key, fetched, before, [self._event("reload", text)])

    def _fill(
        self, key: Key, fetched: Fetched, before: About | None, events: Sequence[Event]
    ) -> int:
        about = self._about(key, fetched, before, events)
        self.store.write(key, fetched.frame, about=about)
        return len(fetched.frame)

    def _about(
        self, key: Key, fetched: Fetched, before: About | None, events: Sequence[Event]
    ) -> About:
        now = self._now()
        about = About(
            fetched.source,
            fetched.origin,
            fetched.notes,
            now,
            now,
            is_close_only=fetched.is_close_only,
        )
        if before is not None:
            about = replace(about, revisions=before.revisions, events=before.events)
        return _record(key, about, events)

    def _event(self, kind: str, text: str) -> Event:
        return Event(self._now(), kind, text)

    def _now(self) -> str:
        return self._clock().isoformat()


def _record(key: Key, about: About, events: Sequence[Event]) -> About:
    """Add events not yet on record, and say them in the log."""
    known = {(event.kind, event.text) for event in about.events}
    new = [event for event in events if (event.kind, event.text) not in known]
    for event in new:
        level = logging.INFO if event.kind == "note" else logging.WARNING
        log.log(level, "%s: %s: %s", key, event.kind, event.text)
    revised = sum(event.kind == "revision" for event in new)
    kept = (*about.events, *new)[-MAX_EVENTS:]
    return replace(about, revisions=about.revisions + revised, events=kept)


def _instant(time: pd.Timestamp) -> pd.Timestamp:
    return time.tz_localize("UTC") if time.tz is None else time


def _about_if_readable(store: TableStore, key: Key) -> About | None:
    try:
        manifest = store.manifest(key)
    except Damaged:
        return None
    return manifest.about if manifest else None


RELOAD_ABOVE: Final = 0.02  # median disagreement of closes; a split makes 0.33 or more


def mistrust(held: pd.DataFrame, fresh: pd.DataFrame) -> str:
    """Return why the held rows cannot be continued by the fresh ones, empty if they can.

    They cannot if they share no time, or if most closes (of a series: values) disagree.
    """
    common = held.index.intersection(fresh.index)
    if common.empty:
        return "the vendor's rows do not overlap those held"
    column = "close" if "close" in held.columns else str(held.columns[0])
    before, now = (frame.loc[common, column].to_numpy(np.float64) for frame in (held, fresh))
    scale = np.maximum(np.abs(before), np.abs(now))
    relative = np.divide(np.abs(now - before), scale, out=np.zeros_like(scale), where=scale > 0)
    difference = float(np.median(relative))
    if difference > RELOAD_ABOVE:
        return (
            f"the last {len(common)} rows held differ from the vendor's by "
            f"{share_text(difference, decimals=1)} in "
            "the median, as after a split"
        )
    return ""


def revisions(held: pd.DataFrame, fresh: pd.DataFrame) -> list[str]:
    """Describe each settled row that was changed, is not served any more, or came late."""
    texts = []
    for time in held.index.union(fresh.index[fresh.index <= held.index[-1]]):
        if time not in fresh.index:
            texts.append(f"{time:%Y-%m-%d %H:%M} is not served any more, it is kept")
        elif time not in held.index:
            texts.append(f"{time:%Y-%m-%d %H:%M} was missing and is served now")
        else:
            changed = _changes(held.loc[time], fresh.loc[time])
            if changed:
                texts.append(f"{time:%Y-%m-%d %H:%M}: {', '.join(changed)}")
    return texts


def _changes(before: pd.Series, after: pd.Series) -> list[str]:
    pairs = [(name, float(before[name]), float(after[name])) for name in before.index]
    return [
        f"{name} {number_text(old)} -> {number_text(new)}"
        for name, old, new in pairs
        if old != new and not (np.isnan(old) and np.isnan(new))
    ]
