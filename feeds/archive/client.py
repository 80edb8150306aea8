"""HTTP to the archive: patient, several threads at once, every failure one of ours."""

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

from feeds.vendors.addresses import address_of
from feeds.vendors.patience import Patience

if TYPE_CHECKING:
    import requests

T = TypeVar("T")

REMEDY: Final = "Check the network and run it again: what has arrived is not fetched again."
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

        from feeds.vendors.wire import SUCCESS, failure, refusal, retry_after

        subject = f"binance archive {what}"
        try:
            answer = self._session().get(address, params=dict(query))
        except (requests.RequestException, ValueError) as error:
            raise failure(error, subject, REMEDY) from error
        if answer.status_code in SUCCESS:
            return bytes(answer.content)
        raise refusal(answer.status_code, retry_after(answer), subject, REMEDY)

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
