"""The tearsheet as a reader's browser shows it."""

import json
import re

import pytest

from backtests.report.words import notation as written
from backtests.report.words.labels import COLUMNS, FIGURES, figure_text
from tests.browser.conftest import RUNS
from tests.browser.page import Browser

LONGEST_PAGE = 6_500  # CSS pixels, as it opens
SECTIONS = {
    "verdict", "comparison", "significance", "index", "coin", "equity", "underwater", "drawdowns",
    "exposure", "filters", "costs", "rolling", "months", "distribution", "trades", "pyfolio",
    "provenance", "by-year", "risk", "quantiles", "worst-days", "regimes",
}  # fmt: skip


@pytest.fixture
def browser(driver):
    return Browser(driver)


@pytest.mark.parametrize("kind", RUNS)
def test_page_draws_every_chart_asks_for_nothing_and_fits_every_screen(browser, tearsheets, kind):
    url = tearsheets[kind].as_uri()
    browser.open(url, size="desk")
    assert browser.run("return document.documentElement.scrollHeight") <= LONGEST_PAGE
    browser.drawn()
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
    assert_figures_are_those_of_the_metrics_file(browser, tearsheets[kind])
    if kind == "ETH":
        assert_first_screen_says_what_it_earned_and_shows_it(browser)
    browser.fit_phone()


def assert_first_screen_says_what_it_earned_and_shows_it(browser):
    for size in ("desk", "small laptop"):
        browser.resize(size)
        # warnings of made-up bars stand above all else
        top = browser.run(
            "const banner = document.querySelector('.banner:not([hidden])');"
            "const above = banner ? banner.getBoundingClientRect().height : 0;"
            "const chart = document.querySelector('[data-chart=equity]');"
            "return chart.getBoundingClientRect().top - above"
        )
        assert top < 560
        order = browser.run("return [...document.querySelectorAll('main [id]')].map((e) => e.id)")
        first = [name for name in order if name in SECTIONS | {"episodes", "judgement"}][:5]
        assert first == ["verdict", "equity", "underwater", "episodes", "judgement"]
    rows = browser.texts("#episodes tbody tr")
    assert len(rows) == len(browser.texts("#trades tbody tr"))


def assert_charts_and_sorting_know_the_true_minus_and_the_space_before_percent(browser):
    below = "document.querySelector('[data-chart=underwater]')"
    lowest = browser.run(
        f"const div = {below}; const ys = div.calcdata[1].map((p) => p.y ?? 0);"
        "const row = ys.indexOf(Math.min(...ys));"
        "Plotly.Fx.hover(div, [{curveNumber: 1, pointNumber: row}]); return ys[row]"
    )
    hover = f"return [...{below}.querySelectorAll('.hoverlayer text')].map((t) => t.textContent)"
    browser.wait(f"return {hover.removeprefix('return ')}.length > 0")
    said = written.percent(lowest / 100).replace(" ", "\N{NO-BREAK SPACE}")
    assert said.startswith(written.MINUS)
    assert any(said in text for text in browser.run(hover)), browser.run(hover)
    ticks = browser.run(f"return [...{below}.querySelectorAll('.ytick')].map((t) => t.textContent)")
    assert len(ticks) > 2
    form = re.compile(f"0|{written.MINUS}[\\d.]+")
    assert all(form.fullmatch(text.removesuffix("\N{NO-BREAK SPACE}%")) for text in ticks), ticks
    assert_sorting_reads_what_is_written(browser)


def assert_sorting_reads_what_is_written(browser):
    column = browser.texts("#trades thead th").index("Return")
    written_cells = (
        "const rows = [...document.querySelectorAll('#trades tbody tr')];"
        f"const cells = rows.map((row) => row.cells[{column}]);"
    )
    by_value = browser.run(f"{written_cells} return cells.map((c) => Number(c.dataset.sort))")
    assert min(by_value) < 0 < max(by_value)
    browser.run(f"{written_cells} cells.forEach((cell) => delete cell.dataset.sort)")
    browser.run(f"document.querySelectorAll('#trades thead button')[{column}].click()")
    shown = browser.run(f"{written_cells} return cells.map((cell) => cell.textContent)")
    assert shown == [written.percent(value) for value in sorted(by_value)]


