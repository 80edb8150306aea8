"""The best time in the market, and what a run made without it: against the trades themselves."""

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.episodes import best_spell, is_plain, spells
from backtests.analysis.exposure import exposure_of
from backtests.analysis.run_figures import summarise
from tests.backtests import baskets


def test_best_spell_of_a_coin_is_its_best_trade() -> None:
    result, summary = baskets.run("costs.cash_rate=0")
    best, trades = summary.best, summary.trades
    assert len(trades) > 3
    assert best.spells == len(trades)
    best_trade = trades.loc[trades["return"].idxmax()]
    assert best.gain == pytest.approx(best_trade["return"], rel=1e-9)
    assert best.start == best_trade["entry_time"]
    total = summary.figures["strategy"]["total_return"]
    assert (1 + best.total_return) * (1 + best.gain) == pytest.approx(1 + total, rel=1e-9)
    others = trades["return"].drop(best_trade.name)
    assert best.total_return == pytest.approx(np.prod(1 + others) - 1, rel=1e-9)
    assert best.cagr == pytest.approx((1 + best.total_return) ** (365.25 / result.days) - 1)


def test_best_spell_of_a_basket_takes_all_its_members_out() -> None:
    result, summary = baskets.basket()
    best = summary.best
    assert not is_plain(result)
    assert best.spells == len(spells(result))
    assert len(summary.trades) > best.spells
    held = result.strategy.bars["weight"]
    during = held[(held.index >= best.start) & (held.index < best.end)]
    assert (during > 0.9).all()


def test_best_spell_without_it_earns_what_idle_money_earns() -> None:
    result, _ = baskets.run("costs.cash_rate=0.1", "rules.hold_days=200")
    exposure = exposure_of(result)
    best = best_spell(result, exposure)
    if best.spells == 1:
        cash = np.prod(1 + exposure.idle_returns) - 1
        assert best.total_return == pytest.approx(cash)
    # an open spell has no end
    assert pd.isna(best.end) or best.end > best.start


def test_best_spell_of_a_run_that_never_traded_is_undefined() -> None:
    result, summary = baskets.run("rules.trigger=breakout", "signal.base=5000")
    assert summary.trades.empty
    assert summary.best.spells == 0
    assert np.isnan(summary.best.cagr)
    assert np.isnan(summarise(result).figures["strategy"]["cagr_without_best"])
