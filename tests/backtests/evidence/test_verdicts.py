"""The verdict rule, on figures made for it."""

import math

import pytest

from backtests.evidence.verdicts import Finding, verdict


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
    ("changes", "adjusted", "expected", "words"),
    [
        ({}, math.nan, "supported", "no single episode carries it"),
        ({}, 0.04, "supported", "1.0 % of random dates"),
        ({}, 0.2, "too little data to tell", "with all claims counted"),
        ({"left_out": -0.1}, 0.04, "too little data to tell", "without one episode"),
        ({"p_value": 0.3}, 1.0, "too little data to tell", "an effect of +40 % or more"),
        ({"p_value": 0.3, "high": 0.49}, 1.0, "not supported", "ends at +49 %, short of"),
        ({"episodes": 2}, 1.0, "too little data to tell", "Only 2 episodes"),
        ({"p_value": math.nan}, 1.0, "too little data to tell", "Only 6 episodes"),
        ({"decided": "not supported", "reason": "It fell."}, 0.01, "not supported", "It fell."),
        (
            {"p_value": 0.3, "unit": "share", "high": 0.2},
            1.0,
            "not supported",
            "+20 points, short of the claimed +50 points",
        ),
    ],
)
def test_verdict_follows_the_rule(
    changes: dict[str, object], adjusted: float, expected: str, words: str
) -> None:
    found, reason = verdict(finding(**changes), adjusted_p=adjusted)
    assert found == expected
    assert words in reason


def test_a_significant_effect_against_the_claim_is_not_support() -> None:
    found, _ = verdict(finding(estimate=-0.4, low=-0.6, high=-0.1, p_value=0.99))
    assert found == "not supported"
