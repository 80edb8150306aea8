"""Runs handed on: what other tools read back is what the run's own files say."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.compare import main as compare
from backtests.records.exports import FOLDER, RETURNS, WORKBOOK, tables_of, write_tables
from backtests.run import main as run

# returns of +10 %, -10 % and 0 from 100; holding doubles on the second day
EQUITY = """time,equity,cash,units,weight,buy_and_hold
{0},100.0,100.0,0.0,0.0,100.0
{1},110.0,10.0,1.0,0.9,100.0
{2},99.0,9.0,1.0,0.9,200.0
{3},99.0,99.0,0.0,0.0,200.0
"""
DAYS = [f"2024-03-{day:02d} 00:00:00" for day in (9, 10, 11, 12)]
HOURS = ["2024-03-10 22:00:00", "2024-03-10 23:00:00", "2024-03-11 00:00:00", "2024-03-11 01:00:00"]
TRADES = "symbol,entry_time,entry_price,exit_time,return\nETH-USD,2024-03-10 00:00:00,100.0,,0.1\n"
FILLS = "time,symbol,side,units,price\n2024-03-10 00:00:00,ETH-USD,buy,1.0,100.0\n"
METRICS = json.dumps({"strategy": {"cagr": 0.5, "sharpe_ratio": None}, "years": 1.0})
# where `make peers` puts QuantStats, apart from what we use
PEERS = Path(sys.prefix) / "peers"
# how it is spoken to, in a process of its own
QUANTSTATS = """
import json, sys
import pandas as pd, quantstats as qs
table = pd.read_csv(sys.argv[1], index_col="date", parse_dates=True)
own, held, s = table["strategy"], table["benchmark"], qs.stats
qs.reports.metrics(own, benchmark=held, periods_per_year=365, display=False)
days_below = lambda one: s.drawdown_details(s.to_drawdown_series(one))["days"]
print(json.dumps([{
    "days": len(one), "total_return": s.comp(one), "max_drawdown": s.max_drawdown(one),
    "volatility": s.volatility(one, periods=365), "sharpe_ratio": s.sharpe(one, periods=365),
    "sortino_ratio": s.sortino(one, periods=365), "cagr": s.cagr(one, periods=365),
    "longest_drawdown_days": int(days_below(one).max()),
} for one in (own, held)]))
"""


def files(times=DAYS, **others):
    texts = {"trades.csv": TRADES, "fills.csv": FILLS, "metrics.json": METRICS}
    return texts | {"equity.csv": EQUITY.format(*times), **others}


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """The folder of a run that was exported in every format as it was made."""
    out = tmp_path_factory.mktemp("exported")
    what = ["--asset", "ETH", "--source", "sample", "--start", "2023-01-01", "--engine", "fast"]
    how = ["--set", "significance.draws=100", "--name", "sixty days", "--quiet"]
    formats = [part for name in ("quantstats", "excel", "parquet") for part in ("--export", name)]
    assert run([*what, *how, *formats, "--out", str(out)]) == 0
    return next(out.iterdir())


def test_returns_of_days_are_dated_by_their_day_without_a_zone():
    returns = tables_of(files())["returns"]
    assert returns.index.tolist() == [pd.Timestamp(2024, 3, day) for day in (10, 11, 12)]
    np.testing.assert_allclose(returns["strategy"], [0.1, -0.1, 0.0], atol=1e-15)
    assert returns["benchmark"].tolist() == [0.0, 1.0, 0.0]


def test_returns_of_hours_are_compounded_by_day():
    returns = tables_of(files(HOURS))["returns"]
    assert returns.index.tolist() == [pd.Timestamp(2024, 3, 11)]
    np.testing.assert_allclose(returns["strategy"], [0.9 - 1], atol=1e-15)


def test_returns_after_a_total_loss_are_zero():
    lost = (
        EQUITY.format(*DAYS).replace(",99.0,9.0,", ",0.0,0.0,").replace(",99.0,99.0,", ",0.0,0.0,")
    )
    returns = tables_of(files(**{"equity.csv": lost}))["returns"]
    assert returns["strategy"].tolist()[1:] == [-1.0, 0.0]


def test_positions_of_a_basket_have_the_units_of_each_coin_and_what_all_are_worth():
    units = "time,ADA-USD,SOL-USD\n" + "".join(f"{day},1.0,2.0\n" for day in DAYS)
    positions = tables_of(files(**{"positions.csv": units}))["positions"]
    assert positions.columns.tolist() == [
        "time", "ADA-USD", "SOL-USD", "invested", "cash", "equity", "weight",
    ]  # fmt: skip
    assert positions["invested"].tolist() == [0.0, 100.0, 90.0, 0.0]


def test_figures_that_are_undefined_are_missing_and_what_is_no_account_is_none():
    figures = tables_of(files())["figures"].set_index("figure")
    assert figures.columns.tolist() == ["strategy"]
    assert figures["strategy"].isna().tolist() == [False, True]


def test_workbook_and_parquet_read_back_as_the_files_of_the_run(left):
    export = left / FOLDER
    equity = pd.read_csv(left / "equity.csv")["equity"].to_numpy()
    book = pd.read_excel(export / WORKBOOK, sheet_name=None)
    assert list(book) == ["returns", "positions", "trades", "fills", "figures"]
    for name, sheet in book.items():
        table = pd.read_parquet(export / f"{name}.parquet")
        shown = table.reset_index() if table.index.name else table
        pd.testing.assert_frame_equal(sheet, shown, check_dtype=False, rtol=1e-15)
    np.testing.assert_allclose(
        book["returns"]["strategy"], equity[1:] / equity[:-1] - 1, rtol=0, atol=1e-15
    )
    metrics = json.loads((left / "metrics.json").read_text())
    figures = book["figures"].set_index("figure")
    assert figures.loc["cagr", "strategy"] == pytest.approx(metrics["strategy"]["cagr"], rel=1e-15)
    assert len(book["trades"]) == metrics["strategy"]["trades"]


def test_export_of_an_existing_folder_gives_what_the_run_gave(left, capsys):
    first = (left / FOLDER / RETURNS).read_bytes()
    (left / FOLDER / RETURNS).unlink()
    assert compare([left.name, "--out", str(left.parent), "--export", "quantstats"]) == 0
    assert capsys.readouterr().out == f"Exported: {left / FOLDER / RETURNS}\n"
    assert (left / FOLDER / RETURNS).read_bytes() == first


@pytest.fixture(scope="module")
def by_quantstats(left):
    """QuantStats' figures of the exported returns: of the strategy, of the benchmark."""
    if not (PEERS / "quantstats").is_dir():
        pytest.skip(f"QuantStats is not in {PEERS}: make peers")  # .ci/run makes it
    said = subprocess.run(
        [sys.executable, "-c", QUANTSTATS, str(left / FOLDER / RETURNS)],
        env={**os.environ, "PYTHONPATH": str(PEERS)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return json.loads(said.splitlines()[-1])


@pytest.mark.parametrize(("place", "account"), [(0, "strategy"), (1, "buy_and_hold")])
def test_returns_read_by_quantstats_make_its_figures_those_of_the_run(
    left, by_quantstats, place, account
):
    metrics = json.loads((left / "metrics.json").read_text())
    theirs, ours = dict(by_quantstats[place]), metrics[account]
    # its years are days of 365, ours elapsed time in days of 365.25
    years = theirs.pop("days") / 365
    assert (1 + theirs.pop("cagr")) ** years == pytest.approx(
        (1 + ours["cagr"]) ** metrics["years"], rel=1e-9
    )
    # its drawdowns run from the first day below the peak, ours from the peak
    assert 0 <= ours["longest_drawdown_days"] - theirs.pop("longest_drawdown_days") <= 1
    assert theirs == pytest.approx({name: ours[name] for name in theirs}, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--export", "exel"), "must be one of quantstats, excel, parquet, received 'exel'"),
        (("--export", "excel"), "`--export` needs a run"),
        (("nothing", "--export", "excel"), "'nothing' is no run"),
        ((FOLDER, "--export", "excel"), "cannot be exported: equity.csv is missing"),
    ],
)
def test_wrong_export_exits_2_with_one_line(arguments, message, left, capsys):
    out = left if FOLDER in arguments else left.parent
    assert compare([*arguments, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_workbook_without_its_library_is_refused_with_the_remedy(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert run(["--asset", "ETH", "--source", "sample", "--export", "excel"]) == 2
    assert "pip install 'russell-risk-on[excel]'" in capsys.readouterr().err


def test_text_that_looks_like_a_formula_stays_text(tmp_path):
    tables = {"trades": pd.read_csv(io.StringIO("reason\n'=1+1\n"))}
    write_tables(tables, tmp_path, formats=["excel"])
    assert pd.read_excel(tmp_path / WORKBOOK)["reason"].tolist() == ["'=1+1"]
