"""The surface of a sweep, and the sheet that shows it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markupsafe import escape

from backtests.report.pages.sweep import sheet
from backtests.report.words.sweep import statistics, verdict
from backtests.search.bars_used import used_bars
from backtests.search.judging.judge import judge
from backtests.search.parameter_space import Range, drawn_column
from backtests.search.parameter_surface import _place as placed
from backtests.search.parameter_surface import _scale as scale_of
from backtests.search.parameter_surface import neighbours, surface
from backtests.search.plan import load_plan
from backtests.search.run_chunks import drive
from backtests.search.store import Store, create
from backtests.search.trials.trial_library import Library
from feeds.bars import Bars
from feeds.instruments import coin, index


def swept(sweep: str, data: Path, folder: Path) -> tuple[Store, Library]:
    file = folder / "sweep.toml"
    file.write_text(sweep)
    plan = load_plan(file, flags={"data.source": "files", "data.data_dir": str(data)})
    library = Library()
    store = create(folder, plan, bars=used_bars(plan, library).bars)
    drive(store, library=library, report=lambda _: None)
    return store, library


GRID = """
[sweep]
chunk = 7
"signal.lookback" = [63, 252, "all"]
"rules.hold_days" = [10, 20, 40, 80]
"rules.stop_loss" = [0.0, 0.1]
"""
DRAWS = """
[sweep]
search = "random"
trials = 30
objective = "cagr"
"rules.hold_days" = {from = 5, to = 90}
"rules.stop_loss" = {from = 0.05, to = 0.5}
"""


def test_neighbours_of_a_grid_are_one_step_away() -> None:
    grid = np.array([[1.0, 2.0, 3.0], [4.0, np.nan, 6.0]])
    expected = [[3.0, 2.0, 4.0], [1.0, (2 + 4 + 6) / 3, 3.0]]
    found = neighbours(grid.ravel(), (2, 3), np.arange(6))
    np.testing.assert_allclose(found.reshape(2, 3), expected)


def test_neighbours_with_the_same_result_are_left_out() -> None:
    # the second axis changes nothing: it is no evidence of a plateau
    grid = np.array([[1.0, 1.0], [3.0, 3.0], [1.0, 1.0]])
    found = neighbours(grid.ravel(), (3, 2), np.arange(6))
    np.testing.assert_array_equal(found.reshape(3, 2), [[3, 3], [1, 1], [3, 3]])
    assert np.isnan(neighbours(np.ones(6), (3, 2), np.arange(6))).all()


@pytest.mark.parametrize(
    ("low", "high", "log", "first", "last", "count"),
    [
        (5, 90, False, "5 to 12", "84 to 90", 12),
        (1, 4, False, "1", "4", 4),
        (7, 7, False, "7", "7", 1),
        (1, 10_000, True, "1 to 2", "4643 to 10000", 12),
        (0.05, 0.5, False, "0.05 to 0.0875", "0.462 to 0.5", 12),
        (0.5, 0.5, False, "0.5", "0.5", 1),
        (1_000.0, 1_000.1, False, "1000 to 1000.008333", "1000.091667 to 1000.1", 12),
    ],
)
def test_bins_of_a_range_say_both_edges(
    low: float, high: float, log: bool, first: str, last: str, count: int
) -> None:
    scale = scale_of(Range("rules.any", low, high, log))
    assert (scale.texts[0], scale.texts[-1], len(set(scale.texts))) == (first, last, count)
    # whatever is drawn has its bin
    drawn = Range("rules.any", low, high, log).draw(500, rng=np.random.default_rng(1))
    places = placed(drawn_column(drawn), scale)
    assert 0 <= places.min() <= places.max() < count
    if count > 1 and isinstance(low, int):
        for value, place in zip(drawn, places, strict=True):
            ends = scale.texts[place].split(" to ")
            assert int(ends[0]) <= value <= int(ends[-1])


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


@pytest.fixture(scope="module")
def grid(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Library]:
    return swept(GRID, shared_data, tmp_path_factory.mktemp("grid"))


@pytest.fixture(scope="module")
def page(grid: tuple[Store, Library]) -> str:
    return sheet(grid[0], judge(grid[0], library=grid[1], draws=50))


def figures_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page)
    assert found
    figures: dict[str, Any] = json.loads(found[1])["figures"]
    return figures


def heat_of(page: str) -> dict[str, Any]:
    return {name: spec for name, spec in figures_of(page).items() if "|" in name}


def sides(spec: dict[str, Any]) -> Iterator[tuple[list[float], list[float]]]:
    points, line = spec["data"][:2]
    return ((points[side], line[side]) for side in ("x", "y"))


def test_sheet_shows_the_verdict_and_every_finding(grid: tuple[Store, Library], page: str) -> None:
    judgement = judge(grid[0], library=grid[1], draws=50)
    assert judgement is not None
    assert verdict(judgement) in page
    for finding in statistics(judgement):
        assert all(text.replace("'", "&#39;").replace("<", "&lt;") in page for text in finding)


def test_sheet_holds_its_charts_and_reaches_nowhere(page: str) -> None:
    assert {"parallel", "plateau", "splits"} < figures_of(page).keys()
    own = re.sub(r'id="plotly">.*?</script>', "", page)
    assert "http://" not in own
    assert "https://" not in own


def test_sheet_of_the_same_table_is_the_same(grid: tuple[Store, Library]) -> None:
    assert sheet(grid[0], None) == sheet(grid[0], None)


def test_sheet_names_no_folder_of_this_machine(page: str, grid: tuple[Store, Library]) -> None:
    assert str(grid[0].plan.base.data.data_dir) not in page
    assert str(grid[0].folder.parent) not in page


def test_heatmaps_keep_the_order_of_the_plan_and_share_one_range(page: str) -> None:
    pairs = re.findall(r'<option value="(.*?)">(.*?)</option>', page)
    assert pairs == [
        ("signal.lookback|rules.hold_days", "lookback and hold days"),
        ("signal.lookback|rules.stop_loss", "lookback and stop loss"),
        ("rules.hold_days|rules.stop_loss", "hold days and stop loss"),
    ]
    traces = [spec["data"][0] for spec in heat_of(page).values()]
    assert traces[0]["y"] == ["63", "252", "all"]
    cells = [cell for trace in traces for row in trace["z"] for cell in row]
    assert {(trace["zmin"], trace["zmax"]) for trace in traces} == {(min(cells), max(cells))}


def test_heatmaps_frame_the_cell_of_the_best_row(page: str) -> None:
    for name, spec in heat_of(page).items():
        box, z = spec["layout"]["shapes"][0], np.array(spec["data"][0]["z"])
        row, column = round(box["y0"] + 0.5), round(box["x0"] + 0.5)
        assert z.shape[0] > row >= 0
        if name.startswith("best"):
            assert z[row, column] == z.max()


def test_lines_of_equality_end_where_the_points_do(page: str) -> None:
    figures = figures_of(page)
    for name in ("plateau", "splits"):
        for points, line in sides(figures[name]):
            assert min(points) <= line[0] <= line[1] <= max(points)


def test_plateau_marks_the_best_rows(page: str, grid: tuple[Store, Library]) -> None:
    marked = figures_of(page)["plateau"]["data"][2]
    best = grid[0].best("sharpe_ratio", count=1).iloc[0]
    assert marked["text"][0] == f"trial {best['trial']}, row 1"
    assert marked["y"][0] == pytest.approx(best["sharpe_ratio"], rel=1e-4)


def test_parallel_axes_carry_few_marks(shared_data: Path, tmp_path: Path) -> None:
    many = '[sweep]\n"rules.hold_days" = {from = 5, to = 360, step = 5}\n"signal.confirm" = [3]\n'
    store, _ = swept(many, shared_data, tmp_path)
    days = figures_of(sheet(store, None))["parallel"]["data"][0]["dimensions"][0]
    assert len(days["tickvals"]) <= 8
    assert (days["ticktext"][0], days["ticktext"][-1]) == ("5", "360")


def test_sheet_of_draws_says_why_it_has_no_plateau(shared_data: Path, tmp_path: Path) -> None:
    store, _ = swept(DRAWS, shared_data, tmp_path)
    page = sheet(store, None)
    assert "Only a grid has neighbours; these trials are draws." in page
    assert "Robustness needs a grid" in page
    labels = figures_of(page)["median|rules.hold_days|rules.stop_loss"]["data"][0]["y"]
    assert (labels[0], labels[-1]) == ("5 to 12", "84 to 90")


def test_sheet_of_one_trial_says_that_it_has_no_neighbour(
    shared_data: Path, tmp_path: Path
) -> None:
    store, _ = swept('[sweep]\n"rules.hold_days" = [30]\n', shared_data, tmp_path)
    page = sheet(store, None)
    assert "No trial has a neighbour with another result." in page
    assert "The best result by Sharpe ratio." in page


def test_sheet_of_one_setting_draws_it_as_a_line(shared_data: Path, tmp_path: Path) -> None:
    store, _ = swept('[sweep]\n"rules.hold_days" = [10, 20, 40]\n', shared_data, tmp_path)
    page = sheet(store, None)
    (line,) = figures_of(page)["curve"]["data"]
    expected = store.best("trial", count=3)["sharpe_ratio"][::-1]
    assert line["x"] == ["10", "20", "40"]
    np.testing.assert_allclose(line["y"], expected, rtol=1e-4)
    assert "Each pair of settings" not in page


def test_sheet_without_any_objective_is_written_and_says_why(
    shared_data: Path, tmp_path: Path
) -> None:
    never = GRID + '\n[data]\nstart = "2014-11-01"\nend = "2014-11-20"\n'
    never += '[rules]\ntrigger = "support_held"\n'
    store, _ = swept('asset = "BTC"\n' + never, shared_data, tmp_path)
    page = sheet(store, None)
    assert figures_of(page) == {}
    assert "No trial has a Sharpe ratio. It is undefined where a trial never trades." in page


def test_sheet_of_failures_alone_is_written_and_lists_them(
    shared_data: Path, tmp_path: Path
) -> None:
    failing = '[sweep]\n"signal.lookback" = [9_998, 9_999]\n'
    store, _ = swept(failing, shared_data, tmp_path)
    assert sum(store.failures().values()) == 2
    page = sheet(store, None)
    assert all(escape(reason) in page for reason in store.failures())
    assert "No trial has a Sharpe ratio: all failed for the reasons above." in page


def test_sheet_names_every_asset_that_is_swept(shared_data: Path, tmp_path: Path) -> None:
    both = '[sweep]\nasset = ["ETH", "BTC"]\n"rules.hold_days" = [20, 40]\n'
    store, _ = swept(both, shared_data, tmp_path)
    page = sheet(store, None)
    assert "<title>Sweep of ETH and BTC: 4 trials</title>" in page
    assert "ETH and BTC after RUT" in page


def bars_of(symbol: str, *, source: str, notes: tuple[str, ...] = ()) -> Bars:
    instrument = index(symbol) if symbol == "RUT" else coin(symbol)
    days = pd.date_range("2020-01-01", periods=1_500, tz=None if symbol == "RUT" else "UTC")
    frame = pd.DataFrame({"close": 1.0}, index=days)
    return Bars(instrument, "1d", frame, source, f"{symbol}.csv", notes)


def test_sheet_says_what_its_bars_are(grid: tuple[Store, Library]) -> None:
    rut, eth = bars_of("RUT", source="files"), bars_of("ETH", source="files", notes=("2 gaps",))
    page = sheet(grid[0], None, bars=[rut, eth, rut], warnings=["2 gaps", "RUT is silent"])
    assert "RUT 1d 2020-01-01 to 2024-02-08, 1,500 bars; ETH 1d 2020-01-01" in page
    assert page.count("2024-02-08</td>") == 2
    assert page.count("<p>2 gaps</p>") == page.count("<p>RUT is silent</p>") == 1
    assert 'class="banner sample"' not in page
    many = [replace(eth, instrument=coin(f"C{place}")) for place in range(9)]
    assert "9 symbols, bars of 1d, 2020-01-01 to 2024-02-08" in sheet(grid[0], None, bars=many)


def test_sheet_of_the_sample_has_a_banner_nobody_can_miss(grid: tuple[Store, Library]) -> None:
    label = "sample: monthly figures real, days simulated"
    bars = [bars_of("RUT", source="sample", notes=(label,)), bars_of("ETH", source="files")]
    page = sheet(grid[0], None, bars=bars)
    assert 'class="banner sample"' in page
    assert page.index("Sample data: not a verdict") < page.index(label) < page.index("<header>")
