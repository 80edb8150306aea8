"""The study command: exit codes, words, files; and the claims on the real bars."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from backtests.claims import ClaimSettings
from backtests.config import load_config
from backtests.presets import CLAIMS
from backtests.study import main
from docs.readme import README, judged_claims
from docs.readme import part as readme_part
from feeds.bars import Bars
from tests.simulated import coin_bars, index_bars

QUICK = ("--draws", "200", "--horizons", "20,60", "--workers", "1", "--quiet")
PRESETS = sorted(CLAIMS.glob("*.toml"))


def save(folder: Path, bars: Bars) -> None:
    frame = bars.frame.drop(columns="volume")
    frame.insert(0, "date", frame.index.strftime("%Y-%m-%d"))
    frame.to_csv(folder / f"{bars.instrument.symbol}_1d.csv", index=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bars")
    rng = np.random.default_rng(1)
    save(folder, index_bars(rng.normal(0.0005, 0.01, 1200)))
    save(folder, coin_bars("BTC", rng.normal(0.001, 0.03, 1600)))
    save(folder, coin_bars("ETH", rng.normal(0.001, 0.03, 1600)))
    return folder


def run(folder: Path, out: Path, *more: str) -> int:
    files = ("--source", "files", "--data-dir", str(folder), "--out", str(out))
    return main([*more, *files, *QUICK])


def test_event_study_leaves_page_tables_and_config(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, tmp_path, "--event", "new_high", "--assets", "BTC,ETH") == 0
    (left,) = tmp_path.iterdir()
    assert {path.name for path in left.iterdir()} == {
        "study.html", "config.toml", "claims.csv", "claims.json", "claims.md",
        "manifest.json",
        "horizons.csv", "episodes.csv", "left_out.csv", "path.csv", "delays.csv",
        "lead_lag.csv", "rolling.csv",
    }  # fmt: skip
    shown = capsys.readouterr()
    assert str(left / "study.html") in shown.out
    assert shown.err == ""
    page = (left / "study.html").read_text()
    assert page.count("<svg") == 12
    assert "nan" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL).lower().split()
    assert not re.search(r'(?:src|href)="https?:', page)
    with (left / "horizons.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["asset"], row["horizon_days"]) for row in rows] == [
        (asset, days) for asset in ("BTC", "ETH") for days in ("20", "60", "90")
    ]
    assert json.loads((left / "manifest.json").read_text())["draws"] == 200


def test_same_study_leaves_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for part in ("a", "b"):
        assert run(folder, tmp_path / part, "--event", "breakout") == 0
    (first,), (second,) = ((tmp_path / part).iterdir() for part in ("a", "b"))
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--event", "new_low"), "`--event` must be one of new_high, breakout"),
        (("--claim", "new-high-bct"), "The nearest is 'new-high-btc'"),
        (("--event", "breakout", "--assets", "XYZ"), "`asset` XYZ has no bars"),
        (("--event", "breakout", "--seed", "-1"), "`--seed` must be a whole number of at least 0"),
    ],
)
def test_wrong_input_is_one_line_and_exit_two(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    assert run(folder, tmp_path, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_hostile_words_in_a_claim_stay_words(folder: Path, tmp_path: Path) -> None:
    evil = 'claim.statement="<script>alert(1)</script>"'
    assert run(folder, tmp_path, "--claim", "new-high-btc", "--set", evil) == 0
    (left,) = tmp_path.iterdir()
    page = (left / "study.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_preset_is_a_config_with_a_claim_and_says_what_would_prove_it_wrong(
    path: Path, tmp_path: Path
) -> None:
    config = load_config(path)
    assert isinstance(config.claim, ClaimSettings)
    assert config.claim.statement.endswith(".")
    text = path.read_text()
    assert re.search(r"^# (Would be p|P)roved wrong", text)
    assert f"--claim {path.stem}\n" in text
    again = tmp_path / "again.toml"
    again.write_text(config.to_toml())
    assert load_config(again) == config


@pytest.fixture(scope="module")
def judged(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Judge every claim on the real bars, as the table in README was made."""
    return judged_claims(shared_data, out=tmp_path_factory.mktemp("claims"))


def test_claims_table_of_the_readme_is_what_the_real_bars_say(judged: Path) -> None:
    made = (judged / "claims.md").read_text(encoding="utf-8")
    assert readme_part(README.read_text(encoding="utf-8"), "claims") == f"\n{made}\n"


def test_claims_on_the_real_bars(judged: Path) -> None:
    left = judged
    found = {
        (row["claim"], row["asset"]): row for row in json.loads((left / "claims.json").read_text())
    }
    late = found["support-held-2020", "BTC"]
    # bitcoin opened at 18,621 on 2020-11-21 and at 67,550 on 2021-11-09
    assert late["estimate"] == pytest.approx(67_549.73 / 18_621.32 - 1, rel=1e-3)
    assert late["verdict"] == "not supported"
    assert found["new-high-btc", "BTC"]["episodes"] == 6
    assert found["three-earlier-highs", "BTC"]["figure"].startswith("1 of 3 rose in 180 days")
    assert found["fund-flows", "BTC"]["verdict"] == "too little data to tell"
    index = (left / "index.html").read_text()
    for preset in PRESETS:
        assert f'href="{preset.stem}.html"' in index
        assert (left / f"{preset.stem}.html").is_file()
    # nobody's verdict may rest on one p-value among so many
    assert all(row["verdict"] != "supported" or row["p_adjusted"] <= 0.05 for row in found.values())
