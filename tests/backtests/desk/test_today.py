"""An evening's answer against whole backtests, and its refusal where bars are missing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.config.config import Config, load_config
from backtests.desk.today import evening_of, forebears_of, next_close, stale_bars
from backtests.market.inputs import Inputs, load_inputs
from tests.evenings import CONFIGS, config_of, differences

DAY = pd.Timedelta(days=1)


@pytest.fixture(scope="module")
def loaded(request: pytest.FixtureRequest) -> tuple:
    folder = request.getfixturevalue("shared_data")
    config = config_of("new highs", data_dir=folder)
    return config, load_inputs(config)


@pytest.mark.parametrize("name", CONFIGS)
def test_order_of_an_evening_is_the_next_fill_of_the_whole_backtest(
    name: str, shared_data: Path
) -> None:
    config = config_of(name, data_dir=shared_data)
    assert list(differences(config, load_inputs(config), most=4)) == []


def test_evening_before_the_first_tradable_open_of_2020_says_buy(loaded: tuple) -> None:
    config, inputs = loaded
    evening = evening_of(_at(config, "2020-11-13"), inputs, equity=50_000.0)
    assert (evening.in_market, evening.order.side, evening.order.reason) == (
        False,
        "buy",
        "new_high",
    )
    close = evening.market.traded.lines["close"][-1]
    costs = (1 + config.costs.slippage) * (1 + config.costs.commission)
    assert evening.order.total == pytest.approx(50_000 / close / costs)
    assert evening.next_high_at == evening.index_close == 1744.04
    assert evening.exit_code == 10


def test_evening_in_the_market_tells_since_when_and_what_ends_it(loaded: tuple) -> None:
    config, inputs = loaded
    evening = evening_of(_at(config, "2021-01-15"), inputs)
    assert evening.in_market
    assert evening.order is None
    assert f"{evening.since:%Y-%m-%d}" == "2020-11-14"
    assert f"{evening.window_end:%Y-%m-%d}" == "2021-03-16"
    ends = {(change.subject, change.direction, change.then) for change in evening.changes}
    assert {("RUT", "above", "prolong the window"), ("window", "", "sell")} <= ends
    assert evening.support is not None
    assert evening.support.lost_below == pytest.approx(evening.support.level * 0.98)


def test_closing_above_the_next_high_is_what_changes_the_answer(loaded: tuple) -> None:
    config, inputs = loaded
    evening = evening_of(_at(config, "2020-11-12"), inputs)
    assert evening.order is None
    frame = inputs.index.frame.loc[:"2020-11-13"].copy()
    coin = inputs.coins[0]
    held = replace(coin, frame=coin.frame.loc[:"2020-11-13"])
    for factor, due in ((1.000001, True), (0.999999, False)):
        frame.loc["2020-11-13", ["open", "high", "low", "close"]] = evening.next_high_at * factor
        other = Inputs(replace(inputs.index, frame=frame), (held,))
        found = evening_of(config, other, now=pd.Timestamp("2020-11-14", tz="UTC"))
        assert (found.order is not None) is due


def test_later_bars_change_nothing(loaded: tuple) -> None:
    config, inputs = loaded
    cut = replace(
        inputs,
        index=replace(inputs.index, frame=inputs.index.frame.loc[:"2020-12-11"]),
        coins=(replace(inputs.coins[0], frame=inputs.coins[0].frame.loc[:"2020-12-11"]),),
    )
    one, other = (evening_of(_at(config, "2020-12-11"), each) for each in (inputs, cut))
    told = ("in_market", "since", "window_end", "order", "next_high_at", "changes", "stale")
    assert [getattr(one, name) for name in told] == [getattr(other, name) for name in told]


@pytest.mark.parametrize(
    ("now", "last_session", "last_bar", "lacks"),
    [
        # the day after Thanksgiving closes at 13:00 New York, 18:00 UTC
        ("2024-11-29 17:59", "2024-11-27", "2024-11-28", ()),
        ("2024-11-29 18:00", "2024-11-27", "2024-11-28", ("RUT lacks 1 session: 2024-11-29",)),
        # Thanksgiving is no session, a weekend neither
        ("2024-11-28 23:59", "2024-11-27", "2024-11-27", ()),
        ("2024-12-01 12:00", "2024-11-29", "2024-11-30", ()),
        # 16:00 New York is 20:00 UTC in summer, 21:00 in winter
        ("2024-03-08 20:30", "2024-03-07", "2024-03-07", ()),
        ("2024-03-11 20:30", "2024-03-08", "2024-03-10", ("RUT lacks 1 session: 2024-03-11",)),
        # a coin's bar is due at midnight UTC
        (
            "2024-11-30 00:00",
            "2024-11-29",
            "2024-11-28",
            ("ETH lacks 1 daily bar after 2024-11-28",),
        ),
        ("2024-11-29 23:59", "2024-11-29", "2024-11-28", ()),
    ],
)
def test_bars_that_are_due_and_missing_are_named(
    loaded: tuple, now: str, last_session: str, last_bar: str, lacks: tuple[str, ...]
) -> None:
    config, inputs = loaded
    index = replace(inputs.index, frame=inputs.index.frame.loc[:last_session])
    coin = replace(inputs.coins[0], frame=inputs.coins[0].frame.loc[:last_bar])
    instant = pd.Timestamp(now, tz="UTC")
    assert stale_bars(config, Inputs(index, (coin,)), now=instant) == lacks


def test_index_a_day_late_is_stale_and_never_nothing_to_do(loaded: tuple) -> None:
    config, inputs = loaded
    late = replace(inputs, index=replace(inputs.index, frame=inputs.index.frame.loc[:"2020-11-12"]))
    evening = evening_of(_at(config, "2020-11-13"), late)
    assert evening.stale == ("RUT lacks 1 session: 2020-11-13",)
    assert evening.exit_code == 3


@pytest.mark.parametrize(
    ("now", "close"),
    [
        ("2024-11-27 22:00", "2024-11-29 18:00"),
        ("2024-03-08 12:00", "2024-03-08 21:00"),
        ("2024-03-09 12:00", "2024-03-11 20:00"),
        ("2024-07-03 16:59", "2024-07-03 17:00"),
    ],
)
def test_next_close_knows_half_days_and_daylight_saving(now: str, close: str) -> None:
    found = next_close(load_config(None), now=pd.Timestamp(now, tz="UTC"))
    assert found == pd.Timestamp(close, tz="UTC")


def test_forebears_are_growth_since_each_first_tradable_open(loaded: tuple) -> None:
    config, inputs = loaded
    evening = evening_of(_at(config, "2021-01-15"), inputs)
    found = forebears_of(evening.market, config)
    coin = inputs.coins[0].frame
    assert f"{found.present.session:%Y-%m-%d}" == "2020-11-13"
    assert found.day == 63
    opened = _price(coin, "2020-11-14", "open")
    assert found.growth == pytest.approx(_price(coin, "2021-01-15", "close") / opened - 1)
    assert [f"{each.session:%Y-%m-%d}" for each in found.earlier] == ["2018-05-16"]
    then = _price(coin, "2018-07-18", "close")
    assert found.then[0] == pytest.approx(then / _price(coin, "2018-05-17", "open") - 1)
    assert found.ahead[0] == pytest.approx(_price(coin, "2018-09-16", "close") / then - 1)
    assert found.rank == 1


def _price(frame: pd.DataFrame, day: str, column: str) -> float:
    return float(np.ravel(frame.loc[day, column])[0])


def _at(config: Config, end: str) -> Config:
    return config.model_copy(update={"data": config.data.model_copy(update={"end": end})})
