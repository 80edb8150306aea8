"""A sweep over TLS on machines of their own, as namespaces: far away, cut off, and dying."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from distributed import Security

from backtests.search.bars_used import used_bars
from backtests.search.plan import load_plan
from backtests.search.run_chunks import drive
from backtests.search.store import create
from backtests.search.trials.trial_library import Library
from tests.backtests.search.namespaces import (
    HUB,
    Network,
    Started,
    hindrance,
    network,
    relay_routes,
)

SWEEP = """
[sweep]
chunk = 3
"signal.lookback" = [63, 252]
"rules.hold_days" = {from = 1, to = 360, step = 1}
"""
CHUNKS = 240
SECONDS_DOWN = 10
LATENCY = "0.02"
SCHEDULER, FIRST, SECOND = 8786, 9001, 9002
RELAY = Path(__file__).with_name("relay.py")


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    why = hindrance()
    if why and os.environ.get("CI") == "true":
        pytest.fail(f"no network namespaces: {why}")
    if why:
        pytest.skip(f"no network namespaces: {why}")


@pytest.fixture
def pem(tmp_path: Path) -> dict[str, str]:
    """The files of a certificate that signs itself."""
    made = Security.temporary()
    contents = {"ca": made.tls_ca_file, "cert": made.tls_client_cert, "key": made.tls_client_key}
    for name, content in contents.items():
        (tmp_path / f"{name}.pem").write_text(content)
    return {name: str(tmp_path / f"{name}.pem") for name in contents}


def parts(out: Path) -> list[Path]:
    return sorted(out.glob("*/trials/part-*.parquet"))


def table(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in parts(out)}


def sweep_here(file: Path, data: Path, out: Path) -> None:
    """Do the same sweep on a thread of this process."""
    flags = {"data.source": "files", "data.data_dir": str(data)}
    plan, library = load_plan(file, flags=flags), Library()
    store = create(out, plan, bars=used_bars(plan, library).bars)
    drive(store, library=library, report=lambda count: None, threads=1)


def wait(until: Callable[[], bool], *, process: Started) -> None:
    deadline = time.monotonic() + 120
    while not until():
        assert process.poll() is None, process.log.read_text()
        assert time.monotonic() < deadline, process.log.read_text()
        time.sleep(0.01)


def start_cluster(net: Network, pem: dict[str, str], logs: Path) -> list[Started]:
    """Start relay, scheduler and two workers; return the workers."""
    workers = {"alpha": FIRST, "beta": SECOND}
    targets = [(SCHEDULER, net.address("scheduler"))]
    targets += [(port, net.address(name)) for name, port in workers.items()]
    net.start("hub", str(RELAY), LATENCY, HUB, *relay_routes(targets), log=logs / "relay")
    tls = ("--tls-ca-file", pem["ca"], "--tls-cert", pem["cert"], "--tls-key", pem["key"])
    here = ("--host", f"tls://{net.address('scheduler')}", "--port", str(SCHEDULER))
    command = ("-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--no-show")
    net.start("scheduler", *command, *here, *tls, log=logs / "scheduler")
    return [
        net.start(
            *(name, "-m", "distributed.cli.dask_worker", f"tls://{HUB}:{SCHEDULER}", *tls),
            *("--no-nanny", "--no-dashboard", "--nthreads", "1", "--name", name),
            *("--listen-address", f"tls://{net.address(name)}:{port}"),
            *("--contact-address", f"tls://{HUB}:{port}"),
            log=logs / name,
        )
        for name, port in workers.items()
    ]


def test_sweep_over_tls_outlives_a_cut_link_and_a_killed_worker_with_the_same_table(
    pem: dict[str, str], shared_data: Path, tmp_path: Path
) -> None:
    file, out, log = tmp_path / "sweep.toml", tmp_path / "far", tmp_path / "driver"
    file.write_text(SWEEP)
    options = ["--config", str(file), "--source", "files", "--data-dir", str(shared_data)]
    far = ["--scheduler", f"tls://{HUB}:{SCHEDULER}", "--out", str(out)]
    far += ["--tls-ca", pem["ca"], "--tls-cert", pem["cert"], "--tls-key", pem["key"]]
    with network("scheduler", "alpha", "beta", "driver") as net:
        alpha, beta = start_cluster(net, pem, tmp_path)
        sweep_here(file, shared_data, tmp_path / "near")
        logs = (alpha.log, beta.log)
        wait(lambda: all("Registered to" in log.read_text() for log in logs), process=alpha)
        driver = net.start("driver", "-m", "backtests.sweep", *options, *far, log=log)
        wait(lambda: len(parts(out)) > 0, process=driver)

        net.set_link("scheduler", "down")
        time.sleep(1)
        before = len(parts(out))
        time.sleep(SECONDS_DOWN - 1)
        assert len(parts(out)) == before < CHUNKS
        net.set_link("scheduler", "up")
        wait(lambda: len(parts(out)) > before, process=driver)

        beta.kill()
        assert len(parts(out)) < CHUNKS
        wait(lambda: len(parts(out)) == CHUNKS, process=driver)
        # what comes after, judging and drawing, is the same as without a cluster
        driver.terminate()
        assert alpha.poll() is None
    assert table(out) == table(tmp_path / "near")
    assert len(parts(tmp_path / "near")) == CHUNKS
    left = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    assert f"sweep-{os.getpid()}-" not in left.stdout
