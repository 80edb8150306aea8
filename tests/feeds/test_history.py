"""Joining sources: which bars come from where, what is refused, and that no price changes."""

import itertools
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from feeds.bars import COLUMNS, Bars
from feeds.errors import DataError
from feeds.files import Files
from feeds.history import join, newest_first, seam_between, source_in_words, spans_of
from feeds.instruments import coin, index
from feeds.record_highs import false_highs
from tests.scripted import days, frame_of, sessions

BTC, RUT = coin("BTC"), index("RUT")
WHOLE = frame_of(days("2020-01-01", "2020-12-31"))
ORDER = ("new", "middle", "old")


def bars(first, last, *, name="source", apart=0.0, whole=WHOLE, instrument=BTC):
    """Bars of a market cut to some days, every price off by the fraction `apart`."""
    frame = whole[first:last].copy()
    frame[["open", "high", "low", "close"]] *= 1 + apart
    return Bars(instrument, "1d", frame, name, f"{name} {instrument.symbol}")


def three():
    return {
        "new": bars("2020-08-01", "2020-12-31", name="yahoo"),
        "middle": bars("2020-04-01", "2020-12-30", name="bitstamp", apart=0.004),
        "old": bars("2020-01-01", "2020-11-30", name="coinmetrics", apart=-0.003),
    }


# What is joined


def test_joined_takes_the_time_before_from_the_next_source_unscaled():
    sources = three()
    history = join(sources, order=ORDER)
    cuts = {"yahoo": ("2020-08-01", "2020-12-31"), "bitstamp": ("2020-04-01", "2020-07-31")}
    cuts["coinmetrics"] = ("2020-01-01", "2020-03-31")
    assert [span.source for span in history.spans] == list(cuts)
    for span, source in zip(history.spans, sources.values(), strict=True):
        first, last = cuts[span.source]
        assert (span.first, span.last) == (
            pd.Timestamp(first, tz="UTC"),
            pd.Timestamp(last, tz="UTC"),
        )
        part = history.frame[first:last]
        assert span.rows == len(part)
        pd.testing.assert_frame_equal(part, source.frame[first:last], check_freq=False)
    assert history.source == "yahoo + bitstamp + coinmetrics"
    assert history.notes == ()
    assert source_in_words(history, day="%Y-%m") == (
        "yahoo from 2020-08, bitstamp from 2020-04, coinmetrics from 2020-01"
    )


def test_joined_spans_say_how_the_closes_agreed():
    newest, middle, old = join(three(), order=ORDER).spans
    assert (newest.common, np.isnan(newest.median), np.isnan(newest.worst)) == (0, True, True)
    assert middle.common == len(days("2020-08-01", "2020-12-30"))
    assert middle.median == pytest.approx(1 - 1 / 1.004)
    assert middle.worst == pytest.approx(1 - 1 / 1.004)
    assert old.common == len(days("2020-04-01", "2020-11-30"))
    # 122 of the 244 common bars are of each part: the median lies between their differences
    assert 1 / 0.997 - 1 < old.median < 1.004 / 0.997 - 1
    assert old.worst == pytest.approx(1.004 / 0.997 - 1)


def test_joined_is_the_same_whatever_order_the_sources_arrive_in():
    sources = three() | {"wrong": bars("2019-12-01", "2020-12-31", apart=0.5)}
    order = (*ORDER, "wrong", "absent")
    expected = join(sources, order=order)
    for names in itertools.permutations(sources):
        history = join({name: sources[name] for name in names}, order=order)
        assert history.sha256 == expected.sha256
        assert (repr(history.spans), history.notes) == (repr(expected.spans), expected.notes)


def test_joined_changes_no_source_and_leaves_gaps_of_the_first_as_they_are():
    sources = three()
    gap = days("2020-09-01", "2020-09-10")
    sources["new"] = replace(sources["new"], frame=sources["new"].frame.drop(gap))
    before = {name: source.sha256 for name, source in sources.items()}
    history = join(sources, order=ORDER)
    assert {name: source.sha256 for name, source in sources.items()} == before
    assert not history.frame.index.isin(gap).any()
    assert len(history) == len(WHOLE) - len(gap)


def test_joined_single_source_has_no_spans_but_can_be_asked_for_one():
    alone = bars("2020-01-01", "2020-02-01")
    history = join({"new": alone}, order=ORDER)
    assert history.spans == ()
    (span,) = spans_of(history)
    assert (span.source, span.rows, span.common) == ("source", 32, 0)
    assert source_in_words(history) == "source"


def test_joined_source_that_reaches_no_further_back_is_passed_over_without_a_word():
    sources = {"new": bars("2020-03-01", "2020-12-31"), "old": bars("2020-03-01", "2020-12-31")}
    history = join(sources, order=ORDER)
    assert (history.spans, history.notes) == ((), ())


