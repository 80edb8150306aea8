"""What a judgement says: always true, never flattering, and every statistic by its name."""

from dataclasses import replace

import numpy as np
import pytest

from backtests.analysis.overfitting import Overfitting, Superiority
from backtests.report.words.sweep import lines, statistics, verdict
from backtests.search.judging.judge import BarRange, Earned, Judgement

NOTHING = np.empty(0)
GOOD_SPLIT = Overfitting(0.05, 0.0, 0.2, 0.02, 0.9, NOTHING, NOTHING)
BAD_SPLIT = replace(GOOD_SPLIT, probability=0.53, low=0.05, high=1.0)
GOOD_TEST = Superiority(0.01, 0.02, 0.03, 0.04)
BAD_TEST = Superiority(0.3, 0.4, 0.5, 0.6)
BARS = BarRange(2_975, "2017-11-09", "2025-12-31")
GOOD = Judgement(
    best=22,
    asset="ETH",
    search="grid",
    trials=6_912,
    counted=6_912,
    effective_trials=5.2,
    reach=6_912,
    drawn=400,
    compared=401,
    left_out=0,
    trades=31,
    episodes=24,
    bars=BARS,
    shared_bars=BARS,
    periods_per_year=365.0,
    same_spans=True,
    earned=Earned(1.35, 0.594),
    held=Earned(0.76, 0.32),
    luckiest=0.95,
    deflated=0.97,
    deflated_effective=0.99,
    overfitting=GOOD_SPLIT,
    superiority=GOOD_TEST,
)
DOUBTED = replace(GOOD, deflated=0.9, overfitting=BAD_SPLIT, superiority=BAD_TEST)


def test_verdict_of_a_good_row_still_calls_it_the_best_of_many() -> None:
    assert verdict(GOOD) == (
        "Nothing here speaks for luck alone, but the best row is still the best of 6,912: try it "
        "on other bars before trusting it."
    )


def test_verdict_below_the_luckiest_says_no_better_than_luck() -> None:
    # whatever else is good about it
    found = replace(GOOD, earned=Earned(0.95, 0.5), luckiest=0.95)
    assert verdict(found) == (
        "The best row is no better than luck alone would show: its Sharpe ratio is 0.95, and the "
        "luckiest of 6,912 without skill is expected to reach 0.95."
    )


def test_verdict_above_the_luckiest_with_every_doubt_does_not_call_it_luck() -> None:
    assert verdict(DOUBTED) == (
        "The best row is better than luck alone would show, but not by enough to rule luck out: "
        "its Sharpe ratio is 1.35, and the luckiest of 6,912 without skill is expected to reach "
        "0.95."
    )


def test_verdict_with_some_doubts_names_them() -> None:
    assert verdict(replace(GOOD, overfitting=BAD_SPLIT)) == (
        "The evidence is divided: its deflated Sharpe ratio and its growth against buy-and-hold "
        "speak for the best row, the choice of the best in other bars does not."
    )


def test_verdict_of_a_row_behind_holding_is_not_all_good() -> None:
    # another of the compared trials may have beaten holding
    found = replace(GOOD, earned=Earned(1.35, 0.3))
    assert verdict(found).endswith("its growth against buy-and-hold does not.")


@pytest.mark.parametrize("undefined", [GOOD, DOUBTED])
def test_verdict_of_undefined_figures_is_never_positive(undefined: Judgement) -> None:
    assert "no better than luck" in verdict(replace(undefined, luckiest=np.nan))
    assert "divided" in verdict(replace(GOOD, deflated=np.nan))


@pytest.mark.parametrize(("episodes", "trades"), [(1, 1), (2, 2), (9, 40)])
def test_verdict_of_few_episodes_says_so_first_and_is_never_positive(
    episodes: int, trades: int
) -> None:
    found = verdict(replace(GOOD, episodes=episodes, trades=trades))
    counted = f"{trades} trade{'s' * (trades > 1)} in {episodes} independent episode"
    assert found.startswith(f"The best row rests on {counted}{'s' * (episodes > 1)} of the index, ")
    few = "fewer than 3 tell nothing" if episodes < 3 else "too few to tell skill from luck"
    assert few in found
    assert ("luck" in found) == (episodes >= 3)
    assert "Nothing here" not in found


def test_verdict_of_some_episodes_begins_with_their_number() -> None:
    found = verdict(replace(DOUBTED, episodes=13))
    assert found.startswith("On only 13 independent episodes of the index, the best row is better")


def test_verdict_of_a_row_that_never_trades_judges_nothing() -> None:
    found = replace(GOOD, trades=0, episodes=0, earned=Earned(np.nan, 0.0))
    assert verdict(found) == "The best row never trades, so there is nothing to judge."


def test_findings_name_every_statistic_once() -> None:
    names = [one.name for one in statistics(GOOD)]
    assert len(set(names)) == len(names)
    for name in (
        "Deflated Sharpe ratio",
        "Probability of backtest overfitting (PBO, by CSCV)",
        "Probability of loss out of sample",
        "Degradation slope",
        "Hansen's SPA p-value",
        "White's reality check",
    ):
        assert name in names


def test_findings_say_over_how_many_trials_and_bars() -> None:
    by_name = {one.name: one for one in statistics(GOOD)}
    assert by_name["Trials compared"].value == "401 of 6,912"
    assert by_name["Trials compared"].meaning.startswith("400 drawn at random")
    assert by_name["Sharpe ratio"].value == "1.35, holding 0.76"
    assert by_name["CAGR"].value == "59.4 %, holding 32.0 %"
    assert "Bars compared" not in by_name
    assert "growth (log returns)" in by_name["Hansen's SPA p-value"].meaning


def test_findings_of_shorter_shared_bars_give_their_dates() -> None:
    found = replace(GOOD, shared_bars=BarRange(1_000, "2023-04-07", "2025-12-31"), same_spans=False)
    text = str(statistics(found))
    assert "share, 2023-04-07 to 2025-12-31" in text
    assert "ranked each on its own bars, which differ" in text


def test_findings_with_a_tiny_p_value_do_not_call_it_zero() -> None:
    found = replace(GOOD, superiority=Superiority(0.0, 0.0, 0.0, 0.0))
    values = {one.name: one.value for one in statistics(found)}
    assert values["White's reality check"] == "< 0.001"


def test_lines_are_aligned_and_fit_a_terminal() -> None:
    shown = lines(replace(DOUBTED, counted=1_140_480, search="guided"))
    assert max(len(line) for line in shown) <= 100
    starts = {line.index(value) for line in shown for value in ("90.0 %", "2,975") if value in line}
    assert starts == {29}


def test_plain_figures_leave_the_splits_out() -> None:
    plain = GOOD.plain()
    assert plain["overfitting"].keys() == {
        "probability",
        "low",
        "high",
        "loss_probability",
        "degradation",
    }
    assert plain["bars"] == {"count": 2_975, "first": "2017-11-09", "last": "2025-12-31"}
