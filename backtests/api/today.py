"""An evening from Python."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backtests.analysis.forebears import Forebears
from backtests.api.request import Subject, settings_tree
from backtests.config.config import validated_config
from backtests.desk.forebears import forebears_of
from backtests.desk.today import Evening, evening_of
from backtests.desk.written import evening_json
from backtests.market.inputs import load_inputs
from backtests.report.words.today import facts, forebears_words, headline


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
