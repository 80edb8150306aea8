"""How vendors are asked: where each is reached, how long to wait, which failures are final.

Each vendor we speak HTTP with has its own address, or a mirror set for it: in the config's section
`[vendors]`, or for all commands as JSON in the environment variable RUSSELL_VENDORS; a config
goes before the variable. A key's address is the base of the vendor's own paths, without a slash
at its end, for all but `ishares`, which is the whole address of the fund's file.
"""

import contextlib
import difflib
import ipaddress
import json
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from feeds.errors import ConfigError, DataError, Unreachable

if TYPE_CHECKING:
    from tenacity import RetryCallState

log = logging.getLogger(__name__)

T = TypeVar("T")

# What an HTTP status means for the next try. 418 is what Binance calls a ban for asking too
# often, 425 "too early"; 407 is a firewall's proxy.
REFUSED: Final = (401, 403, 407, 451)
UNKNOWN: Final = (400, 404, 410)
LATER: Final = (408, 418, 425, 429)
SERVER_ERROR: Final = 500
VARIABLE: Final = "RUSSELL_VENDORS"
ADDRESSES: Final[Mapping[str, str]] = {
    "fred": "https://fred.stlouisfed.org",
    "coinmetrics": "https://community-api.coinmetrics.io",
    "binance_archive": "https://data.binance.vision",
    "binance_listing": "https://s3-ap-northeast-1.amazonaws.com/data.binance.vision",
    "alternative": "https://api.alternative.me",
    "ishares": (
        "https://www.ishares.com/us/products/239710/ishares-russell-2000-etf/"
        "1521942788811.ajax?fileType=xls&fileName=iShares-Russell-2000-ETF_fund&dataType=fund"
    ),
}
WHOLE: Final = frozenset({"ishares"})
_chosen: dict[str, str] = {}


def is_passing(status: int) -> bool:
    """Return whether an answer with this HTTP status is worth another try."""
    return status in LATER or status >= SERVER_ERROR


