"""Runs of several coins on seeded walks: a basket, a switch between coins, and filters."""

from dataclasses import replace
from functools import cache

from backtests.analysis.run_figures import summarise
from backtests.config.config import load_config
from backtests.engines.backtest import run_inputs
from backtests.market.inputs import Inputs
from feeds.instruments import coin
from tests.markets import coin_walk, index_walk

SETTINGS = ("signal.min_history=20", "signal.base=5", "rules.hold_days=20")


def named(name, seed):
    return replace(coin_walk(1000, seed=seed), instrument=coin(name))


@cache
def run(*overrides, coins=("ETH",), idle=None):
    """Return the result and summary of a run on walks."""
    config = load_config(None, overrides=(*SETTINGS, *overrides))
    bars = tuple(named(name, seed) for seed, name in enumerate(sorted(coins), start=7))
    inputs = Inputs(index_walk(900, seed=3), bars, idle=named(idle, 5) if idle else None)
    result = run_inputs(config, inputs)
    return result, summarise(result)


def basket(*overrides):
    return run(
        "asset=ALTS", "basket.min_age_days=10", *overrides, coins=("ADA", "BNB", "DOT", "SOL")
    )


def switch():
    return run("idle.asset=BTC", idle="BTC")


def filtered(*overrides):
    return run("filters.index_trend.window=40", *overrides)
