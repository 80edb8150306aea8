"""The whole download on loopback: several pages, resume, damage, and what it says."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from feeds import cached
from feeds.archive.download import download_universe
from feeds.archive.folder import ArchiveFolder
from feeds.archive.pair_table import pairs_held, path_of, read_table
from feeds.archive.universe import Universe
from feeds.download import main
from feeds.errors import ConfigError, DataError, Unreachable
from feeds.instruments import Instrument
from feeds.vendors.request_policy import Patience
from tests.feeds.archive.loopback_archive import FakeArchive, fill, klines, serving_archive
from tests.feeds.vendors.loopback import Answer, closed_address

NOW = pd.Timestamp("2024-06-04 09:00", tz="UTC")
FIRST = "2024-02-20"


def walk(start, days, seed=0):
    noise = np.random.default_rng(seed)
    return klines(start, np.exp(np.cumsum(noise.normal(0, 0.03, days))))


@cache
def pairs():
    """Two that live, one that died, one that came back as another, and what is no altcoin."""
    luna = pd.concat([walk("2024-02-01", 41, 1), walk("2024-04-10", 55, 2)])
    rows = {
        "ADAUSDT": walk(FIRST, 105, 3),
        "SOLUSDT": walk("2024-05-30", 5, 4),
        "FTTUSDT": walk("2024-01-01", 75, 5),
        "LUNAUSDT": luna,
    }
    others = ("BTCUSDT", "USDCUSDT", "PAXGUSDT", "ADAUPUSDT", "ADABTC", "USDTTRY", "ADAFDUSD")
    return rows | {name: walk("2024-06-01", 1) for name in others}


@pytest.fixture
def archive():
    return FakeArchive(pairs(), now=NOW, page=5)


@pytest.fixture
def folder(tmp_path):
    return ArchiveFolder(tmp_path, timeframe="1d")


def run(archive, folder, *, now=NOW, **options):
    with serving_archive(archive) as client:
        return download_universe(folder, client=client, clock=lambda: now, **options)


def held(folder):
    return {pair: read_table(folder.pairs, pair) for pair in pairs_held(folder.pairs)}


def assert_whole(folder, made=None):
    made = made or {name: rows for name, rows in pairs().items() if name in HELD}
    found = held(folder)
    assert sorted(found) == sorted(made)
    for pair, rows in made.items():
        pd.testing.assert_frame_equal(found[pair].rows, rows, check_freq=False)
        assert found[pair].missing == ()


HELD = ("ADAUSDT", "FTTUSDT", "LUNAUSDT", "SOLUSDT")


def test_download_of_several_pages_has_every_bar_and_says_so_in_a_line(archive, folder, capsys):
    assert run(archive, folder) == 0
    out, err = capsys.readouterr()
    assert_whole(folder)
    files = len(archive.asked())
    assert out.startswith(
        f"binance 1d: 4 pairs, 5 coins, 2 of them died, 2024-01-01 to 2024-06-03; {files} files "
        "fetched, 0."
    )
    assert out.endswith(f"MB held in {folder.root}\n")
    assert len(out.splitlines()) == 1
    assert err == ""
    # a month that is over comes as one file, the present one day by day
    assert archive.asked().count("ADAUSDT-1d-2024-05.zip") == 1
    assert "ADAUSDT-1d-2024-06-03.zip" in archive.asked()


def test_download_of_a_listing_that_names_things_twice_takes_each_once(archive, folder):
    archive.repeats = True
    assert run(archive, folder) == 0
    assert_whole(folder)
    assert len(set(archive.asked())) == len(archive.asked())


def test_download_again_fetches_only_what_is_new(archive, folder, capsys):
    run(archive, folder)
    before = folder.universe.read_bytes()
    archive.forget()
    assert run(archive, folder) == 0
    assert archive.asked() == []
    assert folder.universe.read_bytes() == before
    longer = walk(FIRST, 133, 3)  # to 2024-07-01: June is over now
    later = FakeArchive(pairs() | {"ADAUSDT": longer}, now="2024-07-02T09:00Z", page=5)
    assert run(later, folder, now=pd.Timestamp("2024-07-02 09:00", tz="UTC")) == 0
    of_ada = [name for name in later.asked() if name.startswith("ADA")]
    assert of_ada == ["ADAUSDT-1d-2024-06.zip", "ADAUSDT-1d-2024-07-01.zip"]
    table = read_table(folder.pairs, "ADAUSDT")
    assert table.rows.equals(longer)
    assert "2024-06" in table.members
    assert "2024-06-03" not in table.members
    capsys.readouterr()


def test_download_takes_a_file_that_was_revised_and_says_so(archive, folder, capsys):
    run(archive, folder)
    archive.forget()
    revised = walk("2024-01-01", 31, 9)
    archive.put("monthly", "FTTUSDT", "2024-01", revised)
    assert run(archive, folder) == 0
    assert archive.asked() == ["FTTUSDT-1d-2024-01.zip"]
    assert "FTTUSDT 2024-01: revised there since it was fetched" in capsys.readouterr().err
    rows = read_table(folder.pairs, "FTTUSDT").rows
    pd.testing.assert_frame_equal(rows.iloc[:31], revised, check_freq=False)
    assert len(rows) == 75


def test_download_anew_fetches_everything(archive, folder):
    run(archive, folder)
    everything = sorted(archive.asked())
    archive.forget()
    run(archive, folder, anew=True)
    assert sorted(archive.asked()) == everything


def test_download_with_a_bad_checksum_is_one_line_and_the_rest_is_there(archive, folder, capsys):
    key = "data/spot/monthly/klines/FTTUSDT/1d/FTTUSDT-1d-2024-02.zip"
    archive.files[f"{key}.CHECKSUM"] = b"0" * 64 + b"  FTTUSDT-1d-2024-02.zip\n"
    assert run(archive, folder) == 1
    out, err = capsys.readouterr()
    assert err.startswith(
        "error: binance archive FTTUSDT 2024-02: does not match its checksum (tried 3 times). "
    )
    assert len(err.splitlines()) == 1
    assert out.startswith("binance 1d: 4 pairs")
    assert len(read_table(folder.pairs, "FTTUSDT").rows) == 75 - 29
    # what could not be had leaves a gap in what is held, and is no death and no other coin
    universe = Universe(folder)
    assert [coin.instrument.label for coin in universe.coins].count("FTT") == 1
    assert any("could not be had: FTTUSDT 2024-02" in note for note in universe.notes())
    archive.put("monthly", "FTTUSDT", "2024-02", pairs()["FTTUSDT"].loc["2024-02"])
    assert run(archive, folder) == 0
    assert_whole(folder)
    assert Universe(folder).notes() == ()


def test_download_takes_the_days_of_a_month_whose_file_is_broken(archive, folder, capsys):
    archive.put_zip("monthly", "FTTUSDT", "FTTUSDT-1d-2024-02", b"PK, and then nothing")
    days = pairs()["FTTUSDT"].loc["2024-02"]
    for day, row in days.groupby(days.index):
        archive.put("daily", "FTTUSDT", f"{day:%Y-%m-%d}", row)
    assert run(archive, folder) == 0
    assert "FTTUSDT 2024-02" in capsys.readouterr().err
    assert_whole(folder)
    archive.forget()
    assert run(archive, folder) == 0
    assert set(archive.asked()) == {"FTTUSDT-1d-2024-02.zip"}  # tried again, its days are held


def test_download_without_a_month_in_between_says_which(archive, folder, capsys):
    for name in [name for name in archive.files if "ADAUSDT-1d-2024-03" in name]:
        del archive.files[name]
    assert run(archive, folder) == 0
    assert "no file of these months in between: ADAUSDT 2024-03" in capsys.readouterr().err


def test_download_of_rows_that_contradict_each_other_leaves_the_pair_out(archive, folder, capsys):
    rows = pairs()["FTTUSDT"].loc["2024-02"]
    archive.put("monthly", "FTTUSDT", "2024-02", pd.concat([rows, rows.iloc[3:4] * 2]))
    assert run(archive, folder) == 1
    out, err = capsys.readouterr()
    assert "are two different bars of 2024-02-04, column `open`" in err
    assert "3 pairs" in out
    (note,) = Universe(folder).notes()
    assert note == "binance archive: left out of the universe: FTTUSDT"


def test_download_of_a_few_symbols_is_said_to_be_a_part(archive, folder, capsys):
    assert run(archive, folder, symbols=["luna", "FTTUSDT"]) == 0
    assert "2 pairs (PART of those listed)" in capsys.readouterr().out
    universe = Universe(folder)
    assert not universe.is_complete
    assert universe.notes()[0].startswith(
        "PART OF A UNIVERSE: 2 of the binance archive's 4 pairs were never downloaded"
    )
    assert run(archive, folder) == 0
    assert Universe(folder).is_complete


def test_download_of_a_few_symbols_later_makes_no_others_look_dead(archive, folder):
    run(archive, folder)
    later = FakeArchive(pairs() | {"ADAUSDT": walk(FIRST, 133, 3)}, now="2024-07-02T09:00Z", page=5)
    run(later, folder, now=pd.Timestamp("2024-07-02 09:00", tz="UTC"), symbols=["ADA"])
    universe = Universe(folder)
    assert universe.panel.times[-1] == pd.Timestamp("2024-06-03", tz="UTC")
    assert [coin.instrument.label for coin in universe.died] == ["FTT", "LUNA"]


@pytest.mark.parametrize(
    ("symbol", "message"),
    [
        ("LUNE", "`--symbols` names LUNE: the archive has no such pair in USDT. The nearest is L"),
        ("PAXG", "`--symbols` names PAXG: stands for a weight of metal"),
        ("", "no such pair"),
    ],
)
def test_download_of_a_symbol_that_is_not_there_is_refused(archive, folder, symbol, message):
    with pytest.raises(ConfigError, match=message):
        run(archive, folder, symbols=[symbol])


def test_download_without_network_fails_within_seconds(folder, monkeypatch):
    there = {"binance_archive": closed_address(), "binance_listing": closed_address()}
    monkeypatch.setenv("RUSSELL_VENDORS", json.dumps(there))
    started = time.monotonic()
    with pytest.raises(Unreachable, match="binance archive listing of .* cannot be reached"):
        download_universe(folder)
    assert time.monotonic() - started < 3
    assert not folder.universe.exists()


def test_download_goes_on_where_the_network_went(archive, folder, capsys):
    archive.server.fault(Answer(b"", status=503), when=lambda r: "LUNAUSDT-1d-2024-04" in r.path,
                         times=10**9)  # fmt: skip
    assert run(archive, folder) == 1
    _, err = capsys.readouterr()
    assert "error: binance archive LUNAUSDT 2024-04: HTTP 503" in err
    assert "not brought up to date: LUNAUSDT" in err
    assert len(read_table(folder.pairs, "LUNAUSDT").rows) == 41
    assert not Universe(folder).is_complete
    assert "LUNA" not in {coin.instrument.label for coin in Universe(folder).coins}
    healed = FakeArchive(pairs(), now=NOW, page=5)
    assert run(healed, folder) == 0
    assert all(name.startswith("LUNAUSDT") for name in healed.asked())
    assert_whole(folder)


def test_download_gives_up_when_nobody_answers_any_more(folder, archive):
    many = FakeArchive({f"C{n:02d}USDT": walk("2024-06-01", 2) for n in range(60)}, now=NOW)
    many.server.fault(
        Answer(b"", status=503), when=lambda r: "C" in r.query.get("prefix", ""), times=10**9
    )
    with serving_archive(many) as client:
        client._patience = Patience(attempts=1, first_wait=0.0)
        with pytest.raises(Unreachable, match="HTTP 503"):
            download_universe(folder, client=client, clock=lambda: NOW)
    assert len(many.server.requests) < 60


def test_download_mends_what_is_damaged_on_disk(archive, folder):
    run(archive, folder)
    archive.forget()
    path = path_of(folder.pairs, "FTTUSDT")
    path.write_bytes(path.read_bytes()[:-40])
    payload = bytearray(folder.universe.read_bytes())
    closes = pq.ParquetFile(folder.universe).metadata.row_group(1).column(4)
    payload[closes.data_page_offset + closes.total_compressed_size - 9] ^= 255
    folder.universe.write_bytes(bytes(payload))
    with pytest.raises(DataError, match="is damaged .* puts it together again"):
        Universe(folder).panel  # noqa: B018
    assert run(archive, folder) == 0
    assert all(name.startswith("FTTUSDT") for name in archive.asked())
    assert_whole(folder)
    assert len(Universe(folder).coins) == 5


def test_download_while_another_runs_is_refused(archive, folder):
    with folder.writing(), pytest.raises(DataError, match="another process is filling"):
        run(archive, folder)


def test_universe_before_any_download_says_how_to_get_it(folder):
    with pytest.raises(DataError, match="feeds.download --universe binance --timeframe 1d`"):
        Universe(folder)


def test_universe_bars_are_those_of_the_archive_and_a_reused_ticker_is_two_coins(archive, folder):
    run(archive, folder)
    universe = Universe(folder)
    labels = [coin.instrument.label for coin in universe.coins]
    assert labels == ["ADA", "FTT", "LUNA", "LUNA.2", "SOL"]
    first, second = universe.bars(
        [Instrument("LUNA.2-USD", "coin"), Instrument("LUNA-USD", "coin")]
    )
    luna = pairs()["LUNAUSDT"]
    pd.testing.assert_frame_equal(first.frame, luna.iloc[:41], check_freq=False)
    pd.testing.assert_frame_equal(second.frame, luna.iloc[41:], check_freq=False)
    assert (first.source, first.origin) == ("binance_archive", "binance archive LUNAUSDT")
    panel = universe.panel
    place = labels.index("LUNA.2")
    assert panel.alive[:, place].sum() == 55
    np.testing.assert_array_equal(
        panel.money[panel.alive[:, place], place], luna["quote_volume"].iloc[41:]
    )


def test_universe_ends_on_the_last_day_that_nearly_all_coins_have(folder):
    many = {f"C{n:02d}USDT": walk("2024-06-01", 8 if n % 3 else 9, n) for n in range(30)}
    fill(folder, many, checked="2024-06-10T09:00:00+00:00")
    universe = Universe(folder)
    assert universe.panel.times[-1] == pd.Timestamp("2024-06-08", tz="UTC")
    assert not universe.died


KILLED = """
import pathlib, sys
import pandas as pd
from feeds import cached
from feeds.archive.download import download_universe
from feeds.archive.folder import ArchiveFolder
folder = ArchiveFolder(pathlib.Path(sys.argv[1]), timeframe="1d")
print("ready", flush=True)
while True:
    download_universe(folder, anew=True, clock=lambda: pd.Timestamp("2024-06-04 09:00", tz="UTC"))
