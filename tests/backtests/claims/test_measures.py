"""Measurements of claims on files of simulated bars with a known truth."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.event_effects import LEVEL, SHARES, Placement
from backtests.claims import dated_claims
from backtests.claims.dated_claims import top_days
from backtests.claims.measures import MEASURES, measure
from backtests.claims.plans import StudyPlan
from backtests.claims.question import Question
from backtests.claims.runner import judge, run_all
from backtests.claims.study_data import World
from backtests.claims.verdicts import PLACEBOS, Finding
from backtests.config.claims import ClaimSettings
from backtests.config.config import Config, load_config
from backtests.config.run_settings import StudySettings
from feeds import instruments
from feeds.bars import Bars
from feeds.errors import ConfigError
from tests.markets import coin_bars, index_bars, save_bars

DAYS = 1800
FILTERS = {
    "net_liquidity": {},
    "lead": {"kind": "relative_strength", "rule": "new_high", "window": 20},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of yearly waves about a slow rise; GOOD gains 2 % a day after each breakout."""
    folder = tmp_path_factory.mktemp("bars")
    sessions = DAYS * 5 // 7
    wave = 0.2 * np.sin(np.arange(sessions) * 2 * np.pi / 250) + 0.0004 * np.arange(sessions)
    index = index_bars(np.expm1(np.diff(wave, prepend=0.0)))
    save_bars(folder, index)
    rng = np.random.default_rng(1)
    noise = rng.normal(0.0005, 0.01, DAYS)
    save_bars(folder, coin_bars("DULL", noise))
    good = rng.normal(0.0005, 0.01, DAYS)
    for day in breakouts(index):
        good[day : day + 20] += 0.02
    save_bars(folder, coin_bars("GOOD", good))
    return folder


def breakouts(index: Bars) -> list[int]:
    close = index.frame["close"].to_numpy()
    dates = pd.DatetimeIndex(index.frame.index)
    highest = np.maximum.accumulate(close)
    rows = [row for row in range(253, close.size) if close[row] > highest[row - 1]]
    firsts = [row for before, row in zip([0, *rows], rows, strict=False) if row - before > 60]
    return [(dates[row] - pd.Timestamp("2015-01-01")).days + 1 for row in firsts]


def config(folder: Path, *, basket: Sequence[str] = (), **claim: object) -> Config:
    settings = {
        "statement": "It follows.",
        "source": "a test",
        "support": "it does",
        "event": "breakout",
        "horizon_days": 20,
        "effect": 0.2,
        **claim,
    }
    flags = {f"claim.{name}": value for name, value in settings.items()}
    flags |= {"data.source": "files", "data.data_dir": str(folder)}
    if basket:
        flags["basket.members"] = list(basket)
    if claim.get("filter"):
        flags[f"filters.{claim['filter']}"] = FILTERS[str(claim["filter"])]
    return load_config(None, flags=flags)


def findings(folder: Path, *, basket: Sequence[str] = (), **claim: object) -> list[Finding]:
    chosen = config(folder, basket=basket, **claim)
    assert chosen.claim is not None
    placement = Placement(gap=chosen.claim.gap_sessions, draws=500)
    return measure(Question(World(chosen), chosen.claim, placement))


def test_average_finds_the_planted_effect_and_only_that(folder: Path) -> None:
    good, dull = findings(folder, assets=["GOOD", "DULL"])
    assert good.episodes >= 4
    assert good.p_value < 0.01
    assert good.estimate > 0.3
    assert good.left_out > 0.2
    assert max(good.p_era, good.p_matched) < 0.05
    assert dull.p_value > 0.05
    assert dull.high < 0.2
    assert min(dull.p_era, dull.p_matched) > 0.05


