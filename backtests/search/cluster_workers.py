"""The workers of a cluster that compute what this program would: those of the same version."""

import functools
import hashlib
import logging
import time
from pathlib import Path
from typing import Any, Final

from distributed import Client

from feeds.errors import ConfigError

log = logging.getLogger(__name__)

# what decides the bytes of a table, and whether a task can be read at all
PACKAGES: Final = ("russell-risk-on", "numpy", "numba", "pandas", "pyarrow", "dask", "distributed")
ROOMS: Final = ("feeds", "strategies", "backtests")
SECONDS_BETWEEN_LOOKS: Final = 5.0


class Crew:
    """Which workers of a cluster may compute; the others are named once and left out.

    Raises
    ------
    ConfigError
        If the scheduler, or every worker, is of another version.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._fit: dict[str, int] = {}
        self._unfit: set[str] = set()
        self._looked = time.monotonic()
        self._has_told = False
        self.look()

    @property
    def threads(self) -> int:
        """How many threads may compute, on all workers."""
        return sum(self._fit.values())

    @property
    def left_out(self) -> int:
        """How many workers were left out so far."""
        return len(self._unfit)

    @property
    def allowed(self) -> list[str] | None:
        """The addresses to which work is restricted; None where all workers fit."""
        return sorted(self._fit) if self._unfit else None

    def look(self) -> None:
        """Compare all versions anew: workers come and go."""
        found = self._client.get_versions(packages=list(PACKAGES))
        here = versions_of(found["client"])
        if scheduler := difference(versions_of(found["scheduler"]), here):
            raise ConfigError(
                f"`--scheduler` {self._client.scheduler.address} is of another version: "
                f"{scheduler}. Install the same versions there."
            )
        for address, worker in found["workers"].items():
            if why := difference(versions_of(worker), here):
                self.leave_out(address, why)
        threads = self._client.nthreads()
        there = found["workers"].keys() & threads.keys() - self._unfit
        self._fit = {address: threads[address] for address in there}
        if found["workers"] and not self._fit:
            raise ConfigError(
                "`--scheduler` has no worker of this version. Install the same versions there."
            )

    def leave_out(self, address: str, why: str) -> None:
        """Give a worker nothing more to do, and say why."""
        if address not in self._unfit:
            log.warning("worker %s is of another version and left out: %s", address, why)
        self._unfit.add(address)
        self._fit.pop(address, None)

    def admits(self, address: str, *, code: str) -> bool:
        """Return whether what a worker computed counts; one that is new is looked at first."""
        if address not in self._fit.keys() | self._unfit:
            self.look()
        if address in self._fit and code != code_digest():
            self.leave_out(address, "the same version number, but other code")
        return address in self._fit

    def look_again(self) -> None:
        """Notice workers that came or went, every few seconds."""
        if time.monotonic() - self._looked < SECONDS_BETWEEN_LOOKS:
            return
        there = self._client.nthreads()
        self._looked = time.monotonic()
        if there.keys() - self._fit.keys() - self._unfit:
            self.look()
        self._fit = {address: there[address] for address in self._fit.keys() & there.keys()}
        if not there and not self._has_told:
            log.warning("no worker is left: waiting for one (Ctrl-C keeps what is done)")
        self._has_told = not there


def versions_of(report: Any) -> dict[str, str]:
    """Return Python's version (as far as it matters) and the packages', "none" where missing."""
    packages = report["packages"]
    python = ".".join(packages["python"].split(".")[:2])
    return {"Python": python} | {name: packages.get(name) or "none" for name in PACKAGES}


def difference(there: dict[str, str], here: dict[str, str]) -> str:
    """Return what differs, such as "numpy 2.1.0 (here 2.4.1)"; empty where nothing does."""
    return ", ".join(
        f"{name} {there[name]} (here {version})"
        for name, version in here.items()
        if there[name] != version
    )


@functools.cache
def code_digest() -> str:
    """Return the SHA-256 of this program's modules, which a version number may not tell apart."""
    root = Path(__file__).parents[2]
    files = sorted(path for room in ROOMS for path in (root / room).rglob("*.py"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()
