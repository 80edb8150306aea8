"""Readings of a claim, its two answers, and what followed since it was published."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.forward_returns import asset_prices
from backtests.claims.answers import as_stated, evidence, since_published
from backtests.claims.plans import AS_IT_STANDS, StudyPlan, readings_of
from backtests.claims.runner import judge, run_study
from backtests.claims.verdicts import Finding
from backtests.config.claims import ClaimReading, ClaimSettings
from backtests.config.config import load_config
from backtests.report.charts.effects import forest_chart
from backtests.report.charts.figure_dicts import UndrawableError
from backtests.report.pages.study import fairest
from backtests.report.words.claims import (
    evidence_in_words,
    ruled_out,
    since_in_words,
    tally,
)
from feeds.errors import ConfigError
from tests.markets import coin_bars, index_bars, save_bars

FOUND = Finding(
    asset="BTC", figure="x", estimate=0.2, low=-0.1, high=0.4, p_value=0.3, claimed=0.5, episodes=8,
    left_out=0.1,
)  # fmt: skip
CLAIM = ClaimSettings(
    name="c",
    statement="BTC follows.",
    source="a desk",
    support="it rises",
    published="2018-06-01",
    horizon_days=20,
    readings=(
        ClaimReading(name="a year", event="breakout", base=40),
        ClaimReading(name="later start", start="2016-01-01", horizon_days=10),
    ),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bars")
    rng = np.random.default_rng(3)
    save_bars(folder, index_bars(rng.normal(0.0006, 0.01, 1200)))
    save_bars(folder, coin_bars("BTC", rng.normal(0.001, 0.03, 1600)))
    return folder


def plan_of(folder: Path, claim: ClaimSettings = CLAIM, *more: str) -> StudyPlan:
    overrides = (f"data.data_dir={folder}", "study.draws=200", "signal.base=20", *more)
    config = load_config(None, overrides=("data.source=files", *overrides))
    return StudyPlan(config.model_copy(update={"claim": claim}))


def test_readings_begin_with_the_claim_itself_and_change_only_what_they_say(folder: Path) -> None:
    first, year, later = (one.config for one in readings_of(plan_of(folder)))
    assert [one.claim.reading for one in (first, year, later)] == [
        AS_IT_STANDS,
        "a year",
        "later start",
    ]
    assert (first.signal.base, year.signal.base, later.signal.base) == (20, 40, 20)
    assert (year.claim.event, year.claim.horizon_days) == ("breakout", 20)
    assert (later.claim.event, later.claim.horizon_days) == ("new_high", 10)
    assert (first.data.start, later.data.start) == ("", "2016-01-01")
    assert {one.data.end for one in (first, year, later)} == {"2018-06-01"}
    assert all(one.claim.readings == () for one in (first, year, later))


def test_readings_keep_an_end_before_the_publication(folder: Path) -> None:
    plan = plan_of(folder, CLAIM, "data.end=2017-12-31")
    assert {one.config.data.end for one in readings_of(plan)} == {"2017-12-31"}


def test_findings_do_not_change_with_what_came_after_the_publication(
    folder: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut"
    cut.mkdir()
    for path in folder.iterdir():
        table = pd.read_csv(path)
        table[table["date"] <= CLAIM.published].to_csv(cut / path.name, index=False)
    whole, short = (run_study(plan_of(one)) for one in (folder, cut))
    assert repr(whole.findings) == repr(short.findings)  # undefined figures too
    assert [one.episodes > 0 for one in whole.findings] == [True] * 3
    assert all(day <= CLAIM.published for one in whole.findings for day in one.dates)
    assert whole.since["BTC"] is not None
    assert short.since["BTC"] is None


def test_readings_do_not_change_one_another(folder: Path) -> None:
    turned = CLAIM.model_copy(update={"readings": CLAIM.readings[::-1]})
    one, other = (run_study(plan_of(folder, claim)) for claim in (CLAIM, turned))
    assert sorted(map(repr, one.findings)) == sorted(map(repr, other.findings))


def test_since_published_is_the_growth_of_the_bars_after_that_day() -> None:
    bars = coin_bars("BTC", np.full(1600, 0.001))
    asset = asset_prices("BTC", {"BTC": bars})
    found = since_published(asset, CLAIM)
    assert found is not None
    assert found.first == pd.Timestamp("2018-06-02", tz="UTC")
    opened = bars.frame["open"].loc["2018-06-02"]
    assert found.value == pytest.approx(bars.frame["close"].iloc[-1] / opened - 1)
    assert found.at_horizon == pytest.approx(bars.frame["open"].loc["2018-06-22"] / opened - 1)
    # a steady coin does as well in every span
    assert found.usual == pytest.approx(found.value, rel=1e-6)


def test_since_published_says_nothing_without_a_day_or_bars_after_it() -> None:
    asset = asset_prices("BTC", {"BTC": coin_bars("BTC", np.full(300, 0.001))})
    for day in ("", "2030-01-01"):
        assert since_published(asset, CLAIM.model_copy(update={"published": day})) is None
    assert "no bars of the time after it" in since_in_words("BTC", CLAIM, None)
    assert since_in_words("BTC", CLAIM.model_copy(update={"published": ""}), None) == ""


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({}, "ruled_out", "+50 % ruled out"),
        ({"high": 0.6}, "too_little", "too little to tell"),
        ({"p_value": 0.01, "low": 0.1, "high": 0.9}, "supported", "supported"),
        ({"p_value": 0.01, "low": 0.1}, "ruled_out", "+50 % ruled out"),
        ({"p_value": 0.01, "left_out": -0.1, "high": 0.9}, "too_little", "too little to tell"),
        ({"p_value": 0.01, "p_era": 0.3, "high": 0.9}, "too_little", "too little to tell"),
        ({"episodes": 2}, "too_little", "too little to tell"),
    ],
)
def test_evidence_is_for_against_the_size_or_too_little(
    changes: dict[str, float], expected: str, words: str
) -> None:
    found = replace(FOUND, **changes)
    assert evidence(found) == expected
    assert evidence_in_words(found) == words


def test_sizes_name_what_is_ruled_out_and_what_fits() -> None:
    assert ruled_out(FOUND) == "+50 % is ruled out, up to +40 % is not."
    wide = replace(FOUND, high=0.8)
    assert ruled_out(wide).endswith(
        "\N{MINUS SIGN}10 % to +80 % fits these bars, the claimed +50 % too."
    )
    assert ruled_out(replace(FOUND, high=math.nan)) == ""


@pytest.mark.parametrize(
    ("measure", "changes", "expected"),
    [
        ("average", {}, "true"),
        ("average", {"estimate": -0.01}, "false"),
        ("average", {"estimate": math.nan}, "not_reproducible"),
        ("every_episode", {"decided": "not supported"}, "false"),
        ("every_episode", {}, "true"),
        ("one_episode", {"estimate": 0.4}, "not_reproducible"),
        ("one_episode", {"estimate": 0.6}, "true"),
    ],
)
def test_as_stated_is_about_the_figure_and_not_about_luck(
    measure: str, changes: dict[str, object], expected: str
) -> None:
    claim = CLAIM.model_copy(update={"measure": measure})
    assert as_stated(replace(FOUND, **changes), claim) == expected


def test_tally_counts_every_claim_once() -> None:
    found = [
        replace(FOUND, as_stated="true", p_value=0.01, low=0.1, high=0.6),
        replace(FOUND, as_stated="false"),
        replace(FOUND, as_stated="true", high=0.6),
    ]
    assert list(map(evidence, found)) == ["supported", "ruled_out", "too_little"]
    text = tally(found, noun="claim", ups=[True, False], days=22.0)
    assert text.startswith(
        "Of 3 claims, as stated: 2 true and 1 false; as evidence: 1 supported, 1 with the claimed "
        "size ruled out and 1 too little to tell."
    )
    assert "Since publication, at most 22 days, the coin went up for 1 of 2, which share" in text


def test_forest_has_a_row_per_effect_on_growth_and_none_of_others(folder: Path) -> None:
    first = fairest(judge([run_study(plan_of(folder))]))
    spec = forest_chart(first)
    assert len(spec["data"][0]["y"]) == len(first) == 1
    points = [replace(one, finding=replace(one.finding, unit="share")) for one in first]
    with pytest.raises(UndrawableError, match="No finding about growth"):
        forest_chart(points)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('[{name = "x", evnt = "breakout"}]', "`claim.readings[0].evnt` is not a setting"),
        ('[{event = "breakout"}]', "`claim.readings[0].name` must be"),
        ('[{name = "x", horizon_days = 0}]', "`claim.readings[0].horizon_days` must be"),
        ('"breakout"', "`claim.readings` must be a list of tables"),
    ],
)
def test_wrong_reading_is_refused_with_its_place(given: str, words: str) -> None:
    with pytest.raises(ConfigError, match="claim.readings") as caught:
        load_config("configs/claims/new-high-btc.toml", overrides=(f"claim.readings={given}",))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
