"""A history joined from several sources, as headline, manifest, page and config show it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.run_figures import summarise
from backtests.config.config import load_config
from backtests.engines.backtest import backtest, input_warnings, run_on
from backtests.market.inputs import Inputs
from backtests.records.run_files import manifest_json
from backtests.report.charts.traded_price import coin_panel
from backtests.report.pages.tearsheet_tables import joined_spans, provenance
from backtests.report.terminal.run import headline
from feeds.files import Files
from feeds.history import join
from feeds.instruments import index
from tests.markets import coin_walk, index_walk

CUT = "2019-06-01"


@pytest.fixture(scope="module")
def run():
    whole = coin_walk(1000, seed=7)
    older = replace(whole, source="coinmetrics", is_close_only=True, frame=whole.frame * 1.002)
    newer = replace(whole, source="yahoo", frame=whole.frame[CUT:])
    coin = join({"new": newer, "old": older}, order=("new", "old"))
    settings = ("signal.min_history=20", "signal.base=5", "rules.hold_days=20")
    config = load_config(None, overrides=settings)
    return run_on(config, index=index_walk(900, seed=3), coin=coin, engine="fast")


def test_headline_names_each_source_with_its_start(run):
    assert headline(run).endswith("source yahoo from 2019-06, coinmetrics from 2018-01")


def test_manifest_has_every_span_with_how_the_closes_agreed(run):
    manifest = json.loads(manifest_json(run, created=pd.Timestamp("2024-01-01")))
    ours = next(each for each in manifest["bars"] if each["symbol"] == "ETH-USD")
    newest, older = ours["spans"]
    assert (newest["source"], newest["first"]) == ("yahoo", f"{CUT}T00:00:00")
    assert newest["median_difference"] is None
    assert (older["source"], older["last"]) == ("coinmetrics", "2019-05-31T00:00:00")
    assert (older["is_close_only"], older["common_bars"]) == (True, newest["rows"])
    assert older["median_difference"] == pytest.approx(1 - 1 / 1.002)
    rut = next(each for each in manifest["bars"] if each["symbol"] == "RUT")
    assert len(rut["spans"]) == 1


def test_page_lists_the_spans_of_joined_bars_only(run):
    rows = joined_spans(run)
    assert [(row["Symbol"], row["Bars of"], row["Prices"]) for row in rows] == [
        ("ETH-USD", "yahoo", "open, high, low, close"),
        ("ETH-USD", "coinmetrics", "closes only"),
    ]
    assert rows[1]["Median difference"] == "0.200 %"
    coin = next(row for row in provenance(run) if row["Symbol"] == "ETH-USD")
    assert coin["Source"] == "yahoo from 2019-06-01, coinmetrics from 2018-01-01"


def test_band_under_the_price_covers_the_run_without_a_gap(run):
    layout = coin_panel(run, summarise(run))["layout"]
    band = [shape for shape in layout["shapes"] if shape.get("showlegend")]
    assert [shape["name"] for shape in band] == [
        "bars of yahoo",
        "bars of coinmetrics, closes only",
    ]
    assert band[1]["x1"] == band[0]["x0"] == f"{CUT} 00:00"
    assert [band[1]["x0"], band[0]["x1"]] == layout["xaxis"]["range"]
    assert band[0]["y1"] < layout["yaxis"]["domain"][0]


def test_band_is_left_out_where_one_source_serves_the_run(run):
    late = load_config(None, overrides=("signal.min_history=20", "data.start='2019-07-01'"))
    result = run_on(late, index=run.market.index, coin=run.market.coin, engine="fast")
    assert not [s for s in coin_panel(result, summarise(result))["layout"]["shapes"] if "name" in s]


def test_lows_that_are_closes_are_said_where_a_retest_needs_lows(run):
    whole = replace(run.market.index, is_close_only=True)
    for retest, count in (("false", 0), ("true", 1)):
        config = load_config(None, overrides=("signal.min_history=20", f"signal.retest={retest}"))
        warnings = input_warnings(config, Inputs(whole, (run.market.coin,)))
        assert sum("takes them for the lows" in text for text in warnings) == count


# Whole runs


@pytest.fixture
def folder(tmp_path, shared_data):
    """A folder of single sources: an index from 2015 on, and ETH from two places."""
    rut = pd.read_csv(shared_data / "RUT_1d.csv")
    rut[rut["date"] >= "2015-09-01"].to_csv(tmp_path / "RUT_1d.csv", index=False)
    shutil.copy(shared_data / "ETH-USD_1d.csv", tmp_path)
    shutil.copy(
        shared_data / "cmc_2013_2020" / "ETH-USD_1d.csv", tmp_path / "ETH-USD_1d_capped.csv"
    )
    return tmp_path


def test_one_source_makes_the_joined_history_vanish(folder):
    overrides = ["data.source=files", f"data.data_dir='{folder}'", "rules.hold_days=90"]
    longest = backtest(load_config(None, overrides=overrides), engine="fast")
    alone = [*overrides, "data.history=one_source"]
    short = backtest(load_config(None, overrides=alone), engine="fast")
    assert (len(longest.market.coin.spans), len(short.market.coin.spans)) == (2, 0)
    assert longest.market.traded_bars.index[0] < short.market.traded_bars.index[0]
    common = short.market.coin.frame
    assert np.array_equal(longest.market.coin.frame.loc[common.index, "close"], common["close"])
    (folder / "ETH-USD_1d_capped.csv").unlink()
    before = backtest(load_config(None, overrides=overrides), engine="fast")
    assert before.strategy.equity.equals(short.strategy.equity)


def test_index_that_begins_below_a_record_is_warned_of_unless_highs_are_of_a_window(folder):
    overrides = ["data.source=files", f"data.data_dir='{folder}'", "signal.min_history=60"]
    warnings = backtest(load_config(None, overrides=overrides), engine="fast").warnings
    (note,) = [text for text in warnings if "after the record close of" in text]
    assert note.startswith("RUT: the bars begin 2015-09-01, after the record close of 1,295.80")
    windowed = load_config(None, overrides=[*overrides, "signal.lookback=252"])
    assert not any("record close" in text for text in backtest(windowed, engine="fast").warnings)
    assert Files(folder).load(index("RUT"), timeframe="1d").notes == ()