"""


def test_download_killed_at_any_moment_is_completed_by_the_next(archive, folder, capsys):
    with serving_archive(archive):
        address = {
            "binance_archive": f"{archive.address}/files",
            "binance_listing": f"{archive.address}/listing",
        }
        environment = os.environ | {"RUSSELL_VENDORS": json.dumps(address)}
        command = [sys.executable, "-c", KILLED, str(folder.root.parents[2])]
        for delay in (0.1, 0.5):
            started = subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, text=True,
                cwd=Path(__file__).parents[3],
            )  # fmt: skip
            assert started.stdout.readline() == "ready\n"
            time.sleep(delay)
            started.send_signal(signal.SIGKILL)
            started.wait(10)
            started.stdout.close()
            for pair, table in held(folder).items():
                if table is not None:
                    whole = pairs()[pair]
                    assert table.rows.equals(whole.loc[table.rows.index])
    archive.forget()
    assert run(archive, folder) == 0
    assert_whole(folder)
    assert len(Universe(folder).coins) == 5
    assert not list(folder.root.rglob("*.part"))
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--universe", "kraken"], "invalid choice: 'kraken'"),
        (["--universe", "binance", "--timeframe", "1h"], "`--timeframe` of a universe must be 1d"),
        (["--universe", "binance", "--assets", "BTC"], "`--universe` is fetched by itself"),
        (["--symbols", "LUNA"], "`--symbols` limits a universe"),
    ],
)
def test_download_universe_wrong_input_is_one_line_and_exit_2(capsys, arguments, message):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert len(err.splitlines()) == 1


def test_download_command_fetches_a_universe(archive, tmp_path, capsys, monkeypatch):
    with serving_archive(archive):
        there = {
            "binance_archive": f"{archive.address}/files",
            "binance_listing": f"{archive.address}/listing",
        }
        monkeypatch.setenv("RUSSELL_VENDORS", json.dumps(there))
        arguments = ["--universe", "binance", "--timeframe", "1d", "--cache-dir", str(tmp_path)]
        assert main([*arguments, "--symbols", "FTT"]) == 0
        assert main([*arguments, "--quiet"]) == 0
    assert "binance 1d: 4 pairs, 5 coins" in capsys.readouterr().out
    assert cached.main(["--cache-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        "universe binance 1d: 4 pairs, 5 coins, 2 of them died, 2024-01-01 to 2024-06-03\n"
    )
