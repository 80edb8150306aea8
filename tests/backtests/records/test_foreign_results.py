"""What others put into a results folder: skipped and named by compare, refused elsewhere."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backtests.compare import main as compare
from backtests.run import main as run
from backtests.sweep import main as sweep
from tests.markets import coin_bars, index_bars, save_bars

FIGURES = ("cagr", "total_return", "sharpe_ratio", "max_drawdown", "time_in_market", "trades")
RUN = "20250101T000000Z-ETH-00000000"


def folder_of_a_run(results: Path, name: str = RUN) -> Path:
    folder = results / name
    folder.mkdir(parents=True)
    figures = dict.fromkeys(FIGURES, 0.5)
    metrics = {"strategy": figures, "buy_and_hold": figures, "episodes_traded": 3}
    config = {"asset": "ETH", "rules": {"hold_days": 60}, "costs": {"initial_cash": 1.0}}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "manifest.json").write_text(json.dumps({"config": config}))
    (folder / "equity.csv").write_text(
        "time,equity,buy_and_hold\n2020-01-01T00:00:00Z,1.0,1.0\n2020-01-02T00:00:00Z,2.0,1.5\n"
    )
    return folder


def edited(name: str, **changes: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        for key, value in changes.items():
            content["strategy" if key in FIGURES else "config" if key != "verdict" else key] |= {
                key: value
            }
        (folder / name).write_text(json.dumps(content))

    return edit


def replaced(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def as_folder(name: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return edit


def as_pipe(name: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return edit


def as_link(name: str, target: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(target)

    return edit


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (as_folder("metrics.json"), "metrics.json is not a file"),
        (as_pipe("metrics.json"), "metrics.json is not a file"),
        (as_link("metrics.json", "/nowhere"), "metrics.json is missing"),
        (as_link("manifest.json", "/dev/zero"), "manifest.json is not a file"),
        (as_link("manifest.json", "manifest.json"), "Too many levels of symbolic links"),
        (replaced("metrics.json", b"\xff"), "metrics.json is not UTF-8 text"),
        (replaced("metrics.json", b"[" * 99_999), "metrics.json cannot be read"),
        (replaced("metrics.json", b'{"a": ' + b"9" * 5_000 + b"}"), "metrics.json cannot be read"),
        (replaced("manifest.json", b'{"config": [1]}'), "manifest.json has no config"),
        (edited("metrics.json", cagr=10**400), "cagr is not a finite number"),
        (edited("metrics.json", cagr=True), "cagr is not a number"),
    ],
)
def test_compare_skips_and_names_what_is_no_run(
    spoil: Callable[[Path], None],
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder_of_a_run(tmp_path, "good")
    spoil(folder_of_a_run(tmp_path))
    assert compare(["--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "1 runs, 1 folders that cannot be shown" in out
    assert f"'{RUN}'" in out
    assert reason in out
    assert RUN in (tmp_path / "index.html").read_text()
    assert compare([RUN, "good", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "change", [{"hold_days": 10**400}, {"rules": 5}, {"asset": [[]] * 9}, {"costs": {"x": None}}]
)
def test_compare_shows_a_run_whose_config_holds_other_types(
    change: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        edited("manifest.json", **change)(folder_of_a_run(tmp_path, name))
    assert compare(["--out", str(tmp_path)]) == 0
    assert "2 runs, 0 folders" in capsys.readouterr().out
    assert compare(["a", "b", "--out", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (b"", "equity.csv cannot be read"),
        (b"time,equity,buy_and_hold\n", "equity.csv has no rows"),
        (b"time,equity,buy_and_hold\n2020-01-01,0,1\n", "equity.csv holds what is no equity"),
        (b"time,equity,buy_and_hold\n2020-01-01,inf,1\n", "equity.csv holds what is no equity"),
        (b"time,equity,buy_and_hold\n9999-01-01,2,1\n", "equity.csv cannot be read"),
        (b"\xff\xfe", "equity.csv is not UTF-8 text"),
    ],
)
def test_comparison_with_a_spoiled_equity_is_refused(
    rows: bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced("equity.csv", rows or b"\n")(folder_of_a_run(tmp_path))
    folder_of_a_run(tmp_path, "good")
    assert compare([RUN, "good", "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert f"{RUN}: {reason}" in error
    assert error.count("\n") == 1


def test_compare_names_links_and_names_that_are_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of_a_run(tmp_path, "good")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "round").symlink_to("round")
    os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9")  # noqa: PTH102 - a name that is no text
    (tmp_path / ("n" * 255)).mkdir()
    (tmp_path / "a\nb").mkdir()
    assert compare(["--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "1 runs, 5 folders that cannot be shown" in out
    assert "'gone': a link that leads nowhere" in out
    assert "its name is not UTF-8 text" in out
    assert r"'a\nb': metrics.json is missing" in out
    assert (tmp_path / "index.html").read_text(encoding="utf-8").count("<li>") == 5


def test_compare_survives_a_folder_that_nobody_may_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_of_a_run(tmp_path, "good")
    folder_of_a_run(tmp_path)
    stat = Path.stat

    def refused(path: Path, **options: bool) -> os.stat_result:
        if path.parent.name == RUN:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refused)
    assert compare(["--out", str(tmp_path)]) == 0
    assert f"'{RUN}': metrics.json: Permission denied" in capsys.readouterr().out
    monkeypatch.setattr(os, "scandir", lambda path: refused(tmp_path / RUN / "x"))
    assert compare(["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: `--out` ")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep of six trials in three parts."""
    place = tmp_path_factory.mktemp("swept")
    rng = np.random.default_rng(4)
    save_bars(place / "bars", index_bars(rng.normal(0.0005, 0.01, 500)))
    save_bars(place / "bars", coin_bars("BTC", rng.normal(0.001, 0.03, 700)))
    axes = ("sweep.rules.hold_days=[5,10,20]", "sweep.signal.base=[20,60]", "sweep.chunk=2")
    given = [part for axis in axes for part in ("--set", axis)]
    bars = ("--asset", "BTC", "--data-dir", str(place / "bars"), "--quiet", "--threads", "1")
    assert sweep([*given, *bars, "--out", str(place / "results")]) == 0
    (folder,) = (place / "results").iterdir()
    return folder