def test_joined_market_cap_of_one_source_is_unknown_in_the_other():
    sources = three()
    sources["new"].frame["market_cap"] = 5.0
    history = join(sources, order=("new", "old"))
    known = history.frame["market_cap"].notna()
    assert known["2020-08-01":].all()
    assert not known[:"2020-07-31"].any()
    assert list(history.frame.columns[:5]) == ["open", "high", "low", "close", "volume"]


# What is refused


@pytest.mark.parametrize(("apart", "count"), [(0.0099, 2), (0.0101, 1)])
def test_joined_closes_may_differ_by_one_percent_in_the_median(apart, count):
    sources = {"new": bars("2020-06-01", "2020-12-31", name="yahoo")}
    sources["old"] = bars("2020-01-01", "2020-12-31", name="kraken", apart=1 / (1 - apart) - 1)
    history = join(sources, order=ORDER)
    assert len(spans_of(history)) == count
    if count == 1:
        assert history.notes == (
            "BTC-USD: kraken reaches back to 2020-01-01 but is not joined on before yahoo, its "
            "closes differ by 1.01 % in the median of 214 common bars and 1 % is the most; the "
            "history begins 2020-06-01",
        )


@pytest.mark.parametrize(("last", "count"), [("2020-06-30", 2), ("2020-06-29", 1)])
def test_joined_needs_thirty_common_bars(last, count):
    sources = {"new": bars("2020-06-01", "2020-12-31"), "old": bars("2020-01-01", last, name="o")}
    history = join(sources, order=ORDER)
    assert len(spans_of(history)) == count
    if count == 1:
        assert (
            "with 29 common bars where 30 are needed; the history begins 2020-06-01"
            in (history.notes[0])
        )


def test_joined_coin_that_only_adjoins_is_refused():
    sources = {"new": bars("2020-06-01", "2020-12-31"), "old": bars("2020-01-01", "2020-05-31")}
    history = join(sources, order=ORDER)
    assert history.spans == ()
    assert "with no common bar where 30 are needed" in history.notes[0]


def test_joined_source_refused_at_first_is_tried_again_on_the_longer_history():
    sources = {
        "new": bars("2020-08-01", "2020-12-31", name="yahoo"),
        "old": bars("2020-01-01", "2020-07-31", name="coinmetrics"),
        "middle": bars("2020-04-01", "2020-12-31", name="bitstamp"),
    }
    history = join(sources, order=("new", "old", "middle"))
    assert [span.source for span in history.spans] == ["yahoo", "bitstamp", "coinmetrics"]
    assert history.notes == ()


def test_joined_seam_where_one_source_was_thin_is_said():
    old = bars("2020-01-01", "2020-12-31", name="bitstamp")
    old.frame.loc["2020-06-01":"2020-06-30", ["high", "close"]] *= 1.05
    sources = {"new": bars("2020-06-01", "2020-12-31", name="yahoo"), "old": old}
    assert seam_between(sources["new"], old).near == pytest.approx(1 - 1 / 1.05)
    (note,) = join(sources, order=ORDER).notes
    assert (
        "bars before 2020-06-01 are of bitstamp; near there the closes of the two differ by 4.8 %"
        in note
    )


def test_joined_source_that_goes_on_after_the_first_one_ended_is_named():
    sources = {"new": bars("2020-06-01", "2020-11-30"), "old": bars("2020-01-01", "2020-12-31")}
    history = join(sources, order=ORDER)
    assert history.frame.index[-1] == pd.Timestamp("2020-11-30", tz="UTC")
    assert "goes on to 2020-12-31 after the end of source on 2020-11-30" in history.notes[0]


# The parts of an index


def halves(*, opens=1.0, last="2020-05-29"):
    whole = frame_of(sessions("2020-01-02", "2020-12-31"))
    new = bars("2020-06-01", "2020-12-31", whole=whole, instrument=RUT)
    new.frame.loc["2020-06-01", ["open", "low"]] *= opens
    return {"new": new, "old": bars("2020-01-02", last, whole=whole, instrument=RUT, name="fred")}


def test_joined_index_whose_parts_adjoin_says_so_loudly():
    history = join(halves(), order=ORDER)
    assert [span.common for span in history.spans] == [0, 0]
    assert history.notes == (
        "RUT: bars before 2020-06-01 are of fred, joined without common bars, only because the "
        "index opened that day 0.00 % from its close of the session before",
    )


@pytest.mark.parametrize("parts", [halves(opens=0.98), halves(last="2020-05-28")])
def test_joined_index_that_jumps_or_lacks_a_session_between_is_refused(parts):
    history = join(parts, order=ORDER)
    assert history.spans == ()
    assert "with no common bar where 30 are needed" in history.notes[0]


def test_joined_index_with_few_common_bars_needs_every_one_to_agree():
    parts = halves(last="2020-06-05")
    assert "joined with 5 common bars of 30, only because" in join(parts, order=ORDER).notes[0]
    parts["old"].frame.loc["2020-06-03", "close"] *= 1.02
    assert join(parts, order=ORDER).spans == ()


