"""Texts to instants: a date order is read only where the whole file proves it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from feeds.arrays import DAY_IN_NANOSECONDS, Flags, Integers
from feeds.errors import DataError
from feeds.reading.date_forms import (
    FORMS,
    MONTH_OF_NAME,
    NAT,
    SECOND,
    DateForm,
    epochs,
    is_epoch_shape,
)
from feeds.reading.house_format import YEARS, plain_iso_dates
from feeds.reading.numbers import shapes

MINUTE: Final = 60 * SECOND
FIRST_DAY, END_DAY = (int(year.astype("datetime64[D]").astype(np.int64)) for year in YEARS)
LATEST_SHORT_YEAR: Final = 68  # as strptime has it: 69 to 99 are of the last century
OFFSETS: Final = {b"": NAT, b"z": 0, b"utc": 0, b"gmt": 0}


@dataclass(frozen=True, slots=True)
class Stamps:
    """Dates of a column: as written there, nanoseconds, with the offset where one was given.

    `offsets` are minutes east of UTC, shape (rows,), or None where no stamp carries a zone.
    A cell that is no date is `NAT`. `reading` says how they were read, for a note.
    """

    local: Integers
    offsets: Integers | None
    reading: str

    @property
    def wrong(self) -> Flags:
        """Which cells are no dates."""
        return np.asarray(self.local == NAT)

    @property
    def is_midnights(self) -> bool:
        """Whether every stamp is a whole day where it was written."""
        return bool((self.local % DAY_IN_NANOSECONDS == 0).all())

    @property
    def is_off_utc(self) -> bool:
        """Whether stamps carry a zone other than UTC."""
        return self.offsets is not None and bool(self.offsets.any())

    def index(self) -> pd.DatetimeIndex:
        """Return the dates: UTC where a zone was given, else tz-naive."""
        if self.offsets is None:
            return pd.DatetimeIndex(self.local.view("datetime64[ns]"))
        instants = np.where(self.wrong, NAT, self.local - self.offsets * MINUTE)
        return pd.DatetimeIndex(instants.view("datetime64[ns]")).tz_localize("UTC")


@dataclass(frozen=True, slots=True)
class Shape:
    """Rows whose stamps differ in their digits alone, as bytes, shape (rows, length)."""

    text: bytes
    rows: Integers
    letters: NDArray[np.uint8]

    def number(self, span: tuple[int, int]) -> Integers:
        """Return the digits in a span as numbers, shape (rows,), 0 for an empty span."""
        digits = self.letters[:, slice(*span)].astype(np.int64) - ord("0")
        powers = 10 ** np.arange(digits.shape[1] - 1, -1, -1)
        return np.asarray(digits @ powers, dtype=np.int64)


class OpenOrder(DataError):
    """The dates can be read in several orders: `data.date_format` must say which."""


def stamps(texts: pa.Array, *, origin: str, date_format: str = "") -> Stamps:
    """Return the dates of a column of texts.

    `date_format` is used only where the texts do not prove their own order, or have no
    spelling that is known.

    Raises
    ------
    OpenOrder
        If several orders hold for all of them.
    DataError
        If some carry a zone and some do not, or some are epochs and some are not.
    """
    plain = plain_iso_dates(texts)
    if plain is not None and plain.tz is None:
        whole = bool((plain.asi8 % DAY_IN_NANOSECONDS == 0).all())
        return Stamps(plain.asi8, None, "%Y-%m-%d" if whole else "%Y-%m-%d %H:%M")
    try:
        read = _read(pc.utf8_lower(pc.utf8_trim_whitespace(texts)), origin)
    except OpenOrder:
        if not date_format:
            raise
        return _format(texts, date_format, origin)
    if read.wrong.any() and date_format:
        formatted = _format(texts, date_format, origin)
        return formatted if formatted.wrong.sum() < read.wrong.sum() else read
    return read


def _read(texts: pa.Array, origin: str) -> Stamps:
    alike = list(_shapes(texts))
    if all(is_epoch_shape(shape.text) for shape in alike) and not _are_days(alike):
        instants, reading = epochs(texts)
        return Stamps(instants, np.zeros(len(texts), np.int64), reading)
    by_form: dict[int, list[Shape]] = defaultdict(list)
    for shape in alike:
        for at, form in enumerate(FORMS):
            if form.fits(shape.text):
                by_form[at].append(shape)
                break
    local, offsets = (np.full(len(texts), NAT) for _ in range(2))
    readings = []
    for at, of_form in sorted(by_form.items()):
        readings.append(_date(local, of_form, FORMS[at], texts=texts, origin=origin))
        for shape in of_form:
            offsets[shape.rows] = _offsets(shape, FORMS[at])
    offsets = _of_one_kind(offsets, local, texts, origin)
    reading = " and ".join(dict.fromkeys(readings))
    return Stamps(local, offsets if (offsets != NAT).any() else None, reading)


def _are_days(shapes: Iterable[Shape]) -> bool:
    return all(shape.text == b"00000000" for shape in shapes)


def _shapes(texts: pa.Array) -> Iterator[Shape]:
    found = shapes(texts)
    for at, text in enumerate(found.texts):
        rows = found.rows(at)
        yield Shape(text.encode(), rows, found.cells(at, rows))


def _of_one_kind(offsets: Integers, local: Integers, texts: pa.Array, origin: str) -> Integers:
    """Return the offsets, those of bare dates beside stamps in UTC being UTC's, too."""
    zoned = (offsets != NAT) & (local != NAT)
    bare = (offsets == NAT) & (local != NAT)
    if not (zoned.any() and bare.any()):
        return offsets
    if (offsets[zoned] == 0).all() and (local[bare] % DAY_IN_NANOSECONDS == 0).all():
        return np.where(bare, 0, offsets)
    with_zone, without = (texts[int(rows.argmax())].as_py() for rows in (zoned, bare))
    raise DataError(
        f"{origin}: the date {with_zone!r} carries a zone and {without!r} does not. "
        "Write all dates alike."
    )