def assert_figures_are_those_of_the_metrics_file(browser, tearsheet):
    metrics = json.loads(tearsheet.with_name("metrics.json").read_text())
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


def test_page_on_a_phone_in_the_dark_is_accessible_without_sideways_scroll(browser, tearsheets):
    browser.open(tearsheets["switch"].as_uri(), size="phone", scheme="dark").drawn()
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    assert browser.violations() == []


def test_page_is_interactive_before_any_chart_is_drawn_and_obeys_its_controls(browser, tearsheets):
    at_once = (
        "document.addEventListener('DOMContentLoaded', () => {"
        " window.atOnce = {plotly: 'Plotly' in window, charts:"
        " document.querySelectorAll('.main-svg').length}; }, {once: true})"
    )
    command = "Page.addScriptToEvaluateOnNewDocument"
    script = browser.driver.execute_cdp_cmd(command, {"source": at_once})
    try:
        browser.open(tearsheets["switch"].as_uri()).drawn()
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    assert browser.run("return window.atOnce") == {"plotly": False, "charts": 0}
    # what is parsed before that: mostly the library, compressed
    assert tearsheets["switch"].stat().st_size < 3_000_000
    assert browser.violations() == []
    assert_a_span_of_years_starts_equity_anew_and_its_figures_follow(browser)
    assert_headings_sort_the_trades_by_keyboard(browser)
    assert_charts_and_sorting_know_the_true_minus_and_the_space_before_percent(browser)
    assert_zoom_of_one_panel_moves_all(browser)
    scale = "return document.querySelector('[data-chart=equity]').layout.yaxis.type"
    assert browser.run(scale) == "log"
    browser.run('document.querySelector(\'[data-for="equity"][data-scale="linear"]\').click()')
    browser.wait(scale, wanted="linear")
    browser.run("document.getElementById('theme').click()")
    paper = "return document.querySelector('[data-chart=equity]').layout.paper_bgcolor"
    browser.wait(paper, wanted="#171b20")


def assert_a_span_of_years_starts_equity_anew_and_its_figures_follow(browser):
    views = json.loads(browser.run("return document.getElementById('views').textContent"))
    own, whole = "return document.querySelector('.cards .own').textContent", {}
    whole["tile"], whole["cells"] = browser.run(own), browser.texts("#comparison tbody td")
    browser.run("document.querySelector('[data-years=\"1\"]').click()")
    browser.wait(own, wanted=views["1"]["tiles"][0][0])
    assert browser.texts("#comparison tbody td") == [
        text for row in views["1"]["rows"] for text in row
    ]
    assert browser.texts("#viewed") == [views["1"]["said"]]
    before = "return getComputedStyle(document.querySelector('.verdict'), '::before').content"
    assert browser.run(before) == '"Of the whole run: "'
    assert_tables_follow(browser, years=1)
    ends = (
        "const div = document.querySelector('[data-chart=equity]');"
        "return div.data.slice(0, 2).map((trace) => trace.y[trace.y.length - 1])"
    )
    browser.wait(f"return (() => {{ {ends} }})().every((y) => typeof y === 'number')")
    finals = [written.money(value) for value in browser.run(ends)]
    row = list(FIGURES).index("final_equity")
    assert finals == views["1"]["rows"][row][:2]
    browser.run("document.querySelector('[data-years=\"0\"]').click()")
    browser.wait(own, wanted=whole["tile"])
    assert browser.texts("#comparison tbody td") == whole["cells"]
    assert_tables_follow(browser, years=0)
    assert_replay_steps_by_key_and_the_panels_follow(browser)


