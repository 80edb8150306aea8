"""The command as a user types it: exit code, stdout, stderr and the folder it leaves."""

import contextlib
import io
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
import pytest

from backtests.report.pyfolio_sheets.process import SHEETS, SheetWorker
from backtests.run import main
from feeds.sample import LABEL
from tests.blank_sheets import sheets_drawn_by
from tests.markets import coin_walk, index_walk

REPOSITORY = Path(__file__).resolve().parents[2]

FILES = {
    "config.toml",
    "drawdowns.csv",
    "equity.csv",
    "fills.csv",
    "manifest.json",
    "metrics.json",
    "signals.csv",
    "tearsheet.html",
    "trades.csv",
}


FEW_DRAWS = ("--set", "significance.draws=100")
RECENT = ("--source", "sample", "--start", "2021-01-01", *FEW_DRAWS)


def run(out, *arguments):
    """Run the command in this process and return the folder it left."""
    assert main([*arguments, "--out", str(out), "--quiet"]) == 0
    (folder,) = out.iterdir()
    return folder


@pytest.fixture(scope="module")
def sample_run(spoken_run):
    """The run with all that belongs to it, pyfolio's sheets too."""
    return spoken_run[0]


@pytest.fixture(scope="module")
def sample_words(spoken_run):
    """What that run printed."""
    return spoken_run[1]


@pytest.fixture(scope="module")
def spoken_run(tmp_path_factory):
    printed = io.StringIO()
    with sheets_drawn_by(SheetWorker), contextlib.redirect_stdout(printed):
        folder = run(tmp_path_factory.mktemp("sample"), "--asset", "ETH", *RECENT)
    return folder, printed.getvalue()


@pytest.fixture(scope="module")
def basket_run(tmp_path_factory):
    few = ("--set", 'basket.members=["ADA", "BNB", "SOL"]')
    return run(tmp_path_factory.mktemp("basket"), "--asset", "ALTS", *few, *RECENT)


def test_run_sample_leaves_every_file_and_nothing_else(sample_run):
    assert {path.name for path in sample_run.iterdir()} == FILES
    assert sample_run.name.split("-")[1] == "ETH"


def test_run_sample_says_so_in_every_place_it_shows(sample_run, sample_words):
    assert LABEL in sample_words
    assert LABEL in (sample_run / "tearsheet.html").read_text()
    assert LABEL in json.loads((sample_run / "manifest.json").read_text())["warnings"]


def test_run_terminal_shows_figures_verdict_and_where_the_tearsheet_is(sample_run, sample_words):
    for words in ("Strategy", "buy-and-hold", "Control", "Index", "CAGR", "Worst drawdown"):
        assert words in sample_words
    assert json.loads((sample_run / "metrics.json").read_text())["verdict"] in sample_words
    assert f"Tearsheet: {sample_run / 'tearsheet.html'}" in sample_words


def test_run_config_again_gives_the_same_bytes(sample_run, tmp_path):
    with sheets_drawn_by(SheetWorker):
        again = run(tmp_path, "--config", str(sample_run / "config.toml"))
    for name in FILES - {"manifest.json"}:
        assert (again / name).read_bytes() == (sample_run / name).read_bytes(), name
    assert (again / "tearsheet.html").read_text().count("data:image/png") >= len(SHEETS)
    first, second = (
        json.loads((folder / "manifest.json").read_text()) for folder in (sample_run, again)
    )
    del first["created"], second["created"]
    assert first == second


