import importlib
import logging
import threading

import pytest

from feeds import sources
from feeds.bars import Bars
from feeds.cache.updates import Cache
from feeds.errors import ConfigError, DataError, NotCached, NotServed, Unreachable
from feeds.files import Files
from feeds.instruments import coin, index
from feeds.live import Live
from feeds.sources import SAMPLE_BANNER, Auto, Checked, FellBack, Request, load_all
from feeds.vendors.registry import VENDORS, open_vendor
from feeds.vendors.request_policy import Reach
from tests.scripted import Clock, Scripted, days, frame_of, hours, sessions

RUT, BTC, ETH = index("RUT"), coin("BTC"), coin("ETH")
NOW = "2024-03-10 00:05"


class Sample:
    """Stands in for the bundled sample."""

    name = "sample"

    def load(self, instrument, *, timeframe):
        times = days("2020-01-01", "2020-02-01")
        if instrument.kind == "index":
            times = sessions("2020-01-02", "2020-01-31")
        return Bars(instrument, timeframe, frame_of(times), "sample", "sample", ("months real",))


class Network:
    """Yahoo and the exchanges, scripted, with one clock and one memory of who answers."""

    def __init__(self, folder):
        self.folder = folder
        self.clock = Clock(NOW)
        self.reach = Reach()
        coins = {("BTC-USD", "1d"): frame_of(days("2023-01-01", "2024-06-01"), seed=1)}
        rut = {("RUT", "1d"): frame_of(sessions("2022-01-03", "2024-06-03"), seed=3)}
        btc = {("BTC-USD", "1h"): frame_of(hours("2024-01-01", 4000), seed=2)}
        self.yahoo = Scripted(coins | rut | btc, self.clock, name="yahoo", source="yahoo")
        self.exchange = Scripted(coins | btc, self.clock, name="binance", source="binance")
        self.opened = []

    def open(self, name):
        self.opened.append(name)
        return {"yahoo": self.yahoo, "exchange": self.exchange}[name]

    def live(self, vendor=None, *, offline=False):
        return Live(
            Cache(self.folder, clock=self.clock),
            vendor=vendor,
            offline=offline,
            history="one_source",
            open_vendor=self.open,
            reach=self.reach,
            clock=self.clock,
        )

    def auto(self):
        return Auto(Checked(self.live(), clock=self.clock), open_sample=lambda: Checked(Sample()))

    def cut(self):
        self.yahoo.error = Unreachable("yahoo: no answer in 5 seconds.")
        self.exchange.error = Unreachable("binance: no answer in 5 seconds.")


@pytest.fixture
def network(tmp_path):
    return Network(tmp_path)


# Which vendor


@pytest.mark.parametrize(
    ("instrument", "timeframe", "source"),
    [(RUT, "1d", "yahoo"), (BTC, "1d", "yahoo"), (BTC, "1h", "binance")],
)
def test_auto_takes_the_vendor_with_the_longer_history(network, instrument, timeframe, source):
    bars = network.auto().load(instrument, timeframe=timeframe)
    assert bars.source == source
    assert bars.notes == ()


def test_auto_goes_on_to_the_next_vendor_if_one_lacks_the_coin(network):
    del network.yahoo.frames["BTC-USD", "1d"]
    assert network.auto().load(BTC, timeframe="1d").source == "binance"


@pytest.mark.parametrize("error", [Unreachable("down"), DataError("an HTML page")])
def test_auto_goes_on_to_the_next_vendor_if_one_fails(network, error):
    network.yahoo.error = error
    assert network.auto().load(BTC, timeframe="1d").source == "binance"


def test_source_exchange_takes_the_index_from_yahoo(network):
    live = network.live("exchange")
    assert live.load(RUT, timeframe="1d").source == "yahoo"
    assert live.load(BTC, timeframe="1d").source == "binance"


def test_live_opens_no_vendor_while_the_cache_is_current(network):
    network.live().load(RUT, timeframe="1d")
    network.opened.clear()
    network.live().load(RUT, timeframe="1d")
    assert network.opened == []


# The sample


def test_auto_unreachable_falls_back_to_the_sample_under_its_banner(network, caplog):
    network.cut()
    loaded = load_all(network.auto(), [Request(RUT, "1d"), Request(BTC, "1d")])
    assert len(loaded.bars) == 2
    for bars in loaded.bars.values():
        assert bars.source == "sample"
        assert bars.notes[:2] == (SAMPLE_BANNER, "months real")
    assert SAMPLE_BANNER in caplog.text
    assert "yahoo: no answer in 5 seconds" in caplog.text


def test_load_all_never_mixes_live_bars_with_the_sample(network):
    network.live().load(RUT, timeframe="1d")
    network.cut()
    source = network.auto()
    loaded = load_all(source, [Request(RUT, "1d"), Request(BTC, "1d")])
    assert [bars.source for bars in loaded.bars.values()] == ["sample"] * 2
    assert source.load(RUT, timeframe="1d").source == "sample"


def test_auto_alone_says_that_all_must_be_loaded_again(network):
    network.live().load(RUT, timeframe="1d")
    network.cut()
    source = network.auto()
    source.load(RUT, timeframe="1d")
    with pytest.raises(FellBack, match="live bars stopped at BTC"):
        source.load(BTC, timeframe="1d")


def test_auto_unreachable_but_cached_stays_live_and_says_it_is_stale(network, caplog):
    network.auto().load(BTC, timeframe="1d")
    network.cut()
    network.clock.set("2024-04-10")
    bars = network.auto().load(BTC, timeframe="1d")
    assert bars.source == "yahoo"
    assert bars.notes == (
        "BTC-USD: stale, the last bar served is of 2024-03-09; later ones are missing or "
        "trading has ended",
    )
    assert "the cached bars are used as they are" in caplog.text


