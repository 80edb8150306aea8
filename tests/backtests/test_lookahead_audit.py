"""Every way of seeing the future that people fall into is found; what sees none is let pass."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.config.config import load_config
from backtests.lookahead_audit import audit_of, require_no_leak
from backtests.market import market as market_module
from backtests.market.altered_inputs import asked_of_own
from backtests.market.inputs import Inputs
from backtests.market.lookahead import look_at, own_leaks
from feeds.errors import ConfigError
from feeds.instruments import coin
from feeds.sessions import session_hours
from strategies import decorators
from tests.clean_audits import audits, drawn_config, m2_series
from tests.leaks import CLEAN, ZOO, merged_on_date
from tests.markets import coin_walk, index_walk

SMALL = {"signal.min_history": 20, "signal.base": 10, "rules.hold_days": 15, "asset": "AAA"}


def inputs_of(*, series=None):
    own = replace(coin_walk(420, seed=22, start="2019-11-08"), instrument=coin("AAA"))
    return Inputs(index_walk(300, seed=21), (own,), series=series or {})


def config_of(**flags):
    return load_config(None, flags=SMALL | {key.replace("__", "."): v for key, v in flags.items()})


def only_leak(config, inputs):
    """The leak of the only own function, which a quick look must find as well."""
    (asked,) = asked_of_own(config, inputs)
    (leak,) = look_at(asked, cuts=60).leaks
    assert own_leaks(config, inputs)
    return leak


@pytest.mark.parametrize("specimen", ZOO, ids=lambda one: one.name)
def test_signal_that_sees_the_future_is_found(specimen):
    decorators.signal("leaky")(specimen.function)
    leak = only_leak(config_of(rules__trigger="leaky"), inputs_of())
    assert leak.name == "signal leaky"
    if specimen.name == "random without a seed":
        assert "answers differently when it is asked twice" in leak.text
        return
    assert leak.inputs == ("RUT",)
    assert "sees the future of RUT" in leak.text
    if specimen.reach:
        assert leak.reach == specimen.reach
        assert f"up to {specimen.reach} session" in leak.text


@pytest.mark.parametrize("function", CLEAN, ids=lambda one: one.__name__)
def test_signal_that_sees_no_future_is_let_pass(function):
    decorators.signal("clean")(function)
    (asked,) = asked_of_own(config_of(rules__trigger="clean"), inputs_of())
    assert look_at(asked, cuts=60).leaks == ()


def test_series_merged_on_its_date_is_found_with_its_name():
    @decorators.signal("money")
    def money(index, m2sl):
        return m2sl.diff() > 0

    config = config_of(rules__trigger="money")
    leak = only_leak(config, inputs_of(series={"M2SL": m2_series(lagged=False)}))
    assert leak.inputs == ("M2SL",)
    # of the first of a month, published on the fourth Tuesday of the next
    assert leak.reach > 20
    asked = next(asked_of_own(config, inputs_of(series={"M2SL": m2_series(lagged=True)})))
    assert look_at(asked, cuts=60).leaks == ()


def test_series_without_its_lag_is_found_in_a_filter():
    config = config_of(filters__m2__lag_days=0.0, filters__m2__window=1)
    found = audit_of(config, inputs_of(series={"M2SL": m2_series(lagged=False)}))
    texts = [leak.text for leak in found.leaks]
    assert any("the filter m2 sees the future of M2SL" in text for text in texts)
    assert any("`filters.m2.lag_days` must be" in text for text in texts)
    lagged = audit_of(
        config_of(filters__m2__window=1), inputs_of(series={"M2SL": m2_series(lagged=True)})
    )
    assert lagged.ok


def test_index_known_at_its_open_is_found_in_the_run(monkeypatch):
    def known_at_the_open(index, config):
        return session_hours(pd.DatetimeIndex(index.frame.index))[0].as_unit("ns")

    start = pd.Timestamp("2020-01-01 15:00", tz="UTC")
    hours = pd.date_range(start.normalize(), periods=24 * 120, freq="h")
    noise = np.random.default_rng(3).normal(0, 0.01, len(hours))
    close = 100 * np.exp(noise.cumsum())
    frame = pd.DataFrame(
        {"open": close, "high": close, "low": close, "close": close, "volume": 1.0}, index=hours
    )
    own = replace(inputs_of().coins[0], timeframe="1h", frame=frame)
    inputs = replace(inputs_of(), coins=(own,))
    config = config_of(data__timeframe="1h")
    assert audit_of(config, inputs).ok
    monkeypatch.setattr(market_module, "known_from", known_at_the_open)
    (leak,) = audit_of(config, inputs).leaks
    assert leak.name.startswith("run (session, index_close")
    assert leak.inputs == ("RUT",)
    # the session's last bar with the index known too early ends where its close is known
    assert 1 <= leak.reach <= 7
    assert leak.unit == "bar"


def test_sessions_stamped_a_day_early_are_found_on_daily_bars(monkeypatch):
    usual = market_module.known_from
    early = pd.Timedelta(days=1)
    monkeypatch.setattr(
        market_module, "known_from", lambda index, config: usual(index, config) - early
    )
    (leak,) = audit_of(config_of(), inputs_of()).leaks
    assert leak.inputs == ("RUT",)
    assert leak.reach == 1


def test_filter_that_sees_the_future_is_found():
    @decorators.filter("hindsight")
    def hindsight(index):
        return index["close"].shift(-3) > index["close"]

    leak = only_leak(config_of(filters__mine__kind="hindsight"), inputs_of())
    assert (leak.name, leak.inputs, leak.reach) == ("filter hindsight", ("RUT",), 3)


def test_exit_that_sees_the_future_is_found_per_bar():
    @decorators.exit("hindsight")
    def hindsight(coin):
        return coin["close"].shift(-2) < coin["close"]

    leak = only_leak(config_of(rules__exits=["hindsight"]), inputs_of())
    assert (leak.name, leak.inputs) == ("exit hindsight", ("AAA-USD",))
    assert (leak.reach, leak.unit) == (2, "bar")


def test_sizing_by_the_whole_file_is_found():
    @decorators.sizing("hindsight")
    def hindsight(coin):
        return coin["close"] / coin["close"].max()

    leak = only_leak(config_of(size__mode="hindsight"), inputs_of())
    assert (leak.name, leak.inputs) == ("sizing hindsight", ("AAA-USD",))


def test_signal_that_sees_the_future_of_one_of_two_inputs_names_that_one():
    @decorators.signal("pair")
    def pair(index, coin):
        return coin["close"].shift(-1) > index["close"].mean() * 0 + coin["close"]

    leak = only_leak(config_of(rules__trigger="pair"), inputs_of())
    assert leak.inputs == ("AAA-USD",)


@pytest.mark.parametrize("kind", ["weighting", "selection"])
def test_basket_that_sees_the_future_is_found_in_the_run(kind):
    def hindsight(coins):
        later = np.vstack([coins.close[1:], coins.close[-1:]])
        return np.where(coins.alive, later / coins.close, np.nan)

    getattr(decorators, kind)("hindsight")(hindsight)
    coins = tuple(
        replace(coin_walk(420, seed=seed, start="2019-11-08"), instrument=coin(name))
        for seed, name in enumerate(("AAA", "BBB", "CCC"))
    )
    own = {"weights" if kind == "weighting" else "select": "hindsight"}
    basket = {"rebalance": "weekly", "min_members": 1, "min_age_days": 0, "top": 2} | own
    config = config_of(asset="ALTS", basket=basket, rules__hold_days=0)
    (leak,) = audit_of(config, replace(inputs_of(), coins=coins)).leaks
    assert leak.name.startswith("run (")
    assert "on_weight" in leak.name
    assert leak.reach == 1


def test_leak_refuses_a_run_with_audit_and_says_where():
    decorators.signal("leaky")(ZOO[0].function)
    config = config_of(rules__trigger="leaky")
    with pytest.raises(ConfigError, match=r"`--audit`: the signal leaky sees .* 1 session later"):
        require_no_leak(config, inputs_of())


def test_audit_notes_an_idle_parameter_and_the_history_needed():
    @decorators.signal("noted")
    def noted(index, *, window: int = 30, unused: int = 5):
        return index["close"] > index["close"].rolling(window).mean()

    notes = audit_of(config_of(rules__trigger="noted"), inputs_of()).notes
    assert "the signal noted needs at least 29 sessions of history, as far as was tried" in notes
    assert any("`unused` of the signal noted changes nothing" in note for note in notes)
    assert not any("`window`" in note for note in notes)


def test_signal_of_data_of_its_own_is_noted():
    decorators.signal("closed")(merged_on_date)
    found = audit_of(config_of(rules__trigger="closed"), inputs_of())
    assert any("the signal closed answers the same on other bars" in note for note in found.notes)


@pytest.mark.parametrize("number", [1, 3])
def test_random_clean_config_is_let_pass(number):
    ((_, found),) = audits(range(number, number + 1))
    assert found.ok, found
    assert found.looked[-1].cuts > 0


def test_drawn_configs_are_of_every_kind():
    configs = [drawn_config(number)[0] for number in range(60)]
    assert {each.asset for each in configs} == {"AAA", "ALTS"}
    assert {each.data.timeframe for each in configs} == {"1d", "1h"}
    own = {entry.kind for each in configs for entry in each.own_functions}
    assert own == {"signal", "filter", "exit", "sizing", "weighting"}
