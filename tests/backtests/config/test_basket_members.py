"""The basket drawn from every coin a venue ever listed, as it was known on each day."""

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.forward_returns import asset_prices
from backtests.claims.study_data import World
from backtests.config.basket_members import universe_members
from backtests.config.config import load_config
from backtests.engines.backtest import backtest
from backtests.market import inputs
from backtests.market.inputs import has_universe, load_inputs
from backtests.market.market import build_market
from backtests.run import main
from backtests.search.trials.sharing_keys import inputs_key
from feeds.archive.download import download_universe
from feeds.archive.folder import ArchiveFolder
from feeds.archive.pair_table import pairs_held, read_table
from feeds.cache.store import Key
from feeds.cache.updates import Cache, Fetched
from feeds.errors import ConfigError, DataError
from feeds.sources import open_source
from strategies.rule_settings import BasketSettings
from tests.feeds.archive.loopback_archive import FakeArchive, fill, klines, serving_archive
from tests.scripted import frame_of, sessions

REAL = ("ADA", "DOT", "LINK", "LUNA", "SOL", "XRP")
CHECKED = "2024-07-01T09:00:00+00:00"


def walk(number, *, start="2023-09-01", days=304, rank=1.0):
    noise = np.random.default_rng(number)
    closes = 10 * np.exp(np.cumsum(noise.normal(0, 0.03, days)))
    money = 1e6 * rank * np.exp(noise.normal(0, 0.1, days))
    return klines(start, closes, quote_volume=money)


@pytest.fixture
def folder(tmp_path):
    """A universe of five: one that dies, one that grows, one that comes late, two small ones."""
    folder = ArchiveFolder(tmp_path, timeframe="1d")
    grows = walk(3)
    grows["quote_volume"] *= np.where(grows.index >= "2024-02-15", 100.0, 0.01)
    pairs = {
        "AAAUSDT": walk(1, rank=50),
        "DEADUSDT": walk(2, days=200, rank=40),
        "GROWSUSDT": grows,
        "LATEUSDT": walk(4, start="2024-01-01", days=182, rank=45),
        "SMALLUSDT": walk(5),
        "TINYUSDT": walk(6, rank=0.1),
    }
    fill(folder, pairs, checked=CHECKED)
    return folder


@pytest.fixture
def cache(folder, tmp_path):
    """The same cache with an index."""
    rut = frame_of(sessions("2021-01-04", "2024-06-28"))
    store = Cache(tmp_path, clock=lambda: pd.Timestamp(CHECKED))
    store.update(
        Key("yahoo", "RUT", "1d"),
        lambda _: Fetched(rut, "yahoo", "yahoo ^RUT"),
        is_due=lambda _: True,
    )
    return tmp_path


def basket(**values):
    fixed = {"universe": "binance", "select": "dollar_volume", "top": 2, "min_age_days": 60}
    return BasketSettings(**fixed | values)


def drawn(folder, **values):
    return universe_members(basket(**values), cache_dir=str(folder.root.parents[2]))


def configured(cache, **values):
    flags = {key.replace("__", "."): value for key, value in values.items()}
    fixed = {"asset": "ALTS", "data.cache_dir": str(cache), "data.offline": True}
    return load_config(None, flags=fixed | {"basket.min_age_days": 60} | flags)


def of_month(found, month):
    """Return who is in at the end of each bar of a month that decides nothing."""
    rows = found.chosen.loc[f"{month}-02" : f"{month}-28"]
    assert (rows == rows.iloc[0]).all(axis=None)
    return [label.removesuffix("-USD") for label in rows.columns[rows.iloc[0]]]


def test_members_are_the_most_traded_of_the_days_before_each_month(folder):
    found = drawn(folder)
    assert [bars.instrument.label for bars in found.coins] == ["AAA", "DEAD", "GROWS"]
    assert of_month(found, "2024-01") == ["AAA", "DEAD"]
    assert of_month(found, "2024-03") == ["AAA", "GROWS"]
    assert not found.chosen.loc[:"2023-10-31"].any(axis=None)
    # LATE is 60 days old at the end of February, a day too young for March's basket;
    # DEAD trades last on 2024-03-18; nobody takes its place before April
    march = drawn(folder, top=3).chosen.loc["2024-03"]
    assert march["DEAD-USD"].to_numpy().nonzero()[0].tolist() == list(range(19))
    assert march[["AAA-USD", "GROWS-USD"]].all(axis=None)
    assert not march["LATE-USD"].any()
    assert of_month(drawn(folder, top=3), "2024-04") == ["AAA", "GROWS", "LATE"]


