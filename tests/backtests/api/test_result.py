import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import backtests as bt
from backtests.run import main as run
from feeds.errors import ConfigError, DataError

SAMPLE = {"source": "sample", "start": "2022-01-01"}


@pytest.fixture(scope="module")
def result() -> bt.Result:
    return bt.backtest("ETH", hold_days=90, **SAMPLE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what the command leaves of the same run."""
    out = tmp_path_factory.mktemp("out")
    given = ["--asset", "ETH", "--source", "sample", "--start", "2022-01-01"]
    assert run([*given, "--set", "rules.hold_days=90", "--out", str(out), "--quiet"]) == 0
    return next(out.iterdir())


def test_save_leaves_the_files_of_the_command(result, folder, tmp_path):
    saved = result.save(tmp_path / "results")
    names = {path.name for path in folder.iterdir()} - {"manifest.json"}
    assert names == {path.name for path in saved.iterdir()} - {"manifest.json"}
    for name in sorted(names):
        assert (saved / name).read_bytes() == (folder / name).read_bytes(), name


def test_export_writes_the_returns_of_the_result_for_other_tools(result, tmp_path):
    (path,) = result.export(tmp_path / "handed" / "on", to="quantstats")
    table = pd.read_csv(path, index_col="date", parse_dates=True)
    assert table.index.equals(result.returns.index.tz_localize(None))
    np.testing.assert_allclose(table["strategy"], result.returns["strategy"], rtol=0, atol=1e-15)
    np.testing.assert_allclose(table["benchmark"], result.returns["buy_and_hold"], atol=1e-15)
    with pytest.raises(ConfigError, match="`to` must be one of .* The nearest is 'excel'"):
        result.export(tmp_path, to="exel")


def test_tearsheet_is_the_page_of_the_command(result, folder, tmp_path):
    page = bt.tearsheet(result, tmp_path / "eth.html")
    assert page.read_bytes() == (folder / "tearsheet.html").read_bytes()


def test_equity_is_that_of_the_file_under_the_names_of_the_figures(result, folder):
    written = pd.read_csv(folder / "equity.csv", parse_dates=["time"], index_col="time")
    assert result.equity.columns.tolist() == result.figures.columns.tolist()
    for name in result.equity:
        column = "equity" if name == "strategy" else name
        np.testing.assert_array_equal(result.equity[name], written[column], err_msg=name)
    pd.testing.assert_index_equal(
        result.equity.index, written.index.tz_localize("UTC"), exact=False, check_names=False
    )


def test_returns_grow_the_start_to_the_end(result):
    grown = result.equity.iloc[0] * (1 + result.returns).prod()
    np.testing.assert_allclose(grown, result.equity.iloc[-1], rtol=1e-12)
    assert len(result.returns) == len(result.equity) - 1


def test_figures_are_those_of_metrics_json(result, folder):
    metrics = json.loads((folder / "metrics.json").read_text())
    for name, column in result.figures.items():
        kept = {key: value for key, value in metrics[name].items() if value is not None}
        assert column.dropna().to_dict() == kept


def test_tables_are_those_of_the_files(result, folder):
    for name in ("trades", "fills", "drawdowns"):
        written, own = pd.read_csv(folder / f"{name}.csv"), getattr(result, name)
        assert own.columns.tolist() == written.columns.tolist()
        assert len(own) == len(written)


def test_sentences_are_those_of_the_command(result, folder):
    metrics = json.loads((folder / "metrics.json").read_text())
    assert result.verdict == metrics["verdict"]
    assert result.conclusion == metrics["significance"]["conclusion"]
    assert list(result.warnings) == metrics["warnings"]


def test_repr_says_asset_span_rule_figures_and_verdict(result):
    text = repr(result)
    assert "ETH on RUT: trigger any, held 90 days; 2022-01-01 to 2025-12-31" in text
    assert "WARNING  sample: monthly figures real, days simulated" in text
    assert "Total return" in text
    assert "Buy-and-hold" in text
    assert result.verdict in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100


def test_repr_html_is_escaped(result, monkeypatch):
    monkeypatch.setattr(bt.Result, "warnings", ("<script>alert(1)</script>",))
    shown = result._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<table" in shown


def test_plot_draws_equity_in_log_scale_and_drawdowns_below(result):
    figure = result.plot()
    assert figure.layout.yaxis.type == "log"
    equity, hold, *_ = figure.data
    assert (equity.name, hold.name) == ("Strategy", "Hold ETH")
    np.testing.assert_allclose(equity.y, result.equity["strategy"].iloc[1:], rtol=1e-6)
    below = [trace for trace in figure.data if trace.yaxis == "y2"]
    worst = {trace.name: float(np.min(trace.y)) for trace in below}
    depths = result.figures.loc["max_drawdown"]
    assert worst["Strategy"] == pytest.approx(100 * depths["strategy"], rel=1e-5)
    assert worst["Hold ETH"] == pytest.approx(100 * depths["buy_and_hold"], rel=1e-5)


def test_backtest_own_frames_give_what_the_same_bars_of_a_source_give():
    inputs = bt.load("ETH", source="sample")
    index = bt.Bars.from_frame(inputs.index.frame, symbol="RUT")
    coin = bt.Bars.from_frame(inputs.coins[0].frame, symbol="ETH-USD")
    own = bt.backtest(index=index, coin=coin, start="2022-01-01", trigger="breakout")
    same = bt.backtest("ETH", trigger="breakout", **SAMPLE)
    pd.testing.assert_frame_equal(own.equity, same.equity)
    assert not any("sample" in warning for warning in own.warnings)


def test_backtest_one_own_frame_takes_the_other_from_the_source():
    inputs = bt.load("ETH", source="sample")
    coin = bt.Bars.from_frame(inputs.coins[0].frame, symbol="XYZ-USD")
    result = bt.backtest(coin=coin, **SAMPLE)
    assert result.config.asset == "XYZ"
    assert result.run.market.index.source == "sample"


def test_backtest_config_file_and_asset_mean_the_same():
    given = bt.load_config(asset="ETH", **SAMPLE)
    by_config = bt.backtest(given, hold_days=30, engine="fast")
    by_name = bt.backtest("eth", settings={"rules.hold_days": 30}, engine="fast", **SAMPLE)
    assert by_config.config == by_name.config
    assert bt.backtest("configs/eth.toml", engine="fast", **SAMPLE).config.asset == "ETH"


def bars_of(symbol: str) -> bt.Bars:
    inputs = bt.load("ETH", source="sample")
    return inputs.index if symbol == "RUT" else inputs.coins[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"asset": "EHT"}, "`asset` EHT has no bars: it is not in the bundled sample"),
        ({"hold_dys": 9}, "^`hold_dys` is not a setting. The nearest is `hold_days`.$"),
        ({"settings": {"rules.hold_dys": 9}}, "The nearest is `rules.hold_days`.$"),
        ({"settings": {"hold_days": 9}, "hold_days": 8}, "`rules.hold_days` is given twice"),
        ({"settings": [1]}, "`settings` must be a mapping .*received list"),
        ({"asset": "ETH", "settings": {"asset": "BTC"}}, "`asset` is given twice, 'ETH' and 'BTC'"),
        ({"asset": 5}, "must be an asset .*received int. Bars of your own are named: coin=..."),
        ({"asset": "nope.toml"}, "`config` nope.toml: no such file"),
        ({"engine": "slow"}, "`engine` must be one of backtrader, fast, received 'slow'"),
        ({"trigger": "breakot"}, "`rules.trigger` .*The nearest is 'breakout'"),
        ({"coin": pd.DataFrame()}, "`coin` must be Bars, received DataFrame. .*Bars.from_frame"),
    ],
)
def test_backtest_what_is_wrong_is_said_in_one_line(given, message):
    with pytest.raises((ConfigError, DataError), match=message) as caught:
        bt.backtest(**({"asset": "ETH"} | SAMPLE | given))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"coin": "RUT"}, "`coin` must be bars of a coin, received those of RUT"),
        ({"index": "ETH"}, "`index` must be bars of an index, received those of ETH-USD"),
        ({"asset": "BTC", "coin": "ETH"}, "`asset` is 'BTC', but the bars given are of ETH-USD"),
        ({"coin": "ETH", "timeframe": "1h"}, "`data.timeframe` is '1h', but .* ETH-USD, 1d"),
    ],
)
def test_backtest_own_bars_that_do_not_fit_are_refused(given, message):
    own = {name: bars_of(each) for name, each in given.items() if name in ("index", "coin")}
    with pytest.raises(ConfigError, match=message):
        bt.backtest(**(SAMPLE | given | own))


@pytest.mark.parametrize("place", [".", "no/such/folder.html"])
def test_tearsheet_where_no_file_can_be_is_refused(result, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="`path` must be a file in a folder that is there"):
        result.tearsheet(place)


def test_tearsheet_of_what_is_no_result_is_refused():
    with pytest.raises(ConfigError, match=r"`result` must be what bt.backtest.* received str"):
        bt.tearsheet("ETH")
