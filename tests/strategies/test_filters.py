import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.arrays import DAY_IN_NANOSECONDS
from strategies.filters import Gate, Readings, gate_states, pass_gates
from strategies.registry import entries
from strategies.rule_settings import READY_MADE, FilterSettings

NAN = float("nan")


def readings(values, benchmark=None, start="2024-01-01"):
    dates = pd.date_range(start, periods=len(values))
    other = np.full(len(values), np.nan) if benchmark is None else np.array(benchmark, float)
    return Readings(np.array(values, float), dates, other)


def states(values, benchmark=None, **settings):
    return gate_states(readings(values, benchmark), settings=FilterSettings(**settings))


# values, settings, expected states; NaN is "not known yet"
CASES = [
    ([1, 2, 3, 2], {"kind": "moving_average", "window": 2}, [NAN, 1, 1, 0]),
    ([5, 6, 5], {"rule": "above", "level": 5.0}, [0, 1, 0]),
    ([5, 6, 4], {"rule": "below", "level": 5.0}, [0, 0, 1]),
    ([1, 2, 1, 1], {"rule": "rising", "window": 1}, [NAN, 1, 0, 0]),
    ([1, 2, 1, 1], {"rule": "falling", "window": 1}, [NAN, 0, 1, 0]),
    ([1, 3, 2, 4], {"rule": "new_high", "window": 2}, [NAN, 1, 0, 1]),
    ([1, 3, 2], {"measure": "change", "window": 1, "rule": "above"}, [NAN, 1, 0]),
    ([1, -3, 3], {"measure": "sum", "window": 2, "rule": "above"}, [NAN, 0, 0]),
    ([1, -3, 3], {"measure": "sum_this_year", "rule": "above"}, [1, 0, 1]),
]


@pytest.mark.parametrize(("values", "settings", "expected"), CASES)
def test_gate_states_tape_reads_as_written(values, settings, expected):
    np.testing.assert_array_equal(states(values, **settings), expected)


def test_relative_strength_compares_with_the_benchmark_and_unknown_where_it_has_none():
    found = states(
        [10, 12, 12, 12], [10, 10, NAN, 16], kind="relative_strength", window=1, rule="new_high"
    )
    np.testing.assert_array_equal(found, [1, 1, NAN, 1])
    above = states([10, 12, 9], [10, 10, 10], kind="relative_strength", window=2)
    np.testing.assert_array_equal(above, [NAN, 1, 0])


def test_relative_strength_one_missing_bar_blinds_its_own_session_alone():
    rng = np.random.default_rng(0)
    index = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 600)))
    other = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 600)))
    holed = other.copy()
    holed[300] = NAN
    for rule in ("above", "new_high"):
        settings = {"kind": "relative_strength", "window": 200, "rule": rule}
        found = states(index, holed, **settings)
        assert np.flatnonzero(np.isnan(found)).tolist() == [*range(199), 300]
        # the windows count the values there are: as if that session had not been
        there = np.delete(np.arange(600), 300)
        np.testing.assert_array_equal(found[there], states(index[there], other[there], **settings))
    # a benchmark that ends leaves all after it unknown
    holed[400:] = NAN
    assert np.isnan(states(index, holed, kind="relative_strength", window=200)[400:]).all()


def test_sum_this_year_starts_anew_in_january():
    values = readings([5, -1, -2], start="2023-12-31")
    settings = FilterSettings(measure="sum_this_year", rule="above")
    np.testing.assert_array_equal(gate_states(values, settings=settings), [1, 0, 0])


@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40),
    name=st.sampled_from(sorted(READY_MADE)),
    data=st.data(),
)
def test_gate_states_prefix_is_invariant(values, name, data):
    settings = FilterSettings(**(READY_MADE[name] | {"window": 3}))
    cut = data.draw(st.integers(1, len(values)))
    other = list(reversed(values))
    with np.errstate(all="ignore"):
        whole = gate_states(readings(values, other), settings=settings)
        part = gate_states(readings(values[:cut], other[:cut]), settings=settings)
    np.testing.assert_array_equal(part, whole[:cut])


def gate(known_days, states, max_age_days=5, unknown="block"):
    settings = FilterSettings(max_age_days=max_age_days, unknown=unknown)
    known = np.array(known_days) * DAY_IN_NANOSECONDS
    max_age = max_age_days * DAY_IN_NANOSECONDS
    return Gate("g", known.astype(np.int64), np.array(states, float), max_age, settings)


def test_gate_at_changes_nothing_before_its_publication_and_goes_stale():
    instants = np.array([0, 9, 10, 15, 16]) * DAY_IN_NANOSECONDS
    found = gate([10], [1.0]).at(instants)
    np.testing.assert_array_equal(found, [NAN, NAN, 1, 1, NAN])


def test_gate_without_observations_is_unknown_throughout():
    assert np.isnan(gate([], []).at(np.array([1, 2]))).all()


@pytest.mark.parametrize(("unknown", "expected"), [("block", [0, 0, 1]), ("pass", [1, 0, 1])])
def test_passed_unknown_is_decided_by_the_settings(unknown, expected):
    found = pass_gates(np.array([NAN, 0.0, 1.0]), unknown=unknown)
    assert found.tolist() == [bool(value) for value in expected]


@pytest.mark.parametrize("name", READY_MADE)
def test_ready_made_filter_is_valid_and_of_a_known_kind(name):
    assert FilterSettings(**READY_MADE[name]).kind in entries("filter")
