"""What decides what: trials whose keys are equal share inputs, a tape, a market."""

from collections.abc import Hashable

from backtests.config.config import Config
from backtests.market.inputs import has_universe, series_of_own


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


def tape_key(config: Config) -> Hashable:
    """Return what decides a tape."""
    return (config.asset, _source(config), config.index, config.costs.cash_rate)


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
