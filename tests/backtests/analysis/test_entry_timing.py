"""Entry delays on a coin that moves some days after, or before, the index's events."""

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.entry_timing import entry_delays
from backtests.analysis.event_effects import Placement
from backtests.analysis.event_study import Events
from backtests.analysis.forward_returns import asset_prices
from tests.markets import closes_known, coin_bars, weekdays

DAYS = (120, 250, 400, 560)
PLACEMENT = Placement(gap=20, draws=200)


def delays_of(*, starts_after: int) -> pd.DataFrame:
    returns = np.random.default_rng(1).normal(0, 0.002, 1000)
    dates = weekdays(1000)
    occurred = np.zeros(dates.size, np.bool_)
    occurred[list(DAYS)] = True
    for day in DAYS:
        at = (dates[day] - dates[0]).days + 1 + starts_after
        returns[at : at + 10] += 0.02
    return entry_delays(
        asset_prices("A", {"A": coin_bars("A", returns)}),
        Events("test", dates, closes_known(dates), occurred),
        placement=PLACEMENT,
        horizon_days=10,
    )


def best_row(table: pd.DataFrame) -> pd.Series:
    honest = table[~table["uses_future"]]
    return honest.loc[honest["excess"].idxmax()]


@pytest.mark.parametrize("starts_after", [0, 15, 60])
def test_the_best_delay_is_where_the_coin_moves(starts_after: int) -> None:
    table = delays_of(starts_after=starts_after)
    best = best_row(table)
    assert abs(best["delay_days"] - starts_after) <= 1
    assert best["geometric_mean"] == pytest.approx(1.02**10 - 1, abs=0.03)
    assert best["p_value"] < 0.02


def test_an_entry_before_the_event_is_marked_and_never_the_best() -> None:
    table = delays_of(starts_after=-20)
    early = table[table["uses_future"]]
    assert early["delay_days"].max() == -1
    assert early.loc[early["excess"].idxmax(), "delay_days"] == pytest.approx(-20, abs=1)
    assert best_row(table)["delay_days"] >= 0


def test_delays_span_a_month_before_to_four_months_after() -> None:
    table = delays_of(starts_after=0)
    assert (table["delay_days"].min(), table["delay_days"].max()) == (-30, 120)
    assert (table["episodes"] == 4).all()
