"""Live histories of several vendors: each keeps its own table, the join is made on reading."""

import pandas as pd
import pytest

from feeds.bars import COLUMNS, QUOTE_VOLUME
from feeds.cache.store import TableStore
from feeds.cache.updates import Cache
from feeds.cached import main as inspect
from feeds.download import main as download
from feeds.errors import DataError, NotServed, Unreachable
from feeds.instruments import coin, index
from feeds.live import Live
from feeds.vendors.request_policy import Reach
from tests.scripted import Clock, Scripted, days, frame_of, sessions

BTC, ETH, SOL, RUT = coin("BTC"), coin("ETH"), coin("SOL"), index("RUT")
MARKET = frame_of(days("2010-07-18", "2020-12-31"), seed=1)
NOW = "2020-06-10 00:05"
VENDORS = ("yahoo", "exchange", "bitstamp", "coinbase", "coinmetrics")


class Desk:
    """Five vendors of one market, each from its own start, behind one cache."""

    def __init__(self, folder):
        self.folder = folder
        self.clock = Clock(NOW)
        starts = {
            "yahoo": {"BTC-USD": "2014-09-17", "ETH-USD": "2017-11-09", "SOL-USD": "2020-01-01"},
            "exchange": {"BTC-USD": "2017-08-17", "SOL-USD": "2020-01-01"},
            "bitstamp": {"BTC-USD": "2011-08-18"},
            "coinbase": {"ETH-USD": "2016-05-18"},
            "coinmetrics": {"BTC-USD": "2010-07-18", "ETH-USD": "2015-08-08"},
        }
        self.vendors = {
            name: Scripted(
                {(symbol, "1d"): MARKET[first:] for symbol, first in starts[name].items()},
                self.clock,
                name=name,
                source=name,
            )
            for name in VENDORS
        }
        rut = frame_of(sessions("2019-01-02", "2020-12-31"))
        self.vendors["yahoo"].frames["RUT", "1d"] = rut

    def live(self, **options):
        return Live(
            Cache(self.folder, clock=self.clock),
            open_vendor=self.vendors.__getitem__,
            reach=Reach(),
            clock=self.clock,
            **options,
        )

    def load(self, instrument=BTC, **options):
        return self.live(**options).load(instrument, timeframe="1d")

    def asked(self):
        return {name: len(vendor.asked) for name, vendor in self.vendors.items() if vendor.asked}


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("instrument", "sources", "first"),
    [
        (BTC, ["yahoo", "bitstamp", "coinmetrics"], "2010-07-18"),
        (ETH, ["yahoo", "coinbase", "coinmetrics"], "2015-08-08"),
    ],
)
def test_load_joins_the_older_vendors_and_each_keeps_its_own_table(
    desk, instrument, sources, first
):
    history = desk.load(instrument)
    assert [span.source for span in history.spans] == sources
    assert history.frame.index[0] == pd.Timestamp(first, tz="UTC")
    assert history.notes == ()
    assert history.frame[list(COLUMNS)].equals(MARKET[first:"2020-06-09"])
    held = {
        key.vendor: TableStore(desk.folder).read(key) for key in TableStore(desk.folder).held_keys()
    }
    assert set(held) == set(sources)
    for name, table in held.items():
        whole = desk.vendors[name].frames[instrument.symbol, "1d"]
        assert table.frame.equals(whole[:"2020-06-09"])


def test_load_yahoos_volume_of_a_coin_is_money_and_an_exchanges_is_coins(desk):
    history = desk.load()
    newest, middle, _ = history.spans
    money = history.frame[QUOTE_VOLUME]
    assert money[newest.first :].equals(history.frame.loc[newest.first :, "volume"])
    assert money[: middle.last].isna().all()
    assert QUOTE_VOLUME not in desk.load(RUT).frame


def test_load_offline_makes_the_same_history_and_asks_nobody(desk):
    online = desk.load()
    before = desk.asked()
    offline = desk.load(offline=True)
    assert (offline.sha256, repr(offline.spans)) == (online.sha256, repr(online.spans))
    assert desk.asked() == before


@pytest.mark.parametrize("options", [{"history": "one_source"}, {"vendor": "yahoo"}])
def test_load_one_source_or_a_named_one_is_joined_with_nothing(desk, options):
    bars = desk.load(**options)
    assert (bars.source, bars.spans, bars.notes) == ("yahoo", (), ())
    assert desk.asked() == {"yahoo": 1}


def test_load_coin_that_coinmetrics_does_not_serve_is_not_spoken_of(desk):
    bars = desk.load(SOL)
    assert (bars.source, bars.notes) == ("yahoo", ())
    assert desk.load(SOL, offline=True).notes == ()


def test_load_index_and_hours_are_left_to_one_vendor(desk):
    assert desk.load(RUT).spans == ()
    assert desk.live().older(BTC, timeframe="1h") == {}
    assert desk.asked() == {"yahoo": 1}


