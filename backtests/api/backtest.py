"""One config in Python: `backtest`, `audit` and `today`, and `load` for the inputs of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from backtests.analysis.episodes import Forebears
from backtests.api.request import Subject, named_index, own_bars, settings_tree
from backtests.api.result import Result
from backtests.config.config import validated_config
from backtests.desk.messages import evening_json
from backtests.desk.today import Evening, evening_of, forebears_of
from backtests.engines.backtest import Engine, run_inputs
from backtests.lookahead_audit import Audit, audit_of
from backtests.market.inputs import Inputs, load_inputs
from backtests.report.words.today import facts, forebears_words, headline
from feeds.bars import Bars
from feeds.errors import ConfigError
from feeds.message_text import nearest_hint

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


def audit(
    asset: Subject = None, *, settings: Mapping[str, Any] | None = None, **keywords: Any
) -> Audit:
    """Cut the data at many bars, rewrite the future, and see whether anything before changes.

    Parameters and errors are those of `backtest`.

    Examples
    --------
    >>> import backtests as bt
    >>> found = bt.audit("ETH", source="sample", start="2025-01-01")
    >>> found.ok, found.findings["name"].tolist()
    (True, ['signal of the index', 'run'])
    """
    config = validated_config(settings_tree(asset, settings=settings, keywords=keywords))
    return audit_of(config, load_inputs(config))


@dataclass(frozen=True, slots=True)
class Today:
    """How a config stands after its last bar, and the present episode beside earlier ones."""

    evening: Evening
    forebears: Forebears | None

    @property
    def sentence(self) -> str:
        """The answer, to be read aloud."""
        return headline(self.evening)

    @property
    def json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return evening_json(self.evening, self.forebears)

    def __repr__(self) -> str:
        told = [f"{name}: {text}" for name, text in facts(self.evening)]
        return "\n".join([self.sentence, *told, *forebears_words(self.forebears)])


def today(
    asset: Subject = None,
    *,
    equity: float | None = None,
    settings: Mapping[str, Any] | None = None,
    **keywords: Any,
) -> Today:
    """Return how a config stands after its last complete bar, or on the evening of `end`.

    Parameters
    ----------
    equity
        The money the order's units are for, by default `costs.initial_cash`.

    Other parameters and errors are those of `backtest`.

    Examples
    --------
    >>> import backtests as bt
    >>> found = bt.today("ETH", source="sample", end="2025-12-31")
    >>> found.evening.in_market, found.json["order"] is None
    (True, True)
    """
    config = validated_config(settings_tree(asset, settings=settings, keywords=keywords))
    evening = evening_of(config, load_inputs(config), equity=equity)
    return Today(evening, forebears_of(evening.market, config))