def test_members_are_not_changed_by_the_day_they_trade(folder):
    """What is traded on the first day of a month decides nothing about that month."""
    assert of_month(drawn(folder), "2024-02") == ["AAA", "DEAD"]
    for day, members in (("2024-02-01", ["AAA", "DEAD"]), ("2024-01-31", ["AAA", "SMALL"])):
        pairs = _tables(folder)
        pairs["SMALLUSDT"].loc[day, "quote_volume"] = 1e12
        fill(folder, pairs, checked=CHECKED)
        assert of_month(drawn(folder), "2024-02") == members


def _tables(folder):
    return {pair: read_table(folder.pairs, pair).rows for pair in pairs_held(folder.pairs)}


def test_members_up_to_a_day_do_not_depend_on_what_came_after(folder):
    whole = drawn(folder).chosen
    cut = {pair: rows.loc[:"2024-04-10"] for pair, rows in _tables(folder).items()}
    for path in folder.pairs.iterdir():
        path.unlink()
    fill(folder, cut, checked="2024-04-11T09:00:00+00:00")
    part = drawn(folder).chosen
    pd.testing.assert_frame_equal(part, whole.loc[part.index, part.columns], check_freq=False)
    rest = whole.loc[part.index].drop(columns=part.columns)
    assert not rest.any(axis=None)


def test_market_of_the_restricted_panel_has_the_members_of_the_whole(cache, folder):
    """Only coins ever in get bars; ranked among themselves they must come out the same."""
    config = configured(cache, basket__top=2, signal__min_history=20)
    market = build_market(config, load_inputs(config))
    chosen = drawn(folder).chosen
    inside = market.tape.matrix("on_weight") > 0
    ends = market.tape.times + pd.Timedelta(days=1)
    np.testing.assert_array_equal(inside, chosen.reindex(ends).to_numpy())


def test_basket_holds_luna_through_may_2022_and_keeps_its_loss(shared_data, tmp_path, capsys):
    """The real bars of its last months, served as the archive's: the most traded coin of April."""
    pairs = {}
    for name in REAL:
        frame = pd.read_csv(shared_data / f"{name}-USD_1d.csv", index_col="date", parse_dates=True)
        frame = frame.loc["2021-11":"2022-06"].tz_localize("UTC")
        frame["quote_volume"] = frame["volume"] * frame["close"]
        frame.index = frame.index.as_unit("ns")
        pairs[f"{name}USDT"] = frame
    now = pd.Timestamp("2022-07-02", tz="UTC")
    with serving_archive(FakeArchive(pairs, now=now)) as client:
        folder = ArchiveFolder(tmp_path, timeframe="1d")
        assert download_universe(folder, client=client, clock=lambda: now) == 0
    config = load_config(
        None,
        flags={
            "asset": "ALTS",
            "data.source": "files",
            "data.data_dir": str(shared_data),
            "data.cache_dir": str(tmp_path),
            "basket.universe": "binance",
            "basket.top": 2,
            "basket.min_age_days": 30,
            "rules.hold_days": 365,
            "rules.exit_on_support_lost": False,
        },
    )
    result = backtest(config)
    account, market = result.buy_and_hold, result.market
    assert config.basket.select == "dollar_volume"
    units, closes = account.positions["LUNA-USD"], pairs["LUNAUSDT"]["close"]
    worth = units.loc["2022-05-05"] * closes.loc["2022-05-05"]
    equity = account.equity
    assert worth / equity.loc["2022-05-05"] > 0.4
    assert equity.loc["2022-05-12"] < equity.loc["2022-05-05"] - 0.99 * worth
    sold = account.fills.query("symbol == 'LUNA-USD' and side == 'sell'")
    assert sold["time"].max() > pd.Timestamp("2022-05-12", tz="UTC")
    assert sold["price"].iloc[-1] < 0.001
    # and no later basket has it
    assert not market.tape.coins["LUNA-USD"]["on_weight"][market.tape.times > "2022-05-12"].any()
    capsys.readouterr()


# What "auto" means


def test_universe_in_the_cache_is_what_alts_is_by_default(cache):
    config = configured(cache)
    assert has_universe(config)
    assert (config.basket.universe, config.basket.select) == ("binance", "dollar_volume")
    assert (config.basket.top, config.basket.rebalance) == (10, "monthly")
    # and what stands in the run's own config gives the same run
    tree = {"basket.universe": "binance", "basket.select": "dollar_volume"}
    assert configured(cache, **tree) == config


@pytest.mark.parametrize(
    "values",
    [
        {"basket.members": ["SOL", "ADA"]},
        {"basket.select": "all"},
        {"basket.select": "market_cap"},
        {"basket.weights": "market_cap"},
        {"basket.universe": "none"},
        {"data.source": "yahoo"},
        {"data.source": "sample"},
        {"data.timeframe": "1h"},
    ],
)
def test_universe_is_not_taken_where_another_basket_is_asked_for(cache, values):
    config = configured(cache, **values)
    assert not has_universe(config)
    assert config.basket.universe == "none"
    assert config.basket.select == values.get("basket.select", "all")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"basket.members": ["SOL"]}, "is binance, but `basket.members` names SOL. Leave one"),
        ({"basket.weights": "market_cap"}, "whose archive has no market capitalisation"),
        ({"data.timeframe": "4h"}, "which has daily bars, received `data.timeframe` 4h"),
        ({"data.source": "sample"}, "but `data.source` sample is no real market"),
    ],
)
def test_universe_named_against_another_setting_is_refused(cache, values, message):
    with pytest.raises(ConfigError, match=message) as caught:
        configured(cache, basket__universe="binance", **values)
    assert len(str(caught.value).splitlines()) == 1


