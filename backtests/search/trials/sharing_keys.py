"""What decides what: trials whose keys are equal share inputs, a tape, a market, remembered."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

from backtests.config.config import ALTS, Config
from backtests.market.inputs import has_universe, series_of_own
from backtests.search.trials.routes import is_whole

Thing = TypeVar("Thing")

Remembered = OrderedDict[Hashable, Thing]


def remember(
    store: "Remembered[Thing]", key: Hashable, build: Callable[[], Thing], limit: int
) -> Thing:
    """Return what a store has under a key, or build it; what was asked for longest ago goes."""
    if key in store:
        store.move_to_end(key)
        return store[key]
    made = build()
    store[key] = made
    if len(store) > limit:
        store.popitem(last=False)
    return made


def inputs_key(config: Config) -> Hashable:
    """Return what decides the inputs."""
    filters = tuple(
        (name, each.kind, each.benchmark, each.series, each.lag_days, each.unknown)
        for name, each in sorted(config.filters.items())
    )
    index = (config.index.symbol, config.index.timeframe)
    # of a universe only the coins ever in the basket are read: that is up to all its settings
    coins = config.basket if has_universe(config) else config.basket.members
    own = tuple(sorted(series_of_own(config)))
    return (config.asset, _source(config), index, config.idle.asset, coins, filters, own)


def tape_key(config: Config) -> tuple[Hashable, ...]:
    """Return what decides the bars of what is traded, and what cash earns on them."""
    basket = config.basket if config.asset == ALTS else None
    return (config.asset, basket, _source(config), config.index, config.costs.cash_rate)


def coins_key(config: Config) -> Hashable:
    """Return what decides the coins' lines, their weights and the bars of the whole."""
    return (inputs_key(config), config.asset, config.idle, config.basket, config.costs.impact)


def without_filters(config: Config) -> Config:
    """Return the config without its filters: what it shares with all that filter otherwise."""
    if not config.filters and config.rules.filters == "all":
        return config
    rules = config.rules.model_copy(update={"filters": "all"})
    return config.model_copy(update={"filters": {}, "rules": rules})


def signals_key(config: Config) -> Hashable:
    """Return what decides the events of a config, its filters left out."""
    rules = config.rules
    return (*market_key(without_filters(config)), rules.trigger, rules.entry_delay_days)


def batch_key(config: Config, stop: int) -> Hashable:
    """Return what decides which trials the kernel can take at once; `stop` is their last bar."""
    positions = (config.size, config.idle, config.costs.impact, config.data, stop)
    return (*tape_key(config), *(() if is_whole(config) else positions))


def _source(config: Config) -> Hashable:
    """Return what decides where bars come from; which of them are traded does not."""
    return config.data.model_copy(update={"start": "", "end": ""})


def market_key(config: Config) -> tuple[Hashable, ...]:
    """Return what decides the signals, the gates, the coins' lines and the tradable bars."""
    filters = (*sorted(config.filters.items()), config.rules.filters)
    shared = (config.asset, config.data, config.index, config.signal)
    own = (_own_names(config), config.rules.exits, config.rules.own)
    return (*shared, config.idle, config.basket, config.costs.impact, filters, own)


def _own_names(config: Config) -> tuple[str, ...]:
    return tuple(entry.name for entry in config.own_functions if entry.kind == "signal")
