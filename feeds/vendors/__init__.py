"""The companies bars and series come from, each behind its real client library.

`vendor` is what all vendors of bars promise; this module opens one by name.

- Yahoo, through yfinance: `yahoo`; `yahoo_checks` asks whether an answer is whole,
  `yahoo_session` is the HTTP below.
- Crypto exchanges, through ccxt: `exchanges` takes the first that can, `exchange` is one of
  them, `paging` joins its pages, `exchange_client` is the ccxt client below.
- CoinMetrics' community data: `coinmetrics`. FRED, plain CSV: `fred`.

Shared: `tidy` (the way to the border), `patience` (waits and retries), `wire` (HTTP),
`addresses` (mirrors), `reach`.
"""

from collections.abc import Callable
from typing import Final

from feeds.errors import Unreachable
from feeds.vendors.vendor import Vendor

OpenVendor = Callable[[str], Vendor]


def open_vendor(name: str) -> Vendor:
    """Return the vendor called `name`; its client library is imported only here.

    Raises
    ------
    Unreachable
        If that library is not installed.
    """
    try:
        return VENDORS[name](name)
    except ImportError as error:
        raise Unreachable(f"{name}: its client cannot be imported ({error}).") from error


def _yahoo(_name: str) -> Vendor:
    from feeds.vendors.yahoo import Yahoo

    return Yahoo()


def _exchanges(_name: str) -> Vendor:
    from feeds.vendors.exchanges import Exchanges

    return Exchanges()


def _exchange(name: str) -> Vendor:
    from feeds.vendors.exchange import Exchange

    return Exchange(name)


def _coinmetrics(_name: str) -> Vendor:
    from feeds.vendors.coinmetrics import CoinMetrics

    return CoinMetrics()


VENDORS: Final[dict[str, OpenVendor]] = {
    "yahoo": _yahoo,
    "exchange": _exchanges,
    "binance": _exchange,
    "coinbase": _exchange,
    "kraken": _exchange,
    "bitstamp": _exchange,
    "coinmetrics": _coinmetrics,
}
