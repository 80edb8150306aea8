"""The page of all claims, the study of one of them and a study alone in a browser."""

import shutil

import pytest

from backtests.claims.plans import StudyPlan
from backtests.claims.runner import judge, run_all
from backtests.config.config import load_config
from backtests.config.raw_settings import CLAIMS
from backtests.records.atomic_writing import write_folder
from backtests.report.pages.page_base import LIBRARY_FILE
from backtests.report.save_study import study_files
from tests.browser.page import Browser

NAMES = ("new-high-eth", "support-held")
QUICK = ('data.source="sample"', "study.draws=100")
PAPERS = """
  const charts = [...document.querySelectorAll("[data-chart]")].filter((div) => div.layout);
  return [...new Set(charts.map((div) => div.layout.paper_bgcolor))];
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two claims of the sample, and the study of one of them alone."""
    out = tmp_path_factory.mktemp("claims")
    configs = [
        load_config(CLAIMS / f"{name}.toml", overrides=(*QUICK, f"claim.name={name}"))
        for name in NAMES
    ]
    studies = run_all([StudyPlan(config) for config in configs], workers=1)
    left = write_folder(out, "claims", study_files(studies, judge(studies)))
    alone = write_folder(out, "alone", study_files(studies[:1], judge(studies[:1])))
    shutil.copy(alone / "study.html", left / "study.html")
    return left


@pytest.fixture
def browser(driver):
    return Browser(driver)


@pytest.mark.parametrize("page", ["index", "new-high-eth", "study"])
def test_study_page_is_clean_accessible_turns_dark_and_fits_a_phone(browser, folder, page):
    url = (folder / f"{page}.html").as_uri()
    browser.open(url).drawn()
    console, asked = browser.logs()
    library = [(folder / LIBRARY_FILE).as_uri()] if page != "study" else []
    assert (console, asked) == ([], [url, *library])
    assert browser.texts(".banner.sample strong") == ["Sample data: not a verdict on the idea"]
    assert browser.violations() == []
    charts = browser.run("return document.querySelectorAll('.main-svg').length")
    assert charts > 0
    browser.run("document.getElementById('theme').click()")
    browser.wait(PAPERS, wanted=["#171b20"] if charts else [])
    assert browser.violations() == []
    browser.fit_phone()


def test_claim_without_the_library_beside_it_says_so_and_keeps_its_figures(browser, folder):
    alone = folder.parent / "moved.html"
    shutil.copy(folder / "new-high-eth.html", alone)
    browser.open(alone.as_uri())
    browser.wait("return document.getElementById('chart-failure').hidden", wanted=False)
    (said,) = browser.texts("#chart-failure")
    assert f"{LIBRARY_FILE} is not beside this page" in said
    browser.logs()
