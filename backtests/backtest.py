"""One backtest from config to result: load, line up, simulate, and what to compare with."""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from backtests.baselines import buy_and_hold
from backtests.config import Config
from backtests.engine import Account, simulate
from backtests.market import Market, build_market, control_lines
from feeds import instruments
from feeds.bars import Bars
from feeds.checks import silent_index
from feeds.sessions import BAR_LENGTHS, periods_per_year
from feeds.sources import load_all, open_source
from strategies.rules import rule_of

ONE_DAY: Final = pd.Timedelta(days=1)


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
        index, coin = self.market.index, self.market.coin
        found = [*index.notes, *coin.notes]
        silent = silent_index(
            self.market.available_at,
            symbol=index.instrument.symbol,
            until=self.market.traded_bars.index[-1],
        )
        if silent is not None:
            found.append(silent.text)
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
    source = open_source(
        config.data.source,
        data_dir=config.data.data_dir,
        cache_dir=config.data.cache_dir,
        offline=config.data.offline,
    )
    index, coin = load_all(
        source,
        [
            (index_instrument, config.index.timeframe),
            (coin_instrument, config.data.timeframe),
        ],
    )
    return run_on(config, index=index, coin=coin)


def run_on(config: Config, *, index: Bars, coin: Bars) -> Result:
    """Run the config on bars already loaded."""
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
