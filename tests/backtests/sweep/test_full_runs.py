"""Trials beyond the kernel: baskets, idle assets and filters are run in full."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backtests.analysis.summary import summarise
from backtests.backtest import run_inputs
from backtests.config import load_config
from backtests.inputs import Inputs
from backtests.sweep.evaluate import evaluate, is_understood
from backtests.sweep.groups import Library
from backtests.sweep.kernel import FIGURES
from backtests.sweep.plan import with_values
from backtests.sweep.space import column_of
from feeds.bars import Bars
from feeds.instruments import coin
from tests.markets import coin_walk, index_walk

SMALL = {"signal.min_history": 20, "signal.base": 5, "rules.trigger": "new_high"}
HOLD_DAYS = (5, 20, 60)


def named(name: str, seed: int) -> Bars:
    return replace(coin_walk(300, seed=seed, start="2018-03-01"), instrument=coin(name))


@pytest.mark.parametrize(
    ("settings", "coins", "idle"),
    [
        ({"asset": "ALTS"}, ("AAA", "BBB"), ""),
        ({"asset": "AAA", "idle.asset": "BTC"}, ("AAA",), "BTC"),
        ({"asset": "AAA", "filters.index_trend": {}}, ("AAA",), ""),
        ({"asset": "AAA", "size.scale_in_days": 3}, ("AAA",), ""),
    ],
    ids=["basket", "idle", "filter", "scale-in"],
)
def test_evaluate_beyond_the_kernel_equals_each_run(
    settings: dict[str, Any], coins: tuple[str, ...], idle: str
) -> None:
    base = load_config(None, flags=SMALL | settings)
    bars = tuple(named(name, seed) for seed, name in enumerate(coins, start=7))
    inputs = Inputs(index_walk(400, seed=3, end="2018-12-31"), bars)
    inputs = replace(inputs, idle=named(idle, 5)) if idle else inputs
    assert not is_understood(base)
    columns = {"rules.hold_days": column_of(HOLD_DAYS)}
    found = evaluate(base, columns, library=Library(load=lambda _: inputs))
    assert found.failures == [None, None, None]
    for days, row in zip(HOLD_DAYS, found.figures, strict=True):
        config = with_values(base, {"rules.hold_days": days})
        expected = summarise(run_inputs(config, inputs)).figures["strategy"]
        np.testing.assert_array_equal(row, [expected[name] for name in FIGURES])
        assert expected["trades"] > 0
