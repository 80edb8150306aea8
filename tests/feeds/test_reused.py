from dataclasses import replace

import pandas as pd

from feeds.bars import Bars
from feeds.checks import with_findings
from feeds.instruments import coin
from feeds.reused import split_reused
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
