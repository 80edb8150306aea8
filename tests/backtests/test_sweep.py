"""A sweep as a user runs it: its table, its refusals, and going on after being stopped."""

import contextlib
import errno
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from backtests.config.config import Config
from backtests.search.judging import contenders as draws
from backtests.search.parameter_space import column_of
from backtests.search.plan import load_plan, parsed_plan, with_values
from backtests.search.rerun import config_of_trial
from backtests.search.rows import short_hashes, table_of
from backtests.search.store import create, open_store
from backtests.search.trials.evaluate import Evaluated
from backtests.search.trials.kernel import FIGURES
from backtests.sweep import main

SWEEP = """
[sweep]
chunk = 40
"signal.lookback" = [63, 252, "all"]
"rules.hold_days" = {from = 10, to = 60, step = 10}
"rules.trailing_stop" = [0.0, 0.2]
"costs.commission_bps" = [0, 10, 25]
"""

# many small chunks, so that a signal sent after the fourth comes long before the last
LONG = """
[sweep]
chunk = 20
"signal.lookback" = [63, 252]
"rules.hold_days" = {from = 1, to = 200, step = 3}
"rules.trailing_stop" = {from = 0.0, to = 0.5, step = 0.05}
"""


@pytest.fixture(scope="module", autouse=True)
def _small_field() -> Iterator[None]:
    """Compare the best trial with few others: here it is the table that counts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draws, "MOST_DRAWN", 20)
        yield


@pytest.fixture
def sweep_file(tmp_path: Path) -> Path:
    path = tmp_path / "sweep.toml"
    path.write_text(SWEEP)
    return path


def arguments(file: Path, data: Path, out: Path, *more: str) -> list[str]:
    files = ["--source", "files", "--data-dir", str(data)]
    return ["--asset", "ETH", "--config", str(file), *files, "--out", str(out), *more]


def only_folder(out: Path) -> Path:
    (folder,) = out.iterdir()
    return folder


def rows(folder: Path) -> pd.DataFrame:
    parts = sorted((folder / "trials").glob("part-*.parquet"))
    return pd.concat([pq.read_table(part).to_pandas() for part in parts], ignore_index=True)


@pytest.fixture(scope="module")
def swept_and_said(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, str]:
    """The folder of `SWEEP`, and what the command said on stdout and stderr."""
    folder = tmp_path_factory.mktemp("swept")
    (folder / "sweep.toml").write_text(SWEEP)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert main(arguments(folder / "sweep.toml", shared_data, folder / "out")) == 0
    return only_folder(folder / "out"), out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def swept(swept_and_said: tuple[Path, str, str]) -> Path:
    """The folder of `SWEEP`; who changes it takes a copy."""
    return swept_and_said[0]


@pytest.fixture
def copied(swept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(swept, tmp_path / "out" / swept.name))


def test_sweep_leaves_a_row_for_every_trial(swept_and_said: tuple[Path, str, str]) -> None:
    folder, out, err = swept_and_said
    assert "108 trials, 0 failed." in out
    assert err == ""
    table = rows(folder)
    assert table["trial"].tolist() == list(range(108))
    assert table["sharpe_ratio"].notna().all()
    config = config_of_trial(folder, 77)
    assert config.short_hash == table["config"][77]
    assert config.rules.hold_days == table["rules.hold_days"][77]
    assert str(config.signal.lookback) == table["signal.lookback"][77]


def test_sweep_resumed_after_a_lost_chunk_is_identical(swept: Path, copied: Path) -> None:
    before = {part.name: part.read_bytes() for part in (swept / "trials").iterdir()}
    (copied / "trials" / "part-000001.parquet").unlink()
    assert main(["--resume", str(copied)]) == 0
    assert {part.name: part.read_bytes() for part in (copied / "trials").iterdir()} == before


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 1)])
def test_sweep_stopped_midway_resumes_to_the_same_table(
    how: signal.Signals, code: int, whole: pd.DataFrame, shared_data: Path, tmp_path: Path
) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text(LONG)
    stopped = subprocess.Popen(
        [
            *(sys.executable, "-m", "backtests.sweep"),
            *arguments(file, shared_data, tmp_path / "out", "--threads", "1"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        # a shell that runs this in the background lets its children ignore Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one call
    )
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").glob("*/trials/part-00000[3-9]*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    stopped.send_signal(how)
    _, complaint = stopped.communicate(timeout=60)
    assert stopped.returncode == code
    assert "Traceback" not in complaint
    assert how != signal.SIGINT or re.search(r"stopped: \d+ of \d+ chunks .* --resume", complaint)
    folder = only_folder(tmp_path / "out")
    missing = list(open_store(folder).missing())
    # what was done is there, without a hole but for the chunk in flight
    assert missing == list(range(missing[0], missing[-1] + 1))
    assert main(["--resume", str(folder)]) == 0
    pd.testing.assert_frame_equal(rows(folder), whole)


@pytest.fixture(scope="module")
def whole(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The table of `LONG`, never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "sweep.toml").write_text(LONG)
    assert main(arguments(folder / "sweep.toml", shared_data, folder / "out")) == 0
    return rows(only_folder(folder / "out"))


def test_sweep_on_a_full_disk_says_so_and_leaves_no_broken_part(
    sweep_file: Path,
    shared_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = os.fsync

    def full(descriptor: int) -> None:
        if "part-000001" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            os.truncate(descriptor, 9)
            raise OSError(errno.ENOSPC, "No space left on device")
        kept(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    assert main(arguments(sweep_file, shared_data, tmp_path / "out", "--threads", "1")) == 1
    assert "make room and go on with --resume" in capsys.readouterr().err
    folder = only_folder(tmp_path / "out")
    assert [part.name for part in (folder / "trials").iterdir()] == ["part-000000.parquet"]
    monkeypatch.undo()
    assert main(["--resume", str(folder)]) == 0
    assert len(rows(folder)) == 108


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('"rules.hold_dyas" = [1]', "The nearest is `rules.hold_days`"),
        ('"rules.hold_days" = [1, -5]', "`rules.hold_days` must be a whole number at least 0"),
        ('"rules.trigger" = ["any", "all"]', "one of 'new_high', 'breakout'"),
        ('"rules.hold_days" = {from = 9, to = 1, step = 1}', "at most `to`"),
        ('"rules.hold_days" = {from = 1, to = 9}', "a grid needs `step` or `count`"),
        ('"rules.hold_days" = [1]\nsearch = "best"', "`sweep.search` must be one of 'grid'"),
        ('"rules.hold_days" = [1]\ntrials = 0', "`sweep.trials` must be a whole number at least 1"),
        (
            '"rules.hold_days" = [1]\nobjective = "volatility"',
            "`sweep.objective` must be a figure of which more is better, one of total_return, cagr",
        ),
        ('"rules.hold_days" = [1]\nobjective = "trades"', "received 'trades'"),
        ('serach = "random"', "The nearest is `sweep.search`"),
        ('"rules.hold_days" = [1]\n[sweep.rules]\nhold_days = [2]', "is given twice"),
        ('"rules.hold_days" = {from = 1, to = 1e12, step = 1}', "makes 1,000,000,000,000 values"),
        ('"rules.hold_days" = {from = "a", to = 9}', "`from` must be a number, received 'a'"),
        ('"rules.stop_loss" = {from = 0.1, to = inf}', "`to` must be a number, received inf"),
        ('"rules.hold_days" = {from = 1, to = 9, log = "no"}', "`log` must be true or false"),
        ('"rules.hold_days" = {from = 1, to = 9, step = 1, count = 2}', "`count` exclude each"),
        ('"rules.hold_days" = {from = 1, to = 9, step = 1, log = true}', "`log` exclude each"),
        ('"filters.vix" = [{level = 20.0}]', "must be a list of values"),
        (
            '"rules.stop_loss" = {from = 0.1, to = 0.9, count = 200_000}\n'
            '"rules.trailing_stop" = {from = 0.1, to = 0.9, count = 200_000}',
            "makes 40,000,000,000 trials",
        ),
        ('"data.data_dir" = ["/nowhere"]', "/nowhere"),
        ('"asset" = ["NOCOIN"]', "`asset` NOCOIN has no bars"),
        ("", "names no setting to vary"),
    ],
)
def test_sweep_with_a_wrong_setting_is_refused_before_it_starts(
    line: str,
    message: str,
    shared_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text(f"[sweep]\n{line}\n")
    assert main(arguments(file, shared_data, tmp_path / "out")) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--workers", "-1"), "--workers: must be a whole number from 1 to 1024, received '-1'"),
        (("--threads", "0"), "--threads: must be a whole number from 1 to 1024, received '0'"),
        (("--workers", "two"), "received 'two'"),
        (("--scheduler", ""), "`--scheduler` must be an address"),
        (("--workers", "2", "--scheduler", "tcp://127.0.0.1:1"), "Leave one out"),
        (("--workers", "2", "--threads", "2"), "`--threads` does not fit"),
        (("--resume", "x"), "`--resume` takes its whole plan from the folder"),
        (("--workers", "2", "--set", "sweep.search=guided"), "do not fit a guided search"),
    ],
)
def test_sweep_with_options_that_do_not_fit_is_refused_and_leaves_nothing(
    given: tuple[str, ...],
    message: str,
    sweep_file: Path,
    shared_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(arguments(sweep_file, shared_data, tmp_path / "out", *given)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_sweep_of_which_every_trial_fails_says_why_and_exits_2(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text('[sweep]\n"signal.lookback" = [9998, 9999]\n')
    assert main(arguments(file, shared_data, tmp_path / "out")) == 2
    said = capsys.readouterr().out
    assert "2 trials, 2 failed." in said
    assert "too short" in said
    assert "--from-trial" not in said
    assert (only_folder(tmp_path / "out") / "sheet.html").exists()


def test_sweep_resumed_takes_no_other_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--resume", str(tmp_path), "--out", str(tmp_path / "other")]) == 2
    assert "`--resume` takes its whole plan from the folder" in capsys.readouterr().err


def test_sweep_of_the_sample_says_so_and_its_manifest_names_the_bars(
    sweep_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--config", str(sweep_file), "--source", "sample", "--out", str(tmp_path / "out")]
    assert main(given) == 0
    assert "WARNING  sample: monthly figures real, days simulated" in capsys.readouterr().out
    manifest = json.loads((only_folder(tmp_path / "out") / "manifest.json").read_text())
    assert manifest["warnings"] == ["sample: monthly figures real, days simulated"]
    assert [bars["symbol"] for bars in manifest["bars"]] == ["RUT", "ETH-USD"]
    assert {bars["source"] for bars in manifest["bars"]} == {"sample"}


@pytest.mark.parametrize("search", ["random", "guided"])
def test_sweep_by_draws_resumes_to_the_same_table(
    search: str, shared_data: Path, tmp_path: Path
) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text(
        f'[sweep]\nsearch = "{search}"\ntrials = 60\nchunk = 20\nseed = 3\n'
        '"rules.hold_days" = {from = 1, to = 200}\n"signal.lookback" = [63, 252, "all"]\n'
        '"rules.stop_loss" = {from = 0.01, to = 0.5, log = true}\n'
    )
    assert main(arguments(file, shared_data, tmp_path / "out")) == 0
    folder = only_folder(tmp_path / "out")
    before = rows(folder)
    assert before["rules.hold_days"].between(1, 200).all()
    (folder / "trials" / "part-000002.parquet").unlink()
    assert main(["--resume", str(folder)]) == 0
    pd.testing.assert_frame_equal(rows(folder), before)
    config = config_of_trial(folder, 41)
    assert config.rules.stop_loss == before["rules.stop_loss"][41]


def test_sweep_records_the_reason_of_a_failing_trial(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text('[sweep]\n"signal.lookback" = [252, 9999]\n')
    assert main(arguments(file, shared_data, tmp_path / "out")) == 0
    assert "2 trials, 1 failed." in capsys.readouterr().out
    table = rows(only_folder(tmp_path / "out"))
    assert table["failure"].isna().tolist() == [True, False]
    assert "too short" in table["failure"][1]


def test_short_hashes_equal_those_of_the_configs() -> None:
    base = Config()
    columns = {
        "rules.hold_days": column_of([5, 60, 5]),
        "asset": column_of(["BTC", "BTC", "SOL"]),
        "costs.commission_bps": column_of([0.0, 12.5, 10.0]),
        "signal.lookback": column_of(["all", 63, 252]),
    }
    expected = []
    for row in range(3):
        tree = base.model_dump()
        tree["asset"] = columns["asset"].take()[row]
        for key in ("rules.hold_days",):
            section, name = key.split(".")
            tree[section][name] = columns[key].take()[row]
        tree["signal"]["lookback"] = columns["signal.lookback"].take()[row]
        tree["costs"]["commission_bps"] = columns["costs.commission_bps"].take()[row]
        expected.append(Config.model_validate(tree).short_hash)
    assert short_hashes(base, columns) == expected


def test_short_hashes_of_one_setting_and_of_trials_that_share_settings_are_right() -> None:
    base = Config()
    days = column_of([5, 60, 5, 60, 60])
    bps = column_of([0.0, 0.0, 12.5, 12.5, 0.0])
    for columns in (
        {"rules.hold_days": days},
        {"costs.slippage_bps": bps, "rules.hold_days": days},
    ):
        taken = [column.take() for column in columns.values()]
        configs = [
            with_values(base, dict(zip(columns, row, strict=True)))
            for row in zip(*taken, strict=True)
        ]
        assert short_hashes(base, columns) == [config.short_hash for config in configs]


@pytest.mark.parametrize(
    ("overrides", "values"),
    [
        ([], {"filters.vix.level": [15.0, 30.0]}),
        ([], {"basket.members": [("SOL", "ADA"), ("SOL",)], "basket.top": [1, 2]}),
        (["basket.members=['BTC', 'ETH']"], {"basket.members": [("SOL", "ADA"), ("SOL",)]}),
        ([], {"data.start": ["", "2020-01-01"]}),
    ],
)
def test_plan_of_any_setting_hashes_as_its_configs_do_and_reads_back_the_same(
    overrides: list[str], values: dict[str, list[Any]], tmp_path: Path
) -> None:
    axes = [f"sweep.{key}={json.dumps(taken)}" for key, taken in values.items()]
    plan = load_plan(None, overrides=[*overrides, *axes])
    assert parsed_plan(plan.to_toml()) == plan
    columns = plan.columns(0)
    taken = {key: column.take() for key, column in columns.items()}
    configs = [
        plan.config(dict(zip(taken, row, strict=True))) for row in zip(*taken.values(), strict=True)
    ]
    hashes = short_hashes(plan.base, columns)
    assert hashes == [config.short_hash for config in configs]
    assert len(set(hashes)) == len(configs) > 1
    figures = np.zeros((plan.trials, len(FIGURES)))
    store = create(tmp_path, plan, bars=())
    table = table_of(plan, 0, columns, Evaluated(figures, [None] * plan.trials))
    store.write(0, table)
    for trial, config in enumerate(configs):
        assert config_of_trial(store.folder, trial) == config


def test_plan_written_and_read_again_is_the_same(sweep_file: Path) -> None:
    plan = load_plan(sweep_file)
    assert parsed_plan(plan.to_toml()) == plan


def test_plan_of_ranges_and_lists_in_any_order_reads_back_in_that_order(tmp_path: Path) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text(
        '[sweep]\nsearch = "random"\n"rules.hold_days" = {from = 1, to = 200}\n'
        '"signal.lookback" = [63, "all"]\n"rules.stop_loss" = {from = 0.1, to = 0.5, log = true}\n'
        '"size.fraction" = [0.5, 1]\n'
    )
    plan = load_plan(file)
    assert plan.keys == ("rules.hold_days", "signal.lookback", "rules.stop_loss", "size.fraction")
    again = parsed_plan(plan.to_toml())
    assert again == plan
    for key, column in plan.columns(0).items():
        assert again.columns(0)[key].take() == column.take()
    (file.parent / "again.toml").write_text(plan.to_toml())
    assert load_plan(file.parent / "again.toml") == plan


def test_plan_axis_set_on_the_command_line_replaces_that_of_the_file(sweep_file: Path) -> None:
    plan = load_plan(sweep_file, overrides=["sweep.rules.hold_days=[30]", "sweep.chunk=7"])
    assert plan.settings.chunk == 7
    assert plan.trials == 3 * 1 * 2 * 3
    assert sorted(plan.keys) == sorted(load_plan(sweep_file).keys)


def test_plans_of_one_second_get_a_folder_each(sweep_file: Path, tmp_path: Path) -> None:
    plan = load_plan(sweep_file)
    folders = {create(tmp_path, plan, bars=()).folder for _ in range(3)}
    assert len(folders) == 3


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("sweep.toml", "[[", "sweep.toml is damaged"),
        ("sweep.toml", "[sweep]\n", "sweep.toml is damaged"),
        ("manifest.json", "{", "which bars"),
        ("trials/part-000000.parquet", "PAR1", "part-000000.parquet is damaged"),
    ],
)
def test_resume_of_a_damaged_folder_says_what_is_damaged(
    name: str,
    content: str,
    message: str,
    copied: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (copied / name).write_text(content)
    assert main(["--resume", str(copied)]) == 2
    assert message in capsys.readouterr().err


def test_sweep_row_run_again_on_backtrader_gives_its_figures(
    shared_data: Path, tmp_path: Path
) -> None:
    from backtests.run import main as run

    file = tmp_path / "sweep.toml"
    file.write_text('[sweep]\n"rules.hold_days" = [20, 40]\n"rules.stop_loss" = [0.0, 0.2]\n')
    files = ["--source", "files", "--data-dir", str(shared_data)]
    assert main(["--config", str(file), *files, "--out", str(tmp_path / "sweeps")]) == 0
    (folder,) = (tmp_path / "sweeps").iterdir()
    out = tmp_path / "runs"
    assert run(["--from-trial", f"{folder}:3", "--out", str(out), "--quiet"]) == 0
    (left,) = out.iterdir()
    row = open_store(folder).best("trial", count=1).iloc[0]
    assert row["trial"] == 3
    metrics = json.loads((left / "metrics.json").read_text())
    assert any("the pick of 4 that were tried" in warning for warning in metrics["warnings"])
    found = metrics["strategy"]
    for name in ("total_return", "cagr", "sharpe_ratio", "max_drawdown", "trades"):
        assert found[name] == pytest.approx(row[name], rel=1e-9)
