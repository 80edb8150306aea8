"""One backtest from config to result: load, line up, simulate, and what to compare with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from backtests.baselines import always_in, buy_and_hold, hold_idle
from backtests.config import ALTS, Config
from backtests.control import control_config, control_tape
from backtests.engine import Account
from backtests.gates import untested
from backtests.inputs import Inputs, load_inputs
from backtests.market import Market, build_market
from backtests.survivors import survivor_note
from backtests.tape import NANOSECONDS
from feeds.bars import Bars
from feeds.checks import silent_index
from feeds.sessions import BAR_LENGTHS, periods_per_year

ONE_DAY: Final = pd.Timedelta(days=1)
Engine = Literal["backtrader", "fast"]


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a run computed, before any figure is taken from it.

    `others` are further accounts to compare with, by name: `rebalanced` (a basket held all
    the time at its weights) and `idle` (what is held while the signal is off, held always).
    """

    config: Config
    market: Market
    strategy: Account
    buy_and_hold: Account
    control: Account
    others: Mapping[str, Account]

    @property
    def asset(self) -> str:
        """The short name of what was traded."""
        return self.market.coin.instrument.label

    @property
    def periods_per_year(self) -> int:
        """Bars a year of the coin."""
        return periods_per_year(self.market.coin.timeframe)

    @property
    def cash_return(self) -> float:
        """What idle cash earns per bar, a fraction."""
        return self.config.costs.cash_return(self.periods_per_year)

    @property
    def days(self) -> float:
        """Length of the run, from the first bar's open to the last bar's end."""
        return len(self.strategy.bars) * (BAR_LENGTHS[self.config.data.timeframe] / ONE_DAY)

    @property
    def untested(self) -> tuple[str, ...]:
        """Filters unknown on every bar that let nothing pass: with them a run tests nothing."""
        ends = (self.market.traded.lines["bar_end"] * NANOSECONDS).astype(np.int64)
        return untested(self.market.gates, ends, how=self.config.rules.filters)

    @property
    def warnings(self) -> tuple[str, ...]:
        """All a reader should know before trusting the figures, each once."""
        found = list(input_warnings(self.config, self.market.inputs))
        index = self.market.index
        silent = silent_index(
            self.market.available_at,
            symbol=index.instrument.symbol,
            until=self.market.traded_bars.index[-1],
        )
        if silent is not None:
            found.append(silent.text)
        if (tried := self.config.significance.tried) > 1:
            found.append(
                f"CHOSEN: these settings are the pick of {tried:,} that were tried. On the bars "
                "they were chosen on, what they earned is no evidence"
            )
        if self.strategy.refused:
            found.append(f"{self.strategy.refused} orders were refused by the broker")
        return tuple(dict.fromkeys(found))


def input_warnings(config: Config, inputs: Inputs) -> tuple[str, ...]:
    """Return what a reader should know of the bars and series before trusting any figure."""
    found = [note for bars in inputs.all_bars for note in bars.notes]
    found.extend(note for series in inputs.series.values() for note in series.notes)
    found.extend(inputs.notes)
    if survivors := survivor_note(config, inputs):
        found.append(survivors)
    return tuple(dict.fromkeys(found))


def backtest(config: Config, *, engine: Engine = "backtrader") -> Result:
    """Load the bars the config names and run it on backtrader.

    Raises
    ------
    InputError
        If a symbol, file, date or setting is wrong.
    """
    return run_inputs(config, load_inputs(config), engine=engine)


def run_on(config: Config, *, index: Bars, coin: Bars, engine: Engine = "backtrader") -> Result:
    """Run the config on an index and one coin already loaded."""
    return run_inputs(config, Inputs(index, (coin,)), engine=engine)


def run_inputs(config: Config, inputs: Inputs, *, engine: Engine = "backtrader") -> Result:
    """Run the config on everything it reads; both engines give the same result."""
    if engine == "fast":
        from backtests.fast import simulate
    else:
        from backtests.engine import simulate
    market = build_market(config, inputs)
    own = control_config(config)
    tape = market.traded
    others = {}
    if config.asset == ALTS:
        others["rebalanced"] = always_in(tape, config, simulate=simulate)
    if config.idle.asset:
        others["idle"] = hold_idle(tape, config, simulate=simulate)
    return Result(
        config,
        market,
        strategy=simulate(tape, config),
        buy_and_hold=buy_and_hold(tape, costs=config.costs),
        control=simulate(control_tape(market, own), own),
        others=others,
    )
