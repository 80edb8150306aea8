"""How dates are written: every spelling that is read, as data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

MONTHS: Final = (
    "jan january januar janvier janv enero ene janeiro gennaio gen januari jän jänner",
    "feb february februar février févr fév febrero fevereiro fev febbraio februari",
    "mar march märz mär mrz mars marzo março maart mrt",
    "apr april avril avr abril abr aprile",
    "may mai mayo maio maggio mag mei",
    "jun june juni juin junio junho giugno giu",
    "jul july juli juillet juil julio julho luglio lug",
    "aug august août agosto ago augustus",
    "sep sept september septembre septiembre setembro set settembre",
    "oct october oktober okt octobre octubre outubro out ottobre ott",
    "nov november novembre noviembre novembro",
    "dec december dezember dez décembre déc diciembre dic dezembro dicembre",
)
MONTH_OF_NAME: Final = {
    name.encode(): number for number, names in enumerate(MONTHS, 1) for name in names.split()
}

# The patterns match lower-case UTF-8 bytes.
WEEKDAY: Final = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +)?"
NAME: Final = r"(?P<b>[a-z\x80-\xff]{3,})\.?"
# Hours may stand alone, `11-PM` as CryptoDataDownload has them; a zone only as an offset or UTC.
TIME: Final = (
    r"(?:(?:t|,? +)(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})"
    r"(?:[.,](?P<part>\d{1,9}))?)?)?(?:[ -]?(?P<half>[ap])\.?m\.?)?)?"
    r"(?: ?(?P<zone>z|utc|gmt|[+-]\d{2}:?\d{2}|[+-]\d{2}))?"
)


@dataclass(frozen=True, slots=True)
class DateForm:
    """One spelling of dates: three parts a, b, c and the orders they may stand in.

    Where several orders are possible the whole file must rule out all but one. `written`
    is the spelling as `strptime` has it by order, `/` standing for the file's own separator.
    """

    pattern: str
    written: Mapping[str, str]

    def fits(self, shape: bytes) -> bool:
        """Return whether a stamp is in this spelling, with its time and zone if it has them."""
        return compile_function(self.pattern).fullmatch(shape) is not None

    def match(self, shape: bytes) -> re.Match[bytes]:
        """Return the parts of a stamp that is in this spelling."""
        match = compile_function(self.pattern).fullmatch(shape)
        if match is None:
            raise ValueError(f"{shape!r} is not in the spelling {self.pattern}")
        return match


@lru_cache(maxsize=64)
def compile_function(pattern: str) -> re.Pattern[bytes]:
    """Return the pattern of a date and a time behind it, on bytes."""
    return re.compile((pattern + TIME).encode("latin-1"))


FORMS: Final = (
    DateForm(r"(?P<a>\d{4})-(?P<b>\d{1,2})-(?P<c>\d{1,2})", {"ymd": "%Y-%m-%d"}),
    DateForm(r"(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})", {"ymd": "%Y%m%d"}),
    DateForm(
        r"(?P<a>\d{4})(?:/ ?|\. ?)(?P<b>\d{1,2})(?:/ ?|\. ?)(?P<c>\d{1,2})\.?",
        {"ymd": "%Y/%m/%d", "ydm": "%Y/%d/%m"},
    ),
    DateForm(
        r"(?P<a>\d{1,2})(?:[-/] ?|\. ?)(?P<b>\d{1,2})(?:[-/] ?|\. ?)(?P<c>\d{4})",
        {"mdy": "%m/%d/%Y", "dmy": "%d/%m/%Y"},
    ),
    DateForm(
        r"(?P<a>\d{1,2})(?:[-/] ?|\. ?)(?P<b>\d{1,2})(?:[-/] ?|\. ?)(?P<c>\d{2})",
        {"mdy": "%m/%d/%y", "dmy": "%d/%m/%y", "ymd": "%y/%m/%d", "ydm": "%y/%d/%m"},
    ),
    DateForm(
        rf"{WEEKDAY}{NAME}[ -]+(?P<a>\d{{1,2}})(?:st|nd|rd|th)?,?[ -]+(?P<c>\d{{4}})",
        {"dmy": "%b %d, %Y"},
    ),
    DateForm(
        rf"{WEEKDAY}(?P<a>\d{{1,2}})(?:st|nd|rd|th)?\.?[ -]*(?:de )?{NAME}"
        r",?[ -]*(?:de )?(?P<c>\d{4})",
        {"dmy": "%d %b %Y"},
    ),
    DateForm(rf"(?P<a>\d{{4}})[ -]{NAME}[ -](?P<c>\d{{1,2}})", {"ymd": "%Y %b %d"}),
    DateForm(
        rf"(?P<a>\d{{1,2}})[ -]{NAME}[ -](?P<c>\d{{2}})", {"dmy": "%d-%b-%y", "ymd": "%y-%b-%d"}
    ),
    DateForm(
        rf"{NAME}[ -](?P<a>\d{{1,2}}),?[ -](?P<c>\d{{2}})",
        {"dmy": "%b %d, %y", "ymd": "%b %y, %d"},
    ),
)
