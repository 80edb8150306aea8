"""Series from FRED, the St. Louis Fed's database, without a key.

FRED gives every series as CSV at /graph/fredgraph.csv?id=NAME. It holds the newest revision
of each value, not what was first published; a note says so where revisions matter.
"""

from dataclasses import replace
from typing import Final

import pandas as pd

from feeds.errors import ConfigError, DataError
from feeds.releases import FRED_SERIES
from feeds.series import Series, validated_series
from feeds.vendors.addresses import address_of
from feeds.vendors.patience import Patience
from feeds.vendors.registry import one_line, reading

REMEDY: Final = "Check the network, try later, or put {name}_series.csv into --data-dir."
HEADERS: Final = ("observation_date,", "DATE,")


class Fred:
    """FRED as a source of series.

    Parameters
    ----------
    address
        Where FRED is; by default as `feeds.vendors.addresses` says when asked.
    patience
        Timeouts and retries.
    """

    name = "fred"

    def __init__(self, *, address: str = "", patience: Patience | None = None) -> None:
        self._address = address
        self._patience = patience or Patience()

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
        text = self._ask(name)
        origin = f"fred {name}"
        with reading(origin, REMEDY.format(name=name)):
            series = validated_series(
                _table(text, name),
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

    def _ask(self, name: str) -> str:
        from feeds.vendors.wire import answer, open_session

        base = self._address or address_of(self.name)
        with open_session(self._patience, is_data=_is_csv) as session:
            body = answer(
                session,
                f"{base}/graph/fredgraph.csv",
                params={"id": name},
                # packed, a table cut off at the end of a row would look whole
                headers={"Accept-Encoding": "identity"},
                subject=f"fred {name}",
                remedy=REMEDY.format(name=name),
                patience=self._patience,
            )
        return body.decode(errors="replace")


def _table(text: str, name: str) -> pd.DataFrame:
    head, *lines = text.splitlines()
    column = head.partition(",")[2]
    if column not in (name, "VALUE"):
        raise DataError(
            f"fred {name}: asked for {name}, the answer is of {one_line(column, 30)!r}. "
            f"{REMEDY.format(name=name)}"
        )
    fields = [line.split(",") for line in lines if line]
    if any(len(row) != 2 for row in fields):
        raise DataError(f"fred {name}: a row is cut off. {REMEDY.format(name=name)}")
    return pd.DataFrame(fields, columns=pd.Index(["date", "value"]), dtype=object)


def _is_csv(body: bytes) -> bool:
    return body.startswith(tuple(head.encode() for head in HEADERS)) and body.endswith(b"\n")
