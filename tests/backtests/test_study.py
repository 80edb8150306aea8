"""The study command: exit codes, words, files; and the claims on the real bars."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from backtests.config.claims import ClaimSettings
from backtests.config.config import load_config
from backtests.config.raw_settings import CLAIMS
from backtests.report.pages.page_base import LIBRARY_FILE, plotly_library
from backtests.study import main
from docs.readme import README, fairest_readings, judged_claims
from docs.readme import part as readme_part
from tests.markets import coin_bars, index_bars, save_bars

QUICK = ("--draws", "200", "--horizons", "20,60", "--workers", "1", "--quiet")
PRESETS = sorted(CLAIMS.glob("*.toml"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bars")
    rng = np.random.default_rng(1)
    save_bars(folder, index_bars(rng.normal(0.0005, 0.01, 1200)))
    save_bars(folder, coin_bars("BTC", rng.normal(0.001, 0.03, 1600)))
    save_bars(folder, coin_bars("ETH", rng.normal(0.001, 0.03, 1600)))
    return folder


def texts_of(page: str) -> str:
    """Return what a reader sees: a page without its styles and scripts."""
    return re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)


def run(folder: Path, out: Path, *more: str) -> int:
    files = ("--source", "files", "--data-dir", str(folder), "--out", str(out))
    return main([*QUICK, *files, *more])


def test_event_study_leaves_page_tables_and_config(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, tmp_path, "--event", "new_high", "--assets", "BTC,ETH") == 0
    (left,) = tmp_path.iterdir()
    assert {path.name for path in left.iterdir()} == {
        "study.html", "config.toml", "findings.csv", "findings.json", "findings.md",
        "manifest.json",
        "horizons.csv", "episodes.csv", "left_out.csv", "path.csv", "delays.csv",
        "lead_lag.csv", "rolling.csv", "curve.csv",
    }  # fmt: skip
    shown = capsys.readouterr()
    assert str(left / "study.html") in shown.out
    assert shown.err == ""
    page = (left / "study.html").read_text()
    assert page.count('class="plot" data-chart=') == 12  # no reading has three episodes
    assert "nan" not in texts_of(page).lower().split()
    assert not re.search(r'(?:src|href)="https?:', page)
    with (left / "horizons.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["asset"], row["horizon_days"]) for row in rows] == [
        (asset, days) for asset in ("BTC", "ETH") for days in ("20", "60", "90")
    ]
    assert json.loads((left / "manifest.json").read_text())["draws"] == 200


def test_event_study_speaks_of_no_claim_anywhere(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, tmp_path, "--event", "new_high") == 0
    (left,) = tmp_path.iterdir()
    # the config names the table that rules how an event is looked at
    page, _, _ = (left / "study.html").read_text().partition('<section id="config">')
    texts = [texts_of(page), capsys.readouterr().out]
    texts += [path.read_text() for path in left.iterdir() if path.suffix != ".html"]
    assert len(texts) > 10
    for text in texts:
        assert not re.search(r"claim(?!\])", text.replace("[claim]", "")), text[:500]


def rerun(left: Path, out: Path, *arguments: str) -> Path:
    """Run what was left again, and return the new folder, whose files must be the same."""
    assert main([*arguments, "--out", str(out), "--workers", "1"]) == 0
    (again,) = out.iterdir()
    for path in left.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name
    return again


@pytest.mark.parametrize(
    "arguments",
    [
        ("--event", "breakout", "--assets", "BTC,ETH"),
        ("--claim", "new-high-btc", "--set", "claim.horizon_days=30", "--seed", "7"),
    ],
)
def test_study_config_left_behind_gives_the_same_bytes_from_any_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(folder.parent)
    assert main([*arguments, "--data-dir", folder.name, "--out", str(tmp_path / "a"), *QUICK]) == 0
    (left,) = (tmp_path / "a").iterdir()
    monkeypatch.chdir(tmp_path)
    rerun(left, tmp_path / "b", "--config", str(left / "config.toml"))


def test_study_of_a_config_holds_its_own_event_and_settings(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "my claim (1).toml"
    words = "".join(f'{key} = "x"\n' for key in ("statement", "source", "support"))
    own = f'[claim]\n{words}event = "breakout"\nhorizon_days = 30\nassets = ["ETH"]\n'
    mine.write_text(own)
    for given in ("--config", "--claim"):
        out = tmp_path / given
        assert run(folder, out, given, str(mine)) == 0
        (left,) = out.iterdir()
        (row,) = json.loads((left / "claims.json").read_text())
        assert (row["event"], row["horizon_days"], row["asset"]) == ("breakout", 30, "ETH")
        assert row["claim"] == "my-claim-1"
    # a flag goes before the file, and then nothing is claimed any more
    assert run(folder, tmp_path / "c", "--config", str(mine), "--event", "new_high") == 0
    (left,) = (tmp_path / "c").iterdir()
    (row,) = json.loads((left / "findings.json").read_text())
    assert (row["event"], row["horizon_days"], row["asset"]) == ("new_high", 30, "ETH")
    mine.write_text('asset = "ETH"\n[rules]\ntrigger = "breakout"\n')
    assert run(folder, tmp_path / "d", "--config", str(mine)) == 0
    (left,) = (tmp_path / "d").iterdir()
    (row,) = json.loads((left / "findings.json").read_text())
    assert (row["event"], row["asset"]) == ("breakout", "ETH")


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
        (("--event", "breakout", "--draws", "9" * 99), "`--draws` must be a whole number of at "),
        (("--event", "breakout", "--draws", "9999999"), "`study.draws` must be a whole number at"),
        (("--event", "breakout", "--horizons", "20,,60"), "`--horizons` must be a whole number"),
        (("--event", "breakout", "--horizons", "9999"), "`study.horizons` must be whole numbers"),
        (("--event", ""), "`--event` must be one of new_high, breakout"),
        (("--event", "breakouts"), "The nearest is 'breakout'."),
        (("--event", "breakout", "--assets", ","), "`--assets` must name coins"),
        (("--claim", ""), "`--claim` '' is no preset of configs/claims and no file."),
        (("--claim", "no/such.toml"), "`--claim` 'no/such.toml' is no preset"),
        (("--claim", "configs/eth.toml"), "has no table [claim]"),
        (("--claim", "breakout", "--config", "configs/eth.toml"), "`--config` does not fit"),
        (
            ("--claim", "breakout", "--set", "claim.event=nonsense"),
            "`claim.event` must be one of 'new_high', 'breakout'",
        ),
        (
            ("--claim", "breakout-against-highs", "--set", "claim.against=new_hgh"),
            "received 'new_hgh'. The nearest is 'new_high'.",
        ),
        (
            ("--claim", "liquidity", "--set", "claim.filter=liquidity"),
            "`claim.filter` 'liquidity' is no filter of this config. The nearest is 'net_liq",
        ),
        (
            ("--event", "breakout", "--set", "filters.vol.series=VIXX"),
            "`filters.vol.series` 'VIXX' is neither built in nor a file in --data-dir. The nearest "
            "is 'VIX'.",
        ),
        (
            ("--claim", "support-held-2020", "--set", "claim.session=soon"),
            "`claim.session` must be a day, YYYY-MM-DD, received 'soon'.",
        ),
        (
            ("--claim", "breakout", "--set", "claim.measure=against_asset"),
            "`claim.against` must be the coin to compare with",
        ),
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


def test_quiet_leaves_stderr_empty_where_the_log_would_warn(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = tmp_path / "bars"
    bars.mkdir()
    (bars / "BTC-USD_1d.csv").write_bytes((folder / "BTC-USD_1d.csv").read_bytes())
    (bars / "IWN_1d.csv").write_bytes((folder / "RUT_1d.csv").read_bytes())
    given = ("--index", "russell2000value", "--data-dir", str(bars), "--draws", "100")
    assert main([*given, "--out", str(tmp_path / "a")]) == 0
    spoken = capsys.readouterr()
    assert spoken.err.startswith("WARNING: RUJ: not in bars, IWN_1d.csv stands in for it\n")
    assert main([*given, "--out", str(tmp_path / "b"), "--quiet"]) == 0
    quiet = capsys.readouterr()
    assert quiet.err == ""
    # the result is the same but for where it lies
    assert quiet.out.splitlines()[:-1] == spoken.out.splitlines()[:-1]


def test_hostile_words_in_a_claim_stay_words(folder: Path, tmp_path: Path) -> None:
    evil = 'claim.statement="<script>alert(1)</script>"'
    assert run(folder, tmp_path, "--claim", "new-high-btc", "--set", evil) == 0
    (left,) = tmp_path.iterdir()
    page = (left / "study.html").read_text()
    assert "<script>alert" not in page
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
    return judged_claims(shared_data / "deep", out=tmp_path_factory.mktemp("claims"))


def test_claims_table_of_the_readme_is_what_the_real_bars_say(judged: Path) -> None:
    made = fairest_readings((judged / "claims.md").read_text(encoding="utf-8"))
    assert readme_part(README.read_text(encoding="utf-8"), "claims") == f"\n{made}\n"


def test_claims_on_the_real_bars(judged: Path) -> None:
    left = judged
    rows = json.loads((left / "claims.json").read_text())
    found = {(row["claim"], row["asset"]): row for row in reversed(rows)}  # the first readings
    late = found["support-held-2020", "BTC"]
    # bitcoin opened at 18,621 on 2020-11-21 and at 67,550 on 2021-11-09
    assert late["effect"] == pytest.approx(67_549.73 / 18_621.32 - 1, rel=1e-3)
    assert (late["as_stated"], late["evidence"]) == ("not_reproducible", "too_little")
    assert "needs an entry by 2020-11-04" in late["reason"]
    three = found["three-earlier-highs", "BTC"]
    assert three["episodes"] == ["2013-01-02", "2016-11-14", "2020-11-13"]
    assert three["figure"].startswith("3 of 3 rose in 180 days")
    assert (three["as_stated"], three["evidence"]) == ("true", "too_little")
    assert found["fund-flows", "BTC"]["evidence"] == "ruled_out"
    # the outcome of the latest breakout was not known when the claim was published
    assert found["new-high-btc", "BTC"]["episodes"][-1] == "2021-11-02"
    since = found["new-high-btc", "BTC"]["since_published"]
    assert (since["from"], since["to"]) == ("2025-12-16", "2026-01-01")
    index = (left / "index.html").read_text()
    for preset in PRESETS:
        assert f'href="{preset.stem}.html"' in index
        assert (left / f"{preset.stem}.html").is_file()
    # the library that draws them stands once beside all pages
    pages = [(left / f"{preset.stem}.html").read_text() for preset in PRESETS]
    assert (left / LIBRARY_FILE).read_text() == plotly_library()
    assert all(f'data-file="{LIBRARY_FILE}"' in page and len(page) < 400_000 for page in pages)
    # what rests on one p-value among so many says so beside its verdict
    supported = [row for row in found.values() if row["verdict"] == "supported"]
    assert all(row["left_out"] > 0 for row in supported)
    assert all(
        "luck alone can bring one such" in row["counted"]
        for row in supported
        if row["p_all_counted"] > 0.05
    )


def test_claim_alone_has_the_verdict_it_has_among_all(
    judged: Path, shared_data: Path, tmp_path: Path
) -> None:
    among = json.loads((judged / "claims.json").read_text())
    deep = str(shared_data / "deep")
    arguments = ("--data-dir", deep, "--horizons", "90", "--workers", "1")
    assert main(["--claim", "tops-coincide", *arguments, "--out", str(tmp_path)]) == 0
    (left,) = tmp_path.iterdir()
    alone = json.loads((left / "claims.json").read_text())
    of_page = ("p_all_counted", "counted")
    assert alone
    for row in alone:
        (same,) = (
            each
            for each in among
            if all(each[key] == row[key] for key in ("claim", "asset", "reading"))
        )
        assert {key: row[key] for key in row if key not in of_page} == {
            key: same[key] for key in same if key not in of_page
        }
    # the config of a claim on the page of all gives that claim again
    assert main(["--config", str(judged / "tops-coincide.toml"), "--out", str(tmp_path / "b")]) == 0
    (again,) = (tmp_path / "b").iterdir()
    assert (again / "claims.json").read_bytes() == (left / "claims.json").read_bytes()
