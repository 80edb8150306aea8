"""pyfolio's sheets through the process that draws them; whatever it does, the page stands."""

import base64
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from backtests.analysis.run_figures import summarise
from backtests.config.config import load_config
from backtests.engines.backtest import run_on
from backtests.report.pages.tearsheet import tearsheet
from backtests.report.pyfolio_sheets import process as sheet_worker
from backtests.report.pyfolio_sheets.process import SHEETS, TOO_LATE, SheetWorker
from backtests.report.pyfolio_sheets.request import LOTS, sheet_request
from tests.judged import judged, sensitivity_of
from tests.markets import coin_walk, index_walk

REPOSITORY = Path(__file__).resolve().parents[3]
PNG = b"\x89PNG\r\n"


def made(*overrides):
    settings = ("signal.min_history=20", "signal.base=5", "rules.hold_days=20", *overrides)
    return run_on(
        load_config(None, overrides=settings),
        index=index_walk(900, seed=3),
        coin=coin_walk(1000, seed=7),
    )


@pytest.fixture(scope="module")
def result():
    return made()


@pytest.fixture(scope="module")
def request_(result):
    return sheet_request(result)


@pytest.fixture(scope="module")
def sheets(request_):
    return SheetWorker().submit(request_).result()


def test_every_sheet_is_drawn(sheets):
    assert [sheet.title for sheet in sheets] == list(SHEETS.values())
    assert [sheet.reason for sheet in sheets] == [""] * len(SHEETS)
    assert all(base64.b64decode(sheet.png).startswith(PNG) for sheet in sheets)


def test_two_days_without_a_trade_leave_a_picture_or_a_reason(request_):
    short = {name: request_[name][:2] for name in ("days", "returns", "benchmark")}
    drawn = SheetWorker().submit({**request_, **short, "lots": []}).result()
    assert all(bool(sheet.png) != bool(sheet.reason) for sheet in drawn)
    assert "no trade was closed" in drawn[-1].reason


def test_process_that_fails_leaves_a_page_that_says_why(result, monkeypatch):
    monkeypatch.setattr(sheet_worker, "WORKER", "backtests.report.absent")
    summary, _, said = judged(result)
    text = tearsheet(result, summary, said, sensitivity_of(result), worker=SheetWorker())
    assert text.count("pyfolio could not be run (No module named") == len(SHEETS)
    assert "</html>" in text


def test_process_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(sheet_worker, "TIME_LIMIT_SECONDS", 0)
    sheets = SheetWorker().submit({}).result()
    assert all("did not finish" in sheet.reason for sheet in sheets)


def test_sheets_begun_early_are_not_waited_for_longer_than_the_rest_took(request_):
    with SheetWorker() as worker:
        worker.begin(request_)
        sheets = worker.submit(request_).result()  # the rest was next to nothing
    assert [sheet.reason for sheet in sheets] == [TOO_LATE] * len(SHEETS)
    assert worker._process.returncode is not None


def test_sheets_begun_early_are_those_drawn_when_asked(request_, sheets, monkeypatch):
    monkeypatch.setattr(sheet_worker, "PATIENCE", 1_000_000.0)
    worker = SheetWorker()
    worker.begin(request_)
    assert worker.submit(request_).result() == sheets


def test_unused_process_is_ended_on_leaving():
    with SheetWorker() as worker:
        pass
    assert worker._process.returncode is not None


def test_lots_keep_each_trade_s_profit(result):
    lots = pd.DataFrame(sheet_request(result)["lots"], columns=["day", "symbol", "amount", "money"])
    fills = result.strategy.fills
    value = fills["units"] * fills["price"]
    received = value.where(fills["side"] == "sell", -value)
    assert (-lots["amount"] * lots["money"]).tolist() == pytest.approx(received.tolist())
    assert set(lots["amount"].abs()) == {LOTS}


def test_lots_of_several_buys_end_at_none_and_keep_prices():
    result = made("size.mode=vol_target", "size.rebalance_threshold=0.05")
    fills = result.strategy.fills
    lots = pd.DataFrame(sheet_request(result)["lots"], columns=["day", "symbol", "amount", "money"])
    assert len(fills) > 2 * len(summarise(result).trades)
    closed = result.strategy.positions.iloc[-1, 0] == 0
    assert (lots["amount"].sum() == 0) == closed
    assert (lots["amount"].cumsum() >= 0).all()


def test_daily_returns_compound_to_the_account_s(result):
    returns = pd.Series(sheet_request(result)["returns"])
    final = result.strategy.initial_cash * (1 + returns).prod()
    assert final == pytest.approx(result.strategy.equity.iloc[-1])


def test_worker_counts_365_days_a_year_and_restores_pyfolio_s_252():
    code = """
import numpy as np, pandas as pd
import backtests.report.pyfolio_sheets.worker as worker
returns = pd.Series(np.random.default_rng(1).normal(0, 0.01, 400))
with worker.annualise(365):
    rolling = worker.pyfolio.timeseries.rolling_volatility(returns, 100).iloc[-1]
    annual = worker.empyrical.annual_volatility(returns)
assert np.isclose(rolling, returns[-100:].std(ddof=1) * np.sqrt(365)), rolling
assert np.isclose(annual, returns.std(ddof=1) * np.sqrt(365)), annual
assert worker.pyfolio.timeseries.APPROX_BDAYS_PER_YEAR == 252
assert np.isclose(worker.empyrical.annual_volatility(returns), returns.std() * np.sqrt(252))
"""
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
