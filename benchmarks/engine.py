"""The engine against the same rule on stock backtrader: two PandasData feeds.

python -m benchmarks.engine

Both run the new-high rule with a 60-day window over 4,000 daily bars, alternating; medians.
"""

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import backtrader as bt
import numpy as np
import pandas as pd

from backtests.config.config import Config, load_config
from backtests.engines.backtrader_engine import simulate
from backtests.market.inputs import Inputs
from backtests.market.market import Market, build_market
from feeds.bars import Bars
from feeds.instruments import coin, index
from feeds.raw_table import RawTable
from feeds.sessions import sessions_between
from feeds.validation import validate_bars

BARS = 4_000
ROUNDS = 7
COMMANDS = 3


class Stock(bt.Strategy):
    """The rule as a backtrader user would first write it: the index beside the coin."""

    def __init__(self) -> None:
        self.last_session = 0
        self.high = float("inf")
        self.window_end = 0.0

    def next(self) -> None:
        coin_bars, index_bars = self.datas
        if len(index_bars) > self.last_session:
            self.last_session = len(index_bars)
            close = index_bars.close[0]
            if self.last_session > 252 and close > self.high:
                self.window_end = coin_bars.datetime[0] + 60
            past = self.high if self.last_session > 1 else 0.0
            self.high = max(past, close)
        inside = coin_bars.datetime[0] < self.window_end
        if inside and not self.position:
            self.buy(size=self.broker.getcash() * 0.9 / coin_bars.close[0])
        elif self.position and not inside:
            self.close()


def walk(dates: pd.DatetimeIndex, seed: int) -> pd.DataFrame:
    noise = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(noise.normal(0.0004, 0.02, len(dates))))
    prices = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
    return pd.DataFrame({"date": dates, **prices})


def made_bars() -> tuple[Bars, Bars]:
    days = pd.date_range("2014-01-01", periods=BARS)
    sessions = sessions_between(pd.Timestamp("2010-01-01"), days[-1])
    made = [
        validate_bars(RawTable(walk(dates, seed), ""), instrument=who, timeframe="1d", source="")
        for seed, (who, dates) in enumerate([(index("RUT"), sessions), (coin("BTC"), days)])
    ]
    return made[0], made[1]


def ours(market: Market, config: Config) -> None:
    simulate(market.traded, config)


def stock(index_bars: Bars, coin_bars: Bars) -> None:
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=coin_bars.frame.tz_localize(None)))
    cerebro.adddata(bt.feeds.PandasData(dataname=index_bars.frame))
    cerebro.addstrategy(Stock)
    cerebro.broker.setcash(100_000.0)
    cerebro.broker.setcommission(commission=0.001)
    cerebro.run()


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def command(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run(
        [sys.executable, "-m", "backtests.run", *arguments],
        check=True,
        capture_output=True,
    )


def main() -> None:
    config = load_config(None, flags={"rules.trigger": "new_high"})
    index_bars, coin_bars = made_bars()
    inputs = Inputs(index_bars, (coin_bars,))
    market = build_market(config, inputs)
    pairs = [
        (seconds(lambda: ours(market, config)), seconds(lambda: stock(index_bars, coin_bars)))
        for _ in range(ROUNDS)
    ]
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"Python {platform.python_version()}, {BARS} daily bars, median of {ROUNDS}")
    print(f"engine                      {mine:.3f} s")
    print(f"stock PandasData, two feeds {theirs:.3f} s")
    print(f"ratio                       {theirs / mine:.1f}x")
    build = statistics.median(seconds(lambda: build_market(config, inputs)) for _ in range(3))
    print(f"signals and alignment       {build:.3f} s")
    whole = statistics.median(
        seconds(command("--source", "sample", "--out", "build/bench")) for _ in range(COMMANDS)
    )
    print(f"whole command, tearsheet    {whole:.2f} s")
    print(f"--help                      {seconds(command('--help')):.2f} s")


if __name__ == "__main__":
    main()
