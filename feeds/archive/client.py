"""HTTP to the archive: patient, several threads at once, every failure one of ours."""

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

from feeds.errors import DataError, NotServed
from feeds.vendors.addresses import address_of
from feeds.vendors.patience import PassingError, Patience

if TYPE_CHECKING:
    import requests

T = TypeVar("T")

REMEDY: Final = "Check the network and run it again: what has arrived is not fetched again."
REFUSED: Final = (401, 403, 407, 451)
GONE: Final = (404, 410)
PASSING: Final = (408, 418, 425, 429)  # 418 is what Binance answers to whoever ignores a 429
SERVER_ERROR: Final = 500
# How a proxy's page begins, and none of the archive's answers.
MARKUP: Final = (b"<!doctype", b"<html")


class Client:
    """The archive's two servers: one serves the files, the other lists them.

    Each thread has its own session, so that connections are kept and none is shared.
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._own = threading.local()

    def listing(self, query: Mapping[str, str]) -> bytes:
        """Return a page of the listing, asked once; see `patiently`."""
        return self._body(address_of("binance_listing"), query, what="the listing")

    def file(self, key: str) -> bytes:
        """Return a file of the archive, asked once; see `patiently`."""
        address = f"{address_of('binance_archive')}/{quote(key)}"
        return self._body(address, {}, what=key.rpartition("/")[2])

    def patiently(self, once: Callable[[], T], *, subject: str) -> T:
        """Return what `once` returns, asking again where that may help.

        Raises
        ------
        Unreachable
            If it never came whole.
        NotServed, DataError
            If the archive refuses, or does not have it.
        """
        return self._patience.call(once, subject=f"binance archive {subject}", remedy=REMEDY)

    def _body(self, address: str, query: Mapping[str, str], *, what: str) -> bytes:
        import requests

        try:
            answer = self._session().get(address, params=dict(query))
        except requests.RequestException as error:
            raise _failure(error) from error
        if answer.ok:
            return answer.content
        raise _refusal(answer, what)

    def _session(self) -> "requests.Session":
        import requests

        from feeds.vendors.wire import mount

        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = requests.Session()
            mount(session, self._patience, is_data=_is_no_page)
        return session


def _is_no_page(body: bytes) -> bool:
    return not body.lstrip()[:16].lower().startswith(MARKUP)


def _failure(error: Exception) -> PassingError:
    import requests

    from feeds.vendors.wire import could_not_connect

    if could_not_connect(error):
        return PassingError("cannot be reached", connecting=True)
    if isinstance(error, requests.Timeout):
        return PassingError("no answer in time")
    text = str(error)
    return PassingError(text if text.startswith("the answer") else "the connection broke")


def _refusal(answer: "requests.Response", what: str) -> Exception:
    from feeds.vendors.wire import status_of

    status = answer.status_code
    if status in REFUSED:
        return NotServed(
            f"binance archive: {what} is refused here (HTTP {status}), by region or firewall. "
            "Set a mirror in RUSSELL_VENDORS, or use another network."
        )
    if status in GONE:
        return NotServed(f"binance archive: {what} is not there (HTTP {status}).")
    if status in PASSING or status >= SERVER_ERROR:
        import requests

        _, wait = status_of(requests.HTTPError(response=answer))
        return PassingError(f"HTTP {status}", retry_after=wait)
    return DataError(f"binance archive: {what} cannot be had (HTTP {status}). {REMEDY}")