def test_auto_unknown_coin_is_an_error_and_not_the_sample(network):
    with pytest.raises(NotServed, match=r"ETH: no vendor has its bars. yahoo: .* binance: "):
        network.auto().load(ETH, timeframe="1d")


def test_auto_unknown_here_and_unreachable_there_is_an_error(network):
    network.exchange.error = Unreachable("binance: down.")
    with pytest.raises(DataError, match=r"no vendor has its bars. yahoo: .* binance: down"):
        network.auto().load(ETH, timeframe="1d")


@pytest.mark.parametrize("vendor", ["yahoo", "exchange"])
def test_named_source_never_falls_back(network, vendor):
    network.cut()
    with pytest.raises(Unreachable, match="no answer in 5 seconds"):
        network.live(vendor).load(BTC, timeframe="1d")
    assert network.opened == [vendor]


# Members of a basket


def test_load_all_leaves_out_an_optional_coin_that_nobody_serves(network):
    dead = Request(coin("FTT"), "1d", is_optional=True)
    loaded = load_all(network.auto(), [Request(BTC, "1d", is_optional=True), dead])
    assert [bars.instrument for bars in loaded.bars.values()] == [BTC]
    assert "FTT: no vendor has its bars" in str(loaded.missing[dead])


def test_load_all_offline_leaves_out_an_optional_coin_that_is_not_cached(network):
    network.live().load(BTC, timeframe="1d")
    wanted = [Request(BTC, "1d"), Request(coin("FTT"), "1d", is_optional=True)]
    loaded = load_all(network.live(offline=True), wanted)
    assert len(loaded.bars) == len(loaded.missing) == 1


def test_load_all_optional_coin_that_could_not_be_asked_for_is_an_error(network):
    network.yahoo.error = DataError("an HTML page")
    with pytest.raises(DataError, match="FTT: no vendor has its bars"):
        load_all(network.live(), [Request(coin("FTT"), "1d", is_optional=True)])


# A dead network


def test_unreachable_vendor_is_waited_for_once_in_a_process(network):
    network.cut()
    for instrument in (RUT, BTC, ETH, coin("SOL")):
        load_all(network.auto(), [Request(instrument, "1d")])
    assert len(network.yahoo.asked) == 1
    assert len(network.exchange.asked) == 1


def test_vendor_that_answered_before_is_asked_again(network):
    network.live("yahoo").load(RUT, timeframe="1d")
    network.cut()
    for instrument in (BTC, ETH):
        with pytest.raises(Unreachable):
            network.live("yahoo").load(instrument, timeframe="1d")
    assert len(network.yahoo.asked) == 3


def test_reach_is_shared_between_threads():
    reach = Reach()
    reach.note_failure("yahoo", Unreachable("down"))
    found = []

    def ask():
        try:
            reach.require("yahoo")
        except Unreachable as error:
            found.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == ["yahoo is not asked again: down"]


# Names


def test_open_source_yahoo_offline_reads_only_the_cache(tmp_path):
    source = sources.open_source("yahoo", offline=True, cache_dir=str(tmp_path))
    assert source.name == "yahoo"
    with pytest.raises(NotCached, match="--offline uses nothing else"):
        source.load(RUT, timeframe="1d")
    assert not list(tmp_path.iterdir())


def test_open_source_auto_offline_and_empty_names_every_vendor(tmp_path):
    source = sources.open_source("auto", offline=True, cache_dir=str(tmp_path))
    with pytest.raises(NotCached, match=r"bars of yahoo in the cache .* of exchange in the cache"):
        source.load(BTC, timeframe="1d")


def test_open_source_files_carry_findings(tmp_path):
    frame = frame_of(days("2024-01-01", "2024-02-01")).drop(days("2024-01-10", "2024-01-11"))
    frame.rename_axis("date").to_csv(tmp_path / "BTC-USD_1d.csv")
    source = sources.open_source("files", data_dir=str(tmp_path))
    assert source.name == "files"
    (note,) = source.load(BTC, timeframe="1d").notes
    assert "2 days are missing inside the range (2024-01-10, 2024-01-11)" in note


def test_open_source_with_a_memory_reads_a_file_once_and_checks_it_for_each(tmp_path, monkeypatch):
    frame = frame_of(days("2024-01-01", "2024-02-01")).drop(days("2024-01-10", "2024-01-11"))
    frame.rename_axis("date").to_csv(tmp_path / "BTC-USD_1d.csv")

    def load(memory, **setting):
        source = sources.open_source("files", data_dir=str(tmp_path), memory=memory, **setting)
        return source.load(BTC, timeframe="1d")

    memory = {}
    first = load(memory)
    monkeypatch.setattr(Files, "load", lambda *_, **__: pytest.fail("it is read twice"))
    again = load(memory)
    assert again.frame is first.frame
    assert "2 days are missing" in again.notes[0]
    with pytest.raises(pytest.fail.Exception, match="read twice"):  # another set-up is another key
        load(memory, history="one_source")


def test_open_source_files_without_folder_is_refused():
    with pytest.raises(ConfigError, match=r"nothing\. Give it with --data-dir"):
        sources.open_source("files")


def test_open_vendor_without_its_client_is_unreachable(monkeypatch):
    monkeypatch.setitem(VENDORS, "yahoo", lambda *_: importlib.import_module("no_such_client"))
    with pytest.raises(Unreachable, match="yahoo: its client cannot be imported"):
        open_vendor("yahoo")


def test_live_logs_which_vendor_was_passed_over(network, caplog):
    del network.yahoo.frames["BTC-USD", "1d"]
    with caplog.at_level(logging.INFO):
        network.auto().load(BTC, timeframe="1d")
    assert "yahoo BTC-USD: yahoo: no BTC-USD" in caplog.text
