"""HTTP for the vendors reached through `requests`: short connects, no page mistaken for data."""

from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from feeds.vendors.patience import Patience

Check = Callable[[bytes], bool]


class PatientAdapter(HTTPAdapter):
    """Applies our timeouts whatever the caller passes, and refuses answers that are no data.

    A client library reads a proxy's or a firewall's HTML page with status 200 as "no bars".
    Here it is a `ConnectionError`, like a body that breaks off, and so worth another try.
    """

    def __init__(self, patience: Patience, *, is_data: Check) -> None:
        super().__init__()
        self._timeout = (patience.connect_timeout, patience.read_timeout)
        self._is_data = is_data

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        """Send `request`; the body is read here so that a broken one fails here."""
        response = super().send(request, *args, **{**options, "timeout": self._timeout})
        try:
            body = response.content
        except (
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ) as error:
            raise requests.ConnectionError("the answer broke off", request=request) from error
        if response.ok and not self._is_data(body):
            raise requests.ConnectionError("the answer is no data", request=request)
        return response


def is_json(body: bytes) -> bool:
    """Return whether `body` looks like one whole JSON object or array."""
    text = body.strip()
    return text[:1] + text[-1:] in (b"{}", b"[]")


def mount(session: requests.Session, patience: Patience, *, is_data: Check) -> None:
    """Let every request of `session` go through a `PatientAdapter`."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, PatientAdapter(patience, is_data=is_data))


def status_of(error: BaseException | None) -> tuple[int, float]:
    """Return the HTTP status behind an error and its Retry-After seconds, 0 where none."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, requests.Response):
            return response.status_code, _seconds(response.headers.get("Retry-After", ""))
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


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 0.0
