"""Whole runs on the real bars, held against readings made by hand with pandas."""

import pandas as pd
import pytest

from backtests.analysis.run_figures import summarise
from backtests.config.config import load_config
from backtests.engines.backtest import backtest
from tests.judged import judged


def run(shared_data, asset, **values):
    flat = {key.replace("__", "."): value for key, value in values.items()}
    flags = {"asset": asset, "data.source": "files", "data.data_dir": str(shared_data)} | flat
    return backtest(load_config(None, flags=flags))


def test_backtest_support_of_late_2020_is_bought_the_day_after(shared_data):
    result = run(shared_data, "BTC", rules__trigger="support_held", rules__hold_days=365)
    bought = result.strategy.fills.query("side == 'buy'")
    # held on Friday 2020-11-20, known at 21:00 UTC, so Saturday's open
    assert pd.Timestamp("2020-11-21", tz="UTC") in set(bought["time"])


def test_backtest_entries_and_exits_follow_the_index_closes(shared_data):
    """Replay the new-high rule with a hold of 60 days in plain pandas, without the engine."""
    result = run(shared_data, "ETH", rules__trigger="new_high", rules__exit_on_support_lost=False)
    index = pd.read_csv(shared_data / "RUT_1d.csv", parse_dates=["date"], index_col="date")
    highs = index.index[index["close"] > index["close"].cummax().shift(1)]
    coin = pd.read_csv(shared_data / "ETH-USD_1d.csv", parse_dates=["date"])["date"]
    # known at the end of day D, in from the open of D + 1; a run opens inside an open window
    highs = highs[highs < coin.iloc[-1]]
    held = set()
    for high in highs:
        held |= set(pd.date_range(high + pd.Timedelta(days=1), periods=60))
    expected = coin.isin(held).to_numpy()
    in_market = result.strategy.invested.to_numpy()
    assert (in_market == expected).all()


@pytest.mark.parametrize("asset", ["BTC", "ETH"])
def test_backtest_plain_rule_trails_buy_and_hold_and_says_so(shared_data, asset):
    summary, _, said = judged(run(shared_data, asset))
    assert summary.figures["strategy"]["cagr"] < summary.figures["buy_and_hold"]["cagr"]
    assert said.verdict.startswith(f"The rule trails holding {asset} by ")


def test_buy_and_hold_real_bitcoin_is_the_ratio_of_two_prices(shared_data):
    summary = summarise(run(shared_data, "BTC"))
    bars = pd.read_csv(shared_data / "BTC-USD_1d.csv")
    paid = bars["open"].iloc[0] * 1.0005 * 1.001
    expected = bars["close"].iloc[-1] / paid - 1
    assert summary.figures["buy_and_hold"]["total_return"] == pytest.approx(expected, rel=1e-9)


def test_summary_real_bars_count_few_independent_episodes(shared_data):
    # 2014 to 2025 holds only a handful: whoever sees more counts days, not episodes
    assert 4 <= summarise(run(shared_data, "BTC")).episodes <= 8
