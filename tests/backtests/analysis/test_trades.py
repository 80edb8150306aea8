"""Round trips, and the episodes a run rests on: their figures add up to the run's."""

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.episodes import best_spell, episode_starts, trigger_sessions
from backtests.analysis.exposure import exposure_of
from backtests.analysis.run_figures import summarise
from backtests.analysis.trades import round_trips, spell_figures, trade_profits
from backtests.config.config import load_config
from backtests.engines.account import fills_table
from backtests.engines.backtest import Run, backtest

LAST = pd.Timestamp("2024-03-01", tz="UTC")


def filled(*rows):
    return fills_table(
        [
            (pd.Timestamp(2024, 1, day, tz="UTC"), symbol, side, units, price, commission, reason)
            for symbol, day, side, units, price, commission, reason in rows
        ]
    )


def trades_of(*rows):
    """Each row: symbol, day of January, side, units, price, commission, reason."""
    return round_trips(
        filled(*rows),
        last_time=LAST,
        last_closes=dict.fromkeys(("ETH-USD", "AAA-USD", "BBB-USD"), 20.0),
    )


def test_round_trips_closed_and_open_are_told_apart():
    table = trades_of(
        ("ETH-USD", 1, "buy", 10.0, 10.0, 1.0, "new_high"),
        ("ETH-USD", 11, "sell", 10.0, 12.0, 2.0, "window"),
        ("ETH-USD", 20, "buy", 5.0, 16.0, 0.0, "breakout"),
    )
    assert table["status"].tolist() == ["closed", "open"]
    assert table["return"].tolist() == pytest.approx([118 / 101 - 1, 20 / 16 - 1])
    assert table["days"].tolist() == [10, 41]
    assert table["exit_reason"].tolist() == ["window", ""]
    assert pd.isna(table["exit_time"][1])


def test_round_trips_several_buys_and_sells_make_one_trade():
    table = trades_of(
        ("ETH-USD", 1, "buy", 10.0, 10.0, 0.0, "new_high"),
        ("ETH-USD", 2, "buy", 10.0, 20.0, 0.0, "new_high"),
        ("ETH-USD", 3, "sell", 5.0, 30.0, 0.0, "trim"),
        ("ETH-USD", 4, "sell", 15.0, 30.0, 0.0, "window"),
    )
    assert len(table) == 1
    # the first fill's price; the return is that of all the money
    assert table["entry_price"][0] == pytest.approx(10)
    assert table["later_fills"][0] == 2
    assert table["exit_price"][0] == pytest.approx(30)
    assert table["return"][0] == pytest.approx(1.0)


@pytest.mark.parametrize("units", [1e-14, 1.0, 1e9])
def test_round_trips_of_any_size_end_with_their_sale(units):
    table = trades_of(
        ("ETH-USD", 1, "buy", 1e6, 10.0, 0.0, "new_high"),
        ("ETH-USD", 2, "sell", 1e6, 10.0, 0.0, "window"),
        ("ETH-USD", 3, "buy", 0.1 * units, 10.0, 0.0, "new_high"),
        ("ETH-USD", 4, "buy", 0.2 * units, 10.0, 0.0, "scale_in"),
        ("ETH-USD", 5, "sell", 0.3 * units, 20.0, 0.0, "window"),
        ("ETH-USD", 6, "buy", units, 10.0, 0.0, "new_high"),
    )
    assert table["status"].tolist() == ["closed", "closed", "open"]
    assert table["return"].tolist() == pytest.approx([0, 1, 1])


def test_round_trips_two_symbols_do_not_mix():
    table = trades_of(
        ("AAA-USD", 1, "buy", 10.0, 10.0, 0.0, "new_high"),
        ("BBB-USD", 2, "buy", 10.0, 10.0, 0.0, "new_high"),
        ("AAA-USD", 3, "sell", 10.0, 5.0, 0.0, "window"),
    )
    assert table["symbol"].tolist() == ["AAA-USD", "BBB-USD"]
    assert table["return"].tolist() == pytest.approx([-0.5, 1.0])


def test_round_trips_no_fills_is_an_empty_table():
    assert trades_of().empty


def test_episode_starts_events_within_the_gap_are_one():
    events = np.array([5, 6, 60, 66, 127])
    assert episode_starts(events, gap=60).tolist() == [5, 127]
    assert episode_starts(np.array([], dtype=np.int64)).size == 0


def test_trade_profits_are_the_money_of_round_trips_in_their_order():
    rows = (
        ("BBB-USD", 1, "buy", 10.0, 10.0, 1.0, "new_high"),
        ("BBB-USD", 11, "sell", 10.0, 12.0, 2.0, "window"),
        ("AAA-USD", 3, "buy", 5.0, 16.0, 0.5, "breakout"),
        ("BBB-USD", 20, "buy", 2.0, 30.0, 1.0, "breakout"),
    )
    profits = trade_profits(filled(*rows), last_closes=dict.fromkeys(("AAA-USD", "BBB-USD"), 20.0))
    assert profits.tolist() == [118.0 - 101.0, 100.0 - 80.5, 40.0 - 61.0]
    table = trades_of(*rows)
    assert (np.sign(profits) == np.sign(table["return"])).all()


def test_trade_profits_of_no_fills_are_none():
    assert trade_profits(fills_table([]), last_closes={}).size == 0


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
