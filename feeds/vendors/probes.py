"""One small question for every vendor, and whether its answer has the shape we rely on.

Bars are asked for through the same clients as in a run, a few days of them. Of an exchange
only candles are asked for: its list of markets, which a run reads first, is megabytes long.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd

from feeds.bars import Bars
from feeds.errors import DataError, Unreachable
from feeds.instruments import Instrument, coin, index
from feeds.series import Series
from feeds.sessions import Clock
from feeds.vendors.registry import Vendor
from feeds.vendors.request_policy import Patience, address_of

Need = Literal["index", "coin", "more"]
OpenPatient = Callable[[str, Patience], Vendor]

RUT: Final = index("RUT")
BTC: Final = coin("BTC")
# What each exchange calls bitcoin in dollars, and the money it is quoted in.
EXCHANGES: Final[Mapping[str, tuple[str, str]]] = {
    "binance": ("BTCUSDT", "USDT"),
    "coinbase": ("BTC-USD", "USD"),
    "kraken": ("XXBTZUSD", "USD"),
    "bitstamp": ("btcusd", "USD"),
}
COIN_DAYS: Final = pd.Timedelta(days=4)
INDEX_DAYS: Final = pd.Timedelta(days=10)
FUND_BYTES: Final = 65_536
ARCHIVED: Final = "data/spot/monthly/klines/BTCUSDT/1d/"
CHECKSUM: Final = re.compile(rb"[0-9a-f]{64}\s+\*?BTCUSDT-1d-2020-01\.zip\s*")
SPREADSHEET: Final = b"<ss:Workbook"
LIVE_VENDORS: Final = ("yahoo", *EXCHANGES, "coinmetrics")
# What to do where a vendor does not answer as it should.
UPDATE: Final = "Update yfinance; until then give the index as a file (--data-dir)."
ELSEWHERE: Final = "Yahoo, the exchanges and files stand in for each other; else update ccxt."
OLD: Final = "Histories begin later without it"
SERIES: Final = "Filters on its series need NAME_series.csv in --data-dir"
BY_HAND: Final = "Take the fund's file from its site by hand, into --data-dir"
DEAD: Final = "Baskets are drawn from today's coins without it"


@dataclass(frozen=True, slots=True)
class VendorQuestion:
    """What a vendor is asked, what a run needs it for, and what to do where it fails.

    `ask` returns the bars, the series, or in words what came; it raises a `DataError` where
    the answer is not what we rely on.
    """

    vendor: str
    subject: str
    need: Need
    remedy: str
    ask: Callable[[], Bars | Series | str]


def all_questions(
    patience: Patience, *, clock: Clock, open_vendor: OpenPatient | None = None
) -> tuple[VendorQuestion, ...]:
    """Return the questions for all vendors, those of a default run first.

    The vendors are opened here, so that importing their libraries counts in no answer's time.
    """
    open_one = open_vendor or open_small
    vendors = {name: _open(name, patience, open_one) for name in LIVE_VENDORS}

    def bars(name: str, instrument: Instrument, length: pd.Timedelta) -> Callable[[], Bars]:
        def ask() -> Bars:
            vendor = vendors[name]
            if isinstance(vendor, Unreachable):
                raise vendor
            return vendor.fetch(instrument, timeframe="1d", since=clock().floor("D") - length)

        return ask

    return (
        VendorQuestion("yahoo", "^RUT", "index", UPDATE, bars("yahoo", RUT, INDEX_DAYS)),
        VendorQuestion("yahoo", "BTC-USD", "coin", ELSEWHERE, bars("yahoo", BTC, COIN_DAYS)),
        *(
            VendorQuestion(name, "BTC", "coin", ELSEWHERE, bars(name, BTC, COIN_DAYS))
            for name in EXCHANGES
        ),
        _mirror("coinmetrics", "BTC", OLD, bars("coinmetrics", BTC, COIN_DAYS)),
        _mirror("fred", "WALCL", SERIES, lambda: _fred(patience)),
        _mirror("alternative", "fear and greed", SERIES, lambda: _fear_and_greed(patience)),
        _mirror("ishares", "the fund's file", BY_HAND, lambda: _fund(patience)),
        _mirror("binance_listing", "files of BTCUSDT", DEAD, lambda: _listing(patience)),
        _mirror("binance_archive", "a checksum", DEAD, lambda: _archive(patience)),
    )


def _mirror(
    name: str, subject: str, loss: str, ask: Callable[[], Bars | Series | str]
) -> VendorQuestion:
    """Return a question for a vendor that a mirror can stand for."""
    return VendorQuestion(name, subject, "more", f"{loss}; or set vendors.{name} to a mirror.", ask)


def _open(name: str, patience: Patience, open_vendor: OpenPatient) -> Vendor | Unreachable:
    try:
        return open_vendor(name, patience)
    except ImportError as error:
        return Unreachable(f"{name}: its client cannot be imported ({error}).")


def open_small(name: str, patience: Patience) -> Vendor:
    """Return a vendor for one small question: an exchange knows its one market beforehand."""
    if name == "yahoo":
        import yfinance  # noqa: F401 - here and not while the question waits

        from feeds.vendors.yahoo import Yahoo

        return Yahoo(patience=patience)
    if name == "coinmetrics":
        from feeds.vendors.coinmetrics import CoinMetrics

        return CoinMetrics(patience=patience)
    from feeds.vendors.exchange import Exchange
    from feeds.vendors.exchange_client import new_client

    return Exchange(name, patience=patience, client=with_market(new_client(name), name))


def with_market(client: Any, name: str) -> Any:
    """Return a ccxt client that knows bitcoin in dollars, and so asks for no list of markets."""
    market, quote = EXCHANGES[name]
    known = {"id": market, "symbol": f"BTC/{quote}", "base": "BTC", "quote": quote}
    kind = {"type": "spot", "spot": True, "active": True, "contract": False}
    client.set_markets([client.safe_market_structure({**known, **kind})])
    return client


def _fred(patience: Patience) -> Series:
    from feeds.vendors.series_publishers import Fred

    return Fred(patience=patience).fetch("WALCL")


def _listing(patience: Patience) -> str:
    from feeds.archive.client import read_page

    query = {"prefix": ARCHIVED, "max-keys": "4"}
    files = read_page(_body(patience, "binance_listing", query=query)).files
    if not files or not all(file.key.startswith(ARCHIVED) for file in files):
        raise DataError("binance_listing: the answer lists other files.")
    return f"{len(files)} files listed"


def _archive(patience: Patience) -> str:
    path = f"/{ARCHIVED}BTCUSDT-1d-2020-01.zip.CHECKSUM"
    if not CHECKSUM.fullmatch(_body(patience, "binance_archive", path)):
        raise DataError("binance_archive: the answer is no checksum.")
    return "a checksum of a month"


def _fear_and_greed(patience: Patience) -> str:
    query = {"limit": "2", "format": "json"}
    rows = json.loads(_body(patience, "alternative", "/fng/", query=query))["data"]
    days = [pd.Timestamp(int(row["timestamp"]), unit="s") for row in rows]
    if not days or not all(0 <= int(row["value"]) <= 100 for row in rows):
        raise DataError("alternative: the answer has no value from 0 to 100.")
    return f"{len(rows)} values to {max(days):%Y-%m-%d}"


def _fund(patience: Patience) -> str:
    head = _body(patience, "ishares", first_bytes=FUND_BYTES)
    if SPREADSHEET not in head:
        raise DataError("ishares: the answer is no spreadsheet of the fund.")
    return "begins as the fund's spreadsheet"


def _body(
    patience: Patience,
    name: str,
    path: str = "",
    *,
    query: Mapping[str, str] | None = None,
    first_bytes: int | None = None,
) -> bytes:
    from feeds.vendors.http_client import answer, open_session

    with open_session(patience, is_data=_is_no_page, first_bytes=first_bytes) as session:
        return answer(
            session,
            address_of(name) + path,
            params=query,
            subject=name,
            remedy="",
            patience=patience,
        )


def _is_no_page(body: bytes) -> bool:
    return bool(body) and not body.lstrip()[:16].lower().startswith((b"<!doctype", b"<html"))