def _date(
    local: Integers, alike: list[Shape], form: DateForm, *, texts: pa.Array, origin: str
) -> str:
    """Write the instants of one spelling into `local` and return how they were read."""
    days = {order: [_days(shape, form, order) for shape in alike] for order in form.written}
    sound = {order: sum(int((d != NAT).sum()) for d in days[order]) for order in days}
    total = sum(len(shape.rows) for shape in alike)
    holding = [order for order in days if sound[order] == total]
    written = {order: _spell(alike[0], form, order) for order in days}
    if len(holding) > 1:
        first = min(int(shape.rows[0]) for shape in alike)
        raise OpenOrder(
            f"{origin}: dates such as {texts[first].as_py()!r} can be read in {len(holding)} ways "
            "and no date of the file settles which. Set data.date_format to "
            f"{' or '.join(repr(written[order]) for order in holding)}."
        )
    order = holding[0] if holding else max(days, key=lambda each: sound[each])
    for shape, of_shape in zip(alike, days[order], strict=True):
        time = _time_of_day(shape, form)
        local[shape.rows] = np.where(
            (of_shape == NAT) | (time == NAT), NAT, of_shape * DAY_IN_NANOSECONDS + time
        )
    return written[order]


def _spell(shape: Shape, form: DateForm, order: str) -> str:
    match = form.match(shape.text)
    separator = shape.text[match.end("a") : match.end("a") + 1].decode("latin-1")
    with_time = " %H:%M" if match["hour"] else ""
    return form.written[order].replace("/", separator) + with_time


def _days(shape: Shape, form: DateForm, order: str) -> Integers:
    """Return days since 1970 of stamps read in one order, NAT where there is no such day."""
    match = form.match(shape.text)
    field = {name: _field(shape, match.span(name)) for name in "abc"}
    at = dict(zip(order, "abc", strict=True))
    year, month, day = (field[at[unit]] for unit in "ymd")
    width = match.end(at["y"]) - match.start(at["y"])
    if width == 2:
        year = year + np.where(year > LATEST_SHORT_YEAR, 1900, 2000)
    sound = (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1) & (width in {2, 4})
    months = np.where(sound, (year - 1970) * 12 + month - 1, 0)
    first, following = (
        (months + step).view("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        for step in (0, 1)
    )
    days = first + day - 1
    sound &= (days < following) & (days >= FIRST_DAY) & (days < END_DAY)
    return np.where(sound, days, NAT)


def _field(shape: Shape, span: tuple[int, int]) -> Integers:
    text = shape.text[slice(*span)]
    if text.isdigit():
        return shape.number(span)
    return np.full(len(shape.rows), MONTH_OF_NAME.get(text, 0))


def _time_of_day(shape: Shape, form: DateForm) -> Integers:
    match = form.match(shape.text)
    if not match["hour"]:
        return np.zeros(len(shape.rows), np.int64)
    names = ("hour", "minute", "second", "part")
    hour, minute, second, part = (shape.number(match.span(name)) for name in names)
    sound = (hour <= 23) & (minute <= 59) & (second <= 59)
    if match["half"]:
        sound &= (hour >= 1) & (hour <= 12)
        hour = hour % 12 + 12 * (match["half"] == b"p")
    fraction = part * 10 ** (9 - len(match["part"] or b""))
    total = ((hour * 60 + minute) * 60 + second) * SECOND + fraction
    return np.where(sound, total, NAT)


def _offsets(shape: Shape, form: DateForm) -> Integers:
    """Return minutes east of UTC, NAT where no zone is given."""
    match = form.match(shape.text)
    zone = match["zone"] or b""
    if zone in OFFSETS:
        return np.full(len(shape.rows), OFFSETS[zone])
    start, end = match.span("zone")
    hours = shape.number((start + 1, start + 3))
    minutes = shape.number((end - 2, end)) if end - start > 3 else 0
    sign = -1 if zone.startswith(b"-") else 1
    return np.asarray(sign * (hours * 60 + minutes), dtype=np.int64)


def _format(texts: pa.Array, date_format: str, origin: str) -> Stamps:
    """Read the texts as the user says they are written."""
    try:
        parsed = pd.to_datetime(texts.to_pylist(), format=date_format, errors="coerce")
        index = pd.DatetimeIndex(parsed).as_unit("ns")
    except (ValueError, OverflowError, TypeError) as error:
        raise DataError(
            f"{origin}: data.date_format {date_format!r} does not read {texts[0].as_py()!r}. "
            "Write it as Python's strptime does."
        ) from error
    offsets = None if index.tz is None else np.zeros(len(index), np.int64)
    days = index.asi8 // DAY_IN_NANOSECONDS
    local = np.where((days >= FIRST_DAY) & (days < END_DAY), index.asi8, NAT)
    return Stamps(local, offsets, date_format)
