"""What a user has said about files that do not say it themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ROLES: Final = (
    *("date", "open", "high", "low", "close"),
    *("volume", "quote_volume", "market_cap", "value"),
)


@dataclass(frozen=True, slots=True)
class Choices:
    """Settings that settle what a file leaves open; each is used only where it is needed.

    `columns` names the header of a role, `{"close": "Px"}`, for files that have such a header.
    `date_format` is how dates are written (`%d/%m/%Y`) where a file's own dates do not prove it.
    `zone` is the time zone of intraday stamps that carry none. `decimal` is "." or "," where
    the numbers can be read both ways. A file that is certain by itself is read as it is.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    date_format: str = ""
    zone: str = ""
    decimal: str = ""


NOTHING_CHOSEN: Final = Choices()
