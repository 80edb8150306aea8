"""All readings of a claim, on files of simulated bars."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.event_effects import Placement, outcomes
from backtests.claims.all_readings import (
    MEASURES_WITH_CURVE,
    claim_curve,
    curve_row,
    event_readings,
)
from backtests.claims.measures import MEASURES
from backtests.claims.question import Question
from backtests.claims.study_data import World
from backtests.config.config import load_config
from feeds.bars import Bars
from tests.markets import coin_bars, index_bars, save_bars

DAYS = 2600
SHIFTS = 200


@pytest.fixture(scope="module")
def market() -> tuple[Bars, dict[str, Bars]]:
    """A random index that rises; GOOD gains 1 % a day for 20 days after its new highs begin."""
    rng = np.random.default_rng(4)
    index = index_bars(rng.normal(0.0006, 0.01, DAYS * 5 // 7))
    dull, good = rng.normal(0.0005, 0.02, DAYS), rng.normal(0.0005, 0.02, DAYS)
    dates, close = pd.DatetimeIndex(index.frame.index), index.frame["close"].to_numpy()
    record = np.flatnonzero(close[1:] > np.maximum.accumulate(close)[:-1]) + 1
    for row in record[np.diff(record, prepend=-999) > 20]:
        day = (dates[row] - dates[0]).days + 1
        good[day : day + 20] += 0.01
    return index, {"GOOD": coin_bars("GOOD", good), "DULL": coin_bars("DULL", dull)}


@pytest.fixture(scope="module")
def folder(market: tuple[Bars, dict[str, Bars]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(market, tmp_path_factory.mktemp("bars"))


def saved(market: tuple[Bars, dict[str, Bars]], folder: Path) -> Path:
    for bars in (market[0], *market[1].values()):
        save_bars(folder, bars)
    return folder


def question(folder: Path, *, signal: dict[str, object] | None = None, **claim: object) -> Question:
    settings = {
        "statement": "It follows.", "source": "a test", "support": "it does",
        "event": "breakout", "horizon_days": 20, "assets": ["GOOD"], **claim,
    }  # fmt: skip
    flags = {f"claim.{name}": value for name, value in settings.items()}
    flags |= {"data.source": "files", "data.data_dir": str(folder)}
    flags |= {f"signal.{name}": value for name, value in (signal or {}).items()}
    config = load_config(None, flags=flags)
    assert config.claim is not None
    return Question(World(config), config.claim, Placement(gap=60, draws=SHIFTS))


@pytest.mark.parametrize(
    ("claim", "found"),
    [
        ({"assets": ["GOOD"]}, True),
        ({"assets": ["GOOD"], "event": "new_high", "measure": "every_episode"}, True),
        ({"assets": ["GOOD"], "measure": "against_asset", "against": "DULL"}, True),
        ({"assets": ["DULL"]}, False),
    ],
)
def test_curve_finds_the_planted_effect_and_only_that(
    folder: Path, claim: dict[str, object], *, found: bool
) -> None:
    curve = claim_curve(question(folder, **claim))
    assert curve is not None
    assert curve.readings >= 500
    assert (curve.p <= 0.05) is found
    # readings over a year dilute twenty days' growth
    assert (curve.share_above_zero > 0.65) is found
    row = curve_row(curve)
    assert row is not None
    assert row["median"] == pytest.approx(np.expm1(curve.effects["effect"].median()))
    assert list(row) == ["readings", "median", "share_above_zero", "p"]


@pytest.mark.parametrize("event", ["breakout", "new_high", "support_held"])
def test_own_reading_has_the_episodes_and_outcomes_of_the_claim(folder: Path, event: str) -> None:
    signal = {"base": 15, "confirm": 2, "tolerance": 0.015, "lookback": 200}
    asked = question(folder, event=event, gap_sessions=30, horizon_days=25, signal=signal)
    curve = claim_curve(asked)
    assert curve is not None
    (own,) = curve.effects[curve.effects["own"]].to_dict("records")
    sample = outcomes(asked.growth("GOOD"), asked.episodes())
    assert own["episodes"] == sample.starts.size
    assert own["effect"] == pytest.approx(sample.own.mean() - sample.values.mean())


def test_order_of_assets_changes_nothing(folder: Path) -> None:
    first, second = (
        claim_curve(question(folder, assets=names))
        for names in (["GOOD", "DULL"], ["DULL", "GOOD"])
    )
    assert first is not None
    assert second is not None
    pd.testing.assert_frame_equal(first.effects, second.effects)
    assert first.p == second.p


@pytest.mark.parametrize("event", ["breakout", "support_held", "support_lost"])
def test_cutting_the_bars_leaves_every_earlier_episode_as_it_was(
    market: tuple[Bars, dict[str, Bars]], tmp_path: Path, event: str
) -> None:
    whole = question(saved(market, tmp_path / "whole"), event=event)
    index = market[0]
    cut_at = 1300
    short = Bars(index.instrument, "1d", index.frame.iloc[:cut_at], "simulated", "memory")
    cut = question(saved((short, market[1]), tmp_path / "cut"), event=event)
    rows = np.arange(len(index.frame))
    pairs = zip(event_readings(whole, rows), event_readings(cut, rows[:cut_at]), strict=True)
    some = 0
    for one, other in pairs:
        assert one.choices == other.choices
        np.testing.assert_array_equal(one.starts[one.starts < cut_at], other.starts)
        some += other.starts.size
    assert some > 20


def test_measure_that_asks_no_growth_after_events_has_no_curve(folder: Path) -> None:
    assert claim_curve(question(folder, measure="tops")) is None
    assert curve_row(None) is None
    assert set(MEASURES) > MEASURES_WITH_CURVE


def test_coin_that_never_traded_with_the_index_has_no_curve(
    market: tuple[Bars, dict[str, Bars]], tmp_path: Path
) -> None:
    late = coin_bars("GOOD", np.full(50, 0.01), first="2024-01-01")
    asked = question(saved((market[0], {"GOOD": late}), tmp_path / "late"))
    assert claim_curve(asked) is None
