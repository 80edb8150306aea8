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
from backtests.sweep.walk import WalkForward, walk_forward
from backtests.sweep.walk_sheet import FIGURES
from backtests.sweep.windows import WindowSettings, windows
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


FIRST, LAST = pd.Timestamp("2020-01-01", tz="UTC"), pd.Timestamp("2020-12-31", tz="UTC")


def test_windows_test_day_after_day_and_end_training_before_the_embargo() -> None:
    settings = WindowSettings(train_days=100, test_days=60, embargo_days=10)
    found = windows(FIRST, LAST, settings)
    assert len(found) == 5
    for one in found:
        assert one.train_end - one.train_start == 99 * DAY
        assert one.test_start - one.train_end == 11 * DAY
    for one, after in itertools.pairwise(found):
        assert after.test_start == one.test_end + DAY
    assert found[0].train_start == FIRST
    assert found[-1].test_end == LAST
    # 366 days, the first 110 to choose on and leave out
    assert [one.test_days for one in found] == [60, 60, 60, 60, 16]


def test_windows_anchored_begin_at_the_first_day_and_test_the_same_days() -> None:
    settings = WindowSettings(train_days=100, test_days=60, embargo_days=10)
    rolling = windows(FIRST, LAST, settings)
    anchored = windows(FIRST, LAST, settings.model_copy(update={"anchored": True}))
    assert {one.train_start for one in anchored} == {FIRST}
    for one, other in zip(anchored, rolling, strict=True):
        assert (one.train_end, one.test_start, one.test_end) == (
            other.train_end,
            other.test_start,
            other.test_end,
        )


@pytest.mark.parametrize(("rest", "last_days"), [(1, 60), (9, 60), (10, 10)])
def test_windows_with_a_short_rest_leave_it_out(rest: int, last_days: int) -> None:
    last = FIRST + (100 + 2 * 60 + rest - 1) * DAY
    found = windows(FIRST, last, WindowSettings(train_days=100, test_days=60))
    assert found[-1].test_days == last_days


def test_windows_of_too_few_bars_name_the_options() -> None:
    message = (
        "`--train-days`, `--test-days` and `--embargo-days` leave 0 of the 2 steps .* "
        "received 100, 60 and 10000"
    )
    with pytest.raises(ConfigError, match=message):
        windows(FIRST, LAST, WindowSettings(train_days=100, test_days=60, embargo_days=10_000))


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
    # no day is left out between the tests
    assert found.held.index.equals(found.returns.index)
    days = sum(step.window.test_days for step in found.steps)
    assert len(found.returns) == days


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