def test_load_asks_older_vendors_once_a_month_and_the_first_one_every_day(desk):
    desk.load()
    for now in ("2020-06-11 00:05", "2020-07-09 00:05", "2020-07-11 00:05"):
        desk.clock.set(now)
        desk.load()
    assert desk.asked() == {"yahoo": 4, "bitstamp": 2, "coinmetrics": 2}


# Vendors that fail


@pytest.mark.parametrize("error", [Unreachable("no answer in 5 seconds."), DataError("a page.")])
def test_load_without_the_oldest_vendor_says_where_it_is_cut_short(desk, error):
    desk.vendors["coinmetrics"].error = error
    history = desk.load()
    assert [span.source for span in history.spans] == ["yahoo", "bitstamp"]
    assert history.notes == (
        "BTC-USD: the history is cut short, it begins 2011-08-18, because coinmetrics, which "
        f"goes back to 2010-07-18, could not be had: {error}",
    )


def test_load_without_the_middle_vendor_says_it_was_made_without_it(desk):
    desk.vendors["bitstamp"].error = NotServed("bitstamp refuses this region.")
    history = desk.load()
    assert [span.source for span in history.spans] == ["yahoo", "coinmetrics"]
    assert history.notes == (
        "BTC-USD: the history was made without bitstamp: bitstamp refuses this region.",
    )


def test_load_unreachable_older_vendor_that_is_held_is_joined_as_before(desk):
    before = desk.load()
    desk.clock.set("2020-09-01")
    for name in ("bitstamp", "coinmetrics"):
        desk.vendors[name].error = Unreachable("no answer in 5 seconds.")
    history = desk.load()
    assert history.notes == ()
    assert history.frame[:"2020-06-09"].equals(before.frame)
    assert len(history.spans) == 3


def test_refresh_unreachable_older_vendor_that_is_held_is_joined_as_before(desk):
    desk.load()
    desk.vendors["coinmetrics"].error = Unreachable("no answer in 5 seconds.")
    history = desk.live().refresh(BTC, timeframe="1d")
    assert (len(history.spans), history.notes) == (3, ())


def test_load_offline_without_the_older_tables_says_so(desk):
    desk.load(history="one_source")
    history = desk.load(offline=True)
    assert history.spans == ()
    assert [note.split(" because ")[1].split(",")[0] for note in history.notes] == [
        "bitstamp",
        "coinmetrics",
    ]
    assert "--offline uses nothing else" in history.notes[0]


def test_load_without_the_first_vendor_takes_what_is_there_and_says_so(desk):
    for name in ("yahoo", "exchange"):
        desk.vendors[name].error = Unreachable(f"{name}: no answer.")
    history = desk.load()
    assert [span.source for span in history.spans] == ["bitstamp", "coinmetrics"]
    assert history.notes[0].startswith("BTC-USD: the bars are of bitstamp + coinmetrics, because")


def test_load_when_nobody_answers_is_the_first_vendors_error(desk):
    for name, vendor in desk.vendors.items():
        vendor.error = Unreachable(f"{name}: no answer.")
    with pytest.raises(Unreachable, match="BTC: no vendor has its bars. yahoo: no answer"):
        desk.load()


def test_load_older_vendor_with_other_prices_is_refused_and_the_next_one_asked(desk):
    frames = desk.vendors["bitstamp"].frames
    frames["BTC-USD", "1d"] = frames["BTC-USD", "1d"] * 1.02
    history = desk.load()
    assert [span.source for span in history.spans] == ["yahoo", "coinmetrics"]
    assert history.notes == ()  # coinmetrics reaches further back than the one refused


def test_load_older_vendor_with_other_prices_and_nothing_before_is_named(desk):
    frames = desk.vendors["coinbase"].frames
    frames["ETH-USD", "1d"] = frames["ETH-USD", "1d"] * 1.02
    desk.vendors["coinmetrics"].frames.clear()
    notes = desk.load(ETH).notes
    assert notes[0].startswith("ETH-USD: coinbase reaches back to 2016-05-18 but is not joined on")
    assert notes[1].startswith("ETH-USD: the history is cut short, it begins 2017-11-09, because")


# Commands


def test_download_fetches_all_sources_and_inspect_lists_each(desk, capsys):
    assert download(["--assets", "BTC", "--index", ""], live=desk.live()) == 0
    assert capsys.readouterr().out == (
        "BTC-USD 1d: 3615 bars of yahoo + bitstamp + coinmetrics, 2010-07-18 to 2020-06-09: "
        "yahoo from 2014-09-17, bitstamp from 2011-08-18, coinmetrics from 2010-07-18\n"
    )
    inspect(["--cache-dir", str(desk.folder)])
    rows = [line.split()[:4] for line in capsys.readouterr().out.splitlines()[1:]]
    assert rows == [
        ["BTC-USD", "1d", "bitstamp", "2011-08-18"],
        ["BTC-USD", "1d", "coinmetrics", "2010-07-18"],
        ["BTC-USD", "1d", "yahoo", "2014-09-17"],
    ]