# Which source leads


def test_newest_first_prefers_the_newest_then_full_then_the_main_file():
    sources = {
        "old": bars("2020-01-01", "2020-06-30"),
        "closes": replace(bars("2020-01-01", "2020-12-31"), is_close_only=True),
        "piece": bars("2020-01-01", "2020-12-30"),
        "main": bars("2020-01-01", "2020-12-20"),
    }
    assert newest_first(sources, main="main") == ["main", "piece", "closes", "old"]
    assert newest_first(dict(reversed(sources.items())), main="main")[0] == "main"
    del sources["main"], sources["piece"]
    assert newest_first(sources) == ["closes", "old"]


# Folders of real bars


@pytest.fixture
def folder(tmp_path, shared_data):
    """A folder of single sources, as a user would copy them together."""
    for name in ("BTC-USD_1d", "ETH-USD_1d"):
        shutil.copy(shared_data / f"{name}.csv", tmp_path)
        shutil.copy(
            shared_data / "cmc_2013_2020" / f"{name}.csv", tmp_path / f"{name}_coinmarketcap.csv"
        )
    for path in (shared_data / "pieces").glob("*-USD_1d_*.csv"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_files_join_eth_to_what_others_joined_by_hand(folder, shared_data):
    history = Files(folder).load(coin("ETH"), timeframe="1d")
    by_hand = Files(shared_data / "deep").load(coin("ETH"), timeframe="1d")
    own = history.frame[list(COLUMNS)]  # CoinMarketCap also has the market's capitalisation
    pd.testing.assert_frame_equal(own, by_hand.frame, check_exact=True, check_freq=False)
    newest, older = history.spans
    assert (newest.label, older.label) == ("ETH-USD_1d.csv", "ETH-USD_1d_coinmarketcap.csv")
    assert (older.common, round(older.worst, 5)) == (1134, 0.00005)


def test_files_join_btc_from_three_sources_each_as_it_is(folder):
    history = Files(folder).load(BTC, timeframe="1d")
    starts = {span.label: f"{span.first:%Y-%m-%d}" for span in history.spans}
    assert starts == {
        "BTC-USD_1d.csv": "2014-09-17",
        "BTC-USD_1d_coinmarketcap.csv": "2013-04-28",
        "BTC-USD_1d_bitstamp.csv": "2011-08-18",
    }
    for span in history.spans:
        source = pd.read_csv(folder / span.label, parse_dates=["date"]).set_index("date")
        part = history.frame.loc[span.first : span.last, ["open", "high", "low", "close"]]
        expected = source.loc[span.first.tz_localize(None) : span.last.tz_localize(None)]
        assert (part.to_numpy() == expected[list(part.columns)].to_numpy()).all()


def test_files_refuse_a_thin_exchange_and_say_why(folder):
    (folder / "ETH-USD_1d_coinmarketcap.csv").unlink()
    history = Files(folder).load(coin("ETH"), timeframe="1d")
    assert history.spans == ()
    assert history.notes == (
        "ETH-USD: ETH-USD_1d_kraken.csv reaches back to 2015-08-07 but is not joined on before "
        "ETH-USD_1d.csv, its closes differ by 1.55 % in the median of 53 common bars and 1 % is "
        "the most; the history begins 2017-11-09",
    )


def test_files_join_the_closes_before_1987_and_the_first_high_is_true(tmp_path, shared_data):
    for name in ("RUT_1d", "pieces/RUT_1d_close_1978_1987"):
        shutil.copy(shared_data / f"{name}.csv", tmp_path)
    history = Files(tmp_path).load(RUT, timeframe="1d")
    newest, older = history.spans
    assert (older.is_close_only, older.rows, f"{older.first:%Y-%m-%d}") == (
        True,
        2198,
        "1978-12-29",
    )
    assert not newest.is_close_only
    assert "joined without common bars" in history.notes[-1]
    close = history.frame["close"]
    highs = close[close > close.cummax().shift()]
    assert f"{highs[newest.first :].index[0]:%Y-%m-%d}" == "1989-07-31"
    assert false_highs(history, min_history=252) is None
    assert Files(tmp_path, history="one_source").load(RUT, timeframe="1d").spans == ()


def test_files_of_adjusted_prices_are_no_source(tmp_path, shared_data):
    shutil.copy(shared_data / "pieces" / "IWC_1d_adjusted_close.csv", tmp_path)
    with pytest.raises(DataError, match="IWC has no bars.* There are: no 1d files"):
        Files(tmp_path).load(index("IWC"), timeframe="1d")


def test_files_of_one_source_are_the_main_file_alone(folder):
    alone = Files(folder, history="one_source").load(BTC, timeframe="1d")
    for path in folder.glob("*_1d_*.csv"):
        path.unlink()
    assert alone == replace(Files(folder).load(BTC, timeframe="1d"), frame=alone.frame)
    assert alone.sha256 == Files(folder).load(BTC, timeframe="1d").sha256
