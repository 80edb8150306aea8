"""Every vendor of bars by name: add one here."""

from collections.abc import Callable
from functools import partial
from typing import Final

from feeds.errors import Unreachable
from feeds.vendors.protocol import Vendor, Watcher

OpenVendor = Callable[[str], Vendor]
Opening = Callable[[str, Watcher | None], Vendor]


def open_vendor(name: str, *, watch: Watcher | None = None) -> Vendor:
    """Return the vendor called `name`; its client library is imported only here.

    `watch` is told how far a history of several pages has got.

    Raises
    ------
    Unreachable
        If that library is not installed.
    """
    try:
        return VENDORS[name](name, watch)
    except ImportError as error:
        raise Unreachable(f"{name}: its client cannot be imported ({error}).") from error


def _yahoo(_name: str, _watch: Watcher | None) -> Vendor:
    from feeds.vendors.yahoo import Yahoo

    return Yahoo()


def _exchanges(_name: str, watch: Watcher | None) -> Vendor:
    from feeds.vendors.exchange import Exchange
    from feeds.vendors.exchanges import Exchanges

    return Exchanges(open_exchange=partial(Exchange, watch=watch))


def _exchange(name: str, watch: Watcher | None) -> Vendor:
    from feeds.vendors.exchange import Exchange

    return Exchange(name, watch=watch)


def _coinmetrics(_name: str, _watch: Watcher | None) -> Vendor:
    from feeds.vendors.coinmetrics import CoinMetrics

    return CoinMetrics()


VENDORS: Final[dict[str, Opening]] = {
    "yahoo": _yahoo,
    "exchange": _exchanges,
    "binance": _exchange,
    "coinbase": _exchange,
    "kraken": _exchange,
    "bitstamp": _exchange,
    "coinmetrics": _coinmetrics,
}
