"""Spans found by skipping, against the step function asked on every bar."""

import functools

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backtests.config.config import Config
from backtests.market.inputs import Inputs
from backtests.market.market import build_market, market_schedule
from backtests.search.parameter_space import column_of
from backtests.search.plan import with_values
from backtests.search.trials.evaluate import _trials
from backtests.search.trials.holding_spans import spans_between_events
from backtests.search.trials.position_paths import Paths
from backtests.search.trials.routes import NO_POSITIONS, paths_on
from backtests.search.trials.trial_events import Trial, join, trial_at
from backtests.search.trials.trial_library import Library
from feeds.arrays import Flags, Integers
from strategies.position_rule import ENTER, STAY, Moment, State, step
from tests.markets import coin_walk, index_walk

DAY = 86_400.0


@functools.cache
def library(seed: int) -> Library:
    coin = coin_walk(1_200, seed=seed + 1, start="2017-03-01")
    inputs = Inputs(index_walk(1_300, seed=seed), (coin,))
    return Library(load=lambda _: inputs)


def spans_of_every_bar(config: Config, trial: Trial, can_buy: Flags) -> list[tuple[int, int, int]]:
    """Return the spans of a rule that is asked on every bar, from the lines of a run's own tape."""
    inputs = library_inputs(config)
    market = build_market(config, inputs)
    lines, schedule = market.tape.lines, market_schedule(market, config)
    opens = market.coin.frame.index.as_unit("ns").asi8
    lines = lines | schedule.lines(opens, (lines["bar_end"] * 1e9).astype(np.int64))
    state = State(trial.window_end, trial.blocked)
    planned, entry_price, begun, found = STAY, np.nan, 0, []
    if lines["time"][0] < state.window_end and can_buy[0]:
        # decided before the first bar: the index counts from its last close of then
        planned, known = ENTER, library(int(config.costs.initial_cash)).tape(config).index_known
        state = state._replace(index_high=known[0])
    for bar in range(trial.stop):
        price = lines["open"][bar] * (1 + trial.money.slippage)
        if planned == ENTER:
            entry_price, begun = price, bar
        elif planned != STAY:
            found.append((begun, bar))
            entry_price = np.nan
        if bar == trial.first and not np.isnan(entry_price) and begun < bar:
            # the trial's own trading begins: its own entry, if it can make one
            entry_price = price if can_buy[bar] else np.nan
            state = state._replace(highest_close=-np.inf, index_high=lines["index_close"][bar - 1])
            begun = begun if can_buy[bar] else bar
        moment = Moment(
            time=lines["bar_end"][bar],
            close=lines["close"][bar],
            index_close=lines["index_close"][bar],
            session=int(lines["session"][bar]),
            trigger_session=int(lines["trigger_session"][bar]),
            lost_session=int(lines["lost_session"][bar]),
            gate=lines["gate"][bar] > 0,
            leave=int(lines["leave"][bar]),
        )
        state, planned = step(trial.rule, state, moment, entry_price)
        if planned == ENTER and bar + 1 < can_buy.size and not can_buy[bar + 1]:
            planned = STAY
    if not np.isnan(entry_price):
        found.append((begun, trial.stop))
    first = trial.first
    return [(max(a, first), b, max(first - a, 0)) for a, b in found if b > first]


def library_inputs(config: Config) -> Inputs:
    return library(int(config.costs.initial_cash)).inputs(config)


def off_or(low: float, high: float) -> st.SearchStrategy[float]:
    return st.one_of(st.just(0.0), st.floats(low, high))


rules = st.fixed_dictionaries(
    {
        "hold_days": st.sampled_from([0, 1, 3, 20, 90, 400]),
        "exit_on_support_lost": st.booleans(),
        "stop_loss": off_or(0.005, 0.6),
        "trailing_stop": off_or(0.005, 0.6),
        "index_drawdown": off_or(0.002, 0.3),
    }
)
shared = st.fixed_dictionaries(
    {
        "data.start": st.sampled_from(["", "", "2017-04-20", "2018-03-03", "2019-01-15"]),
        "signal.lookback": st.sampled_from([20, 63, 252]),
        "rules.trigger": st.sampled_from(["new_high", "support_held", "any"]),
        "signal.confirm": st.just(2),
        "costs.initial_cash": st.integers(1, 6).map(float),  # the seed of the walks
    }
)
trend = st.fixed_dictionaries(
    {
        "filters.index_trend.window": st.sampled_from([3, 20, 120]),
        "filters.index_trend.on_exit": st.booleans(),
        "filters.index_trend.unknown": st.sampled_from(["pass", "block"]),
    }
)


def spans(config: Config, paths: Paths) -> tuple[Trial, Integers]:
    """Return a config's only trial, and its spans as the kernel finds them."""
    own = library(int(config.costs.initial_cash))
    tape, group = own.tape(config), own.group(config)
    columns = {"rules.hold_days": column_of([config.rules.hold_days])}
    trials = _trials(config, columns, np.zeros(1, np.int64))
    events, found = join([group]), np.zeros((tape.close.size, 3), np.int64)
    trial = trial_at(events, trials, 0, tape.bar_interest)
    return trial, found[: spans_between_events(tape, events, paths, trial, found)]


FALL_AT_THE_FIRST_OPEN = {
    "shared": {
        "data.start": "",
        "signal.lookback": 20,
        "rules.trigger": "new_high",
        "signal.confirm": 2,
        "costs.initial_cash": 2.0,
    },
    "rules": {
        "hold_days": 0,
        "exit_on_support_lost": False,
        "stop_loss": 0.0,
        "trailing_stop": 0.0,
        "index_drawdown": 1 / 256,
    },
    "filters": {},
}


@settings(max_examples=300)
@example(**FALL_AT_THE_FIRST_OPEN)
@given(shared=shared, rules=rules, filters=st.one_of(st.just({}), trend))
def test_spans_between_events_equal_those_of_the_step_function_on_every_bar(
    shared: dict[str, object], rules: dict[str, float], filters: dict[str, object]
) -> None:
    own = {f"rules.{name}": value for name, value in rules.items()}
    config = with_values(Config(), shared | own | filters)
    trial, found = spans(config, paths_on(NO_POSITIONS))
    expected = spans_of_every_bar(config, trial, np.ones(trial.stop + 1, np.bool_))
    assert list(map(tuple, found.tolist())) == expected


@settings(max_examples=100)
@given(shared=shared, rules=rules, filters=st.one_of(st.just({}), trend), seed=st.integers(0, 99))
def test_spans_where_some_opens_cannot_be_bought_wait_as_the_step_function_does(
    shared: dict[str, object], rules: dict[str, float], filters: dict[str, object], seed: int
) -> None:
    own = {f"rules.{name}": value for name, value in rules.items()}
    config = with_values(Config(), shared | own | filters)
    bars = len(library_inputs(config).coins[0])
    rng = np.random.default_rng(seed)
    can_buy = np.append(np.repeat(rng.random(bars // 12) < 0.5, 12), False)
    places = np.where(can_buy, np.arange(bars + 1), bars)
    possible = np.ascontiguousarray(np.minimum.accumulate(places[::-1])[::-1])
    trial, found = spans(config, paths_on(NO_POSITIONS)._replace(possible=possible))
    assert list(map(tuple, found.tolist())) == spans_of_every_bar(config, trial, can_buy)
