"""One backtest from config to result: load, line up, simulate, and what to compare with."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from backtests.config.config import ALTS, Config
from backtests.config.plugins import Plugin, plugin_at
from backtests.engines import twin_engine
from backtests.engines.account import Account, Capacity, Closing, capacity_of, capacity_warning
from backtests.engines.baselines import (
    Simulate,
    benchmark,
    buy_and_hold,
    control_config,
    control_tape,
    hold_idle,
)
from backtests.market.coins import ending_notes, survivor_note
from backtests.market.elapsed_time import DAYS_PER_YEAR, after_hole, cash_returns
from backtests.market.inputs import Inputs, has_universe, load_inputs
from backtests.market.lookahead import LOOK_AHEAD, own_leaks
from backtests.market.market import Market, build_market
from backtests.market.regime_series import RegimeSeries, regime_series
from backtests.market.tape import Tape
from backtests.market.user_inputs import blind_filters
from feeds.arrays import Flags, Floats
from feeds.bars import Bars
from feeds.checks import silent_index
from feeds.errors import ConfigError
from feeds.history import spans_of
from feeds.record_highs import false_highs

ONE_DAY: Final = pd.Timedelta(days=1)
LARGE_TAPE: Final = 40_000  # bars x coins: from here on numba is worth its import
Engine = Literal["backtrader", "fast"]


@dataclass(frozen=True)
class Run:
    """Everything a run computed, before any figure is taken from it.

    `buy_and_hold` is the benchmark: the coin, or the basket at its weights all the time. `others`
    are further accounts to compare with, by name: `first_members` (the coins of a basket on its
    first day, untouched) and `idle` (what is held while the signal is off, held always).
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
    def years(self) -> float:
        """Length of the run in years, from the first bar's open to the last bar's end."""
        return self.market.traded.years

    @property
    def days(self) -> float:
        """The same length in days."""
        return self.years * DAYS_PER_YEAR

    @property
    def periods_per_year(self) -> float:
        """The bars per year: nominally so many, or those there are if they are fewer."""
        return self.market.traded.periods_per_year

    @property
    def after_hole(self) -> Flags:
        """Which bars come after a hole in the bars, so that their returns span it."""
        lines = self.market.traded.lines
        return after_hole(lines["time"], lines["bar_end"])

    @property
    def cash_returns(self) -> Floats:
        """What cash earned by each bar's end since the end of the bar before, fractions."""
        lines = self.market.traded.lines
        return cash_returns(lines["time"], lines["bar_end"], rate=self.config.costs.cash_rate)

    @property
    def untested(self) -> tuple[str, ...]:
        """Filters unknown on every bar that let nothing pass: with them a run tests nothing."""
        gates, how = self.market.gates, self.config.rules.filters
        return blind_filters(gates, self.market.traded.ends, how=how)

    @functools.cached_property
    def capacity(self) -> Capacity:
        """What the strategy's fills were of what traded on their days."""
        return capacity_of(self.strategy, config=self.config, inputs=self.market.inputs)

    @functools.cached_property
    def regime_series(self) -> RegimeSeries:
        """The series that tell regimes apart, as far as they are at hand; none is traded on."""
        return regime_series(self.config, self.market.inputs)

    @functools.cached_property
    def warnings(self) -> tuple[str, ...]:
        """All a reader should know before trusting the figures, each once, gravest first."""
        found = [*untested_warning(self.untested)]
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
        held = capacity_of(self.buy_and_hold, config=self.config, inputs=self.market.inputs)
        found.extend(capacity_warning(self.capacity, who="the rule"))
        found.extend(capacity_warning(held, who="buy-and-hold"))
        if self.strategy.refused:
            found.append(f"{self.strategy.refused} orders were refused by the broker")
        found.extend(unused_plugins(self.config))
        found.extend(input_warnings(self.config, self.market.inputs))
        # that something sees the future comes before all else
        return tuple(sorted(dict.fromkeys(found), key=lambda text: not text.startswith(LOOK_AHEAD)))


def unused_plugins(config: Config) -> list[str]:
    """Return a warning for each plug-in of which the config names nothing."""
    used = {entry.origin.name for entry in config.own_functions}
    return [
        f"UNUSED PLUG-IN: {Path(file).name} has {names_of(plugin_at(file))}, and no setting of "
        "this config names it, such as `rules.trigger`"
        for file in config.plugins or ()
        if file not in used
    ]


def names_of(plugin: Plugin) -> str:
    """Return what a plug-in registered: "the signal reclaim, the filter calm"."""
    return ", ".join(f"the {entry.kind} {entry.name}" for entry in plugin.entries)


def untested_warning(names: Sequence[str]) -> tuple[str, ...]:
    """Return the warning that filters without data blocked everything; none where none did."""
    if not names:
        return ()
    several = len(names) > 1
    return (
        f"NOTHING WAS TESTED: the filter{'s' if several else ''} {', '.join(names)} "
        f"{'were' if several else 'was'} unknown on every bar, which blocks every entry. Bring the "
        f'data, or set `filters.{names[0]}.unknown` = "pass" to trade without',
    )


