"""The episodes a run rests on: their figures add up to the run's."""

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.episodes import best_spell, trigger_sessions
from backtests.analysis.exposure import exposure_of
from backtests.analysis.summary import summarise
from backtests.analysis.trades import spell_figures
from backtests.config.config import load_config
from backtests.engines.backtest import Run, backtest


@pytest.fixture(scope="module")
def run(request: pytest.FixtureRequest) -> Run:
    folder = request.getfixturevalue("shared_data")
    given = ("data.source=files", f"data.data_dir={folder}", "rules.trigger=new_high")
    return backtest(load_config(None, overrides=given))


def test_shares_add_up_and_gains_chain_to_the_total(run: Run) -> None:
    found = spell_figures(run)
    total = run.strategy.equity.iloc[-1] / run.strategy.initial_cash
    assert sum(each.share for each in found) == pytest.approx(1.0)
    assert np.prod([1 + each.gain for each in found]) == pytest.approx(total)
    best = max(each.gain for each in found)
    without = best_spell(run, exposure_of(run)).total_return
    assert 1 + without == pytest.approx(total / (1 + best))


def test_each_stretch_is_a_trade_and_the_coin_did_as_well_but_for_costs(run: Run) -> None:
    found = spell_figures(run)
    costs = (1 - 0.0005) * (1 - 0.001) / ((1 + 0.0005) * (1 + 0.001))
    over = [each for each in found if not pd.isna(each.spell.end)]
    assert len(over) > 3
    for each in over:
        assert 1 + each.gain == pytest.approx((1 + each.coin) * costs, rel=1e-6)


def test_stays_are_numbered_by_the_episode_of_the_index_they_fall_into(run: Run) -> None:
    found = spell_figures(run)
    numbers = [each.episode for each in found]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) < len(numbers)
    assert len(set(numbers) - {0}) == summarise(run).episodes_traded
    # more than 60 sessions without a trigger lie before each episode
    firsts = {each.episode: each for each in reversed(found) if each.episode > 1}
    sessions = run.market.index.frame.index
    triggers = sessions[trigger_sessions(run)]
    for each in firsts.values():
        before = triggers[triggers < each.session]
        assert sessions.get_loc(each.session) - sessions.get_loc(before[-1]) > 60


def test_trigger_is_the_session_before_the_entry_with_its_close(run: Run) -> None:
    each = next(one for one in spell_figures(run) if one.spell.start.year == 2020)
    assert (f"{each.session:%Y-%m-%d}", each.index_level) == ("2020-11-13", 1744.04)
    frame = run.market.coin.frame
    after = frame["open"].asof(each.spell.end + pd.Timedelta(days=90))
    assert each.after == pytest.approx(after / frame["open"].loc[each.spell.end] - 1)
