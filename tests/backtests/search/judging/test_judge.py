"""The judgement of a sweep: every trial counts, and noise is called noise."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.analysis.run_figures import summarise
from backtests.analysis.sharpe_error import expected_maximum_factor
from backtests.config.config import Config
from backtests.engines.backtest import run_inputs
from backtests.report.words.sweep import statistics
from backtests.search.bars_used import used_bars
from backtests.search.judging.contenders import Earner, Field, by_day, returns_of
from backtests.search.judging.judge import Judgement, growth_test, judge
from backtests.search.plan import load_plan
from backtests.search.run_chunks import drive
from backtests.search.store import Store, create
from backtests.search.trials.trial_library import Library
from backtests.sweep import main

SWEEP = """
[sweep]
chunk = 40
"signal.lookback" = [63, 252]
"rules.hold_days" = {from = 10, to = 100, step = 10}
"rules.trailing_stop" = [0.0, 0.2]
"""


def sweep(text: str, data: Path, folder: Path) -> tuple[Store, Library]:
    file = folder / "sweep.toml"
    file.write_text(text)
    plan = load_plan(file, flags={"data.source": "files", "data.data_dir": str(data)})
    library = Library()
    store = create(folder, plan, bars=used_bars(plan, library).bars)
    drive(store, library=library, report=lambda _: None)
    return store, library


def judged(text: str, data: Path, folder: Path) -> Judgement:
    store, library = sweep(text, data, folder)
    found = judge(store, library=library, draws=50)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def swept(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Library]:
    return sweep(SWEEP, shared_data, tmp_path_factory.mktemp("sweep"))


def test_judge_counts_every_trial_and_finds_the_best(swept: tuple[Store, Library]) -> None:
    store, library = swept
    found = judge(store, library=library, draws=200)
    assert found is not None
    best = store.best("sharpe_ratio", count=1).iloc[0]
    assert (found.best, found.trials, found.compared) == (best["trial"], 40, 40)
    assert found.sharpe_ratio == pytest.approx(best["sharpe_ratio"], rel=1e-9)
    assert 1 <= found.effective_trials <= 40
    assert found.deflated <= found.deflated_effective
    assert "40 trials" in str(statistics(found))


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
    pd.testing.assert_series_equal(returns_of(config, library), result.strategy.returns)


def test_sweep_leaves_its_overfitting_statistics(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text(SWEEP)
    files = ["--source", "files", "--data-dir", str(shared_data)]
    assert main(["--config", str(file), *files, "--out", str(tmp_path / "out")]) == 0
    assert "Deflated Sharpe ratio" in capsys.readouterr().out
    (folder,) = (tmp_path / "out").iterdir()
    found = json.loads((folder / "overfitting.json").read_text())
    assert found["trials"] == 40
    assert 0 <= found["superiority"]["consistent"] <= 1


def test_judge_counts_the_trades_and_episodes_a_full_run_counts(
    swept: tuple[Store, Library],
) -> None:
    store, library = swept
    found = judge(store, library=library, draws=50)
    assert found is not None
    config = store.plan.config(store.values([found.best])[0])
    result = run_inputs(config, library.inputs(config), engine="fast")
    summary = summarise(result)
    own, held = summary.figures["strategy"], summary.figures["buy_and_hold"]
    assert (found.trades, found.episodes) == (own["trades"], summary.episodes_traded)
    for earned, figures in ((found.earned, own), (found.held, held)):
        assert earned.sharpe_ratio == pytest.approx(figures["sharpe_ratio"])
        assert earned.cagr == pytest.approx(figures["cagr"])


def test_judge_takes_the_sharpe_ratio_of_the_best_row_on_its_own_bars(
    shared_data: Path, tmp_path: Path
) -> None:
    text = 'asset = "BTC"\n[sweep]\n"signal.lookback" = [20, 5000, 8000]\n'
    store, library = sweep(text, shared_data, tmp_path)
    found = judge(store, library=library, draws=50)
    assert found is not None
    best = store.best("sharpe_ratio", count=1).iloc[0]
    assert found.sharpe_ratio == pytest.approx(best["sharpe_ratio"], rel=1e-9)
    assert found.shared_bars.count < found.bars.count
    assert f"share, {found.shared_bars.first} to {found.shared_bars.last}" in str(statistics(found))
    assert "Trials were ranked each on its own bars" in str(statistics(found))


def test_judge_of_near_copies_still_reckons_with_luck(shared_data: Path, tmp_path: Path) -> None:
    # ten slippages: their Sharpe ratios hardly differ, but any one of them could be lucky
    text = '[sweep]\n"costs.slippage_bps" = {from = 0, to = 9, step = 1}\n'
    found = judged(text, shared_data, tmp_path)
    one = (365 / (found.bars.count - 1)) ** 0.5
    assert found.luckiest == pytest.approx(one * 1.574598, rel=1e-6)  # the factor of ten trials
    assert found.effective_trials == pytest.approx(1, abs=0.01)


def test_judge_counts_all_settings_a_guided_search_could_have_chosen(
    shared_data: Path, tmp_path: Path
) -> None:
    text = (
        '[sweep]\nsearch = "guided"\ntrials = 25\n'
        '"rules.hold_days" = {from = 5, to = 60}\n"rules.trailing_stop" = [0.0, 0.1, 0.2]\n'
    )
    found = judged(text, shared_data, tmp_path)
    assert (found.trials, found.counted) == (25, 56 * 3)
    assert found.compared > 25
    least = expected_maximum_factor(56 * 3) * (365 / (found.bars.count - 1)) ** 0.5
    assert found.luckiest >= least * (1 - 1e-9)
    assert "A guided search" in str(statistics(found))


def test_judge_does_not_take_the_ratios_of_a_few_bars_for_luck(
    shared_data: Path, tmp_path: Path
) -> None:
    # of 9,651 sessions the longest lookback leaves some weeks
    text = '[sweep]\n"signal.lookback" = [63, 9600]\n"rules.hold_days" = [20, 40, 60]\n'
    found = judged(text, shared_data, tmp_path)
    assert (found.compared, found.left_out) == (3, 3)
    assert found.luckiest < 1


def test_judge_correlates_trials_on_all_coins(shared_data: Path, tmp_path: Path) -> None:
    text = '[sweep]\n"asset" = ["ETH", "BTC"]\n"rules.hold_days" = [30, 60, 90]\n'
    store, library = sweep(text, shared_data, tmp_path)
    found = judge(store, library=library, draws=50)
    assert found is not None
    configs = [store.plan.config(values) for values in store.values(range(6))]
    returns = pd.concat([returns_of(config, library) for config in configs], axis=1, sort=True)
    expected = 36 / np.sum(returns.corr().to_numpy() ** 2)
    assert found.effective_trials == pytest.approx(expected, rel=1e-6)
    assert found.compared == 6


def test_growth_test_does_not_take_swings_for_growth() -> None:
    # holding swings so much that its mean return is the higher, though it grows less
    rng = np.random.default_rng(0)
    held = rng.normal(0, 0.06, (2_000, 1))
    held += 0.001 - held.mean()
    own = rng.normal(0, 0.002, (2_000, 1))
    own += 0.0008 - own.mean()
    found = growth_test(field_of_returns(own, held), draws=300)
    assert found.consistent < 0.2
    assert np.log1p(own).mean() > 0 > np.log1p(held).mean()


def field_of_returns(returns: np.ndarray, held: np.ndarray) -> Field:
    times = pd.date_range("2020-01-01", periods=len(returns), tz="UTC")
    trials = returns.shape[1]
    best = Earner(Config(), pd.Series(returns[:, 0], times), pd.Series(held[:, 0], times))
    return Field(
        best=best,
        configs=(Config(),) * trials,
        times=times,
        returns=returns,
        held=held,
        holds=np.zeros(trials, np.int64),
        is_drawn=np.ones(trials, np.bool_),
        reach=trials,
    )


def test_shared_field_leaves_out_trials_with_few_of_the_best_rows_bars() -> None:
    returns = np.ones((10, 3))
    returns[:3, 1] = returns[:8, 2] = np.nan
    found = field_of_returns(returns, np.zeros((10, 1))).on_shared_bars()
    assert found.returns.shape == (7, 2)
    assert found.times[0] == pd.Timestamp("2020-01-04", tz="UTC")


def test_returns_by_day_compound_the_bars_of_each_day() -> None:
    hours = pd.date_range("2020-01-01", periods=48, freq="h", tz="UTC")
    found = by_day(pd.Series(np.full(48, 0.01), hours))
    assert found.index.tolist() == [hours[0], hours[24]]
    assert found.tolist() == pytest.approx([1.01**24 - 1] * 2)
