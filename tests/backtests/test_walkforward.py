"""Walk-forward: windows, no look ahead, and stitched returns against single runs."""

import dataclasses
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.backtest import run_inputs
from backtests.inputs import Inputs
from backtests.sweep.groups import Library
from backtests.sweep.plan import Plan, load_plan
from backtests.sweep.walk_sheet import FIGURES
from backtests.sweep.windows import WalkForward, WindowSettings, walk_forward, windows
from backtests.walkforward import main
from feeds.errors import ConfigError
from tests.markets import coin_walk, index_walk

DAY = pd.Timedelta(days=1)
SETTINGS = WindowSettings(train_days=200, test_days=100, embargo_days=5)

SWEEP = """
[signal]
min_history = 60

[sweep]
"signal.lookback" = [20, 60]
"rules.hold_days" = [5, 20, 60]
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    file = tmp_path / "sweep.toml"
    file.write_text(SWEEP)
    return load_plan(file)


def source(days: int = 700, end: int | None = None) -> Inputs:
    coin = coin_walk(days, seed=5, start="2019-01-01")
    coin = dataclasses.replace(coin, frame=coin.frame.iloc[:end])
    return Inputs(index_walk(700, seed=4), (coin,))


def walked(plan: Plan, given: Inputs) -> WalkForward:
    return walk_forward(plan, settings=SETTINGS, library=Library(load=lambda _: given))


def test_windows_follow_each_other_with_an_embargo_before_each_test() -> None:
    first, last = pd.Timestamp("2020-01-01", tz="UTC"), pd.Timestamp("2020-12-31", tz="UTC")
    settings = WindowSettings(train_days=100, test_days=60, embargo_days=10)
    found = windows(first, last, settings)
    assert len(found) == 4
    for one in found:
        assert one.train_end - one.train_start == 99 * DAY
        assert one.test_start - one.train_end == 11 * DAY
    for one, after in itertools.pairwise(found):
        assert after.train_end == one.test_end
    assert found[0].train_start == first
    assert found[-1].test_end == last


def test_windows_anchored_always_begin_at_the_first_day() -> None:
    first, last = pd.Timestamp("2020-01-01", tz="UTC"), pd.Timestamp("2020-12-31", tz="UTC")
    settings = WindowSettings(train_days=100, test_days=60, anchored=True)
    assert {one.train_start for one in windows(first, last, settings)} == {first}


def test_windows_of_too_few_bars_are_refused() -> None:
    first, last = pd.Timestamp("2020-01-01", tz="UTC"), pd.Timestamp("2020-12-31", tz="UTC")
    with pytest.raises(ConfigError, match="leave 0 window"):
        windows(first, last, WindowSettings(train_days=400))


def test_walk_forward_without_the_last_bars_takes_the_same_steps(plan: Plan) -> None:
    whole, cut = walked(plan, source()), walked(plan, source(end=-60))
    assert len(whole.steps) == len(cut.steps)
    assert whole.steps[:-1] == cut.steps[:-1]
    last, before = cut.steps[-1], whole.steps[-1]
    assert (last.trial, last.in_sample) == (before.trial, before.in_sample)
    ended = cut.returns.index[:-1]
    pd.testing.assert_series_equal(cut.returns[ended], whole.returns[ended])


def test_walk_forward_returns_are_those_of_each_chosen_run(plan: Plan) -> None:
    given = source()
    found = walked(plan, given)
    step = found.steps[1]
    dates = {"data.start": f"{step.window.test_start:%Y-%m-%d}"}
    config = plan.config({**step.values, **dates, "data.end": f"{step.window.test_end:%Y-%m-%d}"})
    expected = run_inputs(config, given).strategy.returns
    # the last bar also pays for leaving
    np.testing.assert_allclose(found.returns[expected.index][:-1], expected[:-1], atol=1e-12)
    assert found.returns[expected.index[-1]] <= expected.iloc[-1] + 1e-12
    embargo = found.returns[step.window.test_start - 5 * DAY : step.window.test_start - DAY]
    assert len(embargo) == 5
    assert (embargo == 0).all()
    assert found.held.index.equals(found.returns.index)


def test_walk_forward_with_several_coins_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text('[sweep]\nasset = ["BTC", "ETH"]\n')
    with pytest.raises(ConfigError, match="holding one coin"):
        walked(load_plan(file), source())


def test_walkforward_leaves_its_steps_and_compares_with_holding(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text(SWEEP)
    files = ["--source", "files", "--data-dir", str(shared_data), "--out", str(tmp_path / "out")]
    assert main(["--config", str(file), *files]) == 0
    assert "buy and hold:" in capsys.readouterr().out
    (folder,) = (tmp_path / "out").iterdir()
    names = {path.name for path in folder.iterdir()}
    sheets = {"walkforward.html", "walkforward.json"}
    assert names == {"steps.csv", "equity.csv", "sweep.toml", *sheets}
    page = (folder / "walkforward.html").read_text()
    charts = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page)
    assert charts
    assert set(json.loads(charts[1])["figures"]) == {"equity", "scatter", "stability"}
    assert page.count("<tr>") == 2 + len(FIGURES) + len(pd.read_csv(folder / "steps.csv"))
    assert "percentage points a year" in page
    own = re.sub(r'id="plotly">.*?</script>', "", page)
    assert "http://" not in own
    assert "https://" not in own
    summary = json.loads((folder / "walkforward.json").read_text())
    assert set(summary["stability"]) == {"signal.lookback", "rules.hold_days"}
    assert main(["--config", str(file), *files, "--test-days", "1"]) == 2
    assert "`--test-days`" in capsys.readouterr().err
