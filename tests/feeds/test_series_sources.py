import pandas as pd
import pytest

from feeds.cache.store import Key, TableStore
from feeds.cache.updates import Cache
from feeds.derived_series import LIQUIDITY_PARTS
from feeds.download import main
from feeds.errors import DataError, NotCached, NotServed, Unreachable
from feeds.live import Live
from feeds.releases import FRED_SERIES, SERIES
from feeds.series import validated_series
from feeds.series_sources import LiveSeries
from feeds.vendors.request_policy import Reach
from tests.scripted import Clock, Scripted, frame_of, sessions


class ScriptedFred:
    """Serves ten values of every series; fails with `error` if set."""

    def __init__(self):
        self.asked = []
        self.error = None
        self.height = 0.0

    def fetch(self, name):
        self.asked.append(name)
        if self.error is not None:
            raise self.error
        dates = pd.date_range("2024-01-03", periods=10, freq="W-WED").strftime("%Y-%m-%d")
        raw = pd.DataFrame({"date": dates, "value": [f"{self.height + n}" for n in range(10)]})
        known = SERIES[name]
        return validated_series(
            raw,
            name=name,
            units=known.units,
            release=known.release,
            source="fred",
            origin=f"fred {name}",
        )


class Desk:
    def __init__(self, folder):
        self.folder = folder
        self.clock = Clock("2024-04-01 12:00")
        self.fred = ScriptedFred()
        self.vendors = dict.fromkeys(("fred", "ishares", "alternative"), self.fred)
        vix = {("VIX", "1d"): frame_of(sessions("2023-06-01", "2024-06-03"))}
        self.yahoo = Scripted(vix, self.clock, name="yahoo", source="yahoo")
        self.reach = Reach()

    def source(self, *, offline=False):
        cache = Cache(self.folder, clock=self.clock)
        bars = Live(
            cache,
            offline=offline,
            open_vendor=lambda _: self.yahoo,
            reach=self.reach,
            clock=self.clock,
        )
        return LiveSeries(cache, bars=bars, offline=offline, vendors=self.vendors, reach=self.reach)

    def load(self, name="WALCL", *, offline=False, **options):
        return self.source(offline=offline).load(name, **options)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def same(one, other):
    pd.testing.assert_frame_equal(one.frame, other.frame, check_freq=False, check_exact=True)
    assert (one.sha256, one.name, one.units) == (other.sha256, other.name, other.units)
    assert (one.source, one.origin, one.notes) == (other.source, other.origin, other.notes)


@pytest.mark.parametrize("name", [*FRED_SERIES, "ETF_FLOWS", "FEAR_GREED"])
def test_load_cached_and_fresh_are_the_same_series(desk, name):
    fresh = desk.load(name)
    same(fresh, desk.fred.fetch(name))
    same(desk.load(name, offline=True), fresh)


@pytest.mark.parametrize(
    ("later", "asked"), [("2024-04-02 11:59", 1), ("2024-04-02 12:00", 2), ("2024-03-01", 2)]
)
def test_load_asks_fred_at_most_once_a_day(desk, later, asked):
    desk.load()
    desk.clock.set(later)
    desk.fred.height = 100.0
    assert desk.load().frame["value"].iloc[0] == (0.0 if asked == 1 else 100.0)
    assert len(desk.fred.asked) == asked


def test_load_net_liquidity_is_made_of_its_cached_parts(desk):
    fresh = desk.load("NET_LIQUIDITY")
    assert desk.fred.asked == list(LIQUIDITY_PARTS)
    same(desk.load("NET_LIQUIDITY", offline=True), fresh)
    assert desk.fred.asked == list(LIQUIDITY_PARTS)
    assert fresh.units == "USD billion"


def test_load_lag_days_overrides_the_release(desk):
    series = desk.load(lag_days=10)
    assert series.frame["available_at"].iloc[0] == pd.Timestamp("2024-01-14", tz="UTC")


def test_load_offline_without_a_cache_is_refused_and_asks_nobody(desk):
    with pytest.raises(NotCached, match=r"WALCL is not in the cache .* put WALCL_series.csv"):
        desk.load(offline=True)
    assert desk.fred.asked == []


def test_load_unreachable_uses_the_values_held(desk, caplog):
    held = desk.load()
    desk.clock.set("2024-05-01")
    desk.fred.error = Unreachable("fred WALCL: no answer.")
    same(desk.load(), held)
    assert "the cached values are used as they are, because: fred WALCL" in caplog.text


def test_load_unreachable_and_not_held_is_waited_for_once(desk):
    desk.fred.error = Unreachable("fred WALCL: no answer.")
    for name in ("WALCL", "DGS10"):
        with pytest.raises(Unreachable, match="fred WALCL: no answer"):
            desk.load(name)
    assert desk.fred.asked == ["WALCL"]


@pytest.mark.parametrize("file", ["*.parquet", "manifest.json"])
def test_load_damaged_file_is_fetched_again(desk, file):
    held = desk.load()
    (path,) = desk.folder.rglob(file)
    path.write_bytes(path.read_bytes()[:-9])
    same(desk.load(), held)
    assert len(desk.fred.asked) == 2
    assert TableStore(desk.folder).read(Key("fred", "WALCL", "series")) is not None


def test_load_vix_is_known_when_its_options_stop_trading(desk):
    series = desk.load("VIX")
    assert series.source == "yahoo"
    known = series.frame["available_at"]
    assert known["2024-03-28"] == pd.Timestamp("2024-03-28 20:15", tz="UTC")
    assert known["2023-11-24"] == pd.Timestamp("2023-11-24 18:15", tz="UTC")  # a half day
    same(desk.load("VIX", offline=True), series)


def test_load_vix_without_bars_is_freds(desk):
    desk.yahoo.error = NotServed("yahoo ^VIX: refused here.")
    series = desk.load("VIX")
    assert (series.name, series.origin) == ("VIX", "fred VIXCLS")
    assert series.notes[0] == "the series VIX: VIXCLS of FRED stands in for its bars, a day later"


def test_load_unknown_name_says_which_file_to_bring(desk):
    with pytest.raises(DataError, match=r"Put GOLD_series.csv into --data-dir"):
        desk.load("GOLD")


def test_download_fills_the_cache_with_series(desk, capsys):
    arguments = ("--assets", "", "--index", "", "--series", "net_liquidity,vix,GOLD")
    assert main(arguments, live_series=desk.source()) == 2
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "NET_LIQUIDITY: 10 values of fred, 2024-01-03 to 2024-03-06",
        "VIX: 208 values of yahoo, 2023-06-01 to 2024-03-28",
    ]
    assert err.startswith("error: the series GOLD is not here.")
    assert desk.load("NET_LIQUIDITY", offline=True).source == "fred"
