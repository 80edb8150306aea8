"""Sweeps on Dask workers, in processes of their own: the same table, whoever dies."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from distributed import Security

from backtests.search.cluster import ClusterAccess
from backtests.sweep import main
from feeds.errors import ConfigError

SWEEP = """
[sweep]
chunk = 3
"signal.lookback" = [63, 252]
"rules.hold_days" = {from = 1, to = 60, step = 1}
"""

ROOT = Path(__file__).parents[3]


def started(file: Path, data: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "backtests.sweep", "--config", str(file), "--out", str(out)]
    files = ["--source", "files", "--data-dir", str(data)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*command, *files, *more], stdout=pipe, stderr=pipe, text=True, cwd=ROOT
    )


def parts(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*/trials/part-*.parquet")}


@pytest.fixture(scope="module")
def sweep_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cluster") / "sweep.toml"
    path.write_text(SWEEP)
    return path


def test_workers_of_which_one_is_killed_leave_the_table_of_threads(
    sweep_file: Path, shared_data: Path, tmp_path: Path
) -> None:
    files = ["--source", "files", "--data-dir", str(shared_data)]
    threads = ["--config", str(sweep_file), *files, "--out", str(tmp_path / "threads")]
    assert main(threads) == 0
    swept = started(sweep_file, shared_data, tmp_path / "workers", "--workers", "2")
    deadline = time.monotonic() + 60
    while not parts(tmp_path / "workers"):
        assert time.monotonic() < deadline
        assert swept.poll() is None, swept.communicate()
        time.sleep(0.01)
    workers = [
        process
        for process in psutil.Process(swept.pid).children(recursive=True)
        if "spawn_main" in " ".join(process.cmdline())
    ]
    assert len(workers) == 2
    workers[0].kill()
    _, complaint = swept.communicate(timeout=90)
    assert swept.returncode == 0, complaint
    assert parts(tmp_path / "workers") == parts(tmp_path / "threads")


def test_a_scheduler_that_does_not_answer_is_named(
    sweep_file: Path, shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--source", "files", "--data-dir", str(shared_data), "--out", str(tmp_path / "out")]
    nobody = ("--scheduler", "gopher://127.0.0.1:1")
    assert main(["--config", str(sweep_file), *files, *nobody]) == 2
    complaint = capsys.readouterr().err
    assert "`--scheduler` does not answer, received 'gopher://127.0.0.1:1'" in complaint


@pytest.mark.parametrize(
    ("address", "more", "complaint"),
    [
        ("tcp://10.0.0.1:8786", [], "`--scheduler` tcp://10.0.0.1:8786 is not encrypted"),
        ("10.0.0.1:8786", [], "`--scheduler` 10.0.0.1:8786 is not encrypted"),
        ("tcp://localhost.example:8786", [], "is not encrypted"),
        ("tls://10.0.0.1:8786", [], "`--scheduler` tls://10.0.0.1:8786 needs certificates"),
        ("tls://10.0.0.1:8786", ["--tls-ca", "ca.pem"], "needs certificates"),
        ("tls://10.0.0.1:8786", ["--insecure"], "needs certificates"),
        ("tcp://127.0.0.1:1", ["--tls-ca", "ca.pem"], "need an encrypted scheduler"),
        (
            "tls://10.0.0.1:8786",
            ["--tls-ca", "ca.pem", "--tls-cert", "cert.pem", "--tls-key", "key.pem"],
            "must be PEM files that belong together, received ca.pem, cert.pem, key.pem",
        ),
    ],
)
def test_scheduler_elsewhere_without_what_protects_it_is_refused_in_a_line(
    address: str,
    more: list[str],
    complaint: str,
    sweep_file: Path,
    shared_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = ["--source", "files", "--data-dir", str(shared_data), "--out", str(tmp_path / "out")]
    assert main(["--config", str(sweep_file), *files, "--scheduler", address, *more]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "tcp://[2001:db8::1]:8786"])
def test_scheduler_elsewhere_without_encryption_is_allowed_only_where_asked_for(
    address: str,
) -> None:
    with pytest.raises(ConfigError, match="or --insecure where the network is private"):
        ClusterAccess(address).security()
    assert not ClusterAccess(address, insecure=True).security().require_encryption


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "localhost:8786", "tcp://[::1]:1"])
def test_scheduler_on_this_machine_needs_no_certificate(address: str) -> None:
    assert not ClusterAccess(address).is_remote
    assert not ClusterAccess(address).security().require_encryption


def test_certificates_given_are_what_the_connection_uses(tmp_path: Path) -> None:
    made, other = Security.temporary(), Security.temporary()
    contents = {"ca": made.tls_ca_file, "cert": made.tls_client_cert, "key": made.tls_client_key}
    paths = {f"tls_{name}": tmp_path / f"{name}.pem" for name in contents}
    for name, content in contents.items():
        paths[f"tls_{name}"].write_text(content)
    access = ClusterAccess("tls://10.0.0.1:8786", **paths)
    security = access.security()
    assert security.require_encryption
    assert security.tls_ca_file == str(paths["tls_ca"])
    assert security.tls_client_key == str(paths["tls_key"])
    paths["tls_key"].write_text(other.tls_client_key)
    with pytest.raises(ConfigError, match="PEM files that belong together"):
        access.security()


def test_certificates_without_a_scheduler_are_refused(
    sweep_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(sweep_file), "--tls-ca", "ca.pem"]) == 2
    assert "say how to reach a `--scheduler`" in capsys.readouterr().err
