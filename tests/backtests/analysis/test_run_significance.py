"""A run's significance: against the engine's own ledger, on markets with a known truth."""

import json
from dataclasses import replace

import numpy as np
import pytest

from backtests.analysis import metrics
from backtests.analysis.bootstrap import Interval
from backtests.analysis.exposure import exposure_of
from backtests.analysis.placebo import shift_placebo
from backtests.analysis.run_significance import COMPARED, EQUAL_EXPOSURE, STRATEGY, significance
from backtests.config.config import Config, load_config
from backtests.config.run_settings import SignificanceSettings
from backtests.engines.backtest import Run, run_inputs, run_on
from backtests.market.inputs import Inputs
from feeds.bars import Bars
from tests.markets import coin_bars, index_bars

OPTIONS = ["signal.lookback=60", "rules.trigger=new_high", "rules.hold_days=20"]
FEW = SignificanceSettings(draws=100, block_bars=20.0)


def settings(*more: str) -> Config:
    return load_config(None, overrides=[*OPTIONS, *more])


def index(sessions: int, *, seed: int = 1) -> Bars:
    """Waves of a year about a level, so that highs of 60 sessions come in clusters."""
    wave = np.sin(np.arange(sessions) * 2 * np.pi / 250)
    noise = np.random.default_rng(seed).normal(0, 0.002, sessions)
    return index_bars(np.diff(np.exp(0.2 * wave + noise), prepend=1.0))


