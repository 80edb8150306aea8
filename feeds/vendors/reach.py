"""Which vendors answer in this process."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Final

from feeds.errors import DataError, Unreachable


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
