"""How long to wait for a vendor, and which failures are worth another try."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from feeds.errors import Unreachable

if TYPE_CHECKING:
    from tenacity import RetryCallState

log = logging.getLogger(__name__)

T = TypeVar("T")


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
    """

    connect_timeout: float = 3.0
    read_timeout: float = 20.0
    attempts: int = 4
    connect_attempts: int = 2
    first_wait: float = 0.5
    longest_wait: float = 8.0

    def call(self, once: Callable[[], T], *, subject: str, remedy: str) -> T:
        """Return what `once` returns, trying again while it raises `PassingError`.

        Raises
        ------
        Unreachable
            Naming `subject` (vendor and symbol), the last failure and `remedy`.
        """
        from tenacity import Retrying, retry_if_exception_type

        tries = Retrying(
            retry=retry_if_exception_type(PassingError),
            stop=self._is_enough,
            wait=self._wait,
            before_sleep=lambda state: log.info("%s: %s, trying again", subject, _failure(state)),
            reraise=True,
        )
        try:
            return tries(once)
        except PassingError as failure:
            allowed = self.connect_attempts if failure.connecting else self.attempts
            times = f"{allowed} times" if allowed > 1 else "once"
            raise Unreachable(f"{subject}: {failure} (tried {times}). {remedy}") from failure

    def _is_enough(self, state: "RetryCallState") -> bool:
        connecting = _failure(state).connecting
        return state.attempt_number >= (self.connect_attempts if connecting else self.attempts)

    def _wait(self, state: "RetryCallState") -> float:
        from tenacity import wait_exponential, wait_random

        backoff = wait_exponential(multiplier=self.first_wait, max=self.longest_wait)
        jittered = backoff + wait_random(0, self.first_wait)
        return max(float(jittered(state)), min(_failure(state).retry_after, self.longest_wait))


def _failure(state: "RetryCallState") -> PassingError:
    error = state.outcome.exception() if state.outcome is not None else None
    return error if isinstance(error, PassingError) else PassingError("no answer")
