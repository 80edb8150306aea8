"""One backtest from config to result: load, line up, simulate, and what to compare with."""

from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from backtests.baselines import buy_and_hold
from backtests.config import Config
from backtests.engine import Account
from backtests.market import Market, build_market, control_lines
from feeds import instruments
from feeds.bars import Bars
from feeds.sessions import BAR_LENGTHS, periods_per_year
from feeds.sources import open_source
from strategies.rules import rule_of

ONE_DAY: Final = pd.Timedelta(days=1)
Engine = Literal["backtrader", "fast"]
STALE_INDEX: Final = pd.Timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a run computed, before any figure is taken from it."""

    config: Config
    market: Market
    strategy: Account
    buy_and_hold: Account
    control: Account

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
    def warnings(self) -> tuple[str, ...]:
        """All a reader should know before trusting the figures, each once."""
        found = [*self.market.index.notes, *self.market.coin.notes, *_gap_notes(self.market)]
        if self.strategy.refused:
            found.append(f"{self.strategy.refused} orders were refused by the broker")
        return tuple(dict.fromkeys(found))


def backtest(config: Config) -> Result:
    """Load the bars the config names and run it on backtrader.

    Raises
    ------
    InputError
        If a symbol, file, date or setting is wrong.
    """
    coin_instrument = instruments.coin(config.asset)
    index_instrument = instruments.index(config.index.symbol)
    source = open_source(config.data.source, data_dir=config.data.data_dir)
    return run_on(
        config,
        index=source.load(index_instrument, timeframe="1d"),
        coin=source.load(coin_instrument, timeframe=config.data.timeframe),
    )


def run_on(config: Config, *, index: Bars, coin: Bars, engine: Engine = "backtrader") -> Result:
    """Run the config on bars already loaded; both engines give the same result."""
    if engine == "fast":
        from backtests.fast import simulate
    else:
        from backtests.engine import simulate
    market = build_market(config, index=index, coin=coin)
    rule = rule_of(config.rules)
    symbol = coin.instrument.symbol
    cash_return = config.costs.cash_return(periods_per_year(coin.timeframe))
    accounts = [
        simulate(lines, symbol=symbol, rule=rule, costs=config.costs, cash_return=cash_return)
        for lines in (market.traded_lines, control_lines(market, config))
    ]
    held = buy_and_hold(market.traded_lines, symbol=symbol, costs=config.costs)
    return Result(config, market, accounts[0], held, accounts[1])


def _gap_notes(market: Market) -> list[str]:
    notes = []
    coin = market.traded_bars.index
    length = BAR_LENGTHS[market.coin.timeframe]
    missing = round((coin[-1] - coin[0]) / length) + 1 - len(coin)
    if missing:
        notes.append(
            f"{market.coin.instrument.symbol}: {missing} bars are missing inside the range; "
            "nothing was put in their place"
        )
    silent = coin[-1] - market.available_at[-1]
    if silent > STALE_INDEX:
        notes.append(
            f"{market.index.instrument.symbol}: no index bars in the last {silent.days} days of "
            "the run, so no signal could fire there"
        )
    return notes
