"""A config left behind runs again, from any folder, to the same bytes in every other file."""

from pathlib import Path

import numpy as np
import pytest

from backtests.config.config import Config, load_config
from backtests.market.inputs import load_inputs
from backtests.search.rerun import chosen_config
from backtests.sweep import main as sweep
from backtests.walkforward import main as walkforward
from tests.markets import coin_bars, index_bars, save_bars

SWEEP = """
asset = "BTC"
[filters.index_trend]
window = 20
[claim]
statement = "It follows."
source = "a test"
support = "it does"
assets = ["BTC"]
[sweep]
"rules.hold_days" = [5, 20]
"filters.index_trend.window" = [10, 20]
"""


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    save_bars(tmp_path / "bars", index_bars(rng.normal(0.0005, 0.01, 800)))
    save_bars(tmp_path / "bars", coin_bars("BTC", rng.normal(0.001, 0.03, 1000)))
    save_bars(tmp_path / "bars", coin_bars("ETH", rng.normal(0.001, 0.03, 1000)))
    return tmp_path / "bars"


def only(folder: Path) -> Path:
    (left,) = folder.iterdir()
    return left


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_config_with_a_relative_folder_reads_the_same_bars_from_elsewhere(
    bars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bars.parent)
    config = load_config(None, flags={"asset": "BTC", "data.data_dir": "bars"})
    assert (config.data.source, config.data.data_dir) == ("files", str(bars))
    left = tmp_path / "config.toml"
    left.write_text(config.to_toml())
    monkeypatch.chdir("/")
    again = load_config(left)
    assert again == config
    assert again.to_toml() == left.read_text()
    assert load_inputs(again).index.sha256 == load_inputs(config).index.sha256


def test_plan_left_behind_gives_the_same_sweep_and_the_same_trials(
    bars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plan.toml").write_text(SWEEP)
    monkeypatch.chdir(tmp_path)
    given = ("--config", "plan.toml", "--data-dir", "bars", "--quiet", "--threads", "1")
    assert sweep([*given, "--out", "a"]) == 0
    first = only(tmp_path / "a")
    monkeypatch.chdir("/")
    again = ("--config", str(first / "sweep.toml"), "--out", str(tmp_path / "b"))
    assert sweep([*again, "--quiet", "--threads", "1"]) == 0
    second = only(tmp_path / "b")
    one, two = contents(first), contents(second)
    assert one.keys() == two.keys()
    for name in one.keys() - {"sheet.html"}:  # it says how to run a row of its own folder again
        assert one[name] == two[name], name
    for trial in range(4):
        config = chosen_config(first, trial)
        left = tmp_path / f"{trial}.toml"
        left.write_text(config.to_toml())
        assert load_config(left) == config == chosen_config(second, trial)
        assert config.significance.tried == 4
    # stopped before its last chunk, it is finished from anywhere
    next((second / "trials").iterdir()).unlink()
    assert sweep(["--resume", str(second), "--quiet", "--threads", "1"]) == 0
    assert contents(second)["trials/part-000000.parquet"] == one["trials/part-000000.parquet"]


def test_walk_left_behind_gives_the_same_walk_with_its_windows(
    bars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plan.toml").write_text('asset = "BTC"\n[sweep]\n"rules.hold_days" = [5, 20]\n')
    monkeypatch.chdir(tmp_path)
    windows = ("--train-days", "200", "--test-days", "90", "--embargo-days", "3", "--anchored")
    given = ("--config", "plan.toml", "--data-dir", "bars", "--quiet", "--out", "a")
    assert walkforward([*given, *windows]) == 0
    first = only(tmp_path / "a")
    again = ("--config", str(first / "sweep.toml"), "--quiet", "--out", str(tmp_path / "b"))
    monkeypatch.chdir("/")
    assert walkforward(again) == 0
    second = only(tmp_path / "b")
    one, two = contents(first), contents(second)
    assert {name for name in one if one[name] != two.get(name)} == set()
    # a flag goes before the file
    fewer = tmp_path / "c"
    assert walkforward([*again[:-1], str(fewer), "--test-days", "100"]) == 0
    assert "test_days = 100" in (only(fewer) / "sweep.toml").read_text()


def test_folders_named_alone_mean_files_unless_a_source_is_named_as_late(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'[data]\ndata_dir = "{tmp_path}"\n')
    assert load_config(file).data.source == "files"
    file.write_text(f'[data]\nsource = "auto"\ndata_dir = "{tmp_path}"\n')
    assert load_config(file).data.source == "auto"
    assert load_config(file, flags={"data.data_dir": "/x"}).data.source == "files"
    named = {"data.data_dir": "/x", "data.source": "sample"}
    assert load_config(file, flags=named).data.source == "sample"
    assert load_config(None, overrides=["data.data_dir=/x"]).data.source == "files"
    assert load_config(None) == Config()
