"""A sweep that keeps the best rows alone: judged, shown and resumed like one that keeps all."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.report.words import sweep as words
from backtests.search import plan as plans
from backtests.search import rows as rows_of
from backtests.search import store as stored
from backtests.search.chunk_summary import Moments, moments, summary_of_rows
from backtests.search.judging import contenders as draws
from backtests.search.outcomes import best_outcomes
from backtests.search.parameter_space import Column
from backtests.search.parameter_surface import surface
from backtests.search.plan import Plan, load_plan
from backtests.search.rerun import config_of_trial
from backtests.search.rows import BestRows
from backtests.search.store import Store, open_store
from backtests.search.sweep_settings import OBJECTIVES
from backtests.search.trials.kernel import FIGURES
from backtests.sweep import main
from feeds.errors import ConfigError, DataError

GRID = """
[sweep]
chunk = 50
"signal.lookback" = [63, 252, "all", 9999]
"rules.hold_days" = {from = 1, to = 90, step = 3}
"rules.trailing_stop" = [0.0, 0.1, 0.2, 0.3]
"costs.slippage_bps" = [0, 5]
"""
DRAWS = """
[sweep]
search = "random"
trials = 700
chunk = 50
objective = "win_rate"
"signal.lookback" = [63, 252, "all"]
"rules.hold_days" = {from = 1, to = 200}
"rules.stop_loss" = {from = 0.01, to = 0.5, log = true}
"""
SWEEPS = {"grid": GRID, "draws": DRAWS}
Pair = tuple[Path, Path]


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    """Keep few rows in few chunks, so that what is kept is told from what is not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draws, "MOST_DRAWN", 20)
        for module in (rows_of, stored, words):
            patch.setattr(module, "ROWS_KEPT", 9)
        patch.setattr(plans, "FEWEST_CHUNKS", 5)
        yield


