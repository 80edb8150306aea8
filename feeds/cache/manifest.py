"""The manifest of one stored table: which segments it has, and where its rows came from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import pandas as pd

FORMAT: Final = 1
MAX_EVENTS: Final = 200


class Malformed(ValueError):
    """A manifest's text is truncated, altered or of another format."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One immutable file of rows: its name, row count, ends (ns since 1970) and digest."""

    file: str
    rows: int
    first: int
    last: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to stored rows: a revision, a reload, damage found."""

    at: str  # instant of the update that found it, ISO 8601 in UTC
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class About:
    """Where a table's rows came from and what happened to them since.

    `updated` is the instant rows last changed, `checked` the one the vendor was last asked,
    both ISO 8601 in UTC. `revisions` counts revised rows since the first fetch; `events`
    keeps the latest `MAX_EVENTS`. `is_close_only` marks bars made of closes alone.
    """

    source: str
    origin: str
    notes: tuple[str, ...]
    updated: str
    checked: str
    revisions: int = 0
    events: tuple[Event, ...] = ()
    is_close_only: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """All there is to know about a stored table without reading its rows.

    `zone` is "UTC" for instants and "" for tz-naive dates.
    """

    segments: tuple[Segment, ...]
    columns: tuple[str, ...]
    zone: str
    about: About

    @property
    def rows(self) -> int:
        """Number of rows of the whole table."""
        return sum(segment.rows for segment in self.segments)

    @property
    def first(self) -> pd.Timestamp:
        """Time of the first row."""
        return self.time(self.segments[0].first)

    @property
    def last(self) -> pd.Timestamp:
        """Time of the last row."""
        return self.time(self.segments[-1].last)

    def time(self, nanoseconds: int) -> pd.Timestamp:
        """Return a stored time in this table's zone."""
        return pd.Timestamp(nanoseconds, unit="ns", tz=self.zone or None)

    def to_text(self) -> str:
        """Return the JSON text, which carries a digest of itself."""
        body = asdict(self)
        return json.dumps({"format": FORMAT, "sha256": _digest(body), "body": body}, indent=1)

    @classmethod
    def from_text(cls, text: str) -> "Manifest":
        """Return the manifest written as `text`.

        Raises
        ------
        Malformed
            If the text was truncated or altered, or has another format.
        """
        try:
            tree = json.loads(text)
            found, written, body = tree["format"], tree["sha256"], tree["body"]
        except (ValueError, KeyError, TypeError) as error:
            raise Malformed("the manifest is truncated or not JSON") from error
        if found != FORMAT:
            raise Malformed(f"it has format {found}, this version reads format {FORMAT}")
        if written != _digest(body):
            raise Malformed("the manifest does not match its digest")
        about = body["about"]
        events = tuple(Event(**event) for event in about["events"])
        return cls(
            segments=tuple(Segment(**segment) for segment in body["segments"]),
            columns=tuple(body["columns"]),
            zone=body["zone"],
            about=About(**(about | {"events": events, "notes": tuple(about["notes"])})),
        )


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
