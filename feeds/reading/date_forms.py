"""How dates are written: every spelling that is read, as data, and numbers counted since 1970."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feeds.arrays import Integers

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
SECOND: Final = 10**9
NAT: Final = int(np.iinfo(np.int64).min)
UNITS: Final = {"s": SECOND, "ms": 10**6, "µs": 10**3, "ns": 1}
# The unit is certain from 1973 to 2103, or as long before 1970: the ranges do not touch.
LEAST_CERTAIN, MOST_CERTAIN = 10**8, 42 * 10**8
SHAPE: Final = re.compile(rb"[+-]?0{1,19}(?:\.0{1,9})?")


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


def is_epoch_shape(shape: bytes) -> bool:
    """Return whether a text, its digits as 0, can be an epoch."""
    return SHAPE.fullmatch(shape) is not None


def epochs(texts: pa.Array) -> tuple[Integers, str]:
    """Return nanoseconds since 1970, NAT where the unit is uncertain, and how they were read.

    A small number, of 1970 or so, tells no unit; it takes that of the others if they share one.
    """
    whole, parts = _split(texts)
    units = certain_units(whole)
    seen = [unit for unit in UNITS if (units == UNITS[unit]).any()]
    if len(seen) == 1:
        units[:] = UNITS[seen[0]]
    instants = nanoseconds(whole, units=units)
    is_part_lost = (parts != 0) & (units != SECOND)
    instants = np.where(is_part_lost, NAT, np.where(units == SECOND, instants + parts, instants))
    return np.where(whole == NAT, NAT, instants), f"epochs in {' and '.join(seen)}"


def certain_units(numbers: Integers) -> Integers:
    """Return nanoseconds per unit of each number, 0 where its size leaves it open."""
    units = np.zeros(len(numbers), np.int64)
    size = np.abs(np.where(numbers == NAT, 0, numbers))
    for scale in UNITS.values():
        factor = SECOND // scale
        units[(size >= LEAST_CERTAIN * factor) & (size <= MOST_CERTAIN * factor)] = scale
    return units


def nanoseconds(numbers: Integers, *, units: Integers) -> Integers:
    """Return numbers of units as nanoseconds, NAT without a unit or out of range."""
    is_sound = (units > 0) & (np.abs(numbers) <= MOST_CERTAIN * SECOND // np.maximum(units, 1))
    return np.where(is_sound, np.where(is_sound, numbers, 0) * units, NAT)


def _split(texts: pa.Array) -> tuple[Integers, Integers]:
    """Return whole numbers, NAT where too large, and what stands behind the point, in 1e-9."""
    if pc.any(pc.match_substring(texts, "+")).as_py():
        texts = pc.utf8_ltrim(texts, "+")
    if not pc.any(pc.match_substring(texts, ".")).as_py():
        return _integers(texts), np.zeros(len(texts), np.int64)
    fields = [text.partition(".") for text in texts.to_pylist()]
    parts = [int(part.ljust(9, "0")) for _, _, part in fields]
    return _integers(pa.array([whole for whole, _, _ in fields])), np.array(parts, np.int64)


def _integers(texts: pa.Array) -> Integers:
    try:
        return np.array(texts.cast(pa.int64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        numbers = [int(text) for text in texts.to_pylist()]
        return np.array([one if abs(one) < 2**63 else NAT for one in numbers], np.int64)
