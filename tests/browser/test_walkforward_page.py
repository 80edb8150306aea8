"""The sheet of a walk-forward in a real browser."""

import pytest

from backtests.walkforward import main
from tests.browser.page import Browser

SWEEP = """
[sweep]
"signal.lookback" = [63, 252]
"rules.trigger" = ["new_high", "support_held"]
"rules.exit_on_support_lost" = [true, false]
"rules.hold_days" = [30, 60]
"rules.trailing_stop" = [0.0, 0.25]
"""


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walk")
    (folder / "sweep.toml").write_text(SWEEP)
    out = folder / "out"
    files = ["--config", str(folder / "sweep.toml"), "--source", "sample", "--out", str(out)]
    assert main([*files, "--quiet"]) == 0
    return next(out.glob("*/walkforward.html")).as_uri()


def assert_sheet_is_drawn_and_readable(page, sheet):
    console, asked = page.logs()
    assert not console
    assert asked == [sheet]
    wide, room = page.run(
        "const root = document.documentElement; return [root.scrollWidth, root.clientWidth]"
    )
    assert wide <= room
    assert page.violations() == []


def test_sheet_on_a_laptop_shows_every_figure_of_a_step_and_turns_dark(driver, sheet):
    page = Browser(driver).open(sheet).drawn()
    assert_sheet_is_drawn_and_readable(page, sheet)
    right = "const box = document.querySelector('#steps .scroll').getBoundingClientRect();"
    cells = "[...document.querySelectorAll('#steps tbody tr:first-child td')].slice(0, 8)"
    seen = f"{right} return {cells}.map((cell) => cell.getBoundingClientRect().right <= box.right)"
    assert all(page.run(seen))
    paper = "return document.querySelector('.js-plotly-plot').layout.paper_bgcolor"
    before = page.run(paper)
    page.run("document.getElementById('theme').click()")
    assert page.run(paper) != before
    assert page.run("return document.documentElement.dataset.theme") == "dark"
    assert page.violations() == []


def test_sheet_on_a_phone_in_the_dark_is_drawn_and_readable(driver, sheet):
    page = Browser(driver).open(sheet, size="phone", scheme="dark").drawn()
    assert_sheet_is_drawn_and_readable(page, sheet)
