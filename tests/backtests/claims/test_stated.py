"""What is told of a claim beside its effect: its own figure, its mechanism, what is not tested."""

import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.event_effects import Placement
from backtests.claims.answers import as_stated, stated_figure
from backtests.claims.dated_claims import beginning_days
from backtests.claims.measures import measure
from backtests.claims.plans import claim_plan, readings_of
from backtests.claims.question import Question
from backtests.claims.runner import mechanism_finding, run_study
from backtests.claims.study_data import World
from backtests.claims.verdicts import Finding
from backtests.config.raw_settings import CLAIMS, config_tree
from backtests.report.words.claims import (
    mechanism_sentence,
    p_values,
    reason,
    size,
    sizes_apart,
    stated_in_words,
)
from backtests.report.words.notation import UNDEFINED
from feeds import instruments
from feeds.bars import Bars
from tests.markets import coin_bars, index_bars, save_bars

FLOWS = "date,value\n" + "".join(
    f"2017-0{month}-15,{value}\n" for month, value in ((1, -100), (2, 50), (3, -150), (9, -9000))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bars")
    rng = np.random.default_rng(5)
    for name in ("RUT", "SPX", "NDX", "IWN"):
        made = index_bars(rng.normal(0.0006, 0.01, 1200))
        bars = Bars(instruments.index(name), "1d", made.frame, "simulated", "memory")
        save_bars(folder, bars)
    save_bars(folder, coin_bars("BTC", rng.normal(0.001, 0.03, 1600)))
    (folder / "ETF_FLOWS_series.csv").write_text(FLOWS)
    return folder


def question(folder: Path, name: str, *more: str, reading: int = 0) -> Question:
    path = CLAIMS / f"{name}.toml"
    own = ("data.source=files", f"data.data_dir={folder}", "signal.base=20", *more)
    plan = claim_plan(config_tree(path, overrides=own), path=path)
    chosen = list(readings_of(plan))[reading]
    return Question(World(chosen.config), chosen.claim, Placement(gap=20, draws=200))


@pytest.mark.parametrize(
    ("stated", "expected"), [(-200.0, "true"), (-190.0, "true"), (-300.0, "not_reproducible")]
)
def test_stated_sum_is_that_of_the_year_up_to_the_publication(
    folder: Path, stated: float, expected: str
) -> None:
    more = ("claim.published=2017-06-01", f"claim.stated.value={stated}")
    asked = question(folder, "fund-flows", *more)
    figure = stated_figure(asked)
    assert "-0.2 billion dollars from 2017-01-15 to 2017-03-15" in figure.sentence
    assert "at the lowest -0.2 billion dollars to 2017-03-15" in figure.sentence
    (finding,) = measure(asked)
    assert as_stated(finding, asked.claim, figure=figure) == expected


def test_stated_level_is_the_latest_that_was_known(folder: Path) -> None:
    found = stated_figure(question(folder, "unprofitable-share", "claim.published=2024-09-15"))
    assert found.is_near
    assert "41 % on 2024-07-31, the latest known then; the claim says 40 %" in found.sentence


def test_stated_figure_without_its_series_is_not_reproducible(folder: Path, tmp_path: Path) -> None:
    for path in folder.glob("*_1d.csv"):
        shutil.copy(path, tmp_path)
    found = stated_figure(question(tmp_path, "fund-flows"))
    assert not found.is_near
    assert found.sentence.startswith("No series ETF_FLOWS is here")


def test_index_that_a_fund_would_stand_for_is_not_tested(folder: Path) -> None:
    asked = question(folder, "value-new-high-btc", reading=4)
    (finding,) = measure(asked)
    assert finding.reason == "Not tested: no bars of RUJ itself are here."
    assert stated_in_words(finding) == "not tested"
    # nor is the fund read, which would be told among the bars and notes of the page
    assert asked.world.bars() == ()


def test_reading_with_a_gate_has_that_filter_and_no_other(folder: Path) -> None:
    asked = question(folder, "liquidity", reading=3)
    assert list(asked.world.config.filters) == ["m2"]
    assert asked.world.config.filters["m2"].series == "M2SL"


def test_mechanism_of_a_claim_on_a_coin_is_found_up_to_its_publication(
    folder: Path, tmp_path: Path
) -> None:
    path = CLAIMS / "new-high-btc.toml"
    own = ("data.source=files", f"data.data_dir={folder}", "study.draws=200", "study.horizons=[90]")
    early = (*own, "claim.published=2018-06-01")
    study = run_study(claim_plan(config_tree(path, overrides=early), path=path))
    assert study.has_mechanism
    assert study.mechanism is not None
    assert study.mechanism.asset == "NDX - SPX"
    assert all(day < "2018-06-01" for day in study.mechanism.dates)
    for one in folder.iterdir():
        if one.name != "NDX_1d.csv":
            shutil.copy(one, tmp_path)
    less = (*own, f"data.data_dir={tmp_path}")
    without = run_study(claim_plan(config_tree(path, overrides=less), path=path))
    assert without.mechanism is None
    assert "--claim small-caps-lead-risk` tests it" in mechanism_sentence(without.mechanism)


def test_mechanism_is_measured_once_until_its_bars_change(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    own = ("data.source=files", f"data.data_dir={tmp_path}", "study.draws=100")
    paths = [CLAIMS / f"{name}.toml" for name in ("new-high-btc", "support-held")]
    plans = [
        claim_plan(config_tree(path, overrides=(*own, "claim.published=2018-06-01")), path=path)
        for path in paths
    ]
    asked = []

    def counted(question: Question) -> list[Finding]:
        asked.append(question)
        return measure(question)

    monkeypatch.setattr("backtests.claims.runner.measure", counted)
    first, again = (mechanism_finding(plan, World(plan.config)) for plan in plans)
    assert len(asked) == 1
    assert first is again

    bars = pd.read_csv(tmp_path / "NDX_1d.csv")
    prices = ["open", "high", "low", "close"]
    rising = np.linspace(1.0, 4.0, len(bars))[:, np.newaxis]
    bars.assign(**bars[prices] * rising).to_csv(tmp_path / "NDX_1d.csv", index=False)
    changed = mechanism_finding(plans[0], World(plans[0].config))
    assert len(asked) == 2
    assert changed is not None
    assert changed.estimate != first.estimate


def test_beginning_is_the_lowest_of_a_year_before_a_great_rise() -> None:
    price = np.concatenate((np.linspace(100, 50, 200), np.linspace(51, 90, 300)))
    assert beginning_days(price).tolist() == [199]
    assert beginning_days(np.linspace(100, 60, 500)).size == 0


def test_tops_less_beginnings_counts_both(folder: Path) -> None:
    (finding, *_) = measure(question(folder, "tops-coincide", "claim.assets=['BTC']", reading=1))
    tops, beginnings = finding.figure.split(" tops and ")
    near, of = map(int, tops.split(" of "))
    first, rest = beginnings.split(" of ", 1)
    share = near / of - int(first) / int(rest.split()[0])
    assert finding.estimate == pytest.approx(share, abs=0.05)
    assert math.isnan(finding.p_era)
    assert reason(finding).endswith("eras and the state of the market are not held against it.")
    assert p_values(finding).endswith(f" / {UNDEFINED} / {UNDEFINED}")


def test_sizes_that_differ_do_not_read_alike() -> None:
    assert sizes_apart(0.046, 0.05, "growth") == ("+4.6 %", "+5.0 %")
    assert sizes_apart(0.4, 0.5, "growth") == ("+40 %", "+50 %")
    assert (size(-0.001, "growth"), size(0.0, "growth")) == ("\N{MINUS SIGN}0.1 %", "0 %")
