"""Backtests in Python: `backtest`, and `load` for the inputs of one."""

from collections.abc import Mapping
from typing import Any, Final

from backtests.api.request import Subject, named_index, own_bars, settings_tree
from backtests.api.result import Result
from backtests.config.config import validated_config
from backtests.engines.backtest import Engine, run_inputs
from backtests.market.inputs import Inputs, load_inputs
from feeds.bars import Bars
from feeds.errors import ConfigError
from feeds.wording import nearest_hint

ENGINES: Final = ("backtrader", "fast")


def backtest(
    asset: Subject = None,
    *,
    index: Bars | str | None = None,
    coin: Bars | None = None,
    engine: Engine = "backtrader",
    settings: Mapping[str, Any] | None = None,
    **keywords: Any,
) -> Result:
    """Backtest the rule on an asset, a config, or bars of your own.

    Parameters
    ----------
    asset
        A coin ("ETH", "ALTS" for the basket), a TOML file ("configs/eth.toml"), or a `Config`.
    index
        Bars of an index of your own, or the name of one; without it the config's is loaded.
    coin
        Bars of a coin of your own; without it the asset's are loaded. Bars of your own are not
        part of the config: running it again loads those of its source.
    engine
        "backtrader", the reference, or "fast", its compiled twin with the same fills.
    settings
        Settings by whole key: {"rules.hold_days": 90}.
    keywords
        Settings by the last part of their key: hold_days=90, source="sample",
        start="2018-01-01", data_dir="bars". Sections are mappings: filters={"vix": {}}.

    Raises
    ------
    InputError
        In one line: what is wrong, what was received, and what to do.

    Examples
    --------
    >>> import backtests as bt
    >>> result = bt.backtest("ETH", source="sample", start="2025-01-01", trigger="breakout")
    >>> result.trades.columns.tolist()[:3]
    ['symbol', 'entry_time', 'entry_price']
    >>> inputs = bt.load("ETH", source="sample")
    >>> own = bt.backtest(index=inputs.index, coin=inputs.coins[0], start="2025-01-01")
    >>> own.config.asset
    'ETH'
    """
    if engine not in ENGINES:
        raise ConfigError(
            f"`engine` must be one of {', '.join(ENGINES)}, received {engine!r}."
            f"{nearest_hint(str(engine), ENGINES)}"
        )
    own = own_bars(index=index, coin=coin)
    tree = settings_tree(asset, settings=settings, keywords=keywords | named_index(index), own=own)
    config = validated_config(tree)
    return Result(run_inputs(config, load_inputs(config, own=own), engine=engine))


def load(
    asset: Subject = None, *, settings: Mapping[str, Any] | None = None, **keywords: Any
) -> Inputs:
    """Load all that a backtest reads: bars of index and coins, and the series of filters.

    Parameters and errors are those of `backtest`.

    Examples
    --------
    >>> import backtests as bt
    >>> inputs = bt.load("BTC", source="sample")
    >>> inputs.index.instrument.symbol, inputs.coins[0].instrument.symbol
    ('RUT', 'BTC-USD')
    >>> inputs.coins[0].frame.columns.tolist()
    ['open', 'high', 'low', 'close', 'volume']
    """
    return load_inputs(validated_config(settings_tree(asset, settings=settings, keywords=keywords)))
