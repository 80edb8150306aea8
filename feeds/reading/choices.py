"""What a user has said about files that do not say it themselves."""

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Role = Literal[
    "date", "open", "high", "low", "close", "volume", "quote_volume", "market_cap", "value"
]


# A date whose day, month and year all differ: what a format gives back of it, it can read.
SOME_DAY: Final = dt.datetime(2031, 12, 28, tzinfo=dt.UTC)


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
