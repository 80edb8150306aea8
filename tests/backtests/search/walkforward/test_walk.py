"""What a walk makes of its steps: efficiency, steps without a choice, and what it refuses."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.config.config import Config
from backtests.config.run_settings import CostSettings
from backtests.engines.baselines import buy_and_hold
from backtests.market.inputs import Inputs
from backtests.market.market import build_market
from backtests.report.pages.walkforward import promised_and_kept, walk_sheet
from backtests.report.terminal.search import walk_summary
from backtests.report.words import walkforward as words
from backtests.search.plan import Plan, load_plan
from backtests.search.trials.trial_library import Library
from backtests.search.walkforward.walk import (
    Efficiency,
    WalkForward,
    WalkStep,
    efficiency,
    lost_by_selling,
    walk_forward,
)
from backtests.search.walkforward.windows import Window, WindowSettings
from feeds.errors import ConfigError
from tests.markets import bars_of, coin_walk, index_walk

SETTINGS = WindowSettings(train_days=200, test_days=100)
SWEEP = """
[signal]
min_history = 60
[sweep]
"signal.lookback" = [20, 60]
"rules.hold_days" = [5, 20]
"""

Load = Callable[..., Plan]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a function that makes a plan of overrides and a sweep."""

    def plan(*overrides: str, sweep: str = SWEEP) -> Plan:
        file = tmp_path / "sweep.toml"
        file.write_text(sweep)
        return load_plan(file, overrides=overrides)

    return plan


def market(*, falls: slice | None = None) -> Inputs:
    """Return a market whose index falls every session of some dates, and so gives no signal."""
    index = index_walk(700, seed=4)
    frame = index.frame.copy()
    falling = frame.loc[falls].index if falls else frame.index[:0]
    # from far above what comes after, or on from below all that was before
    top = frame["low"].min() * 0.9 if falls and falls.start else frame["high"].max() * 9
    for name in ("open", "high", "low", "close"):
        frame.loc[falling, name] = np.linspace(top, top / 3, len(falling))
    coin = coin_walk(700, seed=5, start="2019-01-01")
    return Inputs(bars_of(frame.rename_axis("date").reset_index(), index.instrument), (coin,))


def walked(plan: Plan, given: Inputs, settings: WindowSettings = SETTINGS) -> WalkForward:
    return walk_forward(plan, settings=settings, library=Library(load=lambda _: given))


def step(days: int, *, promised: float, trades: int = 1) -> WalkStep:
    """Return a step that was traded for so many days."""
    first = pd.Timestamp("2020-01-01", tz="UTC")
    window = Window(first, first, first, first + pd.Timedelta(days=days - 1))
    return WalkStep(window, 0, {}, promised, 0.0, 0.0, 0.5, trades, 0.0, 0.0)


def test_efficiency_weights_what_was_promised_by_the_days_traded(load: Load) -> None:
    steps = (step(300, promised=2.0), step(100, promised=1.0, trades=0))
    found = efficiency(steps, {"sharpe_ratio": 0.7}, load())
    assert found.promised == pytest.approx((300 * 2 + 100 * 1) / 400)
    assert found.kept == 0.7
    assert found.share == pytest.approx(0.7 / 1.75)


def test_efficiency_of_a_walk_that_traded_nothing_is_nothing(load: Load) -> None:
    steps = (step(300, promised=2.0, trades=0), step(100, promised=1.0, trades=0))
    found = efficiency(steps, {"sharpe_ratio": np.nan}, load())
    assert found.share == 0


def test_efficiency_counts_a_step_without_a_choice_as_promising_nothing(load: Load) -> None:
    steps = (step(100, promised=2.0), step(100, promised=np.nan, trades=0))
    assert efficiency(steps, {"sharpe_ratio": 0.5}, load()).share == pytest.approx(0.5)
    plan = load("sweep.objective=cagr", "costs.cash_rate=0.1")
    assert efficiency(steps, {"cagr": 0.21}, plan).share == pytest.approx(0.21 / 1.05)


@pytest.mark.parametrize(
    ("objective", "promised", "reason"),
    [
        ("max_drawdown", -0.1, "only a CAGR, a Sharpe or a Sortino ratio"),
        ("total_return", 0.4, "only a CAGR, a Sharpe or a Sortino ratio"),
        ("sharpe_ratio", -0.1, "promised no gain"),
        ("sortino_ratio", 1.0, "undefined where no bar lost"),
    ],
)
def test_efficiency_that_cannot_be_said_has_a_reason(
    load: Load, objective: str, promised: float, reason: str
) -> None:
    figures = {"sharpe_ratio": 0.5, "sortino_ratio": np.nan, "max_drawdown": -0.3}
    plan = load(f"sweep.objective={objective}")
    found = efficiency((step(100, promised=promised),), figures, plan)
    assert np.isnan(found.share)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("kept", "text"),
    [
        (0.5, "out of sample it was 0.50: 25 % of it was left."),
        (
            -0.9,
            "out of sample it was \N{MINUS SIGN}0.90: none of it was left, it turned into a loss.",
        ),
        (2.5, "out of sample it was 2.50: more than was promised."),
    ],
)
def test_words_say_what_was_left(load: Load, kept: float, text: str) -> None:
    plan = load()
    found = walked(plan, market())
    found = dataclasses.replace(found, efficiency=Efficiency(2.0, kept))
    assert words.retention(found, plan).endswith(text)


