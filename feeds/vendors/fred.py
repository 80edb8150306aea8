"""Series from FRED, the St. Louis Fed's database, without a key.

FRED gives every series as CSV at /graph/fredgraph.csv?id=NAME. It holds the newest revision
of each value, not what was first published; a note says so where revisions matter.
"""

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pandas as pd

from feeds.errors import ConfigError, NotServed
from feeds.releases import FRED_SERIES
from feeds.series import Series, validated_series
from feeds.vendors.addresses import address_of
from feeds.vendors.patience import PassingError, Patience

if TYPE_CHECKING:
    import requests

REMEDY: Final = "Check the network, try later, or put {name}_series.csv into --data-dir."
HEADERS: Final = ("observation_date,", "DATE,")
REFUSED: Final = (401, 403, 451)
UNKNOWN: Final = (400, 404)


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
            As for bars: see `feeds.vendors.vendor.Vendor.fetch`.
        """
        known = FRED_SERIES.get(name)
        if known is None:
            raise ConfigError(
                f"`series` must be one of {', '.join(FRED_SERIES)}, received {name!r}. Any other "
                f"goes into {name}_series.csv with a lag in days."
            )
        text = self._patience.call(
            lambda: self._asked(name), subject=f"fred {name}", remedy=REMEDY.format(name=name)
        )
        series = validated_series(
            _table(text),
            name=name,
            units=known.units,
            release=known.release,
            source=self.name,
            origin=f"fred {name}",
        )
        if not known.revised:
            return series
        note = f"fred {name}: values as revised since, not as first published"
        return replace(series, notes=(*series.notes, note))

    def _asked(self, name: str) -> str:
        import requests

        from feeds.vendors.wire import mount

        base = self._address or address_of(self.name)
        with requests.Session() as session:
            mount(session, self._patience, is_data=_is_csv)
            try:
                answer = session.get(f"{base}/graph/fredgraph.csv", params={"id": name})
            except requests.RequestException as error:
                raise _failure(error) from error
        if answer.ok:
            return answer.text
        raise _refusal(answer, name)


def _table(text: str) -> pd.DataFrame:
    raw = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    return raw.set_axis(["date", "value"], axis=1)


def _is_csv(body: bytes) -> bool:
    return body.startswith(tuple(head.encode() for head in HEADERS)) and body.endswith(b"\n")


def _failure(error: Exception) -> PassingError:
    import requests

    from feeds.vendors.wire import could_not_connect

    if could_not_connect(error):
        return PassingError("cannot be reached", connecting=True)
    if isinstance(error, requests.Timeout):
        return PassingError("no answer in time")
    text = str(error)
    return PassingError(text if text.startswith("the answer") else "the connection broke")


def _refusal(answer: "requests.Response", name: str) -> Exception:
    status, remedy = answer.status_code, f"Put {name}_series.csv into --data-dir."
    if status in REFUSED:
        return NotServed(
            f"fred {name}: refused here (HTTP {status}), by region or firewall. {remedy}"
        )
    if status in UNKNOWN:
        return NotServed(f"fred {name}: not known there (HTTP {status}). {remedy}")
    return PassingError(f"HTTP {status}")
