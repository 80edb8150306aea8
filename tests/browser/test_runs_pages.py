"""The index of runs and the comparison in a browser."""

import json
import shutil

import pytest

from backtests.compare import main
from backtests.records.saved_runs import read_run
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
    newest_first = [evil.name, *reversed(names)]
    assert main(["--out", str(out), *newest_first]) == 0
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
    column = browser.texts("table.runs thead th").index("CAGR")
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
    assert_index_keeps_in_its_address_what_was_chosen(browser, url)
    assert_index_fits_every_screen(browser)


def assert_index_keeps_in_its_address_what_was_chosen(browser, url):
    browser.run("document.querySelector('[data-name=\"Win rate\"]').click()")
    shown, headings = visible(browser), browser.texts("table.runs thead th")
    assert headings[-2:] == ["Win rate", "Basis"]
    address = browser.run("return location.href")
    assert "search=ETH+any&sort=CAGR" in address
    browser.run("localStorage.clear()")
    browser.driver.get("about:blank")
    browser.driver.get(address)
    assert browser.texts("table.runs thead th") == headings
    assert visible(browser) == shown
    assert browser.texts("#shown") == ["2 of 4 runs"]
    browser.run("document.getElementById('usual').click()")
    browser.driver.get(url)


def assert_index_fits_every_screen(browser):
    for size in ("desk", "laptop", "tablet", "phone"):
        browser.resize(size)
        wide, room = browser.run(
            "const root = document.documentElement; return [root.scrollWidth, root.clientWidth]"
        )
        assert wide <= room, size
        table, place = browser.run(
            "const scroll = document.querySelector('#runs .scroll');"
            "return [scroll.scrollWidth, scroll.clientWidth]"
        )
        # a phone and a tablet scroll the table itself, with the names held
        assert table <= place or size in ("tablet", "phone"), size
    browser.run("document.querySelector('.basis').click()")
    (facts,) = browser.texts(".about:popover-open")
    assert "Sample" in facts or "sample" in facts


def test_index_on_a_phone_in_the_dark_is_clean_and_fits(browser, pages):
    url = (pages / "index.html").as_uri()
    browser.open(url, size="phone", scheme="dark")
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    assert_clean_and_inert(browser, url)


def test_comparison_is_drawn_inert_and_that_of_runs_chosen_without_a_server(browser, pages):
    (page,) = pages.glob("compare-*.html")
    tables = (
        "return [...document.querySelectorAll('#told table')].map((table) =>"
        " [...table.rows].map((row) => [...row.cells].map((cell) =>"
        " [cell.textContent.trim(), cell.classList.contains('best')])))"
    )
    browser.open(page.as_uri()).drawn()
    assert_clean_and_inert(browser, page.as_uri())
    assert browser.run("return document.querySelector('[data-chart=equity]').data.length") >= 4
    written = browser.run(tables)
    assert len(written) == 5  # with the settings of filters that only some have, folded
    browser.fit_phone()
    browser.open((pages / "index.html").as_uri())
    browser.run("document.querySelectorAll('table.runs input').forEach((box) => box.click())")
    browser.logs()
    browser.run("document.getElementById('open').click()")
    browser.wait("return location.href.includes('compare.html#run=')")
    browser.drawn()
    assert browser.run(tables) == written
    assert browser.run("return document.querySelector('[data-chart=equity]').data.length") >= 6
    assert browser.run("return window.hit ?? null") is None
    console, asked = browser.logs()
    assert console == []
    assert [url.partition("#")[0] for url in asked] == [(pages / "compare.html").as_uri()]
    assert browser.violations() == []
    browser.run("document.getElementById('theme').click()")
    assert browser.violations() == []
    browser.fit_phone()
    assert_runs_of_several_assets_are_called_after_these(browser, pages)


def assert_runs_of_several_assets_are_called_after_these(browser, pages):
    by_asset = {path.name.split("-")[1]: path.name for path in sorted(pages.glob("2*Z-*"))}
    chosen = "&".join(f"run={by_asset[asset]}" for asset in ("ETH", "ALTS"))
    browser.run(f"location.hash = '{chosen}'")
    browser.wait("return document.querySelectorAll('#legend a').length", wanted=2)
    assert sorted(browser.texts("#legend a")) == ["ALTS", "ETH"]
