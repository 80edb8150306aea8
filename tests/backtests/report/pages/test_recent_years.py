"""The last years alone: tiles, figures and tables of the bars since, and of no others."""

import empyrical
import numpy as np
import pandas as pd
import pytest

from backtests.analysis.regimes import regime_figures
from backtests.analysis.run_figures import recent_figures, summarise
from backtests.config.config import load_config
from backtests.engines.backtest import run_on
from backtests.report.pages.recent_years import recent_views, views_json
from backtests.report.pages.risk_tables import SpanTables
from backtests.report.words import notation as written
from backtests.report.words.labels import RISK
from tests.markets import coin_walk, index_walk

QUICK = ("signal.min_history=20", "signal.base=5", "rules.hold_days=20", "costs.cash_rate=0.03")


@pytest.fixture(scope="module")
def walk():
    config = load_config(None, overrides=QUICK)
    return run_on(
        config, index=index_walk(900, seed=3), coin=coin_walk(1000, seed=7), engine="fast"
    )


@pytest.fixture(scope="module")
def view(walk):
    (found,) = recent_views(SpanTables.of(walk, summarise(walk).trades))
    return found


@pytest.fixture(scope="module")
def first(walk):
    opened, _ = recent_figures(walk, [1])[1]
    return int(pd.DatetimeIndex(walk.strategy.returns.index).searchsorted(opened))


def texts_of(rows):
    return {row.label: [cell.text for cell in row.cells] for row in rows}


def test_recent_views_hold_the_years_that_are_shorter_than_the_run(view):
    views = views_json([view])
    assert list(views) == ["1"]
    assert len(views["1"]["tiles"]) == 5
    assert {len(row) for row in views["1"]["rows"]} == {5}
    assert "the last year alone, from 20" in views["1"]["said"]


def test_risk_table_of_a_span_has_the_figures_of_its_bars_alone(walk, view, first):
    shown = texts_of(view.tables["Risk table"])
    own, held = (
        account.returns.to_numpy()[first:] for account in (walk.strategy, walk.buy_and_hold)
    )
    tail = [written.percent(empyrical.value_at_risk(each, cutoff=0.05)) for each in (own, held)]
    name = RISK["value_at_risk"].label
    assert shown[name] == tail
    assert shown[RISK["beta"].label][0] == written.ratio(empyrical.beta(own, held))
    cash = 1.03 ** (1 / 365) - 1
    alpha = empyrical.alpha(own, held, risk_free=cash, annualization=365)
    assert shown[RISK["alpha"].label][0] == written.percent(alpha)
    whole = texts_of(SpanTables.of(walk, summarise(walk).trades).since()["Risk table"])
    assert whole[name] != shown[name]


def test_years_of_a_span_begin_with_the_part_of_a_year_it_has(walk, view, first):
    rows = view.tables["Years table"]
    opened = walk.strategy.returns.index[first]
    assert rows[0].label == str(opened.year)
    assert rows[0].note.startswith(f"From {opened:%Y-%m-%d}")
    own = walk.strategy.returns.iloc[first:]
    made = empyrical.cum_returns_final(own[own.index.year == opened.year])
    assert rows[0].cells[0].text == written.percent(made)


def test_regimes_of_a_span_share_its_bars_and_make_its_return(walk, first):
    rows = regime_figures(walk, first=first)
    bars, grown = {}, {}
    for row in rows:
        bars[row.kind] = bars.get(row.kind, 0) + row.bars
        grown[row.kind] = grown.get(row.kind, 1) * (1 + row.strategy.total_return)
    made = np.prod(1 + walk.strategy.returns.to_numpy()[first:])
    assert set(bars.values()) == {len(walk.strategy.returns) - first}
    assert list(grown.values()) == pytest.approx([made] * len(grown))


def test_worst_days_and_drawdowns_of_a_span_lie_within_it(walk, view, first):
    opened = f"{walk.strategy.returns.index[first]:%Y-%m-%d}"
    days = [row.cells[0].text for row in view.tables["Worst days, Strategy"]]
    assert days
    assert min(days) >= opened
    held = walk.buy_and_hold.returns.iloc[first:]
    depth = written.percent(empyrical.max_drawdown(held))
    titles = [name for name in view.tables if name.startswith("Drawdowns, ")]
    assert view.tables[titles[1]][0].cells[0].text == depth