def test_universe_that_is_not_there_is_one_line_with_the_command(tmp_path, capsys, shared_data):
    arguments = ["--asset", "ALTS", "--source", "files", "--data-dir", str(shared_data)]
    arguments += ["--cache-dir", str(tmp_path), "--set", "basket.universe=binance"]
    assert main([*arguments, "--out", str(tmp_path / "out"), "--quiet"]) == 2
    err = capsys.readouterr().err
    assert "`python -m feeds.download --universe binance --timeframe 1d`" in err
    assert len(err.splitlines()) == 1


def test_universe_in_part_is_not_taken_by_default_and_says_so_if_named(folder, cache):
    state = folder.state()
    folder.write_state(type(state)((*state.listed, "OTHERUSDT"), state.checked))
    folder.build()
    assert not has_universe(configured(cache))
    notes = load_inputs(configured(cache, basket__universe="binance")).notes
    assert notes[0].startswith("PART OF A UNIVERSE: 1 of the binance archive's 7 pairs")


def test_universe_is_not_mixed_with_the_samples_index(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(inputs, "open_source", lambda *_, **options: open_source("sample"))
    with pytest.raises(DataError, match="are real, and bars of RUT are not to be had"):
        load_inputs(configured(tmp_path))


def test_universe_without_a_coin_old_enough_says_so(cache):
    with pytest.raises(DataError, match="no coin of the universe binance ever qualifies"):
        load_inputs(configured(cache, basket__min_age_days=3000))


def test_universe_long_over_is_said_to_be(cache):
    (note,) = (note for note in load_inputs(configured(cache)).notes if "the universe ends" in note)
    assert note.startswith("the universe ends 2024-06-30; `python -m feeds.download")


def test_universe_notes_are_a_line_per_kind(folder):
    pairs = _tables(folder)
    pairs["AAAUSDT"] = pairs["AAAUSDT"].drop(pd.Timestamp("2024-03-05", tz="UTC"))
    pairs["DEADUSDT"] = klines("2023-09-01", np.resize([1.0, 1.0005], 200), quote_volume=4e7)
    again = walk(7, start="2024-05-01", days=61, rank=1e6)
    pairs["GROWSUSDT"] = pd.concat([pairs["GROWSUSDT"].loc[:"2024-04-01"], again])
    fill(folder, pairs, checked=CHECKED)
    notes = drawn(folder, min_age_days=20).notes
    assert notes == (
        "universe: bars missing inside the range, nothing was put in their place: AAA 1",
        "universe: tickers that came back as other coins: GROWS.2",
        "universe: hardly moving, as what stands for money does: DEAD; such a coin belongs into "
        "feeds/not_altcoins.csv",
    )


def test_study_of_alts_between_dates_without_a_bar_is_refused(cache):
    world = World(configured(cache, data__start="2010-01-01", data__end="2011-01-01"))
    with pytest.raises(ConfigError, match="leave no bar of any coin of the universe binance"):
        world.asset("ALTS")


def test_universe_sweep_reads_the_coins_of_its_own_settings(cache):
    keys = {inputs_key(configured(cache, basket__top=top)) for top in (1, 2)}
    assert len(keys) == 2
    listed = {inputs_key(configured(cache, basket__top=top, basket__universe="none"))
              for top in (1, 2)}  # fmt: skip
    assert len(listed) == 1


def test_study_of_alts_buys_who_was_in_the_basket_on_that_day(cache, folder):
    world = World(configured(cache, asset="BTC", basket__top=2))
    asset = world.asset("ALTS")
    chosen = drawn(folder).chosen
    times = pd.DatetimeIndex(asset.times, tz="UTC")
    row = times.get_loc(pd.Timestamp("2024-03-05", tz="UTC"))
    assert asset.trades[row].tolist() == chosen.loc["2024-03-05"].tolist() == [1, 0, 1]
    symbols = {each["symbol"] for each in world.bars()}
    assert {"AAA-USD", "DEAD-USD"} <= symbols


def test_asset_prices_without_a_choice_trade_every_coin(folder):
    coins = {bars.instrument.symbol: bars for bars in drawn(folder).coins}
    asset = asset_prices("ALTS", coins)
    assert asset.trades[0].tolist() == [True, True, True]
