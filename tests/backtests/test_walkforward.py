"""Walk-forward: windows, no look ahead, and stitched returns against single runs."""

import dataclasses
import itertools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.engines.backtest import run_inputs
from backtests.market.inputs import Inputs
from backtests.report.pages.walkforward import COMPARED, FIRST_COLUMNS
from backtests.report.words.notation import MINUS
from backtests.search.plan import Plan, load_plan
from backtests.search.sweep_settings import OBJECTIVES
from backtests.search.trials.trial_library import Library
from backtests.search.walkforward.walk import RATES, WalkForward, walk_forward
from backtests.search.walkforward.windows import WindowSettings, windows
from backtests.walkforward import main, walk_hash
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


class Command:
    """The command on the bundled sample or on real bars, and what it left and said."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.out, self.file, self._capsys = folder / "out", folder / "sweep.toml", capsys
        self.file.write_text(SWEEP)

    def run(self, *arguments: str, source: Path | None = None) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr."""
        bars = ["--source", "files", "--data-dir", str(source)] if source else ["--source=sample"]
        given = ["--config", str(self.file), *bars, "--out", str(self.out), "--quiet", *arguments]
        code = main(given)
        said = self._capsys.readouterr()
        return code, said.out, said.err

    @property
    def page(self) -> str:
        """The latest page, without plotly and with plain spaces."""
        folder = max(self.out.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        text = (folder / "walkforward.html").read_text()
        return re.sub(r'id="plotly">.*?</script>', "", text).replace("\N{NO-BREAK SPACE}", " ")

    @property
    def charts(self) -> Any:
        """The charts of the latest page by name."""
        found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', self.page)
        assert found
        return json.loads(found[1])["figures"]


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


def rows_of(page: str, section: str) -> int:
    """Return how many rows of a table's body a section has."""
    body = re.search(rf'<section id="{section}">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    assert body
    return body[1].count("<tr>")


def test_walkforward_leaves_its_steps_and_compares_with_holding(
    shared_data: Path, command: Command
) -> None:
    code, out, _ = command.run(source=shared_data)
    assert code == 0
    assert "buy and hold:" in out
    (folder,) = command.out.iterdir()
    names = {path.name for path in folder.iterdir()}
    sheets = {"walkforward.html", "walkforward.json"}
    assert names == {"steps.csv", "equity.csv", "sweep.toml", *sheets}
    page, steps = command.page, pd.read_csv(folder / "steps.csv")
    assert set(command.charts) == {"equity", "promised", "stability"}
    assert rows_of(page, "steps") == len(steps)
    assert rows_of(page, "figures") == len(COMPARED)
    assert "percentage points per year" in page
    assert "http://" not in page
    assert "https://" not in page
    summary = json.loads((folder / "walkforward.json").read_text())
    assert set(summary["stability"]) == {"signal.lookback", "rules.hold_days"}
    assert [bars["symbol"] for bars in summary["bars"]] == ["RUT", "ETH-USD"]
    assert summary["steps"] == len(steps)


def test_walkforward_says_the_verdict_first_and_what_it_rests_on(
    shared_data: Path, command: Command
) -> None:
    _, out, _ = command.run(source=shared_data)
    first, second, *_ = out.splitlines()
    assert re.match(
        r"Choosing on the past (beat|trailed) holding ETH by [\d.]+ percentage points per year: "
        rf"{MINUS}?[\d.]+ % against [\d.]+ % per year .* "
        rf"worst drawdown of {MINUS}[\d.]+ % against {MINUS}[\d.]+ %\.$",
        first,
    )
    assert re.match(r"This rests on \d+ steps on separate days.* So few say little\. ", second)
    page = command.page
    assert page.index(first) < page.index(second) < page.index('id="figures"')


def test_walkforward_page_states_how_it_was_done_and_on_what(
    shared_data: Path, command: Command
) -> None:
    command.run("--train-days=800", "--test-days=300", "--embargo-days=7", source=shared_data)
    text = re.sub(r"<[^>]+>", " ", command.page.replace("</dt><dd>", ": "))
    for said in (
        "Windows: rolling: every choice looks back 800 days",
        "Traded on: 300 days after",
        "Embargo: 7 days before each test",
        "Chosen from: 6 trials (grid)",
        "Objective: the highest Sharpe ratio in sample",
    ):
        assert said in text
    bars = re.search(r"<summary>The bars</summary>.*?</details>", command.page, re.DOTALL)
    assert bars
    for said in ("RUT", "ETH-USD", "files", "2017-11-09 to 2025-12-31"):
        assert said in bars[0]
    assert str(shared_data) not in command.page
    command.run("--anchored", source=shared_data)
    assert "anchored: every choice looks back to the first day" in command.page


def test_walkforward_page_has_figures_first_and_readable_names(
    shared_data: Path, command: Command
) -> None:
    command.run(source=shared_data)
    page = command.page
    heads = re.findall(r"<th scope=.col.[^>]*>([^<]*)</th>", page[page.index('id="steps"') :])
    assert heads[:10] == [*FIRST_COLUMNS, "lookback", "hold days"]
    plan = page.index("<pre>")  # where the config's own names belong
    assert "sharpe_ratio" not in page[:plan]
    own = page[page.index('id="steps"') : plan]
    assert all('class="num' in cell for cell in re.findall(r"<td[^>]*>-?[\d.]+ ?%?<", own))


def test_walkforward_marks_its_growth_with_whole_numbers(command: Command) -> None:
    command.run()
    assert command.charts["equity"]["layout"]["yaxis"]["tickformat"] == ",~g"


def test_walkforward_on_the_sample_says_so_on_page_and_terminal(command: Command) -> None:
    code, out, _ = command.run()
    assert code == 0
    assert out.startswith("WARNING  sample data: not a verdict on the idea\n")
    assert "WARNING  sample: monthly figures real, days simulated" in out
    page = command.page
    banner = re.search(r'<div class="banner sample".*?</div>', page, re.DOTALL)
    assert banner
    assert "Sample data: not a verdict on the idea" in banner[0]
    assert "days simulated" in banner[0]
    assert page.index(banner[0]) < page.index("<h1>")


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_walkforward_by_any_objective_prints_nothing_undefined(
    command: Command, objective: str
) -> None:
    code, out, _ = command.run("--set", f"sweep.objective={objective}", "--start=2019-01-01")
    assert code == 0
    assert "nan" not in out.lower()
    assert not re.search(r"-\d+ % (of it )?was left", out)
    # neither on the page, nor the name that only a config has
    assert "nan" not in re.findall(r"[a-z]+", re.sub(r"<[^>]+>", " ", command.page).lower())
    assert ("which share of it was kept is n/a: " in out) == (objective not in RATES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", 'sweep.index.symbol=["RUT","NOPE"]'], "`index.symbol` NOPE has no bars"),
        (["--set", "sweep.filters.etf_flows.level=[0.0,1.0]"], "`sweep`: nothing can be chosen"),
        (["--set", 'sweep.data.start=["2018-01-01"]'], "`sweep.data.start` cannot vary here"),
        (["--set", "sweep.search=guided"], "`sweep.search` must be"),
        (["--test-days", "1"], "`--test-days`"),
        (["--embargo-days", "10000"], "`--train-days`, `--test-days` and `--embargo-days` leave"),
        (["--embargo-days", "100000000000"], "`--embargo-days`"),
    ],
)
def test_walkforward_refuses_in_one_line(
    shared_data: Path, command: Command, arguments: list[str], message: str
) -> None:
    code, out, err = command.run(*arguments, source=shared_data)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1
    assert not command.out.exists()


def test_walk_hash_depends_on_plan_and_windows(plan: Plan) -> None:
    other = dataclasses.replace(plan, settings=plan.settings.model_copy(update={"seed": 1}))
    objective = plan.settings.model_copy(update={"objective": "cagr"})
    usual = WindowSettings()
    hashes = [
        walk_hash(plan, usual),
        walk_hash(other, usual),
        walk_hash(dataclasses.replace(plan, settings=objective), usual),
        walk_hash(dataclasses.replace(plan, axes=plan.axes[:1]), usual),
        *(
            walk_hash(plan, usual.model_copy(update=change))
            for change in (
                {"anchored": True},
                {"train_days": 30},
                {"test_days": 30},
                {"embargo_days": 5},
            )
        ),
    ]
    assert len(set(hashes)) == len(hashes)
    assert walk_hash(plan, WindowSettings()) == hashes[0]
