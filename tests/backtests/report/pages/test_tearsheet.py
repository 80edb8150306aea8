"""The page: complete, self-contained, inert to hostile text, and saying what the summary says."""

import base64
import html
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from backtests.analysis.run_figures import summarise
from backtests.config.config import load_config
from backtests.engines.backtest import run_on
from backtests.report.pages.page_base import script_json
from backtests.report.pages.page_parts import Panel, Section
from backtests.report.pages.tearsheet import PANELS, tearsheet
from backtests.report.words import notation as written
from backtests.report.words.labels import FIGURES, RISK, columns_of, figure_text
from feeds.instruments import Instrument
from feeds.sample import LABEL
from tests.backtests import baskets
from tests.judged import judged, sensitivity_of
from tests.markets import coin_tape, coin_walk, index_tape, index_walk

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u2028&amp;"

SECTIONS = {
    "verdict", "comparison", "index", "coin", "equity", "underwater", "drawdowns", "exposure",
    "rolling", "months", "distribution", "trades", "pyfolio", "provenance", "filters", "costs",
    "by-year", "risk", "quantiles", "worst-days", "regimes",
}  # fmt: skip


class Page(HTMLParser):
    """What a browser would see of a page: elements with their attributes, and cell texts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.rows, self.scripts, self._cell = [], [], [], None
        # rows of other spans of time, which a browser does not show until they are asked for
        self.feed(re.sub("<template.*?</template>", "", text, flags=re.DOTALL))

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self._cell = ""
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.rows[-1].append(self._cell)
            self._cell = None

    def handle_data(self, data):
        if self._cell is not None:
            self._cell += data
        if self.lasttag == "script":
            self.scripts[-1] += data

    @property
    def ids(self):
        return {attributes["id"] for _, attributes in self.elements if "id" in attributes}

    @property
    def charts(self):
        (charts,) = (text for text in self.scripts if text.startswith('{"figures"'))
        return json.loads(charts)["figures"]


def made(index, coin, *overrides):
    config = load_config(None, overrides=("signal.min_history=20", "signal.base=5", *overrides))
    result = run_on(config, index=index, coin=coin)
    return result, summarise(result)


def page_of(result, summary):
    return tearsheet(result, summary, judged(result)[2], sensitivity_of(result))


@pytest.fixture(scope="module")
def walk():
    return made(index_walk(900, seed=3), coin_walk(1000, seed=7), "rules.hold_days=20")


@pytest.fixture(scope="module")
def text(walk):
    return page_of(*walk)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_page_has_every_section_and_chart(page):
    assert page.ids >= SECTIONS
    assert set(page.charts) == set(PANELS) - {"gates"}  # no filter is switched on


def test_page_loads_nothing_from_outside(text, page):
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset", "poster")
    ]
    assert addresses
    assert all(re.match(r"(data:|#)", address) for address in addresses)
    assert not re.search(r"@import|url\(\s*['\"]?http", text)
    assert "default-src 'none'" in text


def test_page_stays_below_three_megabytes(text):
    assert len(text.encode()) < 3_000_000


def test_same_config_and_bars_give_the_same_bytes(text):
    again = made(index_walk(900, seed=3), coin_walk(1000, seed=7), "rules.hold_days=20")
    assert page_of(*again) == text


def test_comparison_shows_the_summary_s_figures(walk, page):
    result, summary = walk
    columns = columns_of(result)
    shown = {row[0]: row[1:] for row in page.rows if len(row) == 1 + len(columns)}
    for name, figure in FIGURES.items():
        figures = [summary.figures[column].get(name) for column in columns]
        assert shown[figure.label] == [figure_text(name, value) for value in figures]


def rows_of(page, heading):
    """The rows of the table whose first heading this is, without its headings."""
    start = next(row for row, cells in enumerate(page.rows) if cells and cells[0] == heading)
    width = len(page.rows[start])
    rows = page.rows[start + 1 :]
    end = next((row for row, cells in enumerate(rows) if len(cells) != width), len(rows))
    return rows[:end]


def test_years_say_the_excess_over_holding_and_compound_to_the_run(walk, page):
    result, summary = walk
    rows = rows_of(page, "Year")
    assert [row[0] for row in rows] == ["2018", "2019", "2020"]
    for column, account in ((1, "strategy"), (2, "buy_and_hold")):
        grown = np.prod([1 + number_in(row[column]) / 100 for row in rows])
        total = summary.figures[account]["total_return"]
        assert grown == pytest.approx(1 + total, rel=0.002)
    for row in rows:
        excess = number_in(row[1]) - number_in(row[2])
        assert number_in(row[3]) == pytest.approx(excess, abs=0.11)
    level = result.market.index_level.iloc[-1] / result.market.index_before
    assert np.prod([1 + number_in(row[4]) / 100 for row in rows]) == pytest.approx(level, rel=0.01)
    depth = min(number_in(row[5]) for row in rows)
    assert depth >= 100 * summary.figures["strategy"]["max_drawdown"] - 0.05


def test_regimes_name_their_states_and_the_series_not_at_hand(walk, text, page):
    rows = rows_of(page, "Regime")
    labels = [row[0] for row in rows]
    assert labels[:2] == ["RUT above its average", "RUT below its average"]
    assert "ETH&#39;s volatility high" in text
    assert "Halving era 2016 to 2020" in labels
    bars = len(walk[0].strategy.bars)
    assert sum(number_in(row[1]) for row in rows if row[0].startswith("RUT")) == bars
    for name in ("VIX", "net liquidity"):
        assert f"Not told apart by {name}: neither the data folder nor the cache holds" in text


def test_risk_shows_each_figure_with_its_definition(walk, text, page):
    result, summary = walk
    shown = {row[0]: row[1:] for row in page.rows if len(row) == 3}
    for each in RISK.values():
        assert f"<dd>{each.definition}</dd>" in html.unescape(text)
    returns = result.strategy.returns.to_numpy()
    at_risk = written.percent(np.percentile(returns, 5))
    assert shown["Value at risk 5 %, one bar"][0] == at_risk
    assert shown["Beta to holding"][1] == "1.00"
    gains = summary.trades["return"].to_numpy()
    payoff = gains[gains > 0].mean() / -gains[gains < 0].mean()
    assert shown["Payoff ratio"] == [written.ratio(payoff), written.UNDEFINED]
    longest = max(map(len, re.findall("1+", "".join(np.where(gains < 0, "1", "0")))))
    assert shown["Losing trades in a row"] == [str(longest), written.UNDEFINED]


def test_worst_days_and_quantiles_agree_on_the_worst(walk, page):
    worst = walk[0].strategy.returns.min()
    days = rows_of(page, "Period")[0]
    assert days[:3] == ["Day", "Strategy", f"{len(walk[0].strategy.bars):,}"]
    assert number_in(days[3]) == pytest.approx(100 * worst, abs=0.05)
    first = next(row for row in page.rows if row[0] == "1" and len(row) == 3)
    day = walk[0].strategy.returns.idxmin()
    assert first[1:] == [f"{day:%Y-%m-%d}", days[3]]


def number_in(text):
    return float(re.sub(r"[,%\s]", "", text).replace(written.MINUS, "-"))


def test_verdict_stands_on_the_page(walk, text):
    said = judged(walk[0])[2]
    seen = html.unescape(text).replace("\N{NO-BREAK SPACE}", " ")
    for sentences in (said.headline, said.timing, said.details, said.conclusion, said.sample):
        assert sentences
        assert sentences in seen


def test_charts_are_valid_for_plotly(page):
    for spec in page.charts.values():
        go.Figure(spec)


def test_trades_download_holds_the_trades_in_full(walk, page):
    (link,) = [attributes for tag, attributes in page.elements if "download" in attributes]
    content = base64.b64decode(link["href"].partition("base64,")[2]).decode()
    read = pd.read_csv(io.StringIO(content))
    assert read["return"].tolist() == pytest.approx(walk[1].trades["return"].tolist(), rel=1e-14)


def test_hostile_text_stays_text():
    index, coin = index_walk(300, seed=3), coin_walk(400, seed=7, start="2020-01-01")
    clean = Page(page_of(*made(index, coin)))
    symbol = Instrument("<svg onload=alert(3)>", "coin")
    evil = replace(coin, instrument=symbol, notes=(HOSTILE,), origin=HOSTILE, source=HOSTILE)
    result, summary = made(replace(index, origin=HOSTILE), evil)
    text = page_of(result, summary)
    page = Page(text)
    assert [tag for tag, _ in page.elements].count("script") == len(clean.scripts)
    assert not [tag for tag, attributes in page.elements if tag == "svg" or "onerror" in attributes]
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in text
    assert "<svg" not in json.dumps(page.charts)


def test_script_json_leaves_no_character_that_ends_a_script():
    value = {"text": HOSTILE + "\u2029"}
    written = script_json(value)
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == value


@pytest.mark.parametrize("source", ["sample", "test"])
def test_sample_is_announced_only_for_the_sample(source):
    index, coin = index_walk(300, seed=3), coin_walk(400, seed=7, start="2020-01-01")
    notes = (LABEL,) if source == "sample" else ()
    text = page_of(*made(index, replace(coin, source=source, notes=notes)))
    assert ('class="banner sample"' in text) == (source == "sample")
    assert (LABEL in text) == (source == "sample")


def test_every_warning_is_shown():
    index, coin = index_walk(300, seed=3), coin_walk(400, seed=7, start="2020-01-01")
    result, summary = made(index, replace(coin, notes=("first note", "second note")))
    text = page_of(result, summary)
    assert len(result.warnings) >= 2
    assert all(warning in text for warning in result.warnings)


def test_warnings_beyond_the_first_five_are_folded():
    index, coin = index_walk(300, seed=3), coin_walk(400, seed=7, start="2020-01-01")
    result, summary = made(index, replace(coin, notes=tuple(f"note {n}" for n in range(9))))
    text = page_of(result, summary)
    banner = text[text.index('<div class="banner') : text.index('<header id="verdict"')]
    at_once, more = banner.split("<details>")
    assert f"<summary>{len(result.warnings) - 5} more</summary>" in more
    assert all(f"<p>{warning}</p>" in at_once for warning in result.warnings[:5])
    assert all(f"<p>{warning}</p>" in more for warning in result.warnings[5:])


def test_folder_of_the_machine_is_not_shown():
    index, coin = index_walk(300, seed=3), coin_walk(400, seed=7, start="2020-01-01")
    text = page_of(*made(index, coin, "data.data_dir=/home/someone/private/bars"))
    assert "/home/someone" not in text
    assert ".../bars" in text


def rising_index(sessions=28):
    dates = pd.bdate_range("2021-02-16", periods=sessions)
    return index_tape([(f"{day:%Y-%m-%d}", 100 + n, 101 + n) for n, day in enumerate(dates)])


def falling_index(sessions=28):
    dates = pd.bdate_range("2021-02-16", periods=sessions)
    return index_tape([(f"{day:%Y-%m-%d}", 200 - n, 199 - n) for n, day in enumerate(dates)])


def days(closes):
    dates = pd.date_range("2021-03-20", periods=len(closes))
    opens = [closes[0], *closes[:-1]]
    return coin_tape(
        [(f"{d:%Y-%m-%d}", o, c) for d, o, c in zip(dates, opens, closes, strict=True)]
    )


TAPES = {
    "no trade": (falling_index, [100.0 + n for n in range(20)], 0),
    "one trade": (rising_index, [100.0 + n % 3 for n in range(20)], 1),
    "total loss": (rising_index, [100.0] * 10 + [100.0 * 0.01**n for n in range(1, 7)], 1),
    "flat": (rising_index, [100.0] * 20, 1),
    "two bars": (rising_index, [100.0, 101.0], 1),
}


@pytest.mark.parametrize("tape", TAPES)
def test_extreme_runs_render_every_section(tape):
    make_index, closes, trades = TAPES[tape]
    result, summary = made(make_index(), days(closes))
    assert len(summary.trades) == trades
    text = page_of(result, summary)
    page = Page(text)
    assert page.ids >= SECTIONS
    assert "A rolling year needs 365 bars" in text
    for spec in page.charts.values():
        go.Figure(spec)
    assert ("No trades" in text) == (trades == 0)
    assert ">nan<" not in text.lower()


@pytest.mark.parametrize("kind", [baskets.basket, baskets.switch])
def test_several_coins_show_contribution_and_every_account(kind):
    result, summary = kind()
    page = Page(page_of(result, summary))
    assert page.ids >= SECTIONS | {"contribution"}
    headings = next(row for row in page.rows if row and row[0] == "Figure")
    assert headings[1:] == list(columns_of(result).values())
    names = {trace["name"] for trace in page.charts["equity"]["data"]}
    assert {columns_of(result)[name] for name in result.others} <= names
    for spec in page.charts.values():
        go.Figure(spec)


def test_filters_are_drawn_as_bands():
    page = Page(page_of(*baskets.filtered()))
    assert "gates" in page.charts
    assert sum(len(trace["x"]) for trace in page.charts["gates"]["data"]) >= 3


def test_section_made_elsewhere_is_shown_with_its_text_escaped(walk):
    panel = Panel("luck", reason="Too few bars.")
    section = Section(
        "luck", HOSTILE, (HOSTILE,), ("Figure", "Value"), ((HOSTILE, "1"),), (), panel
    )
    text = tearsheet(*walk, judged(walk[0])[2], sensitivity_of(walk[0]), sections=(section,))
    assert "luck" in Page(text).ids
    assert "<img src=x" not in text
    assert "Not drawn. Too few bars." in text
