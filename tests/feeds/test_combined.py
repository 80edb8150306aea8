"""Traps of backtrader that the combined feed is there to avoid."""

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from backtests.config.config import Config
from backtests.market.inputs import Inputs
from backtests.market.market import build_market
from feeds.bars import PRICE_LINES
from feeds.combined import COIN_LINES, INDEX_LINES, SIGNAL_LINES, CombinedFeed
from tests.markets import coin_walk, index_walk

NAMES = (*PRICE_LINES, *COIN_LINES, *INDEX_LINES, *SIGNAL_LINES)


class Reader(bt.Strategy):
    """Write down every value of every line as backtrader shows it."""

    def __init__(self):
        self.seen = []

    def next(self):
        values = [getattr(self.data.lines, name)[0] for name in NAMES]
        self.seen.append((self.data.datetime.datetime(0), *values))


def read(lines):
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(CombinedFeed(dataname=lines))
    cerebro.addstrategy(Reader)
    return cerebro.run()[0].seen


def lines_of():
    index = index_walk(400, seed=3, end="2018-12-31")
    tape = build_market(Config(), Inputs(index, (coin_walk(300, seed=4),))).tape
    # what cash earns over missing bars is added by the engine
    return {**tape.lines, **tape.coins["ETH-USD"], "gap_interest": np.zeros(len(tape))}


def test_feed_every_cell_arrives_unchanged():
    lines = lines_of()
    seen = read(lines)
    for column, name in enumerate(NAMES, start=1):
        np.testing.assert_array_equal([row[column] for row in seen], lines[name], err_msg=name)


def test_feed_next_runs_once_a_bar_at_its_time():
    # two feeds would run it on index timestamps too
    lines = lines_of()
    times = [row[0] for row in read(lines)]
    expected = pd.to_datetime(lines["time"], unit="s").to_pydatetime().tolist()
    assert times == expected


def test_feed_hourly_times_are_exact():
    hours = np.arange(1_700_000_000 // 3600, 1_700_000_000 // 3600 + 500) * 3600.0
    lines = {"time": hours} | {name: np.ones(hours.size) for name in NAMES}
    times = [row[0] for row in read(lines)]
    assert times == pd.to_datetime(hours, unit="s").to_pydatetime().tolist()


def test_feed_missing_column_is_an_error_and_not_silently_nan():
    lines = lines_of()
    del lines["lost_session"]
    with pytest.raises(KeyError, match="lost_session"):
        read(lines)
