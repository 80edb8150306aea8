"""What a run reads, from a cache filled by scripted vendors."""

import dataclasses

import numpy as np
import pytest

from backtests.config.config import load_config
from backtests.engines.backtest import run_inputs
from backtests.market import inputs
from backtests.market.inputs import Inputs, load_inputs, missing_benchmark_bars
from feeds.cache.updates import Cache
from feeds.errors import ConfigError, DataError
from feeds.instruments import coin, index
from feeds.live import Live
from feeds.universe import USUAL
from feeds.vendors.request_policy import Reach
from tests.markets import coin_bars, index_bars
from tests.scripted import Clock, Scripted, days, frame_of, sessions

ALIVE = [name for name in USUAL if name not in {"FTT", "LUNC"}]


@pytest.fixture
def cache(tmp_path):
    """A cache folder with RUT, VIX and every usual altcoin but two that died."""
    clock = Clock("2024-03-10 00:05")
    frames = {
        (f"{name}-USD", "1d"): frame_of(days("2023-01-01", "2024-03-09"), seed=seed)
        for seed, name in enumerate(ALIVE)
    }
    for name in ("RUT", "VIX"):
        frames[name, "1d"] = frame_of(sessions("2021-01-04", "2024-03-08"))
    vendor = Scripted(frames, clock, name="yahoo", source="yahoo")
    live = Live(
        Cache(tmp_path, clock=clock),
        vendor="yahoo",
        open_vendor=lambda _: vendor,
        reach=Reach(),
        clock=clock,
    )
    for symbol, _ in frames:
        name = coin(symbol) if symbol.endswith("-USD") else index(symbol)
        live.load(name, timeframe="1d")
    return tmp_path


def configured(cache, **values):
    flags = {key.replace("__", "."): value for key, value in values.items()}
    fixed = {"data.source": "yahoo", "data.cache_dir": str(cache), "data.offline": True}
    return load_config(None, flags=fixed | flags)


def test_load_inputs_leaves_a_coin_that_nobody_serves_out_of_the_basket(cache):
    found = load_inputs(configured(cache, asset="ALTS"))
    assert [bars.instrument.label for bars in found.coins] == sorted(ALIVE)
    left_out, made_today = found.notes
    assert left_out == "left out of ALTS, because no bars were to be had: FTT, LUNC"
    assert made_today.startswith("LIST MADE TODAY: ")
    assert "`python -m feeds.download --universe binance --timeframe 1d`" in made_today


def test_load_inputs_basket_without_its_dead_is_warned_of_as_survivors(cache):
    from backtests.engines.backtest import backtest

    warnings = backtest(configured(cache, asset="ALTS")).warnings
    assert any(note.startswith(f"SURVIVORS: none of the {len(ALIVE)} coins") for note in warnings)
    assert any(note.startswith("left out of ALTS") for note in warnings)


def test_load_inputs_member_named_by_the_user_must_be_there(cache):
    config = configured(cache, asset="ALTS", basket__members=["SOL", "FTT"])
    with pytest.raises(DataError, match=r"`basket.members` names FTT, without bars: .* Take it"):
        load_inputs(config)


def test_load_inputs_basket_without_any_coin_is_an_error(cache, monkeypatch):
    monkeypatch.setattr(inputs, "altcoins", lambda *args, **options: [coin("FTT"), coin("LUNC")])
    with pytest.raises(DataError, match=r"no coin of the basket has bars, the first: `asset` FTT"):
        load_inputs(configured(cache, asset="ALTS"))


def test_load_inputs_finds_vix_live_and_notes_a_series_that_is_not_there(cache):
    config = configured(cache, asset="SOL", filters__vix={}, filters__etf_flows={})
    found = load_inputs(config)
    assert list(found.series) == ["VIX"]
    (note,) = found.notes
    assert note.startswith("filter etf_flows is unknown throughout and blocks every entry: ")


def series_file(folder, rows):
    (folder / "FLOWS_series.csv").write_text("date,value\n" + "".join(f"{row}\n" for row in rows))
    return {"data__data_dir": str(folder), "data__source": "yahoo"}


FLOWS = {"filters.flows.series": "FLOWS", "filters.flows.lag_days": 1.0}


def test_load_inputs_series_that_cannot_be_read_is_an_error(cache, tmp_path):
    folder = tmp_path / "series"
    folder.mkdir()
    given = series_file(folder, ["2023-01-02,many"])
    config = configured(cache, asset="SOL", **given, **FLOWS)
    with pytest.raises(DataError, match=r"FLOWS_series\.csv: .*'many'"):
        load_inputs(config)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("FLOWZ", r"`filters\.x\.series` 'FLOWZ' is neither .* The nearest is 'FLOWS'\."),
        ("VIXX", r"'VIXX' is neither built in nor a file in --data-dir\. The nearest is 'VIX'"),
        ("QQQQ", r"'QQQQ' is neither .* Put QQQQ_series\.csv into --data-dir\."),
    ],
)
def test_load_inputs_misspelt_series_is_refused(name, message, cache, tmp_path):
    folder = tmp_path / "series"
    folder.mkdir()
    given = series_file(folder, ["2023-01-02,5"])
    config = configured(cache, asset="SOL", **given, filters__x__series=name)
    with pytest.raises(ConfigError, match=message):
        load_inputs(config)


def test_load_inputs_notes_what_a_benchmark_lacks():
    index = index_bars(np.full(300, 0.001))
    holed = dataclasses.replace(index, frame=index.frame.drop(index.frame.index[[7, 9]]).iloc[:200])
    missing, ended = missing_benchmark_bars(index, {"SPX": holed})
    assert missing.startswith("SPX has no bar on 2 of 202 sessions of RUT, the first 2015-01-13")
    assert ended.startswith("SPX ends on 2015-10-20, 98 sessions before RUT")
    assert missing_benchmark_bars(index, {"SPX": index}) == ()


def test_result_of_a_filter_unknown_throughout_says_first_that_it_tested_nothing():
    inputs = Inputs(index_bars(np.full(400, 0.001)), (coin_bars("ETH", np.full(500, 0.001)),))
    blind = ["filters.m2.level=1", "filters.index_trend.window=20"]
    result = run_inputs(load_config(None, overrides=blind), inputs)
    assert result.untested == ("m2",)
    assert result.warnings[0].startswith("NOTHING WAS TESTED: the filter m2 was unknown on every")
    # one known filter is enough where any may open, and an unknown that passes blocks nothing
    either = run_inputs(load_config(None, overrides=[*blind, "rules.filters=any"]), inputs)
    passing = run_inputs(load_config(None, overrides=[*blind, "filters.m2.unknown=pass"]), inputs)
    for other in (either, passing):
        assert other.untested == ()
        assert not other.warnings