def test_run_equity_file_follows_from_fills_and_bars_alone(sample_run):
    equity = pd.read_csv(sample_run / "equity.csv")
    fills = pd.read_csv(sample_run / "fills.csv")
    closes = {row.time: row.equity for row in equity.itertuples()}
    signed = np.where(fills["side"] == "buy", fills["units"], -fills["units"])
    flows = -(signed * fills["price"]) - fills["commission"]
    cash = 100_000 + flows.groupby(fills["time"]).sum().reindex(closes).fillna(0).cumsum()
    units = pd.Series(signed).groupby(fills["time"]).sum().reindex(closes).fillna(0).cumsum()
    np.testing.assert_allclose(equity["cash"], cash, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(equity["units"], units, rtol=1e-9, atol=1e-9)
    held = (equity["equity"] - equity["cash"]) / equity["equity"]
    np.testing.assert_allclose(equity["weight"], held, atol=1e-12)


def test_run_metrics_file_follows_from_the_equity_file(sample_run):
    equity = pd.read_csv(sample_run / "equity.csv")["equity"]
    figures = json.loads((sample_run / "metrics.json").read_text())["strategy"]
    assert figures["final_equity"] == equity.iloc[-1]
    assert figures["cagr"] == pytest.approx(
        (equity.iloc[-1] / 100_000) ** (365.25 / (len(equity) - 1)) - 1, rel=1e-9
    )


ACCOUNTS = {"equity": "strategy", "buy_and_hold": "buy_and_hold", "control": "control"}


@pytest.mark.parametrize("asset", ["ETH", "ALTS"])
def test_run_equity_file_begins_with_the_cash_and_gives_every_figure_to_empyrical(
    asset, sample_run, basket_run
):
    folder = {"ETH": sample_run, "ALTS": basket_run}[asset]
    equity = pd.read_csv(folder / "equity.csv", parse_dates=["time"]).set_index("time")
    figures = json.loads((folder / "metrics.json").read_text())
    more = ["first_members"] if asset == "ALTS" else []
    own = ["equity", "cash", *([] if more else ["units"]), "weight", "buy_and_hold"]
    assert list(equity) == [*own, "exposure_matched", "control", "index", *more]
    start = equity.iloc[0]
    assert start[["weight", *own[2:-2]]].eq(0).all()
    assert start.drop(["weight", *own[2:-2]]).eq(100_000).all()
    assert equity.index.to_series().diff().dropna().eq(pd.Timedelta(days=1)).all()
    assert equity.index[1] == pd.Timestamp(figures["first_bar"]).tz_localize(None)
    accounts = {**ACCOUNTS, **dict.fromkeys(("exposure_matched", *more))}
    for column, name in accounts.items():
        returns, expected = equity[column].pct_change().iloc[1:], figures[name or column]
        found = {
            "total_return": empyrical.cum_returns_final(returns),
            "volatility": empyrical.annual_volatility(returns, annualization=365),
            "sharpe_ratio": empyrical.sharpe_ratio(returns, annualization=365),
            "sortino_ratio": empyrical.sortino_ratio(returns, annualization=365),
            "max_drawdown": empyrical.max_drawdown(returns),
        }
        for figure, value in found.items():
            assert expected[figure] == pytest.approx(value, rel=1e-9), (column, figure)
    index = equity["index"].pct_change().iloc[1:]
    assert figures["index"]["total_return"] == pytest.approx(empyrical.cum_returns_final(index))
    assert figures["index"]["max_drawdown"] == pytest.approx(empyrical.max_drawdown(index))


def test_run_every_file_has_times_and_days_that_a_spreadsheet_opens(sample_run):
    tables = {path.stem: pd.read_csv(path, dtype=str) for path in sample_run.glob("*.csv")}
    instants = {
        "equity": ["time"], "fills": ["time"], "trades": ["entry_time", "exit_time"],
        "signals": ["available_at"], "drawdowns": ["peak", "trough", "recovery"],
    }  # fmt: skip
    for name, columns in instants.items():
        for column in columns:
            written = tables[name][column].dropna()
            assert len(written)
            assert written.str.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").all()
    assert tables["signals"]["session"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()
    for name in ("trades", "drawdowns"):
        assert tables[name]["days"].str.fullmatch(r"\d+").all()


def test_run_basket_positions_file_has_the_rows_of_the_equity_file(basket_run):
    equity, positions = (
        pd.read_csv(basket_run / f"{name}.csv") for name in ("equity", "positions")
    )
    assert positions["time"].equals(equity["time"])
    assert positions.iloc[0, 1:].eq(0).all()
    assert positions.iloc[1:, 1:].gt(0).any(axis=1).equals(equity["weight"].iloc[1:].gt(0))


def test_run_metrics_file_is_plain_json_with_null_for_undefined(tmp_path):
    folder = run(tmp_path, "--source", "sample", "--start", "2024-02-01", "--end", "2024-02-20")
    figures = json.loads((folder / "metrics.json").read_text(), parse_constant=pytest.fail)
    assert figures["strategy"]["win_rate"] is None
    assert figures["strategy"]["trades"] == 0


def test_run_set_and_flags_reach_the_config(tmp_path):
    folder = run(
        tmp_path, "--source", "sample", "--asset", "btc", "--set", "rules.hold_days=30",
        "--start", "2023-01-01", *FEW_DRAWS,
    )  # fmt: skip
    config = tomllib.loads((folder / "config.toml").read_text())
    assert config["rules"]["hold_days"] == 30
    assert config["data"]["start"] == "2023-01-01"


@pytest.mark.parametrize("asset", ["btc", "eth"])
def test_run_preset_is_valid_and_holds_every_setting_at_its_default(asset):
    from backtests.config.config import Config, load_config

    path = REPOSITORY / "configs" / f"{asset}.toml"
    assert load_config(path) == Config(asset=asset.upper())
    written = tomllib.loads(path.read_text())
    every = Config(asset=asset.upper()).model_dump(
        mode="json", exclude={"filters", "claim", "study", "plugins", "strategy"}, exclude_none=True
    )
    assert written == every


SAMPLE = ("--source", "sample")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--asset", "XYZ", *SAMPLE), "`asset` XYZ has no bars"),
        (("--asset", "../../etc", *SAMPLE), "`asset` must be a plain symbol"),
        (("--index", "../../etc", *SAMPLE), "`index.symbol` must be a plain symbol"),
        (("--index", "^RUTT"), "received '^RUTT'. The nearest is 'RUT'."),
        ((*SAMPLE, "--index", "rutt"), "RUTT has no bars: it is not in the bundled sample. There "),
        ((*SAMPLE, "--index", "RUTT"), "The nearest is 'RUT'."),
        (
            (*SAMPLE, "--set", "filters.small_caps_lead.benchmark=^GSPCC"),
            "received '^GSPCC'. The nearest is 'SPX'.",
        ),
        (("--source", "files"), "`data.data_dir` must be the folder with the bar files"),
        (
            ("--source", "files", "--data-dir", "/no/such"),
            "received '/no/such', which is no folder",
        ),
        (("--source", "moon"), "`data.source` must be one of"),
        ((*SAMPLE, "--start", "2024-01-02", "--end", "2020-01-01"), "must not be after `data.end`"),
        ((*SAMPLE, "--start", "2035-01-01"), "leave no bar"),
        ((*SAMPLE, "--start", "soon"), "`data.start` must be YYYY-MM-DD"),
        ((*SAMPLE, "--set", "signal.min_history=9999"), "the history is too short"),
        ((*SAMPLE, "--set", "signal.lookbak=9"), "The nearest is `signal.lookback`"),
        ((*SAMPLE, "--set", "costs.commission_bps=-1"), "must be a number at least 0"),
        ((*SAMPLE, "--config", "/no/such.toml"), "No such file"),
        ((*SAMPLE, "--frobnicate"), "unrecognized arguments: --frobnicate"),
        ((*SAMPLE, "--timeframe", "1h"), "`data.timeframe` must be 1d with the bundled sample"),
    ],
)
def test_run_wrong_input_exits_2_with_one_line_and_writes_nothing(
    arguments, message, capsys, tmp_path
):
    out = tmp_path / "results"
    assert main([*arguments, "--out", str(out)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert not out.exists()


def test_run_says_how_a_file_was_read_in_the_manifest_and_warns_only_of_what_is_open(
    capsys, tmp_path
):
    folder = tmp_path / "bars"
    walks = (
        (index_walk(300, seed=1), "RUT"),
        (coin_walk(200, seed=2, start="2020-06-01"), "ETH-USD"),
    )
    for bars, name in walks:
        frame = bars.frame.drop(columns="volume").rename(columns=str.capitalize)
        frame.insert(0, "Date", frame.index.strftime("%m/%d/%Y"))
        folder.mkdir(exist_ok=True)
        frame[::-1].to_csv(folder / f"{name}.csv", index=False)
    left = run(
        tmp_path / "out", "--asset", "ETH", "--data-dir", str(folder),
        "--set", "signal.min_history=20", "--set", "signal.lookback=100", *FEW_DRAWS,
    )  # fmt: skip
    manifest = json.loads((left / "manifest.json").read_text())
    assert [bars["notes"][0].split(": ")[0] for bars in manifest["bars"]] == [
        "RUT.csv",
        "ETH-USD.csv",
    ]
    assert all("%m/%d/%Y, newest first" in bars["notes"][0] for bars in manifest["bars"])
    assert manifest["warnings"] == []
    assert "WARNING" not in capsys.readouterr().out


def test_run_no_overlap_of_index_and_coin_exits_2(capsys, tmp_path):
    row = "{},10,12,9,11\n".format
    (tmp_path / "RUT_1d.csv").write_text("date,open,high,low,close\n" + row("2015-01-02"))
    (tmp_path / "ETH-USD_1d.csv").write_text(
        "date,open,high,low,close\n" + row("2014-01-01") + row("2014-01-02")
    )
    out = tmp_path / "results"
    arguments = ["--source", "files", "--data-dir", str(tmp_path), "--out", str(out)]
    assert main(arguments) == 2
    assert "ETH has 2014-01-01 to 2014-01-02, RUT has 2015-01-02" in capsys.readouterr().err
    assert not out.exists()


def test_run_out_that_is_a_file_exits_2_before_any_work(capsys, tmp_path):
    out = tmp_path / "taken"
    out.write_text("")
    assert main([*SAMPLE, "--out", str(out)]) == 2
    assert "`--out` must be a folder that can be written" in capsys.readouterr().err


def test_run_as_module_help_ends_with_an_example():
    done = subprocess.run(
        [sys.executable, "-m", "backtests.run", "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "python -m backtests.run --asset ETH" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    "command", ["run", "study", "sweep", "walkforward", "compare", "today", "audit", "list"]
)
def test_help_imports_nothing_slow(command):
    program = (
        f"import sys\nfrom backtests.{command} import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'pandas', 'numpy', 'backtrader', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_run_fast_engine_and_a_name_leave_the_same_accounts_and_config(sample_run, tmp_path):
    fast = run(tmp_path, *RECENT, "--engine", "fast", "--name", " 60 days, fast ")
    names = [
        json.loads((folder / "manifest.json").read_text())["name"] for folder in (fast, sample_run)
    ]
    assert names == ["60 days, fast", ""]
    assert fast.name.rpartition("-")[2] == sample_run.name.rpartition("-")[2]
    assert (fast / "config.toml").read_bytes() == (sample_run / "config.toml").read_bytes()
    for name in ("fills.csv", "trades.csv"):
        tables = [pd.read_csv(folder / name) for folder in (fast, sample_run)]
        pd.testing.assert_frame_equal(*tables, rtol=1e-12)
    columns = [pd.read_csv(folder / "equity.csv")["equity"] for folder in (fast, sample_run)]
    np.testing.assert_allclose(columns[0], columns[1], rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from-trial", "nowhere"), "`--from-trial` takes a sweep's folder and a trial"),
        (("--from-trial", "nowhere:3"), "nowhere"),
        (("--from-trial", "x:3", "--asset", "BTC"), "Leave others out"),
        (("--engine", "slow"), "invalid choice: 'slow'"),
        (("--name", " "), "`--name` must be 1 to 60 characters on one line"),
        (("--name", "!?"), "received '!?'"),
        (("--name", "two\nlines"), "on one line"),
        (("--name", "x" * 61), "1 to 60 characters"),
    ],
)
def test_run_engine_and_trial_wrong_input_exits_2(arguments, message, capsys, tmp_path):
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
