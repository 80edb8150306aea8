"""The impact line by hand: what is known when, and what is unknown."""

import numpy as np
import pandas as pd
import pytest

from backtests.market.tape import impact_line
from feeds.bars import Bars
from feeds.instruments import coin
from strategies.rule_settings import BasketSettings
from tests.scripted import days, hours

CLOSES = [10.0, 11.0, 10.0, 12.0, 11.0, 12.0, 10.0, 11.0]


def bars_of(volume, *, closes=CLOSES, opens=None, timeframe="1d"):
    opens = days("2024-01-01", "2024-01-08") if opens is None else opens
    prices = dict.fromkeys(("open", "high", "low", "close"), closes)
    frame = pd.DataFrame({**prices, "volume": volume}, index=opens)
    return Bars(coin("SOL"), timeframe, frame, "files", "a file")


def impact_of(bars):
    return impact_line(bars, bars.frame.index, settings=BasketSettings())


def test_impact_line_is_volatility_before_the_open_over_the_root_of_the_days_volume():
    found = impact_of(bars_of([100.0] * 8))
    returns = np.diff(CLOSES) / CLOSES[:-1]
    # five returns are known when the seventh bar opens, on a volume of 100 coins at 10
    assert found[6] == pytest.approx(returns[:5].std(ddof=1) / np.sqrt(100 * 10.0))
    assert found[7] == pytest.approx(returns[:6].std(ddof=1) / np.sqrt(100 * 11.0))
    assert (found[:6] == 0).all()


def test_impact_line_own_close_and_later_bars_leave_the_volatility_alone():
    changed = [*CLOSES[:6], 20.0, 30.0]
    plain, other = (impact_of(bars_of([100.0] * 8, closes=each)) for each in (CLOSES, changed))
    # only the money of the filling day itself doubles with its close
    assert other[6] == pytest.approx(plain[6] / np.sqrt(2))


def test_impact_line_unknown_volume_or_no_bar_charges_nothing():
    bars = bars_of([100.0] * 6 + [np.nan, 0.0])
    assert (impact_of(bars)[6:] == 0).all()
    later = days("2024-01-09", "2024-01-09")
    assert impact_line(bars, later, settings=BasketSettings()).tolist() == [0.0]


def test_impact_line_of_hourly_bars_takes_a_days_volume_and_volatility():
    rng = np.random.default_rng(1)
    closes = 10 * np.exp(np.cumsum(rng.normal(0, 0.01, 200)))
    bars = bars_of(5.0, closes=closes, opens=hours("2024-01-01", 200), timeframe="1h")
    returns = np.diff(closes) / closes[:-1]
    money = (5.0 * closes)[200 - 24 :].sum()
    expected = returns[:198].std(ddof=1) * np.sqrt(24) / np.sqrt(money)
    assert impact_of(bars)[-1] == pytest.approx(expected)
