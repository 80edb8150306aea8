"""The surface of a sweep, and the sheet that shows it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from backtests.sweep.drive import drive, load_bars
from backtests.sweep.groups import Library
from backtests.sweep.judge import judge
from backtests.sweep.plan import load_plan
from backtests.sweep.sheet import sheet
from backtests.sweep.store import Store, create
from backtests.sweep.surface import neighbours, surface


def swept(sweep: str, data: Path, folder: Path) -> tuple[Store, Library]:
    file = folder / "sweep.toml"
    file.write_text(sweep)
    plan = load_plan(file, flags={"data.source": "files", "data.data_dir": str(data)})
    library = Library()
    store = create(folder, plan, digests=load_bars(plan, library))
    drive(store, library=library, report=lambda _: None)
    return store, library


GRID = """
[sweep]
chunk = 7
"signal.lookback" = [63, 252, "all"]
"rules.hold_days" = [10, 20, 40, 80]
"rules.stop_loss" = [0.0, 0.1]
"""


def test_neighbours_of_a_grid_are_one_step_away() -> None:
    grid = np.array([[1.0, 2.0, 3.0], [4.0, np.nan, 6.0]])
    expected = [[3.0, 2.0, 4.0], [1.0, (2 + 4 + 6) / 3, 3.0]]
    found = neighbours(grid.ravel(), (2, 3), np.arange(6))
    np.testing.assert_allclose(found.reshape(2, 3), expected)


def test_surface_best_and_median_equal_those_of_the_table(
    shared_data: Path, tmp_path: Path
) -> None:
    store, _ = swept(GRID, shared_data, tmp_path)
    columns = ["signal.lookback", "rules.hold_days", "sharpe_ratio"]
    table = store.best("trial", count=100)[columns]
    best, median = surface(store).heat(0, 1)
    groups = table.groupby(["signal.lookback", "rules.hold_days"])["sharpe_ratio"]
    for row, lookback in enumerate(["63", "252", "all"]):
        for place, days in enumerate([10, 20, 40, 80]):
            assert best[row, place] == groups.max()[lookback, days]
            assert median[row, place] == pytest.approx(groups.median()[lookback, days])


def test_sheet_holds_its_charts_and_reaches_nowhere(shared_data: Path, tmp_path: Path) -> None:
    store, library = swept(GRID, shared_data, tmp_path)
    judgement = judge(store, library=library, draws=50)
    page = sheet(store, judgement)
    assert judgement is not None
    assert judgement.verdict() in page
    for finding in judgement.findings():
        assert all(text.replace("'", "&#39;").replace("<", "&lt;") in page for text in finding)
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page)
    assert found
    figures = json.loads(found[1])["figures"]
    assert {"parallel", "plateau", "splits"} < figures.keys()
    assert "median|signal.lookback|rules.stop_loss" in figures
    own = re.sub(r'id="plotly">.*?</script>', "", page)
    assert "http://" not in own
    assert "https://" not in own
    assert page == sheet(store, judgement)


def test_sheet_of_draws_says_why_it_has_no_plateau(shared_data: Path, tmp_path: Path) -> None:
    draws = (
        '[sweep]\nsearch = "random"\ntrials = 30\n'
        '"rules.hold_days" = {from = 5, to = 90}\n"rules.stop_loss" = {from = 0.05, to = 0.5}\n'
    )
    store, _ = swept(draws, shared_data, tmp_path)
    page = sheet(store, None)
    assert "Only a grid has neighbours." in page
    assert "median|rules.hold_days|rules.stop_loss" in page
