"""How files are written that do not say it: vendors' ways in `dialects.toml`, a user's choices."""

import datetime as dt
import tomllib
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, Literal

PRICES: Final = ("open", "high", "low", "close")
# Our own form where the fast path does not take it: a blank line, more columns, other dates.
OWN_NAMES: Final = (frozenset({"date", "value"}), frozenset({"date", "close"}))
ADJUSTED_NAMES: Final = frozenset({"adj close", "adjclose", "adjusted close", "adj. close"})

Names = Mapping[str, tuple[str, ...]]
Role = Literal[
    "date", "open", "high", "low", "close", "volume", "quote_volume", "market_cap", "value"
]
# A date whose day, month and year all differ: what a format gives back of it, it can read.
SOME_DAY: Final = dt.datetime(2031, 12, 28, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One vendor's layout, as the head of `dialects.toml` explains it.

    `has_decimal_point` is true of our own form alone: it is defined so, others must prove it.
    With `is_by_names` the names of a role are equals, and two of them in a header leave it open.
    """

    title: str
    columns: Names = field(default_factory=dict)
    marks: frozenset[str] = frozenset()
    above: str = ""
    close: str = ""
    zone: str = ""
    caution: str = ""
    has_decimal_point: bool = False
    is_volume_in_money: bool = False
    is_stamped_at_end: bool = False
    is_adjusted: bool = False
    is_by_names: bool = False


@dataclass(frozen=True, slots=True)
class Headless:
    """One vendor's layout without a header: the role of each column, "" for none."""

    dialect: Dialect
    roles: tuple[str, ...]
    closes_at: int | None = None
    counted: int | None = None


@dataclass(frozen=True, slots=True)
class DialectTable:
    """Everything that is known of how files are written.

    `plain` reads columns by their names, `own` does so for our own form. `date_names` are all
    names of a column of dates.
    """

    dialects: tuple[Dialect, ...]
    plain: Dialect
    own: Dialect
    headless: tuple[Headless, ...]
    date_names: frozenset[str]


@lru_cache(maxsize=1)
def table() -> DialectTable:
    """Return the table of dialects, read when it is first needed."""
    text = files(__package__).joinpath("dialects.toml").read_text(encoding="utf-8")
    tree = tomllib.loads(text)
    dialects = tuple(map(_dialect, tree["dialect"]))
    names = _names(tree["plain"])
    return DialectTable(
        dialects=dialects,
        plain=Dialect("columns by their names", names, is_by_names=True),
        own=Dialect("", names, is_by_names=True, has_decimal_point=True),
        headless=tuple(map(_headless, tree["headless"])),
        date_names=frozenset(
            name for each in (*dialects, Dialect("", names)) for name in each.columns["date"]
        ),
    )


def plain_name(name: str) -> str:
    """Return a column's name as the table has it."""
    name = name.strip(" \t\ufeff\u00a0<>*\"'").replace("_", " ").casefold()
    return " ".join(name.split())


def _names(columns: Mapping[str, list[str]]) -> Names:
    return {role: tuple(names) for role, names in columns.items()}


def _dialect(entry: Mapping[str, Any]) -> Dialect:
    prices = {name: [name] for name in PRICES} if entry.get("ohlc") else {}
    return Dialect(
        title=entry["title"],
        columns=_names(prices | entry["columns"]),
        marks=frozenset(entry["marks"]),
        above=entry.get("above", ""),
        close=entry.get("close", ""),
        zone=entry.get("zone", ""),
        caution=entry.get("caution", ""),
        is_volume_in_money=entry.get("money", False),
        is_stamped_at_end=entry.get("ends", False),
        is_adjusted=entry.get("adjusted", False),
    )


def _headless(entry: Mapping[str, Any]) -> Headless:
    dialect = Dialect(entry["title"])
    return Headless(dialect, tuple(entry["roles"]), entry.get("closes_at"), entry.get("counted"))


@dataclass(frozen=True, slots=True)
class Choices:
    """Settings that settle what a file leaves open; each is used only where it is needed.

    `columns` names the header of a role, `{"close": "Px"}`, for files that have such a header.
    `date_format` is how dates are written (`%d/%m/%Y`) where a file's own dates do not prove it.
    `zone` is the time zone of intraday stamps that carry none. `decimal` is "." or "," where
    the numbers can be read both ways. A file that is certain by itself is read as it is.
    """

    columns: Mapping[Role, str] = field(default_factory=dict)
    date_format: str = ""
    zone: str = ""
    decimal: str = ""


NOTHING_CHOSEN: Final = Choices()


def sound_date_format(value: str) -> str:
    """Return a format of `strptime`, or "" for none.

    Raises
    ------
    ValueError
        If it does not tell one day from another.
    """
    if value:
        read = dt.datetime.strptime(SOME_DAY.strftime(value), value)  # noqa: DTZ007
        if read.date() != SOME_DAY.date():
            raise ValueError(value)
    return value


def sound_zone(value: str) -> str:
    """Return the name of a time zone, or "" for none.

    Raises
    ------
    ValueError
        If there is no such zone.
    """
    try:
        return value and zoneinfo.ZoneInfo(value).key
    except (KeyError, OSError) as error:
        raise ValueError(value) from error
