"""The companies bars and series come from, each behind its real client library.

`vendor` is what all vendors of bars promise; this module opens one by name.

- Yahoo, through yfinance: `yahoo`; `yahoo_checks` asks whether an answer is whole,
  `yahoo_session` is the HTTP below.
- Crypto exchanges, through ccxt: `exchanges` takes the first that can, `exchange` is one of
  them, `paging` joins its pages, `exchange_client` is the ccxt client below.
- FRED, plain CSV: `fred`.

Shared: `tidy` (the way to the border), `patience` (waits and retries), `wire` (HTTP), `reach`.
"""

import importlib
from collections.abc import Callable
from typing import Final

from feeds.errors import Unreachable
from feeds.vendors.vendor import Vendor

VENDORS: Final = {
    "yahoo": ("feeds.vendors.yahoo", "Yahoo"),
    "exchange": ("feeds.vendors.exchanges", "Exchanges"),
}

OpenVendor = Callable[[str], Vendor]


def open_vendor(name: str) -> Vendor:
    """Return the vendor called `name`; its client library is imported only here.

    Raises
    ------
    Unreachable
        If that library is not installed.
    """
    module, attribute = VENDORS[name]
    try:
        vendor: Vendor = getattr(importlib.import_module(module), attribute)()
    except ImportError as error:
        raise Unreachable(f"{name}: its client cannot be imported ({error}).") from error
    return vendor
