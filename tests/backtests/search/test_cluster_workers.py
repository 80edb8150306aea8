"""Which workers may compute, from the versions that scheduler and workers tell."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from distributed import Client

from backtests.search.cluster_workers import PACKAGES, Crew
from feeds.errors import ConfigError

HERE = {"python": "3.11.7.final.0"} | dict.fromkeys(PACKAGES, "2.0")


def client(scheduler: dict[str, Any], **workers: dict[str, Any]) -> Client:
    """A client that is told these packages."""
    found = {
        "client": {"packages": HERE},
        "scheduler": {"packages": HERE | scheduler},
        "workers": {name: {"packages": HERE | packages} for name, packages in workers.items()},
    }
    return cast(
        "Client",
        SimpleNamespace(
            get_versions=lambda packages: found,
            nthreads=lambda: dict.fromkeys(workers, 2),
            scheduler=SimpleNamespace(address="tls://10.0.0.1:8786"),
        ),
    )


@pytest.mark.parametrize(
    ("packages", "told"),
    [
        ({"russell-risk-on": "1.9"}, "russell-risk-on 1.9 (here 2.0)"),
        ({"russell-risk-on": None}, "russell-risk-on none (here 2.0)"),
        ({"python": "3.12.1.final.0"}, "Python 3.12 (here 3.11)"),
        ({"numpy": "1.9", "numba": "0.1"}, "numpy 1.9 (here 2.0), numba 0.1 (here 2.0)"),
    ],
)
def test_worker_of_another_version_is_named_once_and_left_out(
    packages: dict[str, Any], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    crew = Crew(client({}, good={}, old=packages))
    crew.look()
    (line,) = caplog.messages
    assert line == f"worker old is of another version and left out: {told}"
    assert (crew.allowed, crew.threads, crew.left_out) == (["good"], 2, 1)


def test_workers_of_the_same_version_are_all_allowed_whatever_pythons_last_number() -> None:
    crew = Crew(client({}, one={"python": "3.11.9.final.0"}, other={}))
    assert (crew.allowed, crew.threads) == (None, 4)


def test_scheduler_of_another_version_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^`--scheduler` tls://10.0.0.1:8786 .*numpy 1.9 \(here"):
        Crew(client({"numpy": "1.9"}, good={}))


def test_cluster_whose_workers_are_all_of_another_version_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^`--scheduler` has no worker of this version"):
        Crew(client({}, old={"numpy": "1.9"}))
