"""How often a run says that the index adds something where it tells nothing of the coin."""

from collections import Counter

from backtests.analysis.run_significance import significance
from tests.calibration import ADDS, market_run
from tests.judged import FEW_DRAWS, judged

MARKETS = 60
SHARE = 0.05  # at most so often, of 400 markets; `python -m tests.calibration 400`


def test_better_signal_where_the_index_tells_nothing_is_the_index_in_at_most_its_share() -> None:
    better: Counter[str] = Counter()
    for seed in range(MARKETS):
        found = significance(market_run(seed, days=600, lookback=40), FEW_DRAWS)
        better[found.better] += 1
        assert found.better != "index" or found.shift_p_value <= SHARE
    assert better["index"] <= SHARE * MARKETS
    # most could be compared: else never saying it would be no merit
    assert better["undefined"] < 0.3 * MARKETS


def test_conclusion_where_the_index_leads_the_coin_says_that_it_adds_something() -> None:
    _, found, said = judged(market_run(0, days=600, lookback=40, effect=0.03))
    assert found.better == "index"
    assert ADDS in said.conclusion