PART = "trials/part-000001.parquet"


@pytest.mark.parametrize(
    ("spoil", "reason", "has_trials"),
    [
        (replaced(PART, b""), "part-000001.parquet is damaged: it cannot be read", False),
        (replaced(PART, b"PAR1" * 9), "part-000001.parquet is damaged: it cannot be read", False),
        (as_folder(PART), "part-000001.parquet is damaged: it cannot be read", False),
        (
            lambda folder: shutil.copy(folder / "sweep.toml", folder / PART) and None,
            "part-000001.parquet is damaged",
            False,
        ),
        (replaced("manifest.json", b"{"), "manifest.json is missing or damaged", True),
        (replaced("manifest.json", b'{"bars": 5}'), "manifest.json is missing or damaged", True),
        (replaced("sweep.toml", b"[sweep"), "sweep.toml is damaged: not valid TOML", False),
        (replaced("sweep.toml", b"sweep = 5"), "sweep.toml is damaged", False),
        (replaced("sweep.toml", b"\xff\xfe"), "sweep.toml is not UTF-8 text", False),
        (replaced("sweep.toml", b'asset = "../x"\n[sweep]\n'), "sweep.toml is damaged", False),
        (as_pipe("sweep.toml"), "sweep.toml is not a file", False),
    ],
)
def test_damaged_sweep_is_refused_by_resume_and_from_trial_in_one_line(
    spoil: Callable[[Path], None],
    reason: str,
    has_trials: bool,
    swept: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "sweep"
    shutil.copytree(swept, folder)
    spoil(folder)
    commands = [(sweep, ["--resume", str(folder)])]
    if not has_trials:
        commands.append((run, ["--from-trial", f"{folder}:3", "--out", str(tmp_path / "out")]))
    for command, arguments in commands:
        assert command(arguments) == 2
        shown = capsys.readouterr()
        assert (shown.out, shown.err.count("\n")) == ("", 1)
        assert reason in shown.err
    assert not (tmp_path / "out").exists()


def test_sweep_with_files_of_others_among_its_parts_goes_on(
    swept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "sweep"
    shutil.copytree(swept, folder)
    for name in ("part-x.parquet", "part-000009.parquet", "part-000001 (1).parquet", "notes.txt"):
        (folder / "trials" / name).write_text("not ours")
    (folder / PART).unlink()
    assert sweep(["--resume", str(folder), "--quiet", "--threads", "1"]) == 0
    assert "6 trials, 0 failed" in capsys.readouterr().out
    assert (folder / PART).read_bytes() == (swept / PART).read_bytes()


def test_from_trial_of_a_part_with_other_values_is_refused(
    swept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "sweep"
    shutil.copytree(swept, folder)
    plan = folder / "sweep.toml"
    plan.write_text(plan.read_text().replace("    20,\n", "    21,\n"))
    assert run(["--from-trial", f"{folder}:4", "--out", str(tmp_path / "out")]) == 2
    assert "Run the sweep again" in capsys.readouterr().err
