"""Names of what can be loaded, and the one table that maps them to symbols."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from feeds.errors import ConfigError
from feeds.message_text import nearest

Kind = Literal["index", "coin"]


@dataclass(frozen=True, slots=True)
class Listing:
    """One index or fund: `symbol` names its files, `names` are what people call it.

    `yahoo` is its symbol there; `stand_in` is the symbol of a fund that tracks it, used
    with a note where the index itself is not served.
    """

    symbol: str
    title: str
    yahoo: str
    names: tuple[str, ...] = ()
    stand_in: str = ""


# the source whose days are simulated
SAMPLE_SOURCE: Final = "sample"
LISTINGS: Final = (
    Listing("RUT", "Russell 2000", "^RUT", ("RUSSELL2000",)),
    Listing("RUJ", "Russell 2000 Value", "^RUJ", ("RUSSELL2000VALUE",), stand_in="IWN"),
    Listing("IWM", "iShares Russell 2000 ETF", "IWM"),
    Listing("IWN", "iShares Russell 2000 Value ETF", "IWN"),
    Listing("SPX", "S&P 500", "^GSPC", ("SP500", "GSPC")),
    Listing("NDX", "Nasdaq 100", "^NDX", ("NASDAQ100",)),
    Listing("VIX", "CBOE Volatility Index", "^VIX"),
)
# Yahoo's own spelling is a name as well: ^RUT, ^GSPC.
INDEX_NAMES: Final = {
    name: listing.symbol for listing in LISTINGS for name in (*listing.names, listing.yahoo)
}
BY_SYMBOL: Final = {listing.symbol: listing for listing in LISTINGS}

# Where two coins share a ticker Yahoo appends CoinMarketCap's number to the younger one:
# its plain UNI-USD is not Uniswap. The wrong coin would arrive without an error.
YAHOO_COINS: Final = {
    "APT-USD": "APT21794-USD",
    "ARB-USD": "ARB11841-USD",
    "COMP-USD": "COMP5692-USD",
    "GRT-USD": "GRT6719-USD",
    "IMX-USD": "IMX10603-USD",
    "PEPE-USD": "PEPE24478-USD",
    "STX-USD": "STX4847-USD",
    "SUI-USD": "SUI20947-USD",
    "TON-USD": "TON11419-USD",
    "UNI-USD": "UNI7083-USD",
}

# A part of a file's name: nothing that leaves the folder.
SERIES_NAME: Final = r"^\^?[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$"
# What stands for a dollar in the name of a pair, the dollar itself first. BUSD and TUSD do not:
# in ARBUSD and DOTUSD, without a dash, they would make other coins of ARB and DOT.
DOLLARS: Final = ("USD", "USDT", "USDC")
COIN_ALIASES: Final = {"BTC": ("XBT",), "DOGE": ("XDG",)}

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

    @property
    def stand_in(self) -> "Instrument | None":
        """The fund that tracks this index where the index itself is not served."""
        listing = BY_SYMBOL.get(self.symbol) if self.kind == "index" else None
        return Instrument(listing.stand_in, "index") if listing and listing.stand_in else None

    def has_sessions(self, timeframe: str) -> bool:
        """Whether bars are dated by session (a daily index) and not by an instant."""
        return self.kind == "index" and timeframe == "1d"


def has_plain_name(name: str) -> bool:
    """Whether `name` can be that of a coin or an index; a path, for one, cannot."""
    symbol = name.strip().upper()
    return symbol in INDEX_NAMES or _SYMBOL.fullmatch(symbol) is not None


def coin(name: str) -> Instrument:
    """Return the coin called `name`: ETH and ETH-USD are the same."""
    symbol = _check(name, "asset")
    return Instrument(symbol if "-" in symbol else f"{symbol}-USD", "coin")


def index(name: str) -> Instrument:
    """Return the index called `name`: RUT and russell2000 are the same."""
    symbol = INDEX_NAMES.get(name.strip().upper()) or _check(name, "index.symbol")
    return Instrument(symbol, "index")


def nearest_index(name: str) -> str:
    """Return " The nearest is ...", to end a message with; "" where no other is near."""
    names = {symbol: symbol for symbol in BY_SYMBOL} | INDEX_NAMES
    near = "" if name in BY_SYMBOL else nearest(name.strip(), names)
    return f" The nearest is {names[near]!r}." if near else ""


def yahoo_symbol(instrument: Instrument) -> str:
    """Return Yahoo's symbol: ^RUT for RUT; an index outside the table goes by its own name."""
    if instrument.kind == "coin":
        return YAHOO_COINS.get(instrument.symbol, instrument.symbol)
    listing = BY_SYMBOL.get(instrument.symbol)
    return instrument.symbol if listing is None else listing.yahoo


def is_symbol(name: str) -> bool:
    """Return whether a name could be that of an instrument."""
    return _SYMBOL.fullmatch(name.strip().upper()) is not None


def symbols_of(instrument: Instrument) -> tuple[str, ...]:
    """Return what vendors call an instrument, its own symbol first: BTC-USD, BTCUSDT, XBTUSD."""
    if instrument.kind == "index":
        listing = BY_SYMBOL.get(instrument.symbol)
        names = (listing.yahoo, *listing.names) if listing else ()
        return (instrument.symbol, *names)
    base, _, quote = instrument.symbol.partition("-")
    quotes = DOLLARS if quote == "USD" else (quote,)
    bases = (base, *COIN_ALIASES.get(base, ()))
    pairs = [f"{one}{other}" for one in bases for other in quotes]
    return (instrument.symbol, *pairs, *bases, yahoo_symbol(instrument))


def _check(name: str, parameter: str) -> str:
    symbol = name.strip().upper()
    if not _SYMBOL.fullmatch(symbol):
        raise ConfigError(
            f"`{parameter}` must be a plain symbol of letters and digits, such as ETH or RUT, "
            f"received {name!r}.{nearest_index(name) if parameter == 'index.symbol' else ''}"
        )
    return symbol
