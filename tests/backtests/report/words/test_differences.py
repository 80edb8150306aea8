"""What tells runs apart, and what each is called."""

from dataclasses import replace

import pytest

from backtests.records.saved_runs import BarsUsed, RunRecord
from backtests.report.words.differences import (
    LONGEST_LABEL,
    differences_of,
    filters_of_some,
    fold_filters,
    is_like_for_like,
    run_labels,
    short_name,
    shown_value,
)

BARS = BarsUsed("ETH-USD", ("files",), "1d", "2015-01-01", "2024-12-31", 3_000.0)


def record(name="20240101T000000Z-ETH-a", *, title="", asset="ETH", **rules):
    return RunRecord(
        name=name,
        config={"asset": asset, "data": {"data_dir": f"/home/{name}"}, "rules": rules},
        strategy={},
        buy_and_hold={},
        first="2018-01-01",
        last="2024-12-31",
        episodes_traded=5.0,
        verdict="",
        warnings=(),
        title=title,
        bars=(BARS,),
    )


def test_labels_are_names_or_what_tells_runs_apart():
    runs = [record(title="base"), record(hold_days=90), record(hold_days=120, stop_loss=0.1)]
    assert run_labels(runs) == [
        "base",
        "ETH, hold days 90, stop loss not set",
        "ETH, hold days 120, stop loss 0.1",
    ]


def test_labels_of_runs_that_their_assets_tell_apart_are_these_alone():
    basket = replace(record(), config={"asset": "ALTS", "basket": {"universe": "none"}})
    assert run_labels([record(asset="BTC", hold_days=90), record(hold_days=60), basket]) == [
        "BTC",
        "ETH",
        "ALTS",
    ]


def test_labels_name_no_setting_that_only_another_asset_has():
    basket = replace(record(), config={"asset": "ALTS", "basket": {"universe": "none"}})
    assert run_labels([record(hold_days=60), record(hold_days=90), basket]) == [
        "ETH, hold days 60",
        "ETH, hold days 90",
        "ALTS",
    ]


def test_labels_say_what_a_filter_asks_and_who_has_none():
    average = {"kind": "moving_average", "window": 200}
    filters = ({}, {"trend": average}, {"trend": {**average, "window": 50}})
    configs = [{"asset": "ETH", "filters": each} for each in filters]
    runs = [replace(record(), config=config) for config in configs]
    assert run_labels(runs) == [
        "ETH, no trend",
        "ETH, moving average, window 200",
        "ETH, moving average, window 50",
    ]


def test_labels_name_one_of_the_settings_that_tell_the_same_runs_apart():
    runs = [record(hold_days=60, stop_loss=0.1), record(hold_days=90, stop_loss=0.2)]
    assert run_labels(runs) == ["ETH, hold days 60", "ETH, hold days 90"]


def test_labels_of_runs_of_other_bars_of_one_asset_name_these():
    config = {"asset": "ETH", "data": {"data_dir": "/bars", "timeframe": "1h"}}
    hourly = replace(record(), config=config)
    daily = replace(hourly, config={"asset": "ETH", "data": {"timeframe": "1d"}})
    assert run_labels([hourly, daily]) == ["ETH, timeframe 1h", "ETH, timeframe 1d"]


def test_labels_of_runs_alike_say_when_they_were_made_and_last_their_folders():
    runs = [
        record("20240101T000000Z-ETH-a"),
        record("20240102T000000Z-ETH-a"),
        record("20240102T000001Z-ETH-a"),
    ]
    assert run_labels(runs) == [
        "ETH, 2024-01-01 00:00",
        "ETH, 2024-01-02 00:00, 20240102T000000Z-ETH-a",
        "ETH, 2024-01-02 00:00, 20240102T000001Z-ETH-a",
    ]


def test_labels_of_strangers_are_cut():
    assert run_labels([record(title="x" * 999), record()])[0] == "x" * LONGEST_LABEL + "..."


def test_filter_that_only_one_has_is_one_row_in_words_and_the_rest_is_folded():
    vix = {"kind": "series", "series": "VIX", "measure": "level", "rule": "below",
           "level": 20.0, "window": 200, "lag_days": "release"}  # fmt: skip
    trend = {"kind": "moving_average", "window": 200}
    flows = {**vix, "series": "M2SL", "measure": "change", "rule": "rising", "lag_days": 1.5}
    configs = [
        {"filters": {"vix": vix, "trend": trend, "money": flows}, "rules": {"hold_days": 90}},
        {"filters": {"trend": {**trend, "window": 50}}, "rules": {"hold_days": 60}},
    ]
    runs = [replace(record(), config=config) for config in configs]
    shown, folded = fold_filters(differences_of(runs), filters_of_some(configs))
    assert shown == [
        ("filters.vix", ["VIX below 20.0, known at its release", "none"]),
        ("filters.trend.window", ["200", "50"]),
        ("filters.money", ["M2SL change rising over 200, lag of 1.5 days", "none"]),
        ("rules.hold_days", ["90", "60"]),
    ]
    assert run_labels(runs) == ["?, VIX below 20.0", "?, no vix"]
    assert len(folded) == 14
    assert ("filters.vix.window", ["200", "not set"]) in folded


def test_differences_name_settings_first_and_then_bars():
    other = replace(record(hold_days=60), last="2025-12-31")
    found = dict(differences_of([record(hold_days=90), other]))
    assert list(found) == ["rules.hold_days", "last bar"]
    assert found["last bar"] == ["2024-12-31", "2025-12-31"]


@pytest.mark.parametrize(
    "change",
    [
        {"last": "2025-12-31"},
        {"config": {"asset": "BTC"}},
        {"bars": (replace(BARS, sources=("sample",)),)},
        {"bars": (replace(BARS, timeframe="1h"),)},
    ],
)
def test_runs_of_other_days_coins_or_bars_are_not_like_for_like(change):
    assert is_like_for_like([record(hold_days=90), record(hold_days=60)])
    assert not is_like_for_like([record(), replace(record(), **change)])


@pytest.mark.parametrize(
    ("value", "shown"), [("/home/me/bars", ".../bars"), ('""', "none"), ("a/b", "a/b")]
)
def test_values_on_a_page_name_no_folders_of_this_machine(value, shown):
    assert shown_value(value) == shown


def test_label_tells_the_idle_asset_from_the_one_traded():
    assert short_name("idle.asset") == "idle"
    assert short_name("idle.weight") == "weight"
