"""Spans found by skipping, against the step function asked on every bar."""

import functools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.config.config import Config
from backtests.market.inputs import Inputs
from backtests.search.plan import with_values
from backtests.search.space import column_of
from backtests.search.trials.evaluate import _trials
from backtests.search.trials.groups import Library, join
from backtests.search.trials.spans import spans_bar_by_bar, spans_between_events, trial_at
from tests.markets import coin_walk, index_walk

DAY = 86_400.0


@functools.cache
def library(seed: int) -> Library:
    coin = coin_walk(1_200, seed=seed + 1, start="2017-03-01")
    inputs = Inputs(index_walk(1_300, seed=seed), (coin,))
    return Library(load=lambda _: inputs)


def off_or(low: float, high: float) -> st.SearchStrategy[float]:
    return st.one_of(st.just(0.0), st.floats(low, high))


@settings(max_examples=300)
@given(
    seed=st.integers(0, 5),
    start=st.sampled_from(["", "", "2017-04-20", "2018-03-03", "2019-01-15"]),
    lookback=st.sampled_from([20, 63, 252]),
    trigger=st.sampled_from(["new_high", "support_held", "any"]),
    rules=st.fixed_dictionaries(
        {
            "hold_days": st.sampled_from([0, 1, 3, 20, 90, 400]),
            "exit_on_support_lost": st.booleans(),
            "stop_loss": off_or(0.005, 0.6),
            "trailing_stop": off_or(0.005, 0.6),
            "index_drawdown": off_or(0.002, 0.3),
        }
    ),
)
def test_spans_between_events_equal_those_of_the_step_function_on_every_bar(
    seed: int, start: str, lookback: int, trigger: str, rules: dict[str, float]
) -> None:
    shared = {"signal.lookback": lookback, "rules.trigger": trigger, "signal.confirm": 2}
    shared["data.start"] = start
    changed = shared | {f"rules.{name}": value for name, value in rules.items()}
    config = with_values(Config(), changed)
    tape, group = library(seed).tape(config), library(seed).group(config)
    columns = {"rules.hold_days": column_of([config.rules.hold_days])}
    trials = _trials(config, columns, np.zeros(1, np.int64))
    found, expected = np.zeros((2, tape.close.size, 2), np.int64)
    events, ones = join([group]), np.ones(tape.close.size)
    trial = trial_at(events, trials, 0)
    count = spans_between_events(tape, events, trial, found)
    assert count == spans_bar_by_bar(tape, events, trial, expected, ones)
    np.testing.assert_array_equal(found, expected)
