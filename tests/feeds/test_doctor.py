"""The doctor against loopback vendors: all well, each of them ill, and a network that is silent."""

import json
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pandas as pd
import pytest

from feeds import doctor
from feeds.vendors.coinmetrics import PATH, CoinMetrics
from feeds.vendors.exchange import Exchange
from feeds.vendors.probes import EXCHANGES, open_small, with_market
from feeds.vendors.request_policy import ADDRESSES, VARIABLE
from feeds.vendors.yahoo import Yahoo
from tests.feeds.vendors.conftest import _no_proxy  # noqa: F401
from tests.feeds.vendors.exchange_servers import client_for, exchange_server, is_page
from tests.feeds.vendors.loopback import (
    HTML,
    Answer,
    Request,
    Server,
    as_json,
    candles,
    closed_address,
    serving,
    silent_address,
)
from tests.feeds.vendors.yahoo_server import (
    LoopbackSession,
    any_chart,
    rows_at,
    session_rows,
    yahoo_server,
)

NOW = pd.Timestamp("2024-06-28 22:00", tz="UTC")
FIRST = pd.Timestamp("2024-06-20", tz="UTC")
CLOSE = 108.0  # of 2024-06-27, the last day that is over

# vendors are asked on threads, and Python's warning filters are one for all of them: a thread that
# puts back the suite's "error" while yfinance reads would turn a warning of its own into a failure
pytestmark = pytest.mark.filterwarnings("ignore")


def publishers():
    """Return a server that is FRED, CoinMetrics, alternative.me, the archive and the fund."""
    checksum = "a" * 64 + "  BTCUSDT-1d-2020-01.zip"
    listing = (
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Contents><Key>'
        "data/spot/monthly/klines/BTCUSDT/1d/a.zip</Key><ETag>1</ETag></Contents>"
        "<IsTruncated>false</IsTruncated></ListBucketResult>"
    )
    days = pd.date_range("2024-06-01", "2024-06-27")
    prices = [
        {"asset": "btc", "time": f"{day:%Y-%m-%d}T00:00:00.000000000Z", "PriceUSD": f"{CLOSE}"}
        for day in days
    ]
    bodies = {
        "/graph/fredgraph.csv": b"observation_date,WALCL\n2024-06-26,7231000\n",
        "/fng/": json.dumps({"data": [{"value": "30", "timestamp": "1719446400"}]}).encode(),
        PATH: json.dumps({"data": prices}).encode(),
        "/": listing.encode(),
        "/fund.xls": b"\xef\xbb\xbf<?xml?><ss:Workbook xmlns:ss="
        b'"urn:schemas-microsoft-com:office:spreadsheet">' + b" " * 10**6,
    }

    def route(request: Request) -> Answer:
        if request.path.endswith(".CHECKSUM"):
            return Answer(checksum.encode())
        return Answer(bodies[request.path])

    return Server(route)


class Hospital:
    """All vendors on loopback, each by the name of its server."""

    def __init__(self, stack: ExitStack) -> None:
        rows = candles(first=int(FIRST.timestamp() * 1000), count=9)
        self.servers = {name: exchange_server(name, rows) for name in EXCHANGES}
        coin_rows = rows_at(pd.date_range(FIRST, periods=9))
        index_rows = session_rows("2024-05-01", "2024-06-28")
        self.servers["yahoo"] = yahoo_server({"^RUT": index_rows, "BTC-USD": coin_rows})
        self.servers["publishers"] = publishers()
        self._addresses = {
            name: stack.enter_context(serving(server)) for name, server in self.servers.items()
        }
        self._stack = stack
        self.mirrors = dict.fromkeys(ADDRESSES, self._addresses["publishers"])
        self.mirrors["ishares"] += "/fund.xls"

    def open_vendor(self, name, patience):
        if name == "yahoo":
            session = LoopbackSession(patience, self._addresses[name])
            self._stack.callback(session.close)
            return Yahoo(patience=patience, session=session, clock=lambda: NOW)
        if name == "coinmetrics":
            return CoinMetrics(patience=patience, clock=lambda: NOW)
        client = with_market(client_for(name, self._addresses[name]), name)
        return Exchange(name, client=client, patience=patience, clock=lambda: NOW)


@pytest.fixture
def hospital(monkeypatch):
    with ExitStack() as stack:
        opened = Hospital(stack)
        monkeypatch.setenv(VARIABLE, json.dumps(opened.mirrors))
        yield opened


def told(hospital, capsys, *, seconds=5.0):
    """Return exit code and the JSON told, its vendors by name and question."""
    code = doctor.main(
        ["--json"], open_vendor=hospital.open_vendor, clock=lambda: NOW, seconds=seconds
    )
    answer = json.loads(capsys.readouterr().out)
    answer["vendors"] = {f"{v['vendor']} {v['subject']}": v for v in answer["vendors"]}
    return code, answer


def test_doctor_where_all_answer_says_so_and_compares_the_coins_closes(hospital, capsys):
    code, answer = told(hospital, capsys)
    assert (code, answer["enough"]) == (0, True)
    others = {
        name: (v["state"], v["detail"])
        for name, v in answer["vendors"].items()
        if v["state"] != "answers"
    }
    assert others == {}
    assert len(answer["vendors"]) == 12
    assert answer["coin"]["date"] == "2024-06-27"
    assert answer["coin"]["closes"] == dict.fromkeys(
        ("yahoo", *EXCHANGES, "coinmetrics"), pytest.approx(CLOSE)
    )
    assert answer["coin"]["worst"] == 0
    # the candles were asked for without any list of markets
    for name in EXCHANGES:
        assert all(map(is_page, hospital.servers[name].requests))


