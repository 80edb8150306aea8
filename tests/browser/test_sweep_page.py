"""The sheet of a sweep as a reader's browser shows it."""

import pytest

from backtests.sweep import main
from tests.browser.page import Browser

SWEEP = """
asset = "ETH"

[data]
start = "2022-01-01"

[sweep]
"signal.lookback" = [63, 252, "all"]
"rules.trigger" = ["new_high", "any"]
"rules.exit_on_support_lost" = [true, false]
"rules.hold_days" = {from = 10, to = 90, step = 20}
"""
DRAWN = """
  return [...document.querySelectorAll("[data-chart], [data-heat]")]
    .every((div) => !div.clientWidth || div.querySelector(".main-svg"))
"""
SHOWN = """
  const maps = [...document.querySelectorAll("[data-heat]")].map((div) => div._fullData[0]);
  return maps.map(({ x, y, zmin, zmax }) => [y.join(), x.join(), zmin, zmax]);
"""
PAPERS = """
  const charts = [...document.querySelectorAll("[data-chart]")];
  return [...new Set(charts.map((div) => div.layout.paper_bgcolor))];
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "sweep.toml").write_text(SWEEP)
    arguments = ["--config", str(folder / "sweep.toml"), "--source", "sample", "--quiet"]
    assert main([*arguments, "--out", str(folder / "out")]) == 0
    (page,) = (folder / "out").glob("*/sheet.html")
    return page.as_uri()


@pytest.fixture
def browser(driver):
    return Browser(driver)


def opened(browser, url, **how):
    browser.open(url, **how)
    browser.wait(DRAWN, within=20)
    return browser


def messages(browser):
    """Return console and addresses asked for; that a graphics card is missing is no fault."""
    console, asked = browser.logs()
    return [text for text in console if "WebGL" not in text and "GL Driver" not in text], asked


def test_sheet_is_accessible_draws_every_chart_and_follows_what_is_chosen(browser, url):
    opened(browser, url)
    assert browser.violations() == []
    assert browser.run("return document.querySelectorAll('.main-svg').length") >= 5
    best, median = browser.run(SHOWN)
    assert best == median  # the settings and the range of colours
    assert best[:2] == ["63,252,all", "new high,any"]
    browser.run(
        "const pair = document.getElementById('pair'); pair.selectedIndex = 2;"
        "pair.dispatchEvent(new Event('change'))"
    )
    browser.wait(f"return (() => {{ {SHOWN} }})()[1][1]", wanted="10,30,50,70,90")

    for colour in ("#171b20", "#ffffff"):
        browser.run("document.getElementById('theme').click()")
        browser.wait(PAPERS, wanted=[colour])

    trial = browser.texts("[data-trial]")[3]
    browser.run("document.querySelectorAll('[data-trial]')[3].click()")
    (command,) = browser.texts("#again")
    assert command.endswith(f":{trial}")
    assert "python -m backtests.run --from-trial 2" in command

    column = browser.texts("table.best thead button").index("Worst drawdown")
    browser.run(f"document.querySelectorAll('table.best thead button')[{column}].click()")
    cells = browser.run(
        "return [...document.querySelectorAll('table.best tbody tr')]"
        f".map((row) => Number(row.cells[{column}].dataset.sort))"
    )
    assert cells == sorted(cells)
    assert browser.run(
        "const scroll = document.querySelector('#top .scroll');"
        "return scroll.scrollWidth <= scroll.clientWidth"
    )
    assert messages(browser) == ([], [url])


def test_sheet_in_the_dark_fits_a_phone_and_is_accessible(browser, url):
    opened(browser, url, size="phone", scheme="dark")
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    assert "need a wider screen" in browser.texts("#parallel .narrow-only")[0]
    assert not browser.run("return document.querySelector('[data-chart=parallel]').clientWidth")
    assert browser.violations() == []
    assert messages(browser) == ([], [url])