def input_warnings(config: Config, inputs: Inputs) -> tuple[str, ...]:
    """Return what a reader should know of the bars and series before trusting any figure.

    That something sees the future comes first, then what concerns them all, and the notes of
    each file last.
    """
    found = leak_warnings(config, inputs)
    if config.asset == ALTS and not has_universe(config):
        end = pd.Timestamp(config.data.end, tz="UTC") if config.data.end else None
        found.extend(ending_notes(inputs.coins, until=end))
    if survivors := survivor_note(config, inputs):
        found.append(survivors)
    if config.signal.lookback == "all":
        found.extend(_false_highs(config, inputs))
    if config.signal.retest:
        found.extend(_lows_that_are_closes(inputs.index))
    found.extend(inputs.notes)
    found.extend(note for bars in inputs.all_bars for note in bars.cautions)
    found.extend(note for series in inputs.series.values() for note in series.cautions)
    return tuple(dict.fromkeys(found))


def leak_warnings(config: Config, inputs: Inputs) -> list[str]:
    """Return a warning for each own function that a few cuts of the data show to see the future."""
    return [
        f"{LOOK_AHEAD}: {leak.text}. What it earned cannot be earned; `python -m backtests.audit` "
        "says more"
        for leak in own_leaks(config, inputs)
    ]


def _lows_that_are_closes(index: Bars) -> list[str]:
    """Return a warning for each part of the index whose lows are its closes."""
    return [
        f"{index.instrument.symbol}: from {span.first:%Y-%m-%d} to {span.last:%Y-%m-%d} only "
        "closes are known, so `signal.retest` takes them for the lows"
        for span in spans_of(index)
        if span.is_close_only
    ]


def _false_highs(config: Config, inputs: Inputs) -> list[str]:
    """Return a warning on highs of the index that are none, where the run can meet one."""
    highs = false_highs(inputs.index, min_history=config.signal.min_history)
    if highs is None:
        return []
    first = min(pd.Timestamp(bars.frame.index[0]) for bars in inputs.coins)
    return [] if highs.sessions[-1].tz_localize("UTC") < first else [highs.text]


def backtest(config: Config, *, engine: Engine = "backtrader") -> Run:
    """Load the bars the config names and run it on backtrader.

    Raises
    ------
    InputError
        If a symbol, file, date or setting is wrong.
    """
    return run_inputs(config, load_inputs(config), engine=engine)


def run_on(config: Config, *, index: Bars, coin: Bars, engine: Engine = "backtrader") -> Run:
    """Run the config on an index and one coin already loaded."""
    return run_inputs(config, Inputs(index, (coin,)), engine=engine)


def run_inputs(config: Config, inputs: Inputs, *, engine: Engine = "backtrader") -> Run:
    """Run the config on everything it reads; both engines give the same result."""
    if config.strategy and engine == "fast":
        raise ConfigError(
            f"`engine` must be 'backtrader' for `strategy` {config.strategy}, received 'fast': "
            "code of your own is not compiled. Leave it out."
        )
    market = build_market(config, inputs)
    own = control_config(config)
    tape = market.traded
    compared = engine_of_comparisons(tape, config, engine=engine)
    others = {}
    if config.asset == ALTS:
        others["first_members"] = buy_and_hold(tape, costs=config.costs)
    if config.idle.asset:
        others["idle"] = hold_idle(tape, config, simulate=compared)
    return Run(
        config,
        market,
        strategy=_engine(engine)(tape, config),
        buy_and_hold=benchmark(tape, config, simulate=compared),
        control=compared(control_tape(market, own), own),
        others=others,
    )


def engine_of_comparisons(tape: Tape, config: Config, *, engine: Engine = "backtrader") -> Simulate:
    """Return what simulates the accounts beside the strategy's.

    That is the twin, whatever runs the strategy: it gives the same bytes as backtrader, which
    would spend most of the command on them. A large tape has it compiled, where numba is
    installed. A strategy of one's own runs on backtrader alone.
    """
    if config.strategy:
        return _engine("backtrader")
    is_large = len(tape) * len(tape.coins) > LARGE_TAPE and find_spec("numba")
    return _engine("fast") if engine == "fast" or is_large else twin_engine.simulate


def closing_of(tape: Tape, config: Config) -> Closing:
    """Run the config's rule over a tape and return how it stands after the last bar."""
    if not config.strategy:
        return twin_engine.closing(tape, config)
    from backtests.engines.backtrader_engine import closing

    return closing(tape, config)


def _engine(name: Engine) -> Simulate:
    if name == "fast":
        from backtests.engines.compiled_engine import simulate
    else:
        from backtests.engines.backtrader_engine import simulate
    return simulate
