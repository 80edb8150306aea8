"""The verdict rule, on figures made for it."""

import math

import pytest

from backtests.claims.verdicts import Finding, verdict
from backtests.report.words.claims import among_all, reason


def finding(**changes: object) -> Finding:
    usual: dict[str, object] = {
        "asset": "BTC",
        "figure": "",
        "estimate": 0.6,
        "low": 0.1,
        "high": 1.4,
        "p_value": 0.01,
        "claimed": 0.5,
        "detectable": 0.4,
        "left_out": 0.3,
        "episodes": 6,
    }
    return Finding(**{**usual, **changes})


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({}, "supported", "no single episode carries it: without any one, at least +30 % is left"),
        ({}, "supported", "Only 1.0 % of random dates"),
        (
            {"high": 0.45},
            "not supported",
            "at least +30 % is left. But the interval ends at +45 %, short of the claimed +50 %.",
        ),
        ({"left_out": -0.1}, "too little data to tell", "without one episode nothing"),
        ({"left_out": math.nan}, "too little data to tell", "no episode can be left out"),
        ({"p_value": 0.3}, "too little data to tell", "an effect of +40 % or more"),
        ({"p_value": 0.3, "high": 0.49}, "not supported", "ends at +49 %, short of"),
        ({"p_era": 0.03}, "supported", "Only 3.0 % of random dates of the same four-year era"),
        (
            {"p_era": 0.21, "p_matched": 0.04},
            "too little data to tell",
            "Against random dates of the same four-year era p is 0.21: the event is not told from "
            "its times (against all dates p is 0.010). 6 episodes could",
        ),
        (
            {"p_era": 0.04, "p_matched": 0.3, "high": 0.49},
            "not supported",
            "with the same trend and volatility p is 0.30: the event is not told from the "
            "market it fell into (against all dates p is 0.010). The interval ends at +49 %",
        ),
        ({"p_value": 0.2, "p_era": 0.01}, "too little data to tell", "6 episodes could show only"),
        ({"episodes": 2}, "too little data to tell", "Only 2 episodes"),
        ({"p_value": math.nan}, "too little data to tell", "Only 6 episodes"),
        ({"decided": "not supported", "reason": "It fell."}, "not supported", "It fell."),
        (
            {"p_value": 0.3, "unit": "share", "high": 0.2},
            "not supported",
            "+20 points, short of the claimed +50 points",
        ),
    ],
)
def test_verdict_follows_the_rule(changes: dict[str, object], expected: str, words: str) -> None:
    one = finding(**changes)
    found = verdict(one)
    assert found == expected
    assert words in reason(one)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "beyond luck"),
        ({"left_out": -0.1}, "too little data to tell"),
        ({"p_value": 0.3}, "not told from luck"),
        ({"p_value": 0.99, "estimate": -0.4, "high": -0.1}, "not told from luck"),
        ({"episodes": 2}, "too little data to tell"),
    ],
)
def test_verdict_on_an_event_speaks_of_no_claim(changes: dict[str, object], expected: str) -> None:
    one = finding(claimed=math.nan, **changes)
    found = verdict(one)
    assert found == expected
    assert "claim" not in reason(one)
    assert "nan" not in reason(one)


def test_hardest_placebo_is_the_largest_p_that_is_defined() -> None:
    assert (finding().hardest, finding().hardest_p) == ("all", 0.01)
    assert finding(p_era=0.01).hardest == "all"
    assert finding(p_era=0.2, p_matched=0.3).hardest == "matched"
    assert finding(p_era=0.2, p_matched=math.nan).hardest_p == 0.2
    assert math.isnan(finding(p_value=math.nan).hardest_p)


def test_counted_says_what_is_left_among_all_and_nothing_of_one_alone() -> None:
    assert among_all(0.02, 0.02, findings=1) == ""
    assert among_all(0.02, math.nan, findings=9) == ""
    assert among_all(0.001, 0.02, findings=20).endswith("(Holm), p is 0.02.")
    assert "luck alone can bring one such" in among_all(0.02, 0.4, findings=20)
    assert "luck" not in among_all(0.3, 1.0, findings=20)


def test_a_significant_effect_against_the_claim_is_not_support() -> None:
    found = verdict(finding(estimate=-0.4, low=-0.6, high=-0.1, p_value=0.99))
    assert found == "not supported"
