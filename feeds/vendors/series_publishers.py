"""Series from those who publish them, without a key: FRED, alternative.me, a fund's own site."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from feeds.errors import ConfigError, DataError
from feeds.fund_flows import NAME as FLOWS
from feeds.fund_flows import flows, is_workbook, sheet_history
from feeds.releases import FRED_SERIES, OTHER_SERIES, end_of_day
from feeds.series import Series, validated_series
from feeds.sessions import Clock, utc_now
from feeds.vendors.registry import one_line, reading
from feeds.vendors.request_policy import Patience, address_of

FRED_REMEDY: Final = "Check the network, try later, or put {name}_series.csv into --data-dir."
FRED_HEADERS: Final = ("observation_date,", "DATE,")
MOOD: Final = "FEAR_GREED"
MOOD_REMEDY: Final = f"Try later, or put {MOOD}_series.csv into --data-dir."
HIGHEST_MOOD: Final = 100
FLOWS_REMEDY: Final = f"Try later, or put the fund's file or {FLOWS}_series.csv into --data-dir."
DAY_SECONDS: Final = 86_400


class Publisher:
    """A publisher of series, asked over HTTP.

    Parameters
    ----------
    address
        Where it is; by default as `feeds.vendors.request_policy` says when asked.
    patience
        Timeouts and retries.
    """

    name = ""

    def __init__(self, *, address: str = "", patience: Patience | None = None) -> None:
        self._address = address
        self._patience = patience or Patience()

    def _ask(
        self,
        path: str = "",
        *,
        origin: str,
        remedy: str,
        is_data: Callable[[bytes], bool],
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        from feeds.vendors.http_client import answer, open_session

        with open_session(self._patience, is_data=is_data) as session:
            return answer(
                session,
                (self._address or address_of(self.name)) + path,
                params=params,
                headers=headers,
                subject=origin,
                remedy=remedy,
                patience=self._patience,
            )


class Fred(Publisher):
    """FRED, the St. Louis Fed's database.

    FRED gives every series as CSV at /graph/fredgraph.csv?id=NAME. It holds the newest revision
    of each value, not what was first published; a note says so where revisions matter.
    """

    name = "fred"

    def fetch(self, name: str) -> Series:
        """Return every observation of `name`, known from its release on.

        Raises
        ------
        ConfigError
            If no release calendar is known for the name.
        Unreachable, NotServed, DataError
            As for bars: see `feeds.vendors.registry.Vendor.fetch`.
        """
        known = FRED_SERIES.get(name)
        if known is None:
            raise ConfigError(
                f"`series` must be one of {', '.join(FRED_SERIES)}, received {name!r}. Any other "
                f"goes into {name}_series.csv with a lag in days."
            )
        origin, remedy = f"fred {name}", FRED_REMEDY.format(name=name)
        body = self._ask(
            "/graph/fredgraph.csv",
            origin=origin,
            remedy=remedy,
            is_data=_is_fred_table,
            params={"id": name},
            # packed, a table cut off at the end of a row would look whole
            headers={"Accept-Encoding": "identity"},
        )
        with reading(origin, remedy):
            series = validated_series(
                _fred_table(body.decode(errors="replace"), name, remedy),
                name=name,
                units=known.units,
                release=known.release,
                source=self.name,
                origin=origin,
            )
        if not known.revised:
            return series
        note = f"fred {name}: values as revised since, not as first published"
        return replace(series, notes=(*series.notes, note))


def _fred_table(text: str, name: str, remedy: str) -> pd.DataFrame:
    head, *lines = text.splitlines()
    column = head.partition(",")[2]
    if column not in (name, "VALUE"):
        raise DataError(
            f"fred {name}: asked for {name}, the answer is of {one_line(column, 30)!r}. {remedy}"
        )
    fields = [line.split(",") for line in lines if line]
    if any(len(row) != 2 for row in fields):
        raise DataError(f"fred {name}: a row is cut off. {remedy}")
    return pd.DataFrame(fields, columns=pd.Index(["date", "value"]), dtype=object)


def _is_fred_table(body: bytes) -> bool:
    return body.startswith(tuple(head.encode() for head in FRED_HEADERS)) and body.endswith(b"\n")


class Alternative(Publisher):
    """Crypto fear and greed from alternative.me: the whole history in one answer.

    `/fng/?limit=0&format=json` gives `{"data": [{"value": "30", "timestamp": "1517443200"}]}`,
    newest first, a value from 0 to 100 for each day from 2018-02-01 on; four days are missing.
    The timestamp is the day's begin (UTC), and today's value still moves: it is left out, today
    being what `clock` says.
    """

    name = "alternative"

    def __init__(
        self, *, address: str = "", patience: Patience | None = None, clock: Clock = utc_now
    ) -> None:
        super().__init__(address=address, patience=patience)
        self._clock = clock

    def fetch(self, name: str) -> Series:
        """Return every value of days that are over, known from the day's end on.

        Raises
        ------
        ConfigError
            If another series is asked for.
        Unreachable, NotServed, DataError
            As for bars: see `feeds.vendors.registry.Vendor.fetch`.
        """
        from feeds.vendors.http_client import is_json

        if name != MOOD:
            raise ConfigError(f"`series` of alternative.me is {MOOD}, received {name!r}.")
        origin = f"{self.name} {name}"
        with reading(origin, MOOD_REMEDY):
            body = self._ask(
                "/fng/",
                origin=origin,
                remedy=MOOD_REMEDY,
                is_data=is_json,
                params={"limit": "0", "format": "json"},
            )
            raw = _mood_table(json.loads(body)["data"], origin)
        over = end_of_day(pd.DatetimeIndex(raw["date"])) <= self._clock()
        return validated_series(
            raw[over],
            name=name,
            units=OTHER_SERIES[name].units,
            release=OTHER_SERIES[name].release,
            source=self.name,
            origin=origin,
        )


def _mood_table(rows: list[dict[str, Any]], origin: str) -> pd.DataFrame:
    """Return dates and values as text, ascending."""
    cells = [(_day(row["timestamp"], origin), _mood(row["value"], origin)) for row in rows]
    table = pd.DataFrame(sorted(cells), columns=pd.Index(["date", "value"]), dtype=object)
    if table.empty:
        raise DataError(f"{origin}: the answer has no value. {MOOD_REMEDY}")
    return table


def _day(text: object, origin: str) -> str:
    digits = str(text)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 11):
        wrong = one_line(repr(text), 30)
        raise DataError(f"{origin}: timestamp {wrong} is no number. {MOOD_REMEDY}")
    if int(digits) % DAY_SECONDS:
        raise DataError(f"{origin}: timestamp {digits} is not the begin of a day. {MOOD_REMEDY}")
    return f"{pd.Timestamp(int(digits), unit='s'):%Y-%m-%d}"


def _mood(text: object, origin: str) -> str:
    digits = str(text)
    if not (digits.isascii() and digits.isdigit() and int(digits[:4]) <= HIGHEST_MOOD):
        wrong = one_line(repr(text), 30)
        raise DataError(f"{origin}: value {wrong} is not from 0 to {HIGHEST_MOOD}. {MOOD_REMEDY}")
    return digits


class Ishares(Publisher):
    """The site of a fund as a source of its flows; the address is that of its whole file."""

    name = "ishares"

    def fetch(self, name: str) -> Series:
        """Return the flows of every day, known at the next session's close.

        Raises
        ------
        ConfigError
            If another series is asked for.
        Unreachable, NotServed, DataError
            As for bars: see `feeds.vendors.registry.Vendor.fetch`.
        """
        if name != FLOWS:
            raise ConfigError(f"`series` of a fund is {FLOWS}, received {name!r}.")
        origin = f"{self.name} {name}"
        body = self._ask(origin=origin, remedy=FLOWS_REMEDY, is_data=_is_whole_workbook)
        with reading(origin, FLOWS_REMEDY):
            return flows(sheet_history(body, origin=origin), source=self.name)


def _is_whole_workbook(body: bytes) -> bool:
    return is_workbook(body) and b"</ss:Workbook>" in body[-200:]
