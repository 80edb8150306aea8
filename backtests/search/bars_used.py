"""The bars a sweep or walk-forward rests on, and what a reader should know about them."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.engines.backtest import (
    ONE_DAY,
    input_warnings,
    leak_warnings,
    untested_warning,
)
from backtests.market.coins import traded_coin
from backtests.market.inputs import Inputs
from backtests.market.known_when import known_from
from backtests.market.user_inputs import Known, blind_filters, gates_of
from backtests.search.parameter_space import Choice
from backtests.search.plan import Plan
from backtests.search.trials.trial_library import Library
from feeds.bars import Bars
from feeds.checks import silent_index
from feeds.errors import DataError
from feeds.instruments import SAMPLE_SOURCE
from feeds.sessions import bar_ends

# settings that name functions, which may be one's own
NAMES_FUNCTIONS: Final = re.compile(
    r"rules\.(trigger|exits)|size\.mode|basket\.(weights|select)|filters\.[^.]+\.kind"
)


@dataclass(frozen=True, slots=True)
class UsedBars:
    """All bars any trial reads, each once, and all warnings."""

    bars: tuple[Bars, ...]
    warnings: tuple[str, ...]

    @property
    def is_sample(self) -> bool:
        """Whether any of the bars are the bundled sample's simulated days."""
        return any(bars.source == SAMPLE_SOURCE for bars in self.bars)


def used_bars(plan: Plan, library: Library) -> UsedBars:
    """Load all bars a plan needs, so that a coin without bars is refused before any trial."""
    read = [(config, library.inputs(config)) for config in plan.markets()]
    if not {"data.start", "data.end"} & set(plan.keys):
        for config, inputs in read:
            _require_bars(config, inputs)
    bars = itertools.chain.from_iterable(inputs.all_bars for _, inputs in read)
    notes = itertools.chain.from_iterable(_notes(config, inputs) for config, inputs in read)
    return UsedBars(
        tuple({each.sha256: each for each in bars}.values()),
        tuple(dict.fromkeys((*_leaks(plan, library), *notes))),
    )


def _leaks(plan: Plan, library: Library) -> Iterator[str]:
    """Yield a warning for each own function that an axis names and that sees the future."""
    for axis in plan.axes:
        if isinstance(axis, Choice) and NAMES_FUNCTIONS.fullmatch(axis.key):
            for value in axis.values:
                config = plan.config({axis.key: value})
                yield from leak_warnings(config, library.inputs(config))


def _require_bars(config: Config, inputs: Inputs) -> None:
    """Refuse dates between which nothing trades: every trial would fail by them."""
    data = config.data
    first = min(bars.frame.index[0] for bars in inputs.coins)
    last = max(bars.frame.index[-1] for bars in inputs.coins)
    late = data.start and pd.Timestamp(data.start, tz="UTC") > last
    early = data.end and pd.Timestamp(data.end, tz="UTC") + ONE_DAY <= first
    if late or early:
        raise DataError(
            f"`data.start` and `data.end` leave no bar, received {data.start or 'none'} and "
            f"{data.end or 'none'}: {config.asset} has {first:%Y-%m-%d} to {last:%Y-%m-%d}. "
            "Choose dates inside."
        )


def _notes(config: Config, inputs: Inputs) -> tuple[str, ...]:
    """Return what is wrong with the inputs, each on its own and beside each other."""
    last = max(bars.frame.index[-1] for bars in inputs.coins)
    if config.data.end:
        last = min(last, pd.Timestamp(config.data.end, tz="UTC"))
    silent = silent_index(
        known_from(inputs.index, config), symbol=inputs.index.instrument.symbol, until=last
    )
    blind = untested_warning(_blind_filters(config, inputs))
    return (*blind, *input_warnings(config, inputs), *((silent.text,) if silent else ()))


def _blind_filters(config: Config, inputs: Inputs) -> tuple[str, ...]:
    """Return the filters that are unknown on every bar of the coins."""
    known = Known(inputs, known_from(inputs.index, config), traded_coin(config, inputs))
    gates = gates_of(config, known)
    ends = np.unique(
        np.concatenate(
            [
                bar_ends(pd.DatetimeIndex(bars.frame.index), kind="coin", timeframe=bars.timeframe)
                .as_unit("ns")
                .asi8
                for bars in inputs.coins
            ]
        )
    )
    return blind_filters(gates, ends, how=config.rules.filters)
