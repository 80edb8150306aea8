import numpy as np
import pandas as pd
import pytest

from feeds.errors import ConfigError
from strategies import decorators
from strategies.registry import find
from strategies.user_functions import amounts, flags_of, states

INDEX = pd.DataFrame(
    {"close": [1.0, 2.0, 3.0]}, index=pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"])
)


def entry_of(answer, kind="signal"):
    subject = {"signal": "index", "filter": "index", "sizing": "coin"}[kind]
    names = {"answer": answer}
    exec(f"def function({subject}):\n    return answer({subject})", names)  # noqa: S102
    getattr(decorators, kind)("mine")(names["function"])
    return find(kind, "mine")


@pytest.mark.parametrize(
    "answer",
    [[True, False, True], [1, 0, 2], [1.0, 0.0, 3.0], pd.Series([True, False, True])],
    ids=["flags", "codes", "floats", "series"],
)
def test_flags_are_where_the_answer_is_above_nothing(answer):
    found = flags_of(entry_of(lambda _: answer), [INDEX], parameters={})
    assert found.dtype == np.bool_
    assert found.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([True, False], "one value per session, 3; received 2"),
        (True, "received one value"),
        ([1.0, np.nan, 0.0], r"received nan on 1 of 3 rows, the first 2024-01-03\. Say false"),
        ([-1, 0, 1], "received -1.0"),
        ([0.5, 0, 1], "received 0.5"),
        (["a", "b", "c"], "must answer flags or numbers"),
    ],
)
def test_answer_that_is_no_flags_is_refused(answer, said):
    with pytest.raises(ConfigError, match=said):
        flags_of(entry_of(lambda _: answer), [INDEX], parameters={})


def test_function_that_fails_is_named_with_its_own_line():
    @decorators.signal("mine")
    def mine(index):
        return index["close"].rolling(2, min_periods=5).max()

    line = mine.__code__.co_firstlineno + 2
    with pytest.raises(
        ConfigError, match=f"failed at test_user_functions.py, line {line}: ValueError"
    ):
        flags_of(find("signal", "mine"), [INDEX], parameters={})


def test_function_may_change_what_it_is_given():
    def change(index):
        index["close"] = 0.0
        return index["close"] > 1

    assert not flags_of(entry_of(change), [INDEX], parameters={}).any()
    assert INDEX["close"].tolist() == [1.0, 2.0, 3.0]


def test_filter_may_not_know():
    found = states(entry_of(lambda _: [np.nan, True, False], "filter"), [INDEX], parameters={})
    np.testing.assert_array_equal(found, [np.nan, 1, 0])
    with pytest.raises(ConfigError, match="received 2.0"):
        states(entry_of(lambda _: [2.0, 1, 0], "filter"), [INDEX], parameters={})


def test_sizing_is_of_nothing_and_more_or_unknown():
    entry = entry_of(lambda _: [np.nan, 0.5, 1], "sizing")
    found = amounts(entry, [INDEX], parameters={}, shape=(3,))
    np.testing.assert_array_equal(found, [np.nan, 0.5, 1])
    for wrong in ([-0.1, 0, 1], [np.inf, 0, 1]):
        with pytest.raises(ConfigError, match="numbers of 0 and more"):
            amounts(entry_of(lambda _, w=wrong: w, "sizing"), [INDEX], parameters={}, shape=(3,))