def test_walk_with_a_window_that_has_nothing_to_choose_spends_it_in_cash(load: Load) -> None:
    plan = load("costs.cash_rate=0.1")
    found = walked(plan, market(falls=slice(None, "2019-07-14")))
    first, *others = found.steps
    assert first.trial is None
    assert first.trades == 0
    assert [step for step in others if step.trial is not None]
    days = slice(first.window.test_start, first.window.test_end)
    np.testing.assert_allclose((1 + found.returns[days]).prod(), 1.1 ** (100 / 365.25), rtol=1e-12)
    assert first.out_of_sample == 0
    day = f"{first.window.test_start:%Y-%m-%d}"
    (said,) = words.problems(found, plan)
    assert f"before {day}: nothing was chosen" in said
    page = walk_sheet(found, plan, SETTINGS)
    assert "nothing to choose: in cash" in page
    assert f"nothing could be chosen: {day}." in page
    # shares of the four steps that chose
    assert len(found.chosen) == len(others) == 4
    assert set(found.stability().values()) <= {0.25, 0.5, 0.75, 1.0}


def test_walk_without_anything_to_choose_is_refused(load: Load) -> None:
    with pytest.raises(ConfigError, match="none of the 4 trials traded with a defined `sharpe"):
        walked(load(), market(falls=slice(None, None)))


def test_walk_whose_choices_never_trade_says_why_ratios_are_missing(load: Load) -> None:
    plan = load()
    found = walked(plan, market(falls=slice("2019-07-01", None)))
    assert found.chosen
    assert not found.traded
    said = walk_summary(found, plan, SETTINGS)
    assert "none of it was left, because nothing was traded" in said
    assert "0.0 % per year, Sharpe ratio n/a" in said
    assert "The walk's Sharpe ratio is n/a, because its returns never varied." in said
    assert "nan" not in said


def test_walk_chart_has_a_point_for_every_step(load: Load) -> None:
    short = WindowSettings(train_days=300, test_days=20)
    found = walked(load('rules.trigger="breakout"', "signal.base=20"), market(), short)
    assert len(found.traded) < len(found.steps)
    _, *traces = promised_and_kept(found, objective="sharpe_ratio")["data"]
    assert [len(trace["y"]) for trace in traces] == [len(found.steps)] * 3
    for trace in traces:
        assert None not in trace["y"]


@pytest.mark.parametrize(
    "axis", ['data.start=["2019-01-01", "2019-02-01"]', 'data.end=["2020-01-01"]',
             'data.source=["files", "sample"]', 'data.data_dir=["a", "b"]',
             'data.timeframe=["1d", "1h"]', 'asset=["BTC", "ETH"]']
)  # fmt: skip
def test_walk_with_an_axis_of_the_data_is_refused(load: Load, axis: str) -> None:
    name = axis.partition("=")[0]
    with pytest.raises(ConfigError, match=f"`sweep.{name}` cannot vary here"):
        walked(load(f"sweep.{axis}"), market())


def test_walk_reports_trials_that_failed(load: Load) -> None:
    plan = load(sweep=SWEEP.replace("60]", "5000]"))
    found = walked(plan, market())
    (said,) = words.problems(found, plan)
    tries = 4 * 2 * len(found.steps)
    assert f"{tries // 2:,} of {tries:,} tries of a trial on a window failed" in said
    assert "the history is too short" in said


def test_setting_names_say_the_section_where_a_name_is_not_clear() -> None:
    keys = ("rules.hold_days", "index.symbol", "signal.window", "filters.vix.window")
    expected = ("hold days", "index symbol", "signal window", "filters vix window")
    assert tuple(words.setting_names(keys).values()) == expected


def test_lost_by_selling_at_the_end_counts_what_the_sale_itself_moves() -> None:
    tape = build_market(
        Config(), Inputs(index_walk(600, seed=3), (coin_walk(700, seed=5, start="2019-01-01"),))
    ).traded
    impact = {symbol: own | {"impact": own["impact"] + 1e-4} for symbol, own in tape.coins.items()}
    account = buy_and_hold(tape, costs=CostSettings())
    value = float(account.bars["equity"].iloc[-1] - account.bars["cash"].iloc[-1])
    plain = lost_by_selling(account, tape, CostSettings())
    assert plain == 1 - (1 - 0.0005) * (1 - 0.001)
    charged = CostSettings(impact="square_root", impact_coefficient=2)
    lost = lost_by_selling(account, dataclasses.replace(tape, coins=impact), charged)
    assert lost == pytest.approx(1 - (1 - 0.0005 - 2e-4 * np.sqrt(value)) * (1 - 0.001))
