"""HTTP for the vendors reached through `requests`: bounded waits, no page mistaken for data.

`answer` is one request to a vendor we speak HTTP with, retried and judged. A client library
with a session of its own gets the same bounds by `mount`.
"""

import http.client
import io
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from feeds.errors import DataError, NotServed
from feeds.vendors.request_policy import (
    REFUSED,
    UNKNOWN,
    PassingError,
    Patience,
    is_allowed,
    is_here,
    is_passing,
)

Check = Callable[[bytes], bool]

SUCCESS: Final = range(200, 300)
CHUNK_BYTES: Final = 65_536
# The largest answer there is, the fund's own file, is some 20 MB.
MOST_BYTES: Final = 200_000_000
PASSED: Final = "the answer"  # how a reason of ours begins


def answer(
    session: requests.Session,
    url: str,
    *,
    subject: str,
    remedy: str,
    patience: Patience,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    until: float = float("inf"),
) -> bytes:
    """Return the body of the vendor's answer to a request for `url`, trying again where it pays.

    `session` comes from `open_session`, with the check that tells data from a page; `subject` names
    vendor and symbol in messages.

    Raises
    ------
    Unreachable
        If the network, the vendor or something between kept failing.
    NotServed
        If the vendor refuses, or does not know what is asked for.
    DataError
        If the answer is of another kind.
    """

    def once() -> bytes:
        try:
            response = session.get(url, params=params, headers=headers)
        except (requests.RequestException, ValueError) as error:
            raise failure(error, subject, remedy) from error
        if response.status_code in SUCCESS:
            return bytes(response.content)
        raise refusal(response.status_code, retry_after(response), subject, remedy)

    return patience.call(once, subject=subject, remedy=remedy, until=until)


@contextmanager
def open_session(
    patience: Patience, *, is_data: Check, first_bytes: int | None = None
) -> Iterator[requests.Session]:
    """Open a session whose requests are bounded, and whose answers pass `is_data`.

    With `first_bytes` no more than about that much of an answer is read, whatever follows.
    """
    with requests.Session() as session:
        mount(session, patience, is_data=is_data, first_bytes=first_bytes)
        yield session


def mount(
    session: requests.Session,
    patience: Patience,
    *,
    is_data: Check,
    first_bytes: int | None = None,
) -> None:
    """Let every request of `session` go through a `PatientAdapter`."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, PatientAdapter(patience, is_data=is_data, first_bytes=first_bytes))


def is_json(body: bytes) -> bool:
    """Return whether `body` looks like one whole JSON object or array."""
    text = body.strip()
    return text[:1] + text[-1:] in (b"{}", b"[]")


class PatientAdapter(HTTPAdapter):
    """Applies our bounds whatever the caller passes, and refuses answers that are no data.

    A client library reads a proxy's or a firewall's HTML page with status 200 as "no bars".
    Here it is a `ConnectionError`, like a body that breaks off, and so worth another try.
    """

    def __init__(
        self, patience: Patience, *, is_data: Check, first_bytes: int | None = None
    ) -> None:
        self._pools = _pool_classes(patience.request_seconds)
        super().__init__()
        self._timeout = (patience.connect_timeout, patience.read_timeout)
        self._is_data = is_data
        self._first_bytes = first_bytes

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Give every connection the bound on a whole request."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """Give the connections through a proxy the same bound."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        """Send `request`; the body is read here so that a broken one fails here."""
        url = str(request.url)
        if not is_allowed(url):  # also where a vendor sends us on to
            raise requests.exceptions.InvalidURL(f"{url[:80]} is not https", request=request)
        if is_here(urlsplit(url).hostname or ""):
            options["proxies"] = {}
        options |= {"stream": True, "timeout": self._timeout}
        response = super().send(request, *args, **options)
        try:
            body = b"".join(_bound(response, self._first_bytes))
        except requests.RequestException as error:
            response.close()
            raise requests.ConnectionError(f"{PASSED} broke off", request=request) from error
        response._content, response._content_consumed = body, True
        if response.status_code in SUCCESS and not self._is_data(body):
            raise requests.ConnectionError(f"{PASSED} is no data", request=request)
        return response


def failure(error: BaseException, subject: str, remedy: str) -> Exception:
    """Return what an error of `requests` means: worth another try, or not."""
    if could_not_connect(error):
        return PassingError("cannot be reached", connecting=True)
    if isinstance(error, (ValueError, requests.TooManyRedirects)):  # no address to go on to
        return NotServed(f"{subject}: redirected without end or to no https address. {remedy}")
    if isinstance(error, requests.Timeout):
        return PassingError("no answer in time")
    text = str(error)
    return PassingError(text if text.startswith(PASSED) else "the connection broke")


def refusal(status: int, wait: float, subject: str, remedy: str) -> Exception:
    """Return what an answer with an error's HTTP status means."""
    if is_passing(status):
        return PassingError(f"HTTP {status}", retry_after=wait)
    if status in REFUSED:
        return NotServed(
            f"{subject}: refused here (HTTP {status}), by region or firewall. {remedy}"
        )
    if status in UNKNOWN:
        return NotServed(f"{subject}: not known there (HTTP {status}). {remedy}")
    return DataError(f"{subject}: an answer of no use (HTTP {status}). {remedy}")


def retry_after(response: requests.Response) -> float:
    """Return the wait in seconds an answer asks for, 0 where it asks for none."""
    text = str(response.headers.get("Retry-After", ""))
    return float(text) if text.isascii() and text.isdecimal() else 0.0


def status_of(error: BaseException | None) -> tuple[int, float]:
    """Return the HTTP status behind an error and its Retry-After seconds, 0 where none."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, requests.Response):
            return response.status_code, retry_after(response)
        error = error.__cause__ or error.__context__
    return 0, 0.0


def could_not_connect(error: BaseException | None) -> bool:
    """Return whether no connection came about: name, route, refusal or connect timeout."""
    while error is not None:
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return True
        if type(error).__name__ in ("NewConnectionError", "NameResolutionError"):
            return True
        reason = getattr(error.args[0] if error.args else None, "reason", None)
        if type(reason).__name__ in ("NewConnectionError", "NameResolutionError"):
            return True
        error = error.__cause__ or error.__context__
    return False


def _bound(response: requests.Response, first_bytes: int | None) -> Iterator[bytes]:
    size = 0
    for chunk in response.iter_content(CHUNK_BYTES):
        size += len(chunk)
        if size > MOST_BYTES:
            raise requests.ConnectionError(f"{PASSED} has no end")
        yield chunk
        if first_bytes is not None and size >= first_bytes:
            response.close()
            return


class _TimedFile(io.RawIOBase):
    """Reads a socket until an instant, however little arrives at a time."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        self._sock, self._end = sock, end
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long as a whole")
        pause = self._sock.gettimeout()
        self._sock.settimeout(left if pause is None else min(pause, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedSocket:
    """What `http.client` reads an answer from: a socket's file that ends in time."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock, self._end = sock, time.monotonic() + seconds

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedFile(self._sock, self._end))


def _pool_classes(seconds: float) -> dict[str, Any]:
    """Return urllib3's pools, their connections bounded to `seconds` per answer."""

    class TimedResponse(http.client.HTTPResponse):
        def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
            super().__init__(_TimedSocket(sock, seconds), *args, **options)  # type: ignore[arg-type]

    class Plain(HTTPConnection):
        response_class = TimedResponse

    class Secure(HTTPSConnection):
        response_class = TimedResponse

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
