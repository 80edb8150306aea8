"""The cache with the real vendors behind it, over two days."""

import pandas as pd
import pytest

from feeds.cache.updates import Cache
from feeds.instruments import coin, index
from feeds.live import Live
from feeds.vendors.exchange import Exchange
from feeds.vendors.exchanges import Exchanges
from feeds.vendors.patience import Patience
from feeds.vendors.reach import Reach
from feeds.vendors.yahoo import Yahoo
from tests.feeds.vendors.exchange_servers import client_for, exchange_server, is_page
from tests.feeds.vendors.loopback import DAY_MS, candles, serving
from tests.feeds.vendors.yahoo_server import LoopbackSession, session_rows, yahoo_server

TODAY = pd.Timestamp("2024-06-27 22:00", tz="UTC")
TOMORROW = TODAY + pd.Timedelta(days=1)
IMPATIENT = Patience(connect_timeout=0.5, read_timeout=2.0, first_wait=0.0, longest_wait=0.0)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Clock:
    now = TODAY

    def __call__(self):
        return self.now


def live(folder, vendor, clock):
    return Live(
        Cache(folder, clock=clock),
        vendor=vendor.name,
        open_vendor=lambda _: vendor,
        reach=Reach(),
        clock=clock,
    )


def test_exchange_bars_held_and_updated_equal_those_fetched_anew(tmp_path):
    first = int(TODAY.floor("D").timestamp() * 1000) - 1_199 * DAY_MS
    server = exchange_server("binance", candles(first=first, count=1_202))
    clock = Clock()
    with serving(server) as address:

        def opened(name):
            client = client_for(name, address)
            return Exchange(name, client=client, clock=clock, patience=IMPATIENT)

        vendor = Exchanges(("binance",), open_exchange=opened)
        live(tmp_path / "held", vendor, clock).load(coin("BTC"), timeframe="1d")
        clock.now = TOMORROW
        asked = len(server.requests)
        updated = live(tmp_path / "held", vendor, clock).load(coin("BTC"), timeframe="1d")
        pages = sum(map(is_page, server.requests[asked:]))
        anew = live(tmp_path / "anew", vendor, clock).load(coin("BTC"), timeframe="1d")
    assert updated.sha256 == anew.sha256
    assert updated.frame.index[-1] == TOMORROW.floor("D") - pd.Timedelta(days=1)
    assert updated.source == "binance"
    assert pages <= 4


@pytest.mark.parametrize("name", ["RUT", "RUJ"])
def test_yahoo_bars_held_and_updated_equal_those_fetched_anew(tmp_path, name):
    """Of RUJ Yahoo has the fund on the first day, on the second the index."""
    rows = session_rows("2022-01-03", "2024-06-28")
    dear = [{k: v * (1 if k in ("timestamp", "volume") else 9) for k, v in r.items()} for r in rows]
    symbols = {"^RUT": rows, "IWN": rows}
    clock = Clock()
    with serving(yahoo_server(symbols)) as address:
        session = LoopbackSession(IMPATIENT, address)
        vendor = Yahoo(patience=IMPATIENT, folder=tmp_path, session=session, clock=clock)
        live(tmp_path / "held", vendor, clock).load(index(name), timeframe="1d")
        clock.now = TOMORROW
        symbols["^RUJ"] = dear
        updated = live(tmp_path / "held", vendor, clock).load(index(name), timeframe="1d")
        anew = live(tmp_path / "anew", vendor, clock).load(index(name), timeframe="1d")
        session.close()
    assert updated.sha256 == anew.sha256
    assert updated.origin == anew.origin
