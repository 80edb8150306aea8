"""The index of runs and the comparison in a browser."""

import json
import shutil

import pytest

from backtests.compare import main
from backtests.records.runs import read_run
from backtests.report.pages.runs import COLUMNS
from tests.browser.page import Browser

HOSTILE = "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 2'>"


@pytest.fixture
def browser(driver):
    return Browser(driver)


@pytest.fixture(scope="module")
def pages(results, tmp_path_factory):
    """A copy of the runs, one hostile and one broken, with their index and a comparison."""
    out = tmp_path_factory.mktemp("pages") / "results"
    shutil.copytree(results, out)
    names = sorted(path.name for path in out.iterdir())
    evil = out / "20300101-'\"<img src=x onerror=window.hit=3>"
    shutil.copytree(out / names[0], evil)
    for name, key in (("metrics.json", "verdict"), ("manifest.json", "config")):
        content = json.loads((evil / name).read_text())
        content[key] = {**content[key], "asset": HOSTILE} if key == "config" else HOSTILE
        content["warnings"] = [HOSTILE]
        (evil / name).write_text(json.dumps(content))
    (out / "<script>window.hit=4<script>").mkdir()
    assert main(["--out", str(out), "--quiet"]) == 0
    assert main(["--out", str(out), *names, evil.name]) == 0
    return out


def visible(browser):
    return browser.run(
        "return [...document.querySelectorAll('table.runs tbody tr')]"
        ".filter((row) => !row.hidden).map((row) => row.dataset.run)"
    )


def assert_clean_and_inert(browser, url):
    console, asked = browser.logs()
    assert (console, asked) == ([], [url])
    assert browser.run("return window.hit ?? null") is None
    assert browser.violations() == []


def test_index_is_clean_links_the_tearsheets_sorts_and_filters(browser, pages):
    url = (pages / "index.html").as_uri()
    browser.open(url)
    assert_clean_and_inert(browser, url)
    assert browser.run("return document.querySelectorAll('#broken li').length") == 1
    links = browser.run(
        "return [...document.querySelectorAll('table.runs a')].map((link) => link.href)"
    )
    folders = [path for path in pages.iterdir() if (path / "tearsheet.html").exists()]
    assert sorted(links) == sorted((path / "tearsheet.html").as_uri() for path in folders)
    browser.run("document.querySelectorAll('table.runs input').forEach((box) => box.click())")
    (command,) = browser.texts("#command")
    assert command.startswith("python -m backtests.compare '")
    assert command.count("Z-") == 3
    column = [name for name, _ in COLUMNS].index("CAGR") + 1
    browser.run(f"document.querySelectorAll('table.runs thead th')[{column}].firstChild.click()")
    shown = [read_run(pages / name).strategy["cagr"] for name in visible(browser)]
    assert shown == sorted(shown)
    browser.run(
        "const asset = document.querySelectorAll('select')[0]; asset.value = 'ALTS';"
        "asset.dispatchEvent(new Event('change'))"
    )
    assert [name.split("-")[1] for name in visible(browser)] == ["ALTS"]
    assert browser.texts("#shown") == ["1 of 4 runs"]
    browser.run(
        "document.querySelectorAll('select')[0].value = '';"
        "const search = document.getElementById('search'); search.value = 'ETH any';"
        "search.dispatchEvent(new Event('input'))"
    )
    assert {name.split("-")[1] for name in visible(browser)} == {"ETH"}


def test_index_on_a_phone_in_the_dark_is_clean_and_fits(browser, pages):
    url = (pages / "index.html").as_uri()
    browser.open(url, size="phone", scheme="dark")
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    assert_clean_and_inert(browser, url)


def test_comparison_draws_every_run_stays_inert_and_fits_a_phone(browser, pages):
    (page,) = pages.glob("compare-*.html")
    browser.open(page.as_uri()).drawn()
    assert_clean_and_inert(browser, page.as_uri())
    drawn = browser.run("return document.querySelector('[data-chart=equity]').data.length")
    assert drawn >= 4
    browser.fit_phone()
