"""Names of what can be loaded, and the one table that maps them to symbols."""

import re
from dataclasses import dataclass
from typing import Literal

from feeds.errors import ConfigError

Kind = Literal["index", "coin"]

INDEX_NAMES = {
    "RUSSELL2000": "RUT",
    "RUSSELL2000VALUE": "IWN",
    "SP500": "SPX",
}

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9]{0,19}(-[A-Z]{3,5})?")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One thing with bars: `symbol` names its files, `kind` says how its dates are read."""

    symbol: str
    kind: Kind

    @property
    def label(self) -> str:
        """The short name people use: ETH for ETH-USD."""
        return self.symbol.removesuffix("-USD")

    @property
    def parameter(self) -> str:
        """The setting that names this instrument, for messages."""
        return "asset" if self.kind == "coin" else "index.symbol"

    def has_sessions(self, timeframe: str) -> bool:
        """Whether bars are dated by session (a daily index) and not by an instant."""
        return self.kind == "index" and timeframe == "1d"


def coin(name: str) -> Instrument:
    """Return the coin called `name`: ETH and ETH-USD are the same."""
    symbol = _checked(name, "asset")
    return Instrument(symbol if "-" in symbol else f"{symbol}-USD", "coin")


def index(name: str) -> Instrument:
    """Return the index called `name`: RUT and russell2000 are the same."""
    symbol = _checked(name, "index.symbol")
    return Instrument(INDEX_NAMES.get(symbol, symbol), "index")


def _checked(name: str, parameter: str) -> str:
    symbol = name.strip().upper()
    if not _SYMBOL.fullmatch(symbol):
        raise ConfigError(
            f"`{parameter}` must be a plain symbol of letters and digits, such as ETH or RUT, "
            f"received {name!r}."
        )
    return symbol