class PassingError(Exception):
    """A failure that another try may cure: network, timeout, 429, 5xx, a page that is no data.

    `connecting` marks a host that could not be reached at all; `retry_after` is the wait in
    seconds the vendor asked for, 0 if it asked for none.
    """

    def __init__(self, reason: str, *, connecting: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.connecting = connecting
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Patience:
    """Bounds on waiting, in seconds, and on tries.

    A host that cannot be reached is tried `connect_attempts` times, so that a missing
    network shows within seconds; everything else `attempts` times, with a wait that doubles
    from `first_wait` to `longest_wait` and carries jitter, so that several downloads do not
    come back in step.

    `connect_timeout` and `read_timeout` bound each wait for the network, which a server that
    sends a byte a second never exceeds. So one request may take `request_seconds` from its
    start to its last byte, no new try begins `retry_seconds` after the first one, and no
    request of a download begins `fetch_seconds` after its start.
    """

    connect_timeout: float = 3.0
    read_timeout: float = 20.0
    request_seconds: float = 30.0
    retry_seconds: float = 60.0
    fetch_seconds: float = 600.0
    attempts: int = 4
    connect_attempts: int = 2
    first_wait: float = 0.5
    longest_wait: float = 8.0

    def fetch_end(self) -> float:
        """Return the instant (of `time.monotonic`) at which a download that begins now is over."""
        return time.monotonic() + self.fetch_seconds

    def call(
        self, once: Callable[[], T], *, subject: str, remedy: str, until: float = math.inf
    ) -> T:
        """Return what `once` returns, trying again while it raises `PassingError`.

        `until` is the `fetch_end` of the download the request is part of.

        Raises
        ------
        Unreachable
            Naming `subject` (vendor and symbol), the last failure and `remedy`.
        """
        from tenacity import Retrying, retry_if_exception_type

        if time.monotonic() >= until:
            raise Unreachable(
                f"{subject}: the download took over {self.fetch_seconds:g} seconds. {remedy}"
            )
        tries = Retrying(
            retry=retry_if_exception_type(PassingError),
            stop=lambda state: self._is_enough(state) or time.monotonic() >= until,
            wait=self._wait,
            before_sleep=lambda state: log.info("%s: %s, trying again", subject, _failure(state)),
            reraise=True,
        )
        try:
            return tries(once)
        except PassingError as failure:
            made = tries.statistics["attempt_number"]
            times = f"{made} times" if made > 1 else "once"
            raise Unreachable(f"{subject}: {failure} (tried {times}). {remedy}") from failure

    def _is_enough(self, state: "RetryCallState") -> bool:
        allowed = self.connect_attempts if _failure(state).connecting else self.attempts
        took = state.seconds_since_start or 0.0
        return state.attempt_number >= allowed or took >= self.retry_seconds

    def _wait(self, state: "RetryCallState") -> float:
        from tenacity import wait_exponential, wait_random

        backoff = wait_exponential(multiplier=self.first_wait, max=self.longest_wait)
        jittered = backoff + wait_random(0, self.first_wait)
        return max(float(jittered(state)), min(_failure(state).retry_after, self.longest_wait))


def _failure(state: "RetryCallState") -> PassingError:
    error = state.outcome.exception() if state.outcome is not None else None
    return error if isinstance(error, PassingError) else PassingError("no answer")


class Reach:
    """Which vendors answered in this process, so that a dead network is waited for once.

    A vendor that was unreachable before it ever answered is not asked again; one that
    answered is, because then a failure is about one request.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: set[str] = set()
        self._silent: dict[str, str] = {}

    def require(self, name: str) -> None:
        """Raise `Unreachable` at once if the vendor is known to be."""
        with self._lock:
            if name in self._silent:
                raise Unreachable(f"{name} is not asked again: {self._silent[name]}")

    @contextlib.contextmanager
    def asking(self, name: str) -> Iterator[None]:
        """Ask the vendor inside; whether it could be reached is remembered."""
        self.require(name)
        try:
            yield
        except Unreachable as error:
            self.note_failure(name, error)
            raise
        except DataError:
            self.note_answer(name)
            raise
        self.note_answer(name)

    def note_answer(self, name: str) -> None:
        """Note that the vendor answered, whatever it said."""
        with self._lock:
            self._answered.add(name)

    def note_failure(self, name: str, error: Unreachable) -> None:
        """Note that the vendor could not be reached."""
        with self._lock:
            if name not in self._answered:
                self._silent[name] = str(error)


PROCESS_REACH: Final = Reach()


def address_of(name: str) -> str:
    """Return where the vendor `name` is reached: as a config says, the variable, or itself.

    Raises
    ------
    ConfigError
        If what RUSSELL_VENDORS holds cannot be used.
    """
    if name in _chosen:
        return _chosen[name]
    return _from_environment().get(name, ADDRESSES[name])


def use_addresses(chosen: Mapping[str, str]) -> None:
    """Take these addresses in this process from now on, in place of those taken before.

    An empty address stands for one not set.

    Raises
    ------
    ConfigError
        If one cannot be used; then nothing changes.
    """
    checked = _check(chosen, parameter="vendors.{}")
    _chosen.clear()
    _chosen.update(checked)


def is_allowed(address: str) -> bool:
    """Return whether `address` is https, or plain http to this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_here(host)))


def is_here(host: str) -> bool:
    """Return whether a host's name is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _from_environment() -> dict[str, str]:
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return {}
    try:
        chosen = json.loads(text)
    except ValueError:
        chosen = None
    if not isinstance(chosen, dict):
        raise ConfigError(
            f'`{VARIABLE}` must be JSON such as {{"fred": "https://mirror.example/fred"}}, '
            f"received {text[:80]!r}."
        )
    return _check(chosen, parameter=VARIABLE + ".{}")


def _check(chosen: Mapping[str, object], *, parameter: str) -> dict[str, str]:
    checked = {}
    for name, address in chosen.items():
        key = parameter.format(name)
        if name not in ADDRESSES:
            near = difflib.get_close_matches(str(name), ADDRESSES, n=1)
            hint = f"The nearest is `{near[0]}`" if near else f"There are {', '.join(ADDRESSES)}"
            raise ConfigError(f"`{key}` is no vendor with an address to set. {hint}.")
        if address == "":
            continue
        if not isinstance(address, str) or not _is_base(address, is_whole=name in WHOLE):
            raise ConfigError(
                f"`{key}` must be an https address, or http to this machine, without name and "
                f"password, received {address!r}."
            )
        checked[name] = address if name in WHOLE else address.rstrip("/")
    return checked


def _is_base(address: str, *, is_whole: bool) -> bool:
    if not address.isascii() or not address.isprintable() or " " in address or "\\" in address:
        return False
    if not is_allowed(address):
        return False
    parts = urlsplit(address)
    return "@" not in parts.netloc and (is_whole or not (parts.query or parts.fragment))
