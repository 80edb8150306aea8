"""The tearsheet as a reader's browser shows it."""

import json
import time

import pytest

from backtests.report.figures import COLUMNS, FIGURES, figure_text
from tests.browser.conftest import RUNS
from tests.browser.page import Browser

SECTIONS = {
    "verdict", "comparison", "significance", "index", "coin", "equity", "underwater", "drawdowns",
    "exposure", "filters", "costs", "rolling", "months", "distribution", "trades", "pyfolio",
    "provenance",
}  # fmt: skip


@pytest.fixture
def browser(driver):
    return Browser(driver)


@pytest.mark.parametrize("kind", RUNS)
def test_page_draws_every_chart_and_asks_for_nothing(browser, tearsheets, kind):
    url = tearsheets[kind].as_uri()
    browser.open(url).drawn()
    console, asked = browser.logs()
    assert console == []
    assert asked == [url]
    ids = set(browser.run("return [...document.querySelectorAll('[id]')].map((e) => e.id)"))
    assert ids >= SECTIONS | (set() if kind == "ETH" else {"contribution"})
    points = browser.run(
        "return [...document.querySelectorAll('[data-chart]')].map((div) =>"
        " [div.dataset.chart, div.calcdata.flat().filter((p) => p.y !== undefined).length])"
    )
    assert len(points) >= 9
    assert all(count > 0 for _, count in points), points


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["switch"])
def test_page_has_no_serious_accessibility_finding(browser, tearsheets, kind, scheme):
    browser.open(tearsheets[kind].as_uri(), scheme=scheme).drawn()
    assert browser.violations() == []


def test_page_is_interactive_before_any_chart_is_drawn(browser, tearsheets):
    at_once = (
        "document.addEventListener('DOMContentLoaded', () => {"
        " window.atOnce = {plotly: 'Plotly' in window, charts:"
        " document.querySelectorAll('.main-svg').length}; }, {once: true})"
    )
    command = "Page.addScriptToEvaluateOnNewDocument"
    script = browser.driver.execute_cdp_cmd(command, {"source": at_once})
    try:
        browser.open(tearsheets["ETH"].as_uri()).drawn()
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    assert browser.run("return window.atOnce") == {"plotly": False, "charts": 0}
    # what is parsed before that: mostly the library, compressed
    assert tearsheets["ETH"].stat().st_size < 3_000_000


def test_figures_on_the_page_equal_the_metrics_file(browser, tearsheets):
    browser.open(tearsheets["ALTS"].as_uri())
    metrics = json.loads(tearsheets["ALTS"].with_name("metrics.json").read_text())
    shown = browser.run(
        "return [...document.querySelectorAll('#comparison tbody tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    accounts = [name for name in COLUMNS if name in metrics]
    for (label, *cells), (name, figure) in zip(shown, FIGURES.items(), strict=True):
        assert label == figure.label
        values = [metrics[account].get(name, float("nan")) for account in accounts]
        assert cells == [
            figure_text(name, float("nan") if value is None else value) for value in values
        ]


def test_headings_sort_the_trades_by_keyboard(browser, tearsheets):
    browser.open(tearsheets["ETH"].as_uri())
    column = browser.texts("#trades thead th").index("Return")
    values = (
        "return [...document.querySelectorAll('#trades tbody tr')]"
        f".map((row) => Number(row.cells[{column}].dataset.sort))"
    )
    for is_descending in (False, True):
        browser.run(
            f"document.querySelectorAll('#trades thead button')[{column}].focus();"
            "document.activeElement.click()"
        )
        shown = browser.run(values)
        assert len(shown) > 2
        assert shown == sorted(shown, reverse=is_descending)


def test_zoom_of_one_panel_moves_all(browser, tearsheets):
    browser.open(tearsheets["ETH"].as_uri()).drawn()
    browser.run("document.querySelector('[data-years=\"3\"]').click()")
    time.sleep(1.5)
    ranges = browser.run(
        "return [...document.querySelectorAll('[data-chart]')]"
        ".filter((div) => div.layout.xaxis.type === 'date')"
        ".map((div) => div.layout.xaxis.range.map((t) => String(t).slice(0, 10)).join())"
    )
    assert len(ranges) >= 6
    assert len(set(ranges)) == 1
    assert ranges[0].startswith("2023-01-01")


def test_scale_can_be_made_linear(browser, tearsheets):
    browser.open(tearsheets["ETH"].as_uri()).drawn()
    button = '[data-for="equity"][data-scale="linear"]'
    browser.run(f"document.querySelector('{button}').click()")
    time.sleep(0.5)
    kind = "return document.querySelector('[data-chart=equity]').layout.yaxis.type"
    assert browser.run(kind) == "linear"


def test_phone_shows_no_sideways_scroll(browser, tearsheets):
    for kind in RUNS:
        browser.open(tearsheets[kind].as_uri(), size="phone").drawn()
        assert browser.run("return document.documentElement.scrollWidth") <= 390


def test_theme_button_turns_the_charts_dark(browser, tearsheets):
    browser.open(tearsheets["ETH"].as_uri()).drawn()
    browser.run("document.getElementById('theme').click()")
    time.sleep(1)
    paper = "return document.querySelector('[data-chart=equity]').layout.paper_bgcolor"
    assert browser.run(paper) == "#171b20"
