import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from feeds.cache.store import Key, TableStore
from feeds.cache.updates import Cache
from feeds.download import main
from feeds.errors import Unreachable
from feeds.instruments import coin
from feeds.live import Live
from feeds.universe import USUAL
from feeds.vendors.request_policy import Reach
from tests.scripted import Clock, Scripted, days, frame_of, hours, sessions

NOW = "2024-03-10 00:05"


class Desk:
    def __init__(self, folder):
        self.folder = folder
        self.clock = Clock(NOW)
        names = ("BTC", "ETH", *USUAL)
        daily = {
            (f"{name}-USD", "1d"): frame_of(days("2023-01-01", "2024-06-01"), seed=number)
            for number, name in enumerate(names)
        }
        rut = {("RUT", "1d"): frame_of(sessions("2022-01-03", "2024-06-03"), seed=99)}
        btc = {("BTC-USD", "1h"): frame_of(hours("2024-01-01", 2000), seed=98)}
        self.yahoo = Scripted(daily | rut, self.clock, name="yahoo", source="yahoo")
        self.exchange = Scripted(daily | btc, self.clock, name="binance", source="binance")

    def live(self, vendor=None):
        vendors = {"yahoo": self.yahoo, "exchange": self.exchange}
        return Live(
            Cache(self.folder, clock=self.clock),
            vendor=vendor,
            history="one_source",
            open_vendor=vendors.__getitem__,
            reach=Reach(),
            clock=self.clock,
        )

    def run(self, *arguments, vendor=None):
        return main(arguments, live=self.live(vendor))

    def keys(self):
        return [str(key) for key in TableStore(self.folder).held_keys()]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_download_fills_the_cache_and_prints_a_line_a_table(desk, capsys):
    assert desk.run("--assets", "BTC,ETH", "--index", "russell2000") == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "RUT 1d: 548 bars of yahoo, 2022-01-03 to 2024-03-08",
        "BTC-USD 1d: 434 bars of yahoo, 2023-01-01 to 2024-03-09",
        "ETH-USD 1d: 434 bars of yahoo, 2023-01-01 to 2024-03-09",
    ]
    assert err == ""
    assert desk.keys() == ["yahoo BTC-USD 1d", "yahoo ETH-USD 1d", "yahoo RUT 1d"]


def test_download_alts_stands_for_a_basket_of_coins(desk):
    assert desk.run("--assets", "alts", "--index", "") == 0
    assert desk.keys() == [f"yahoo {name}-USD 1d" for name in sorted(USUAL)]


def test_download_dead_member_of_alts_is_left_out_but_not_if_named(desk, capsys):
    del desk.yahoo.frames["LUNC-USD", "1d"], desk.exchange.frames["LUNC-USD", "1d"]
    assert desk.run("--assets", "ALTS", "--index", "") == 0
    assert "left out of ALTS: LUNC: no vendor has its bars." in capsys.readouterr().err
    assert desk.run("--assets", "ALTS", "--index", "", "--quiet") == 0
    quiet = capsys.readouterr()
    assert (quiet.err, quiet.out.count("\n")) == ("", len(USUAL) - 1)
    assert desk.run("--assets", "LUNC,ALTS", "--index", "") == 2


def test_download_hours_come_from_the_exchange(desk):
    assert desk.run("--assets", "BTC", "--index", "RUT", "--timeframe", "1h") == 0
    assert desk.keys() == ["exchange BTC-USD 1h", "yahoo RUT 1d"]


def test_download_again_asks_only_for_the_last_bars(desk):
    desk.run("--assets", "BTC", "--index", "")
    desk.run("--assets", "BTC", "--index", "")
    assert [since is None for _, since in desk.yahoo.asked] == [True, False]
    desk.run("--assets", "BTC", "--index", "", "--anew")
    assert desk.yahoo.asked[-1] == ("BTC-USD", None)


def test_download_notes_go_to_stderr(desk, capsys):
    frame = desk.yahoo.frames["BTC-USD", "1d"]
    desk.yahoo.frames["BTC-USD", "1d"] = frame.drop(days("2023-05-05", "2023-05-06"))
    assert desk.run("--assets", "BTC", "--index", "") == 0
    assert "2 days are missing inside the range (2023-05-05, 2023-05-06)" in (
        capsys.readouterr().err
    )


def test_download_unknown_coin_is_exit_2_and_the_rest_is_there(desk, capsys):
    assert desk.run("--assets", "BTC,NOPE", "--index", "") == 2
    out, err = capsys.readouterr()
    assert out.startswith("BTC-USD 1d: 434 bars")
    assert err.startswith("error: NOPE: no vendor has its bars.")
    assert len(err.splitlines()) == 1


def test_download_dead_network_is_exit_1_and_asked_once(desk, capsys):
    desk.yahoo.error = Unreachable("yahoo: no answer.")
    assert desk.run("--assets", "BTC,ETH,ALTS", "--index", "", vendor="yahoo") == 1
    err = capsys.readouterr().err.splitlines()
    assert err[0] == "error: yahoo: no answer."
    assert err[1].startswith("not fetched: BTC-USD 1d, ETH-USD 1d, ADA-USD 1d, ")
    assert len(err) == 2
    assert len(desk.yahoo.asked) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--assets", "", "--index", ""], "`--assets`, `--index` and `--series` are empty"),
        (["--assets", "../x"], "`asset` must be a plain symbol"),
        (["--timeframe", "2h"], "invalid choice: '2h'"),
        (["--bogus"], "unrecognized arguments: --bogus. See python -m feeds.download --help"),
    ],
)
def test_download_wrong_input_is_one_line_and_exit_2(desk, capsys, arguments, message):
    assert desk.run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert len(err.splitlines()) == 1


def test_download_asks_several_vendors_at_once(desk):
    together = threading.Barrier(2, timeout=10)
    for vendor in (desk.yahoo, desk.exchange):

        def meet(*args, fetch=vendor.fetch, **options):
            together.wait()
            return fetch(*args, **options)

        vendor.fetch = meet
    assert desk.run("--assets", "BTC", "--index", "RUT", "--timeframe", "1h") == 0


def test_download_help_ends_with_an_example(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "  python -m feeds.download --assets BTC,ETH,ALTS --index russell2000" in (
        capsys.readouterr().out.splitlines()
    )


def test_two_downloads_at_once_lose_nothing(tmp_path):
    tests = Path(__file__).parents[1]
    paths = os.pathsep.join(map(str, (tests.parent, Path(__file__).parent)))
    program = (
        "import sys, pathlib, test_download as t;"
        "sys.exit(t.Desk(pathlib.Path(sys.argv[1])).run('--assets', sys.argv[2], '--index', ''))"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), assets],
            env=os.environ | {"PYTHONPATH": paths},
            stdout=subprocess.DEVNULL,
        )
        for assets in ("BTC,ETH,SOL,ADA", "ADA,SOL,XRP,BTC")
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    reader = Desk(tmp_path)
    for name in ("BTC", "ETH", "SOL", "ADA", "XRP"):
        whole = reader.yahoo.fetch(coin(name), timeframe="1d")
        held = TableStore(tmp_path).read(Key("yahoo", f"{name}-USD", "1d"))
        assert held is not None
        assert held.frame.equals(whole.frame)
