"""A planted claim is found, an absent one is not; `python -m tests.planted 300` has the rates."""

import pytest

from tests.planted import CLAIMED, Judgement, judge_markets, rates

MARKETS = 30
# of 30 markets with 5 % each more than five miss in one of three hundred tests
MOST = 5 / MARKETS


@pytest.fixture(scope="module")
def judged() -> dict[float, list[Judgement]]:
    return judge_markets(MARKETS)


def test_absent_claim_is_found_as_seldom_as_stated(judged: dict[float, list[Judgement]]) -> None:
    found = rates(judged[0.0])
    assert found["p of all dates at most 5 %"] <= MOST
    assert found["supported"] <= MOST
    assert found["curve's p at most 5 %"] <= MOST


def test_planted_claim_is_found_by_its_reading_and_by_the_curve(
    judged: dict[float, list[Judgement]],
) -> None:
    found = rates(judged[CLAIMED])
    assert found["p of all dates at most 5 %"] > 0.8
    assert found["curve's p at most 5 %"] > 0.6


@pytest.mark.parametrize("planted", [0.0, CLAIMED])
def test_interval_misses_the_true_effect_to_either_side_as_seldom_as_it_says(
    judged: dict[float, list[Judgement]], planted: float
) -> None:
    found = rates(judged[planted])
    assert found["interval ends below the true effect"] <= MOST
    assert found["interval begins above the true effect"] <= MOST
