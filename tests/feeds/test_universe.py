"""Which coins are altcoins: against the list beside its reasons and a real venue's listing."""

import csv
import gzip
import json
from dataclasses import replace
from importlib import resources

import pandas as pd
import pytest

from feeds.bars import Bars
from feeds.checks import with_findings
from feeds.instruments import coin
from feeds.sample import coins
from feeds.universe import KINDS, USUAL, is_altcoin, not_altcoins, reason_against, split_reused
from tests.scripted import days, frame_of

LUNA = coin("LUNA")


def luna(*spans, timeframe="1d"):
    times = spans[0]
    for span in spans[1:]:
        times = times.append(span)
    return Bars(LUNA, timeframe, frame_of(times), "files", "LUNA-USD_1d.csv", ("a repair",))


def test_split_reused_parts_where_seven_days_are_missing_and_not_at_six():
    first, later = days("2022-01-01", "2022-05-12"), days("2022-05-19", "2022-08-01")
    whole = luna(first, later)  # the six days from the 13th to the 18th
    assert split_reused(whole) == (whole,)
    seven = luna(first, later[1:])
    old, new = split_reused(seven)
    assert (old.instrument.symbol, new.instrument.symbol) == ("LUNA-USD", "LUNA.2-USD")
    assert new.instrument.label == "LUNA.2"
    assert pd.concat([old.frame, new.frame]).equals(seven.frame)
    assert new.frame.index[0] == pd.Timestamp("2022-05-20", tz="UTC")


def test_split_reused_says_so_and_no_more_what_was_found_of_the_whole():
    whole = luna(days("2022-01-01", "2022-05-12"), days("2022-05-31", "2022-08-01"))
    whole.frame.loc["2022-05-31":, ["open", "high", "low", "close"]] *= 1e4
    checked = with_findings(replace(whole, frame=whole.frame.drop(whole.frame.index[[20]])))
    assert any("missing" in note for note in checked.notes)
    assert any("jump" in note for note in checked.notes)
    old, new = split_reused(checked)
    note = (
        "LUNA-USD: comes back after 7 days or more without bars (2022-05-12 to 2022-05-31), so "
        "what trades from then on is taken as another coin, LUNA.2"
    )
    assert new.notes == (note, "a repair")
    assert old.notes[:2] == (note, "a repair")
    assert old.notes[2].startswith("LUNA-USD: 1 day is missing inside the range (2022-01-21)")


def test_split_reused_three_lives_are_numbered():
    spans = [days("2020-01-01", "2020-02-01"), days("2021-01-01", "2021-02-01")]
    parts = split_reused(luna(*spans, days("2022-01-01", "2022-02-01")))
    assert [part.instrument.label for part in parts] == ["LUNA", "LUNA.2", "LUNA.3"]
    assert [len(part) for part in parts] == [32, 32, 32]


@pytest.fixture(scope="module")
def listed_2021(shared_data):
    """Every coin that Binance listed against USDT in October 2021, as it answered then."""
    path = shared_data.parent / "recorded" / "exchanges" / "cryptofeed_BINANCE_exchangeInfo.txt.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    answer, _ = json.JSONDecoder().raw_decode(text, text.index('{"timezone"'))
    return {each["baseAsset"] for each in answer["symbols"] if each["quoteAsset"] == "USDT"}


def test_not_altcoins_every_row_has_a_kind_and_a_reason_and_stands_once():
    text = resources.files("feeds").joinpath("not_altcoins.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    names = [row["coin"] for row in rows]
    assert len(set(names)) == len(names)
    assert {row["kind"] for row in rows} == set(KINDS)
    assert all(row["reason"].strip() and row["coin"] == row["coin"].upper() for row in rows)
    order = [(list(KINDS).index(row["kind"]), row["coin"]) for row in rows]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("BTC", "one of the two coins that altcoins are measured against"),
        ("PAXG", "stands for a weight of metal: Paxos"),
        ("XAUT", "stands for a weight of metal: Tether"),
        ("SUSDE", "stands for a dollar: Ethena, staked"),
        ("USDTB", "stands for a dollar"),
        ("USDG", "stands for a dollar: Paxos"),
        ("NEWUSD", "stands for a dollar: USD is in its name"),
        ("EUR", "stands for another currency: euro"),
        ("LBTC", "stands for another coin: Bitcoin"),
        ("SOLVBTC", "stands for another coin: Bitcoin"),
        ("RSETH", "stands for another coin that is staked: Ether"),
        ("BNSOL", "stands for another coin that is staked: Solana"),
        ("paxg-usd", "stands for a weight of metal"),
    ],
)
def test_reason_against_a_coin_that_stands_for_something_else(name, reason):
    assert reason_against(name).startswith(reason)


@pytest.mark.parametrize("name", ["JUP", "SUPER", "SYRUP", "SUP", "PUMP", "USUAL", "BEAM", "UP"])
def test_reason_against_a_coin_of_its_own_is_empty(name):
    assert reason_against(name, listed={"J", "S", "BTC", name}) == ""


def test_reason_against_leveraged_tokens_known_and_new():
    assert reason_against("BTCDOWN").startswith("follows another coin's daily moves, multiplied")
    assert reason_against("SUIUP", listed={"SUI", "SUIUP"}).endswith("SUI is listed beside it")
    assert is_altcoin("SUIUP", listed={"SUIUP"})


def test_usual_and_sample_coins_are_altcoins_but_for_the_majors():
    assert all(map(is_altcoin, USUAL))
    assert {name for name in coins() if not is_altcoin(name)} <= {"BTC", "ETH"}


def test_real_listing_keeps_the_coins_and_nothing_that_stands_for_one(listed_2021):
    left = {name for name in listed_2021 if is_altcoin(name, listed=listed_2021)}
    out = listed_2021 - left
    stand_ins = {"AUD", "BKRW", "BTC", "BUSD", "DAI", "ETH", "EUR", "GBP", "PAX", "PAXG", "SUSD"}
    stand_ins |= {"TUSD", "USDC", "USDP", "USDS", "USDSB", "BULL", "BEAR", "WNXM"}
    leveraged = {name for name in out if name.endswith(("UP", "DOWN", "BULL", "BEAR"))}
    assert out - leveraged == stand_ins - {"BULL", "BEAR"}
    assert len(leveraged) == 2 * 20 + 2 * 4 + 2
    assert {"SUPER", "LUNA", "FTT", "WAVES", "SOL", "BNB", "TRU"} <= left


def test_coins_of_2013_to_2020_are_altcoins_but_for_the_majors(shared_data):
    names = {p.stem.removesuffix("-USD_1d") for p in (shared_data / "cmc_2013_2020").glob("*.csv")}
    assert {name for name in names if not is_altcoin(name)} == {"BTC", "ETH"}
    assert not set(not_altcoins()) & names - {"BTC", "ETH"}
