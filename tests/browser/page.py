"""What a test does with a page: open it, wait for its charts, read its console and traffic."""

import json
from importlib.resources import files

import pytest
from selenium.webdriver.support.ui import WebDriverWait

# elements are told by themselves: to find a selector for each takes a quarter of its time
AXE_OPTIONS = {"resultTypes": ["violations"], "selectors": False, "elementRef": True}
SERIOUS = ("serious", "critical")
# axe would keep the source of every element it looks at, among them that of whole pages with
# the library for charts inside: half of its time
NO_SOURCE = "axe.configure({noHtml: true})"
FOUND = """
  const [options, done] = arguments;
  const source = ({ element }) => element.outerHTML.slice(0, 160);
  axe.run(document, options).then(({ violations }) => done(
    violations.map(({ id, impact, nodes }) => [id, impact, nodes.slice(0, 3).map(source)])));
"""
DRAWN = """
  const charts = [...document.querySelectorAll("[data-chart]")];
  return charts.every((div) => div.querySelector(".main-svg"));
"""
CUT_OFF = """
  const tables = [...document.querySelectorAll(".scroll")];
  return tables.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.ariaLabel);
"""
SIZES = {
    "desk": (1400, 900),
    "small laptop": (1280, 720),
    "laptop": (1280, 900),
    "tablet": (820, 1180),
    "phone": (390, 844),
    "small phone": (360, 800),
}


class Browser:
    """One page in the driver."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, url, *, size="laptop", scheme="light"):
        self.resize(size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.logs()
        self.driver.get(url)
        return self

    def resize(self, size):
        width, height = SIZES[size]
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": "phone" in size},
        )

    def drawn(self):
        """Open all sections, and wait until every chart stands."""
        self.run(
            "document.querySelectorAll('details.part').forEach((part) => { part.open = true; })"
        )
        self.wait(DRAWN, within=20)
        return self

    def wait(self, script, *, wanted=True, within=5):
        """Wait until a script returns what is wanted."""
        waiting = WebDriverWait(self.driver, within, poll_frequency=0.05)
        waiting.until(lambda _: self.run(script) == wanted)

    def fit_phone(self):
        """Turn the page that is open to smaller and smaller windows: nothing is ever wider.

        On a desk no table is cut off either; on what is held in a hand tables scroll sideways.
        """
        for size in ("desk", "laptop", "tablet", "phone", "small phone"):
            self.resize(size)
            self.wait(f"return document.documentElement.scrollWidth <= {SIZES[size][0]}")
            if size in ("desk", "laptop"):
                self.wait(CUT_OFF, wanted=[])

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def logs(self):
        """Return (console messages, addresses asked for) since the last call."""
        console = [each["message"] for each in self.driver.get_log("browser")]
        events = [
            json.loads(each["message"])["message"] for each in self.driver.get_log("performance")
        ]
        asked = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return console, [url for url in asked if not url.startswith(("data:", "blob:"))]

    def violations(self):
        """Return axe's serious findings as (rule, elements)."""
        if not self.run("return 'axe' in window"):
            axe = pytest.importorskip("axe_core_python").__name__
            self.run(files(axe).joinpath("axe.min.js").read_text(encoding="utf-8"))
            self.run(NO_SOURCE)
        found = self.driver.execute_async_script(FOUND, AXE_OPTIONS)
        return [(rule, elements) for rule, impact, elements in found if impact in SERIOUS]

    def texts(self, selector):
        return self.run(
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent.trim())",
            selector,
        )