def test_doctor_prints_one_table_and_what_to_do(hospital, capsys):
    hospital.servers["binance"].fault(as_json({}, status=451), when=lambda _: True, times=99)
    hospital.servers["publishers"].fault(Answer(HTML), when=lambda r: r.path == "/fng/", times=99)
    code = doctor.main([], open_vendor=hospital.open_vendor, clock=lambda: NOW)
    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    row = next(line for line in lines if line.startswith(" binance "))
    assert "not served" in row
    assert "refused here (HTTP 451)" in row
    assert any("alternative" in line and "unreachable" in line for line in lines)
    assert any(
        line.startswith("binance: Yahoo, the exchanges and files stand in") for line in lines
    )
    assert "or set vendors.alternative to a mirror" in " ".join(lines)
    assert "A run with the default settings finds what it needs." in lines
    assert all(len(line) <= 100 for line in lines)


def test_doctor_without_the_index_exits_one(hospital, capsys):
    hospital.servers["yahoo"].fault(as_json({}, status=503), when=any_chart, times=99)
    code, answer = told(hospital, capsys)
    assert (code, answer["enough"]) == (1, False)
    assert answer["vendors"]["yahoo ^RUT"]["state"] == "unreachable"
    assert answer["vendors"]["kraken BTC"]["state"] == "answers"


def test_doctor_tells_an_answer_of_another_shape(hospital, capsys):
    hospital.servers["publishers"].fault(as_json({"data": 1}), when=lambda _: True, times=99)
    hospital.servers["kraken"].fault(
        as_json({"error": [], "result": {"XXBTZUSD": [["x"]]}}), when=is_page, times=99
    )
    _, answer = told(hospital, capsys)
    states = {name: vendor["state"] for name, vendor in answer["vendors"].items()}
    assert states["kraken BTC"] == "not served"
    assert states["coinmetrics BTC"] == "another shape"
    assert states["alternative fear and greed"] == "another shape"
    assert states["ishares the fund's file"] == "another shape"
    assert states["binance_archive a checksum"] == "another shape"
    assert states["fred WALCL"] == "unreachable"


def test_doctor_says_that_one_source_of_a_coin_is_wrong(hospital, capsys):
    wrong = [
        [row[0], *(value * 1.05 for value in row[1:])]
        for row in candles(first=int(FIRST.timestamp() * 1000), count=9)
    ]
    hospital.servers["bitstamp"]._route = exchange_server("bitstamp", wrong)._route
    assert doctor.main([], open_vendor=hospital.open_vendor, clock=lambda: NOW) == 0
    text = capsys.readouterr().out
    assert "The farthest is 5.00 % from the middle: one of them is wrong." in text
    assert "bitstamp 113.40" in " ".join(text.split())


@contextmanager
def nobody(address, monkeypatch):
    monkeypatch.setenv(VARIABLE, json.dumps(dict.fromkeys(ADDRESSES, address)))

    def open_vendor(name, patience):
        if name == "yahoo":
            return Yahoo(patience=patience, session=LoopbackSession(patience, address))
        if name == "coinmetrics":
            return open_small(name, patience)
        client = with_market(client_for(name, address), name)
        return Exchange(name, client=client, patience=patience)

    yield open_vendor


def test_doctor_on_a_silent_network_ends_in_time(monkeypatch, capsys):
    with silent_address() as address, nobody(address, monkeypatch) as open_vendor:
        started = time.monotonic()
        assert doctor.main([], open_vendor=open_vendor, seconds=1.0) == 1
        assert time.monotonic() - started < 8
    text = capsys.readouterr().out
    assert "Nobody can be reached from here." in text


def test_doctor_where_a_byte_a_second_arrives_ends_in_time(monkeypatch, capsys):
    server = Server(lambda _: Answer(b" " * 10_000, drip=0.05))
    with serving(server) as address, nobody(address, monkeypatch) as open_vendor:
        started = time.monotonic()
        assert doctor.main(["--json"], open_vendor=open_vendor, seconds=0.5) == 1
        assert time.monotonic() - started < 8
    assert {v["state"] for v in json.loads(capsys.readouterr().out)["vendors"]} <= {
        "unreachable",
        "silent",
    }


def test_doctor_without_network_is_done_at_once(monkeypatch, capsys):
    with nobody(closed_address(), monkeypatch) as open_vendor:
        started = time.monotonic()
        assert doctor.main([], open_vendor=open_vendor) == 1
        assert time.monotonic() - started < 8
    assert capsys.readouterr().out.count("cannot be reached") == 12


def test_doctor_without_a_library_says_so_and_asks_the_others(hospital, capsys):
    def open_vendor(name, patience):
        if name == "yahoo":
            raise ImportError("No module named 'yfinance'")
        return hospital.open_vendor(name, patience)

    assert doctor.main(["--json"], open_vendor=open_vendor, clock=lambda: NOW) == 1
    vendors = json.loads(capsys.readouterr().out)["vendors"]
    assert "No module named" in vendors[0]["detail"]
    assert vendors[2]["state"] == "answers"


def test_doctor_with_a_mirror_that_cannot_be_used_is_wrong_input(monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, '{"fred": "http://mirror.example"}')
    assert doctor.main([]) == 2
    assert "error: `RUSSELL_VENDORS.fred` must be an https address" in capsys.readouterr().err


@pytest.mark.parametrize("name", EXCHANGES)
def test_open_small_knows_the_market_beforehand(name):
    exchange = open_small(name, doctor._hasty(1.0))
    assert exchange._client.market(f"BTC/{EXCHANGES[name][1]}")["id"] == EXCHANGES[name][0]


def test_doctor_is_a_command_with_help():
    done = subprocess.run(
        [sys.executable, "-m", "feeds.doctor", "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "python -m feeds.doctor --json" in done.stdout