def result(days: int, *options: str, seed: int = 1, effect: float = 0.0) -> Run:
    rng = np.random.default_rng(seed)
    bars = index(days * 5 // 7)
    returns = rng.normal(0.0005, 0.02, days)
    config = settings(*options)
    if effect:
        quiet = run_on(config, index=bars, coin=coin_bars("BTC", returns))
        held = quiet.strategy.invested.to_numpy()
        returns[days - held.size :] += effect * held
    return run_on(config, index=bars, coin=coin_bars("BTC", returns))


@pytest.mark.parametrize("options", [(), ("size.fraction=0.5",), ('size.mode="vol_target"',)])
@pytest.mark.parametrize("cash_rate", [0.0, 0.04])
def test_exposure_grows_as_the_account_did(options: tuple[str, ...], cash_rate: float) -> None:
    run = result(900, *options, f"costs.cash_rate={cash_rate}")
    exposure = exposure_of(run)
    assert len(run.strategy.fills) > 2
    growth = np.log(run.strategy.equity.iloc[-1] / run.strategy.initial_cash)
    # costs of buying are 1 / (1 + c), here 1 - c: a few millionths a fill
    assert shift_placebo(exposure).growth == pytest.approx(growth, abs=1e-4)


def basket_or_rotation(*options: str) -> Run:
    rng = np.random.default_rng(5)
    coins = [coin_bars(name, rng.normal(0.001, 0.03, 900)) for name in ("ADA", "ETH", "SOL")]
    config = settings("costs.commission_bps=0", "costs.slippage_bps=0", *options)
    if config.asset == "ALTS":
        return run_inputs(config, Inputs(index(640), (coins[0], coins[2])))
    return run_inputs(config, Inputs(index(640), (coins[1],), idle=coins[0]))


@pytest.mark.parametrize(
    "options",
    [
        ("asset=ALTS", "basket.min_age_days=0", "basket.rebalance=weekly"),
        ("asset=ETH", "idle.asset=ADA"),
    ],
)
def test_exposure_of_baskets_and_rotations_grows_as_the_account_did(
    options: tuple[str, ...],
) -> None:
    run = basket_or_rotation(*options)
    growth = np.log(run.strategy.equity.iloc[-1] / run.strategy.initial_cash)
    assert len(run.strategy.fills) > 2
    assert 0 < exposure_of(run).mean_weight < 1
    assert shift_placebo(exposure_of(run)).growth == pytest.approx(growth, abs=0.02)
    found = significance(run, FEW)
    assert 0 < found.shift_p_value <= 1


def test_significance_compares_with_holding_matched_exposure_and_control() -> None:
    found = significance(result(900), FEW)
    assert list(found.intervals) == [STRATEGY, *COMPARED]
    assert list(found.differences) == [*COMPARED, EQUAL_EXPOSURE]
    assert found.episodes >= 2
    assert 0 < found.exposure < 1
    assert found.shifts == found.bars - 1
    held = found.intervals["buy_and_hold"]["cagr"].estimate
    own = found.intervals[STRATEGY]["cagr"].estimate
    assert found.differences["buy_and_hold"]["cagr"].estimate == pytest.approx(own - held)


def test_significance_is_reproducible_and_fit_for_json() -> None:
    run = result(600)
    first, second = (json.dumps(significance(run, FEW).figures()) for _ in range(2))
    assert first == second


def test_planted_timing_is_told_from_luck() -> None:
    found = significance(result(1500, effect=0.01), FEW)
    assert found.shift_p_value < 0.05
    assert found.has_timing
    assert found.differences["exposure_matched"]["cagr"].low > 0


def test_coin_without_an_effect_is_not_told_from_luck() -> None:
    found = significance(result(1500, seed=3), FEW)
    assert found.shift_p_value > 0.05
    assert not found.has_timing
    assert found.better != "index"


@pytest.mark.parametrize("fraction", [0.2, 1.0])
def test_equal_exposure_scales_the_account_that_held_more(fraction: float) -> None:
    run = result(900, f"size.fraction={fraction}")
    # the control of a whole account against a fifth of one, and the other way round
    whole = result(900, "size.fraction=0.5")
    run = replace(run, control=whole.control)
    found = significance(run, FEW)
    assert (found.exposure > found.control_exposure) == (fraction == 1.0)
    mean = min(found.exposure, found.control_exposure)
    growth = [
        metrics.cagr(account.returns.to_numpy() * mean / exposure, years=run.years)
        for account, exposure in (
            (run.strategy, found.exposure),
            (run.control, found.control_exposure),
        )
    ]
    gap = found.differences[EQUAL_EXPOSURE]["cagr"]
    assert gap.estimate == pytest.approx(growth[0] - growth[1], abs=1e-12)
    assert gap.low <= gap.estimate <= gap.high


def test_control_that_never_held_anything_cannot_be_compared() -> None:
    run = result(600)
    idle = result(600, "rules.trigger=breakout", "signal.base=5000").strategy
    found = significance(replace(run, control=idle), FEW)
    assert found.better == "undefined"
    assert found.control_exposure == 0


ABOVE, AROUND, BELOW = (Interval(0.1, low, low + 0.4) for low in (0.1, -0.2, -0.6))


@pytest.mark.parametrize(
    ("gap", "own_p", "control_p", "tried", "better"),
    [
        (ABOVE, 0.01, 0.5, 1, "index"),
        (ABOVE, 0.01, 0.01, 1, "index"),
        (ABOVE, 0.01, 0.5, 10, "neither"),  # the best of ten tries reaches this by luck
        (ABOVE, 0.06, 0.5, 1, "neither"),
        (AROUND, 0.01, 0.01, 1, "neither"),
        (BELOW, 0.01, 0.5, 1, "neither"),
        (BELOW, 0.5, 0.01, 1, "coin"),
        (Interval(np.nan, np.nan, np.nan), 0.01, 0.01, 1, "undefined"),
    ],
)
def test_better_signal_needs_the_comparison_and_its_own_timing(
    gap: Interval, own_p: float, control_p: float, tried: int, better: str
) -> None:
    found = replace(
        significance(result(300), FEW),
        differences={EQUAL_EXPOSURE: {"cagr": gap}},
        shift_p_value=own_p,
        control_shift_p_value=control_p,
        tried=tried,
    )
    assert found.better == better


def test_run_of_chosen_settings_warns_and_its_timing_is_judged_as_a_pick() -> None:
    chosen = result(900, "significance.tried=5000")
    assert any(
        note.startswith("CHOSEN: these settings are the pick of 5,000") for note in chosen.warnings
    )
    assert not any(note.startswith("CHOSEN") for note in result(900).warnings)
