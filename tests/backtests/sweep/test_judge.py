"""The judgement of a sweep: every trial counts, and noise is called noise."""

import json
from pathlib import Path

import numpy as np
import pytest

from backtests.backtest import run_inputs
from backtests.sweep.__main__ import main
from backtests.sweep.drive import drive
from backtests.sweep.groups import Library
from backtests.sweep.judge import judge, returns_of
from backtests.sweep.plan import load_plan
from backtests.sweep.store import Store, create
from backtests.sweep.used import used_bars

SWEEP = """
[sweep]
chunk = 40
"signal.lookback" = [63, 252]
"rules.hold_days" = {from = 10, to = 100, step = 10}
"rules.trailing_stop" = [0.0, 0.2]
"""


@pytest.fixture(scope="module")
def swept(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Library]:
    file = tmp_path_factory.mktemp("sweep") / "sweep.toml"
    file.write_text(SWEEP)
    plan = load_plan(file, flags={"data.source": "files", "data.data_dir": str(shared_data)})
    library = Library()
    store = create(file.parent, plan, bars=used_bars(plan, library).bars)
    drive(store, library=library, report=lambda _: None)
    return store, library


def test_judge_counts_every_trial_and_finds_the_best(swept: tuple[Store, Library]) -> None:
    store, library = swept
    found = judge(store, library=library, draws=200)
    assert found is not None
    best = store.best("sharpe_ratio", count=1).iloc[0]
    assert (found.best, found.trials, found.compared) == (best["trial"], 40, 40)
    assert found.sharpe_ratio == pytest.approx(best["sharpe_ratio"], rel=1e-9)
    assert 1 <= found.effective_trials <= 40
    assert found.deflated <= found.deflated_effective
    assert "40 trials" in found.words()


def test_judge_with_trials_before_deflates_more(swept: tuple[Store, Library]) -> None:
    store, library = swept
    settings = store.plan.settings.model_copy(update={"tried_before": 10_000})
    plan = type(store.plan)(store.plan.base, store.plan.axes, settings)
    more = judge(Store(store.folder, plan), library=library, draws=50)
    alone = judge(store, library=library, draws=50)
    assert more is not None
    assert alone is not None
    assert more.trials == 10_040
    assert more.deflated < alone.deflated


def test_returns_of_equal_those_of_full_runs(swept: tuple[Store, Library]) -> None:
    store, library = swept
    config = store.plan.config({"rules.stop_loss": 0.1})
    result = run_inputs(config, library.inputs(config))
    found = returns_of([config], library)
    np.testing.assert_array_equal(found[0], result.strategy.returns)
    np.testing.assert_array_equal(found["held"], result.buy_and_hold.returns)


def test_sweep_leaves_its_overfitting_statistics(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text(SWEEP)
    files = ["--source", "files", "--data-dir", str(shared_data)]
    assert main(["--config", str(file), *files, "--out", str(tmp_path / "out")]) == 0
    assert "deflated Sharpe ratio" in capsys.readouterr().out
    (folder,) = (tmp_path / "out").iterdir()
    found = json.loads((folder / "overfitting.json").read_text())
    assert found["trials"] == 40
    assert 0 <= found["superiority"]["consistent"] <= 1
