"""Doing a sweep's chunks on Dask workers: processes here, or machines of a cluster.

A chunk is a pure function of the plan, the bars and its number, so the table is the same
whatever the number of workers, and a chunk lost with its worker is simply done again.
"""

import functools
import logging
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import dask
from distributed import Client, LocalCluster, Security
from distributed.versions import VersionMismatchWarning

from backtests.search.cluster_tasks import hand_out
from backtests.search.cluster_workers import Crew
from backtests.search.plan import Plan
from backtests.search.run_chunks import Driver
from feeds.errors import ConfigError
from feeds.vendors.request_policy import is_here

SECONDS_TO_ANSWER: Final = 15
SETTINGS: Final = {
    # a link may be down for a while: try again before a chunk is given up
    "distributed.comm.timeouts.connect": "60s",
    "distributed.comm.retry.count": 5,
    "distributed.admin.large-graph-warning-threshold": "1TB",
    # nobody looks at these, and they cost every process a little all the time
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.worker.memory.monitor-interval": "1s",
}


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """How to reach a scheduler: its address, PEM files, and whether it may go unencrypted."""

    scheduler: str
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    insecure: bool = False

    @property
    def is_encrypted(self) -> bool:
        """Whether the address asks for TLS."""
        return self.scheduler.startswith("tls://")

    @property
    def is_remote(self) -> bool:
        """Whether the scheduler may be on another machine."""
        try:
            host = urlsplit(f"//{self.scheduler.rpartition('://')[2]}").hostname
        except ValueError:
            return True
        return not is_here(host or "")

    def security(self) -> Security:
        """Return what Dask needs to know; what is not given may stand in its own settings.

        Raises
        ------
        ConfigError
            If the connection would be unencrypted, or certificates are missing or wrong.
        """
        files = {
            "tls_ca_file": self.tls_ca,
            "tls_client_cert": self.tls_cert,
            "tls_client_key": self.tls_key,
        }
        given = {name: str(path) for name, path in files.items() if path}
        if not self.is_encrypted:
            self._require_harmless(given)
            return Security()
        security = Security(require_encryption=True, **given)
        if not (security.tls_ca_file and security.tls_client_cert):
            raise ConfigError(
                f"`--scheduler` {self.scheduler} needs certificates. Give --tls-ca, --tls-cert "
                "and --tls-key."
            )
        try:
            security.get_connection_args("client")
        except OSError as error:  # ssl.SSLError is one
            raise ConfigError(
                f"`--tls-ca`, `--tls-cert` and `--tls-key` must be PEM files that belong "
                f"together, received {', '.join(given.values()) or 'those of Dask'} ({error}). "
                "Give the cluster's authority, and a certificate it signed with its key."
            ) from error
        return security

    def _require_harmless(self, given: dict[str, str]) -> None:
        if given:
            raise ConfigError(
                f"`--tls-ca`, `--tls-cert` and `--tls-key` need an encrypted scheduler, received "
                f"{self.scheduler!r}. Give an address such as tls://10.0.0.1:8786."
            )
        if self.is_remote and not self.insecure:
            raise ConfigError(
                f"`--scheduler` {self.scheduler} is not encrypted: who listens or answers in its "
                "place can run code here and there. Give a tls:// address with --tls-ca, "
                "--tls-cert and --tls-key, or --insecure where the network is private."
            )


@contextmanager
def connect(
    plan: Plan, *, workers: int = 0, access: ClusterAccess | None = None
) -> Iterator[Driver]:
    """Yield what does chunks on `workers` new processes, or on those of a running scheduler.

    Only this process writes to the folder. Lost workers are survived.

    Raises
    ------
    ConfigError
        If the search cannot be shared, the scheduler must not be trusted, does not answer, has
        no workers, or is of another version.
    """
    if plan.settings.search == "guided":
        raise ConfigError(
            "`--workers` and `--scheduler` do not fit a guided search, in which each chunk learns "
            "from the one before. Leave them out."
        )
    _hush()
    with dask.config.set(SETTINGS), warnings.catch_warnings():
        # the crew tells of other versions, in a line
        warnings.simplefilter("ignore", VersionMismatchWarning)
        with _remote(access) if access else _local(workers) as client:
            yield functools.partial(hand_out, client, Crew(client))


def _hush() -> None:
    # it tells of every start and end on stderr; a lost worker is no news either
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("distributed", "tornado")):
            logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def _remote(access: ClusterAccess) -> Iterator[Client]:
    try:
        client = Client(access.scheduler, timeout=SECONDS_TO_ANSWER, security=access.security())
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"`--scheduler` does not answer, received {access.scheduler!r} ({error}). Start one "
            "with `dask scheduler`, and give its address, such as tls://10.0.0.1:8786."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=SECONDS_TO_ANSWER)
        except TimeoutError as error:
            raise ConfigError(
                f"`--scheduler` {access.scheduler} has no workers. Start some with "
                f"`dask worker {access.scheduler}`."
            ) from error
        yield client


@contextmanager
def _local(workers: int) -> Iterator[Client]:
    """Yield a client of processes here that leave Ctrl-C to this one."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs="CRITICAL",
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with cluster, Client(cluster) as client:
        yield client
