"""The ccxt client behind an exchange: how it is set up, and what its errors mean."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from feeds.errors import ConfigError, DataError, NotServed
from feeds.instruments import DOLLARS, Instrument
from feeds.vendors.registry import one_line
from feeds.vendors.request_policy import REFUSED, PassingError, Patience, is_passing

if TYPE_CHECKING:
    import ccxt

ELSEWHERE: Final = "Use another exchange or --source files."
# Taken where ccxt does not say how many bars a page holds.
SMALLEST_PAGE: Final = 100
MOST_DECIMALS: Final = 100


@dataclass(frozen=True, slots=True)
class TradingPair:
    """One coin on one exchange: ccxt's symbol, its quote currency, bars in a full page.

    A market that is not active is no longer traded, and may still serve what was.
    """

    symbol: str
    quote: str
    page_bars: int
    origin: str
    is_active: bool = True


def new_client(name: str) -> "ccxt.Exchange":
    """Return ccxt's client for the exchange called `name`.

    Raises
    ------
    ConfigError
        If ccxt knows no exchange of that name, with the nearest one.
    """
    import ccxt

    if name not in ccxt.exchanges:
        from difflib import get_close_matches

        near = get_close_matches(name, ccxt.exchanges, n=1)
        remedy = f"Did you mean {near[0]}?" if near else "Try binance, coinbase or kraken."
        raise ConfigError(f"`exchange` must be one that ccxt knows, received {name!r}. {remedy}")
    client: ccxt.Exchange = getattr(ccxt, name)()
    return client


def configure(client: "ccxt.Exchange", patience: Patience) -> "ccxt.Exchange":
    """Return `client` with rate limits, our timeouts, and spot markets only.

    A proxy set in the environment is honoured, which ccxt by itself does not.
    """
    from feeds.vendors.http_client import is_json, mount

    client.enableRateLimit = True
    client.enableLastJsonResponse = True
    client.session.trust_env = True
    mount(client.session, patience, is_data=is_json)
    markets = client.options.get("fetchMarkets")
    if isinstance(markets, dict) and "types" in markets:
        # Futures live on other hosts, whose outage would stop a spot download.
        markets["types"] = ["spot"]
    client.parse_precision = _bound(client.parse_precision)
    return client


def _bound(parse_precision: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return ccxt's reading of a number of decimals, which writes out as many as it is told."""

    def bounded(digits: Any) -> Any:
        if digits is not None and abs(int(digits)) > MOST_DECIMALS:
            raise ValueError("a market has more decimals than there are")
        return parse_precision(digits)

    return bounded


def market_of(
    client: "ccxt.Exchange", instrument: Instrument, *, timeframe: str, exchange: str
) -> TradingPair:
    """Return the spot market of a coin among the client's loaded markets.

    A coin in USD is looked for in dollars, then in what stands for dollars; one that is still
    traded comes before one that is not.

    Raises
    ------
    NotServed
        If the coin was never listed, or there are no bars of `timeframe`.
    """
    base, _, quote = instrument.symbol.partition("-")
    subject = f"{exchange} {instrument.symbol}"
    timeframes = client.timeframes or {}
    if timeframe not in timeframes:
        raise NotServed(
            f"{subject}: has no {timeframe} bars, only {', '.join(timeframes)}. {ELSEWHERE}"
        )
    quotes = DOLLARS if quote == "USD" else (quote,)
    known = [
        market
        for money in quotes
        if (market := client.markets.get(f"{base}/{money}")) and market.get("spot")
    ]
    if not known:
        raise NotServed(f"{subject}: not listed there. {ELSEWHERE}")
    trading = [market for market in known if market.get("active") is not False]
    market = (trading or known)[0]
    symbol = str(market["symbol"])
    page_bars = int(client.feature_value(symbol, "fetchOHLCV", "limit", SMALLEST_PAGE))
    origin = f"{exchange} {symbol}"
    return TradingPair(symbol, str(market["quote"]), page_bars, origin, is_active=bool(trading))


def require_market(client: "ccxt.Exchange", market: TradingPair) -> None:
    """Raise if the last answer names another market than the one asked for, as Bitstamp's does."""
    body = client.last_json_response
    data = body.get("data") if isinstance(body, dict) else None
    pair = data.get("pair") if isinstance(data, dict) else None
    if isinstance(pair, str) and pair != market.symbol:
        raise DataError(
            f"{market.origin}: the answer is of {one_line(repr(pair), 30)}. {ELSEWHERE}"
        )


def translate(error: Exception, subject: str) -> Exception:
    """Return what an error of ccxt means to us: worth another try, refused, or wrong.

    ccxt files 451, 403 and 404 under `ExchangeNotAvailable`, a network error; the status
    behind it decides, so that a refusal is not asked for again.
    """
    import ccxt

    from feeds.vendors.http_client import could_not_connect, status_of

    status, wait = status_of(error)
    if status in REFUSED:
        return NotServed(
            f"{subject}: refused here (HTTP {status}), by region or firewall. {ELSEWHERE}"
        )
    if isinstance(error, ccxt.BadSymbol):
        return NotServed(f"{subject}: not listed there ({one_line(error)}). {ELSEWHERE}")
    if isinstance(error, ccxt.NetworkError) and status == 0:
        reason = _cause(error)
        return PassingError(reason, connecting=could_not_connect(error), retry_after=wait)
    if is_passing(status):
        return PassingError(f"HTTP {status}", retry_after=wait)
    reason = "not in the form expected"
    if isinstance(error, ccxt.BaseError):
        cause = error.__cause__ or error
        reason = one_line(cause) or type(cause).__name__
    return DataError(f"{subject}: the answer cannot be used ({reason}). {ELSEWHERE}")


def _cause(error: Exception) -> str:
    import requests

    from feeds.vendors.http_client import could_not_connect

    if could_not_connect(error):
        return "cannot be reached"
    cause = error.__cause__
    if cause is None:  # the exchange itself says so, in an answer with status 200
        return one_line(error)
    if isinstance(cause, requests.Timeout):
        return "no answer in time"
    text = one_line(cause)
    return text if text.startswith("the answer") else "the connection broke"