def assert_tables_follow(browser, *, years):
    """Hold the rows on show against those kept for the span; of the whole run none are kept."""
    kept = (
        "return [...document.querySelectorAll(`template[data-span='${arguments[0]}']`)].map("
        "(each) => [each.dataset.table, each.content.textContent.trim()])"
    )
    shown = (
        "return [...document.querySelectorAll('.scroll')].map("
        "(each) => [each.getAttribute('aria-label'), "
        "each.querySelector('tbody')?.textContent.trim()])"
    )
    spans, now = dict(browser.run(kept, str(years or 1))), dict(browser.run(shown))
    followed = [name for name in spans if name in now]
    names = {"Years table", "Risk table", "Regimes table", "Months and years"}
    assert names | {"Monthly returns, Strategy"} <= set(followed)
    same = [name for name in followed if now[name] == spans[name]]
    assert same == (followed if years else [])
    for section, column, noun in (("episodes", 0, "stays in the market"), ("trades", 2, "trades")):
        assert_rows_that_began_earlier_are_hidden(browser, section, column, noun, years)


def assert_rows_that_began_earlier_are_hidden(browser, section, column, noun, years):
    views = json.loads(browser.run("return document.getElementById('views').textContent"))
    since = views[str(years)]["since"] if years else ""
    begun = browser.run(
        "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map((row) =>"
        " [row.cells[arguments[1]].textContent, row.checkVisibility()])",
        section, column,
    )  # fmt: skip
    assert [is_shown for _, is_shown in begun] == [day >= since for day, _ in begun]
    left = sum(is_shown for _, is_shown in begun)
    assert (left == len(begun)) is (years == 0)
    said = browser.texts(f"#{section} [data-left-of]")[0]
    number = f"{left or 'None'} of {len(begun)} {noun} began since {since}"
    assert said.startswith(number if years else "")
    assert bool(said) is (years > 0)


def assert_replay_steps_by_key_and_the_panels_follow(browser):
    steps = json.loads(browser.run("return document.getElementById('steps').textContent"))
    key = (
        "const event = new KeyboardEvent('keydown', {key: arguments[0], bubbles: true});"
        "document.querySelector('#replay button').dispatchEvent(event)"
    )
    for name in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        browser.run(key, name)
    assert browser.texts("#replay output") == [f"2 of {len(steps)}: {steps[1]['date']}"]
    assert browser.texts("#replay dd") == list(steps[1]["texts"].values())
    mark = (
        "return document.querySelector('[data-chart=coin]').layout.shapes"
        ".filter((shape) => shape.x0 === arguments[0]).length"
    )
    browser.wait(mark.replace("arguments[0]", str(steps[1]["at"])), wanted=1)


def test_sections_stay_as_the_reader_left_them_and_links_open_them(browser, tearsheets):
    url = tearsheets["ETH"].as_uri()
    opened = "return document.querySelector('#provenance > details').open"
    browser.open(url)
    try:
        assert browser.run(opened) is False
        assert browser.run("return document.documentElement.scrollHeight") <= LONGEST_PAGE
        browser.run("document.querySelector('#provenance summary').click()")
        browser.wait(opened)
        assert browser.open(url).run(opened) is True
        browser.run("document.querySelector('#provenance summary').click()")
        browser.wait(opened, wanted=False)
        browser.run("document.querySelector('#outline a[href=\"#provenance\"]').click()")
        browser.wait(opened)
        assert browser.open(url).run(opened) is False  # a link shows, it does not choose
    finally:
        browser.run("localStorage.clear()")
    titles = browser.texts("#outline a")
    assert titles == browser.texts("details.part > summary > h2")


def assert_headings_sort_the_trades_by_keyboard(browser):
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


def assert_zoom_of_one_panel_moves_all(browser):
    browser.run("document.querySelector('[data-years=\"3\"]').click()")
    ranges = (
        "return [...document.querySelectorAll('[data-chart]')]"
        ".filter((div) => div.layout.xaxis.type === 'date')"
        ".map((div) => div.layout.xaxis.range.map((t) => String(t).slice(0, 10)).join())"
    )
    browser.wait(f"return new Set((() => {{ {ranges} }})()).size", wanted=1)
    shown = browser.run(ranges)
    assert len(shown) >= 6
    assert shown[0].startswith("2023-01-01")