@pytest.mark.parametrize(
    "claim",
    [
        {"measure": "against_asset", "against": "DULL"},
        {"measure": "against_event", "against": "relative_high"},
        {"measure": "against_index", "against": "SPX"},
        {"measure": "condition", "filter": "lead", "event": "new_high", "gap_sessions": 10},
        {"measure": "every_episode", "last": 3},
    ],
    ids=lambda claim: claim["measure"],
)
def test_every_comparison_with_random_dates_has_all_three_placebos(
    folder: Path, tmp_path: Path, claim: dict[str, object]
) -> None:
    for path in folder.glob("*.csv"):
        shutil.copy(path, tmp_path)
    other = index_bars(np.random.default_rng(2).normal(0.0008, 0.01, DAYS * 5 // 7))
    save_bars(tmp_path, replace(other, instrument=instruments.index("SPX")))
    (found,) = findings(tmp_path, assets=["GOOD"], **claim)
    assert found.episodes > 0
    assert set(found.p_values) == set(PLACEBOS)
    for p in found.p_values.values():
        assert 0 < p <= 1


@pytest.mark.parametrize("horizon", [5, 20, 40, 60])
@pytest.mark.parametrize("event", ["breakout", "new_high"])
def test_interval_begins_above_zero_exactly_where_every_placebo_is_beaten(
    folder: Path, event: str, horizon: int
) -> None:
    found = findings(folder, assets=["GOOD", "DULL"], event=event, horizon_days=horizon)
    for one in found:
        assert (one.low > 0) == (one.hardest_p <= LEVEL)
        assert one.low <= one.estimate <= one.high
        assert len(one.rates) == len(SHARES)
    assert found[0].low > 0


def test_order_of_assets_changes_no_finding(folder: Path) -> None:
    forward = findings(folder, assets=["GOOD", "DULL"])
    backward = findings(folder, assets=["DULL", "GOOD"])
    assert forward == backward[::-1]


def test_basket_does_not_depend_on_the_order_of_members(folder: Path) -> None:
    first, second, listed = (
        findings(folder, basket=members, assets=["ALTS"])
        for members in (["GOOD", "DULL"], ["DULL", "GOOD"], [])
    )
    assert first == second == listed
    assert first[0].p_value < 0.05


def test_against_asset_and_event(folder: Path) -> None:
    (lead,) = findings(folder, measure="against_asset", assets=["GOOD"], against="DULL")
    assert lead.asset == "GOOD - DULL"
    assert lead.p_value < 0.05
    (better,) = findings(
        folder, measure="against_event", assets=["GOOD"], against="new_high", gap_sessions=10
    )
    assert better.decided is not None or better.episodes > 0


def test_one_episode_needs_a_session_with_the_event(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"`claim\.session` must be a session with the event"):
        findings(folder, measure="one_episode", session="2016-01-02", assets=["GOOD"])


def test_every_episode_counts_rises(folder: Path) -> None:
    (good,) = findings(folder, measure="every_episode", assets=["GOOD"], last=3)
    assert good.figure.startswith("3 of 3 rose in 20 days")
    assert good.decided is None
    # without any one of three rises the other two are all that is left
    assert good.left_out == pytest.approx(good.estimate, abs=0.05)
    (none,) = findings(folder, measure="every_episode", assets=["GOOD"], before="2010-01-01")
    assert none.decided == "too little data to tell"


def test_lead_of_unrelated_series_is_not_supported(folder: Path) -> None:
    (found,) = findings(folder, measure="lead", assets=["DULL"], effect=0.9)
    assert found.decided == "not supported"


def test_claims_without_data_say_so(folder: Path) -> None:
    (found,) = findings(folder, measure="no_data", missing="no history of flows")
    assert found.reason == "There is no data: no history of flows."
    (series,) = findings(folder, measure="condition", filter="net_liquidity", assets=["GOOD"])
    assert series.decided == "too little data to tell"
    assert "NET_LIQUIDITY is not here" in series.reason


def test_top_is_the_highest_of_a_year_before_a_deep_fall() -> None:
    price = np.concatenate(
        (np.linspace(50, 100, 200), np.linspace(99, 60, 100), np.linspace(61, 90, 300))
    )
    assert top_days(price).tolist() == [199]
    # a first bar is no top, whatever follows
    assert top_days(np.linspace(100, 10, 300)).size == 0


def test_tops_leave_each_top_out_in_turn(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(dated_claims, "top_days", lambda price: np.array([700, 900, 1100]))
    (found,) = findings(folder, measure="tops", assets=["GOOD"], event="new_high")
    near = int(found.figure.split(" of ")[0])
    share = found.estimate - near / 3  # minus that of shifted tops
    fewest = (near - 1) / 2 if near else 0.0
    assert found.left_out == pytest.approx(share + min(fewest, near / 2))


def test_condition_reads_relative_strength_from_both_indices(folder: Path, tmp_path: Path) -> None:
    for path in folder.glob("*.csv"):
        shutil.copy(path, tmp_path)
    rows = (folder / "RUT_1d.csv").read_text().splitlines(keepends=True)
    (tmp_path / "SPX_1d.csv").write_text("".join(rows[:900] + rows[901:]))
    world = World(config(tmp_path, measure="condition", filter="lead", assets=["GOOD"]))
    state, _ = world.gate("lead")
    # the ratio is 1 throughout, so it is always at its high, but for the bar that is missing
    assert np.flatnonzero(np.isnan(state)).tolist() == [*range(19), 899]
    assert (np.delete(state, [*range(19), 899]) == 1).all()
    assert any("SPX has no bar on 1 of" in note for note in world.notes)


def test_every_measure_of_the_claims_has_a_function() -> None:
    allowed = ClaimSettings.model_fields["measure"].annotation.__args__
    assert set(allowed) == set(MEASURES)


def test_number_of_processes_changes_nothing(folder: Path) -> None:
    plans = [
        StudyPlan(
            config(folder, assets=[name.upper()], name=name).model_copy(
                update={"study": StudySettings(horizons=(10, 20), draws=200)}
            )
        )
        for name in ("good", "dull")
    ]
    alone = run_all(plans, workers=1)
    together = run_all(plans, workers=2)
    assert [study.findings for study in alone] == [study.findings for study in together]
    for one, two in zip(alone, together, strict=True):
        pd.testing.assert_frame_equal(one.assets[0].events.horizons, two.assets[0].events.horizons)
        pd.testing.assert_frame_equal(one.assets[0].delays, two.assets[0].delays)
    assert judge(alone) == judge(together)
    # two tests are counted: the smaller p-value doubles
    good = judge(alone)[0]
    assert good.adjusted_p == pytest.approx(2 * good.finding.hardest_p)
