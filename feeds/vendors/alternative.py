"""Crypto fear and greed from alternative.me, without a key: the whole history in one answer.

`/fng/?limit=0&format=json` gives `{"data": [{"value": "30", "timestamp": "1517443200"}]}`,
newest first, a value from 0 to 100 for each day from 2018-02-01 on; four days are missing.
The timestamp is the day's begin (UTC), and today's value still moves: it is left out.
"""

import json
import logging
from typing import Any, Final

import pandas as pd

from feeds.errors import ConfigError, DataError
from feeds.releases import OTHER_SERIES, end_of_day
from feeds.series import Series, validated_series
from feeds.sessions import Clock, utc_now
from feeds.vendors.addresses import address_of
from feeds.vendors.patience import Patience
from feeds.vendors.registry import one_line, reading

log = logging.getLogger(__name__)

PATH: Final = "/fng/"
NAME: Final = "FEAR_GREED"
REMEDY: Final = f"Try later, or put {NAME}_series.csv into --data-dir."
DAY_SECONDS: Final = 86_400
HIGHEST: Final = 100


class Alternative:
    """alternative.me as a source of one series.

    Parameters
    ----------
    address
        Where it is; by default as `feeds.vendors.addresses` says when asked.
    patience, clock
        Timeouts and retries, and the present instant.
    """

    name = "alternative"

    def __init__(
        self, *, address: str = "", patience: Patience | None = None, clock: Clock = utc_now
    ) -> None:
        self._address = address
        self._patience = patience or Patience()
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
        if name != NAME:
            raise ConfigError(f"`series` of alternative.me is {NAME}, received {name!r}.")
        origin = f"{self.name} {name}"
        with reading(origin, REMEDY):
            raw = _table(json.loads(self._ask(origin))["data"], origin)
        over = end_of_day(pd.DatetimeIndex(raw["date"])) <= self._clock()
        return validated_series(
            raw[over],
            name=name,
            units=OTHER_SERIES[name].units,
            release=OTHER_SERIES[name].release,
            source=self.name,
            origin=origin,
        )

    def _ask(self, origin: str) -> bytes:
        from feeds.vendors.wire import answer, is_json, open_session

        with open_session(self._patience, is_data=is_json) as session:
            return answer(
                session,
                (self._address or address_of(self.name)) + PATH,
                params={"limit": "0", "format": "json"},
                subject=origin,
                remedy=REMEDY,
                patience=self._patience,
            )


def _table(rows: list[dict[str, Any]], origin: str) -> pd.DataFrame:
    """Return dates and values as text, ascending."""
    cells = [(_day(row["timestamp"], origin), _value(row["value"], origin)) for row in rows]
    table = pd.DataFrame(sorted(cells), columns=pd.Index(["date", "value"]), dtype=object)
    if table.empty:
        raise DataError(f"{origin}: the answer has no value. {REMEDY}")
    return table


def _day(text: object, origin: str) -> str:
    digits = str(text)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 11):
        raise DataError(f"{origin}: timestamp {one_line(repr(text), 30)} is no number. {REMEDY}")
    if int(digits) % DAY_SECONDS:
        raise DataError(f"{origin}: timestamp {digits} is not the begin of a day. {REMEDY}")
    return f"{pd.Timestamp(int(digits), unit='s'):%Y-%m-%d}"


def _value(text: object, origin: str) -> str:
    digits = str(text)
    if not (digits.isascii() and digits.isdigit() and int(digits[:4]) <= HIGHEST):
        raise DataError(
            f"{origin}: value {one_line(repr(text), 30)} is not from 0 to {HIGHEST}. {REMEDY}"
        )
    return digits
