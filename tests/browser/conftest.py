"""A real headless Chromium; without one these tests skip, except under CI, where they fail."""

import json
import os
import shutil

import pytest
from filelock import FileLock
from pytest_socket import enable_socket

from backtests.report.pdf import find_browser
from backtests.run import main as run

FEW = ("--set", 'basket.members=["ADA", "SOL"]')
QUICK = ("--source", "sample", "--quiet", "--set", "significance.draws=100")
RUNS = {
    "ETH": ("--start", "2022-01-01"),
    "switch": (
        "--start",
        "2022-01-01",
        "--set",
        "idle.asset=BTC",
        "--set",
        "filters.index_trend.window=100",
    ),
    "ALTS": ("--asset", "ALTS", "--start", "2021-01-01", "--end", "2022-02-01", *FEW),
}


@pytest.fixture(scope="session")
def driver():
    """The browser, with its console recorded."""
    browser, chromedriver = find_browser(), shutil.which("chromedriver")
    if browser is None or chromedriver is None:
        reason = "chromium and chromedriver are not installed"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    options.add_argument("--window-size=1280,900")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    enable_socket()  # the driver is spoken to over loopback
    started = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(executable_path=chromedriver)
    )
    started.set_script_timeout(30)
    yield started
    started.quit()


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """One results folder with a run of each kind, made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    # a worker's folder is inside that of the whole session
    out = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "browser-results"
    with FileLock(f"{out}.lock"):
        if not out.exists():
            scratch = tmp_path_factory.mktemp("results")
            made: dict[str, str] = {}
            for kind, extra in RUNS.items():
                assert run([*QUICK, "--out", str(scratch), *extra]) == 0
                folders = {path.name for path in scratch.iterdir() if path.is_dir()}
                (made[kind],) = folders - set(made.values())
            # the names alone do not tell: runs of the same second are sorted by their assets
            folder_list(out).write_text(json.dumps(made))
            shutil.copytree(scratch, out)
    return out


def folder_list(out):
    """Return the file beside the results that tells kind of run -> name of its folder."""
    return out.with_suffix(".json")


@pytest.fixture(scope="session")
def tearsheets(results):
    """Kind of run -> its tearsheet."""
    made = json.loads(folder_list(results).read_text())
    return {kind: results / name / "tearsheet.html" for kind, name in made.items()}