@pytest.fixture(scope="module", params=SWEEPS)
def both(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Pair:
    """The folders of a sweep that keeps all, and of one that keeps the best."""
    out = tmp_path_factory.mktemp(request.param)
    return swept(SWEEPS[request.param], shared_data, out, "all"), swept(
        SWEEPS[request.param], shared_data, out, "best"
    )


def arguments(text: str, data: Path, out: Path, keep: str) -> list[str]:
    file = out / "sweep.toml"
    file.write_text(text)
    given = ["--asset", "ETH", "--config", str(file), "--source", "files", "--data-dir", str(data)]
    return [*given, "--out", str(out / keep), "--set", f"sweep.keep={keep}"]


def swept(text: str, data: Path, out: Path, keep: str) -> Path:
    assert main(arguments(text, data, out, keep)) == 0
    (folder,) = (out / keep).iterdir()
    return folder


def stores(both: Pair) -> tuple[Store, Store]:
    return open_store(both[0]), open_store(both[1])


def test_best_kept_are_judged_exactly_as_all(both: Pair) -> None:
    every, best = (json.loads((folder / "overfitting.json").read_text()) for folder in both)
    assert every == best


def test_best_kept_have_the_same_outcomes_failures_and_surface_as_all(both: Pair) -> None:
    every, best = stores(both)
    assert best.plan.chunks < every.plan.chunks
    assert best_outcomes(best, count=20) == best_outcomes(every, count=20)
    assert best.failures() == every.failures()
    expected, found = surface(every), surface(best)
    np.testing.assert_array_equal(found.objective, expected.objective)
    for own, other in zip(found.places, expected.places, strict=True):
        np.testing.assert_array_equal(own, other)


@pytest.mark.parametrize("figure", OBJECTIVES)
def test_best_kept_are_the_same_rows_by_every_figure(figure: str, both: Pair) -> None:
    every, best = stores(both)
    found = best.best(figure, count=100)
    assert len(found) == 9
    pd.testing.assert_frame_equal(found, every.best(figure, count=9))


def test_best_kept_leave_few_rows_on_disk_and_every_trial_can_be_run_again(both: Pair) -> None:
    _, best = stores(both)
    kept = pd.concat([part.to_pandas() for _, part in best.parts(["trial", "config"])])
    assert len(kept) <= 9 * len(OBJECTIVES) * best.plan.chunks
    assert len(kept) < best.plan.trials
    for trial in (0, 333, int(kept["trial"].iloc[0])):
        assert config_of_trial(both[1], trial) == config_of_trial(both[0], trial)


def test_sheet_of_best_kept_says_what_is_missing_and_else_the_same(both: Pair) -> None:
    pages = [(folder / "sheet.html").read_text() for folder in both]
    trials = open_store(both[0]).plan.trials
    said = f" The folder keeps the best 9 rows by each figure, not all {trials:,} "
    said += "(sweep.keep = &#34;best&#34;). Any trial can be run again by its number."
    assert said not in pages[0]
    assert pages[1].count(said) == 1
    pages[1] = pages[1].replace(said, "").replace("keep = &#34;best&#34;", "keep = &#34;all&#34;")
    assert pages[1].replace(both[1].name, both[0].name) == pages[0]


def test_command_says_what_is_kept(both: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    said = {}
    for folder in both:
        assert main(["--resume", str(folder)]) == 0
        said[folder] = capsys.readouterr().out
    assert "The folder keeps" not in said[both[0]]
    assert "\nThe folder keeps the best 9 rows by each figure, not all" in said[both[1]]
    told = [line for line in said[both[1]].splitlines() if "The folder keeps" in line]
    assert len(told[0]) <= 100


def test_best_kept_resumed_after_a_lost_chunk_are_identical(both: Pair, tmp_path: Path) -> None:
    before = {part.name: part.read_bytes() for part in (both[1] / "trials").iterdir()}
    copied = Path(shutil.copytree(both[1], tmp_path / both[1].name))
    (copied / "trials" / "part-000001.parquet").unlink()
    assert main(["--resume", str(copied)]) == 0
    assert {part.name: part.read_bytes() for part in (copied / "trials").iterdir()} == before


def test_best_kept_in_a_part_of_other_trials_are_refused(both: Pair, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(both[1], tmp_path / both[1].name))
    shutil.copy(next((both[0] / "trials").iterdir()), copied / "trials" / "part-000001.parquet")
    with pytest.raises(DataError, match=r"part-000001.parquet is damaged: it holds other trials"):
        open_store(copied).require_whole()


def test_parts_without_a_summary_are_summarised_from_their_rows(both: Pair) -> None:
    every, _ = stores(both)
    for chunk in (0, every.plan.chunks - 1):
        told = every.summary(chunk)
        rows = every.part(chunk, [*every.plan.keys, *FIGURES, "failure"])
        found = summary_of_rows(rows, every.plan, chunk)
        assert (found.failures, found.leaders) == (told.failures, told.leaders)
        assert (found.ratios, found.outcomes) == (told.ratios, told.outcomes)
        np.testing.assert_array_equal(found.drawn, told.drawn)


LONG = """
[sweep]
chunk = 20
"signal.lookback" = [63, 252]
"rules.hold_days" = {from = 1, to = 100, step = 2}
"rules.trailing_stop" = {from = 0.0, to = 0.5, step = 0.05}
"""


def test_best_kept_killed_midway_resume_to_the_same_judgement(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "FEWEST_CHUNKS", 32)  # as it is in the process that is killed
    command = arguments(LONG, shared_data, tmp_path, "best")
    stopped = subprocess.Popen(
        [sys.executable, "-m", "backtests.sweep", *command, "--threads", "1"],
        stdout=subprocess.DEVNULL,
        cwd=Path(__file__).parents[3],
    )
    deadline = time.monotonic() + 60
    while not list((tmp_path / "best").glob("*/trials/part-00000[3-9]*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    stopped.kill()
    assert stopped.wait(timeout=60) == -signal.SIGKILL
    (folder,) = (tmp_path / "best").iterdir()
    before = len(open_store(folder).done())
    assert 0 < before < open_store(folder).plan.chunks
    assert main(["--resume", str(folder)]) == 0
    whole = swept(LONG, shared_data, tmp_path, "all")
    one, other = ((each / "overfitting.json").read_text() for each in (folder, whole))
    assert one == other


def test_keep_that_does_not_fit_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text('[sweep]\n"rules.hold_days" = [1, 2]\n')
    with pytest.raises(ConfigError, match=r"`sweep.keep` must be one of 'all', 'best'.*'some'"):
        load_plan(file, overrides=["sweep.keep=some"])
    with pytest.raises(ConfigError, match=r"`sweep.keep` must be \"all\" for a guided search"):
        load_plan(file, overrides=["sweep.keep=best", "sweep.search=guided"])


@pytest.mark.parametrize(
    ("trials", "chunks", "per_chunk"),
    [(100, 1, 20_000), (1_140_480, 58, 20_000), (10**7, 63, 160_000), (10**9, 1_042, 960_000)],
)
def test_chunks_of_best_kept_are_few_whatever_the_number_of_trials(
    trials: int, chunks: int, per_chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "FEWEST_CHUNKS", 32)
    plan = plan_of(trials)
    assert (plan.chunks, plan.chunk) == (chunks, per_chunk)
    bounds = [plan.bounds(chunk) for chunk in range(plan.chunks)]
    batches = [batch for chunk in range(plan.chunks) for batch in plan.batches(chunk)]
    assert bounds[-1][1] == trials
    assert batches == list(plan.batches())


def plan_of(trials: int, keep: str = "best") -> Plan:
    overrides = ["sweep.search=random", f"sweep.trials={trials}", f"sweep.keep={keep}"]
    return load_plan(None, overrides=[*overrides, "sweep.rules.hold_days={from=1,to=300}"])


def test_best_rows_of_equals_are_the_earliest() -> None:
    best, plan = BestRows(plan_of(60)), plan_of(60)
    figures = np.full((60, len(FIGURES)), np.nan)
    figures[:, FIGURES.index("win_rate")] = np.repeat([0.5, 1.0, 0.75], 20)
    columns = plan.columns(0)
    for first in (0, 30):
        rows = np.arange(first, first + 30)
        best.add(
            first,
            {key: Column(own.values, own.codes[rows]) for key, own in columns.items()},
            figures[rows],
        )
    assert best.table()["trial"].to_pylist() == list(range(20, 29))


def test_moments_of_parts_are_those_of_the_whole() -> None:
    values = np.random.default_rng(0).normal(2.0, 0.3, 1_000)
    values[::7] = np.nan
    total = Moments()
    for part in (values[:300], values[300:301], values[301:]):
        total = total.and_those(moments(part))
    known = values[~np.isnan(values)]
    assert total.count == known.size
    assert total.mean == pytest.approx(known.mean(), rel=1e-14)
    assert total.variance == pytest.approx(known.var(ddof=1), rel=1e-13)
    assert np.isnan(moments(np.array([1.0])).variance)
