"""Sweeps on Dask workers, in processes of their own: the same table, whoever dies."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from backtests.sweep import main

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
