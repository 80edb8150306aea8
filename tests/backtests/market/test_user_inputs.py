"""What own functions are given: nothing before it was known."""

import numpy as np
import pandas as pd
import pytest

from backtests.config.config import load_config
from backtests.market.inputs import Inputs
from backtests.market.known_when import known_from
from backtests.market.user_inputs import Known
from feeds.errors import ConfigError
from strategies import decorators
from strategies.registry import find
from tests.clean_audits import m2_series
from tests.markets import coin_walk, index_walk

INPUTS = Inputs(
    index_walk(120, seed=1, end="2020-12-31"),
    (coin_walk(150, seed=2, start="2020-08-04"),),
    series={"M2SL": m2_series(lagged=True)},
)
KNOWN = Known(INPUTS, known_from(INPUTS.index, load_config(None)), INPUTS.coins[0])
INDEX, COIN = INPUTS.index.frame, INPUTS.coins[0].frame


@pytest.fixture
def given():
    @decorators.signal("asking")
    def asking(index, coin, m2sl, absent):
        return index

    @decorators.exit("leaving")
    def leaving(coin, index, m2sl):
        return coin

    signal, exits = find("signal", "asking"), find("exit", "leaving")
    return (
        dict(zip(signal.reads, KNOWN.per_session(signal), strict=True)),
        dict(zip(exits.reads, KNOWN.per_bar(exits), strict=True)),
    )


def test_session_sees_itself_and_the_coin_bar_that_ended_before_its_close(given):
    per_session, _ = given
    pd.testing.assert_frame_equal(
        per_session["index"], INDEX[["open", "high", "low", "close"]], check_freq=False
    )
    for session, close in per_session["coin"]["close"].items():
        before = COIN["close"][: session.tz_localize("UTC") - pd.Timedelta(days=1)]
        if len(before):
            assert close == before.iloc[-1]
        else:
            assert np.isnan(close)


def test_bar_sees_the_last_session_that_closed_before_its_end(given):
    _, per_bar = given
    assert per_bar["coin"]["close"].tolist() == COIN["close"].tolist()
    for day, close in per_bar["index"]["close"].items():
        assert close == INDEX["close"][: day.tz_localize(None)].iloc[-1]


@pytest.mark.parametrize("rows", [0, 1], ids=["session", "bar"])
def test_series_value_is_never_seen_before_it_was_available(given, rows):
    frame = INPUTS.series["M2SL"].frame
    instants = pd.to_datetime((KNOWN.sessions, KNOWN.ends)[rows], utc=True)
    values = given[rows]["m2sl"]
    assert len(values) == len(instants)
    for instant, value in zip(instants, values, strict=True):
        assert value == frame["value"][(frame["available_at"] <= instant).to_numpy()].iloc[-1]
    assert values.nunique() > 3


def test_series_that_is_not_to_be_had_is_unknown(given):
    assert given[0]["absent"].isna().all()


def test_coin_of_a_study_is_refused_with_a_remedy():
    @decorators.signal("asking")
    def asking(index, coin):
        return index

    study = Known(INPUTS, KNOWN.available_at)
    with pytest.raises(ConfigError, match="the signal 'asking' reads `coin`, and a study has"):
        study.per_session(find("signal", "asking"))
