"""The tearsheet: one self-contained HTML document that says what the run found, luck included."""

import base64
from collections.abc import Callable, Sequence
from math import isnan
from pathlib import Path
from typing import Any, Final

from backtests.analysis.bootstrap import Interval
from backtests.analysis.cost_sensitivity import CostSensitivity
from backtests.analysis.exposure import contribution
from backtests.analysis.filter_effects import gate_records
from backtests.analysis.run_figures import Summary
from backtests.analysis.run_significance import EQUAL_EXPOSURE, Significance
from backtests.config.config import Config
from backtests.engines.backtest import Run
from backtests.records.atomic_writing import as_csv
from backtests.records.run_files import own_code
from backtests.report.charts import distributions
from backtests.report.charts import equity_and_drawdown as charts
from backtests.report.charts.figure_dicts import Spec, UndrawableError
from backtests.report.charts.index_price import gates_panel, index_panel
from backtests.report.charts.traded_price import coin_panel, profit_panel, weights_panel
from backtests.report.pages import regime_table, tearsheet_tables
from backtests.report.pages.page_base import mailable, render, script_json, short_place
from backtests.report.pages.page_parts import Banner, Cell, Heading, Panel, Section
from backtests.report.pages.recent_years import recent_views, views_json
from backtests.report.pages.replay import replay_steps
from backtests.report.pages.risk_tables import SpanTables, risk_content
from backtests.report.pyfolio_sheets import process as sheet_worker
from backtests.report.pyfolio_sheets.request import sheet_request
from backtests.report.words import labels, prose
from backtests.report.words import notation as written
from backtests.report.words.headline import break_even
from backtests.report.words.judgement import RunJudgement
from backtests.report.words.labels import FIGURES
from feeds.history import source_in_words

# columns of provenance that hold numbers, and those in a style of their own
COUNTED: Final = ("Rows", "Common bars", "Median difference", "Worst difference")
OWN_CODE: Final = ("Kind", "Name", "From", "SHA-256")
STYLES: Final = {"SHA-256": "hash"}
PANELS: Final[dict[str, Callable[[Run, Summary], Spec]]] = {
    "index": index_panel,
    "coin": coin_panel,
    "equity": charts.equity_panel,
    "underwater": charts.underwater_panel,
    "exposure": charts.exposure_panel,
    "profit": profit_panel,
    "weights": weights_panel,
    "gates": gates_panel,
    "rolling_sharpe": charts.rolling_sharpe_panel,
    "rolling_sortino": charts.rolling_sortino_panel,
    "rolling_volatility": charts.rolling_volatility_panel,
    "rolling_beta": charts.rolling_beta_panel,
    "years": distributions.years_panel,
    "distribution": distributions.distribution_panel,
    "excursions": distributions.excursion_panel,
}
SERIES: Final = {
    "strategy": "Strategy",
    "buy_and_hold": "Buy-and-hold",
    "exposure_matched": "Held evenly",
    "control": "Control",
}
CAVEAT: Final = (
    "How sure the figures are, if the bars at hand are a fair sample of those to come. What may be "
    'concluded is said above, under "What may be said". A difference is the strategy minus the '
    "column's, of percentages in percentage points."
)


def tearsheet(
    result: Run,
    summary: Summary,
    judged: RunJudgement,
    costs: CostSensitivity,
    *,
    worker: sheet_worker.SheetWorker | None = None,
    sections: Sequence[Section] = (),
) -> str:
    """Return the page as one HTML document without any outside reference.

    Same config and bars, same bytes. A `worker` started before the backtest has pyfolio
    loaded by now; without one it is started here. `sections` are shown after the
    comparison, in their order; what is `judged` stands above all else.
    """
    drawing = (worker or sheet_worker.SheetWorker()).submit(sheet_request(result))
    panels = {name: _panel(name, draw, result, summary) for name, draw in PANELS.items()}
    panels |= {section.name: section.panel for section in sections if section.panel}
    content = {**_content(result, summary, costs), "sections": sections, "judged": judged}
    return render(
        "tearsheet.html.j2",
        {**content, "sheets": drawing.result()},
        banner=Banner(prose.is_sample(result), result.warnings),
        panels=panels,
    )


def shown_config(config: Config) -> str:
    """Return the config as TOML; of an absolute data folder only its name, as pages are mailed."""
    return mailable(config).to_toml()


def _panel(name: str, draw: Callable[[Run, Summary], Spec], result: Run, summary: Summary) -> Panel:
    try:
        return Panel(name, draw(result, summary))
    except UndrawableError as error:
        return Panel(name, reason=str(error))


def _content(result: Run, summary: Summary, costs: CostSensitivity) -> dict[str, Any]:
    bars = result.market.traded_bars.index
    steps = replay_steps(result)
    followed = SpanTables.of(result, summary.trades)
    views = recent_views(followed)
    return {
        "steps": steps,
        "steps_json": script_json(steps),
        "result": result,
        "summary": summary,
        "index": result.market.index.instrument.label,
        "first": written.date(bars[0]),
        "last": written.date(bars[-1]),
        "index_title": prose.index_title(result),
        "traded_title": prose.traded_title(result),
        "rule": prose.rule_in_words(result),
        "control": prose.control_in_words(result),
        "columns": labels.columns_of(result),
        "views": script_json(views_json(views)),
        "recent_views": views,
        "key_figures": tearsheet_tables.key_figures(summary),
        "comparison": tearsheet_tables.comparison(result, summary),
        "spell_columns": regime_table.SPELL_COLUMNS,
        "spells": regime_table.spell_rows(result),
        "without_best": regime_table.spell_sentence(summary),
        **_several_coins(result, summary),
        "gate_columns": tearsheet_tables.GATE_COLUMNS,
        "gates": [tearsheet_tables.gate_row(record, result) for record in gate_records(result)],
        "costs": [tearsheet_tables.cost_row(row) for row in costs.rows],
        "break_even": break_even(costs, traded=prose.traded_title(result)),
        "trade_columns": tearsheet_tables.TRADE_COLUMNS,
        "trades": tearsheet_tables.trade_rows(result, summary.trades),
        "trades_csv": _trades_download(summary),
        **risk_content(followed),
        "source": source_in_words(result.market.coin),
        "provenance": _records(tearsheet_tables.provenance(result)),
        "joined_spans": _records(tearsheet_tables.joined_spans(result)),
        "own_code": _records(_own_code(result.config)),
        "versions": tearsheet_tables.library_versions(),
        "config": shown_config(result.config),
    }


def _own_code(config: Config) -> list[dict[str, str]]:
    """Return a row per own function, and one per file that its own imports from beside it."""
    functions: list[tuple[str, ...]] = []
    files: dict[str, str] = {}
    for each in own_code(config):
        functions.append((each["kind"], each["name"], each["from"], each["sha256"]))
        files |= {file: digest for file, digest in each.get("files", {}).items()
                  if file != each["from"]}  # fmt: skip
    beside = [("file", Path(file).name, file, digest) for file, digest in files.items()]
    return [
        dict(zip(OWN_CODE, map(short_place, row), strict=True)) for row in (*functions, *beside)
    ]


def _several_coins(result: Run, summary: Summary) -> dict[str, Any]:
    table = contribution(result.strategy, result.market.traded, trades=summary.trades)
    return {
        "is_several": result.strategy.positions.shape[1] > 1,
        "contribution_columns": tearsheet_tables.CONTRIBUTION_COLUMNS,
        "contribution": tearsheet_tables.contribution_rows(table),
    }


def _records(rows: list[dict[str, str]]) -> dict[str, Any]:
    """Return the columns and rows of a table, of which each row says its columns' names."""
    return {
        "columns": [Heading(name, name in COUNTED) for name in rows[0]] if rows else [],
        "rows": [
            tuple(Cell(text, style=STYLES.get(name, "")) for name, text in row.items())
            for row in rows
        ],
    }


def _trades_download(summary: Summary) -> str:
    text = as_csv(summary.trades)
    return base64.b64encode(text.encode()).decode("ascii")


def significance_section(found: Significance, judged: RunJudgement) -> Section:
    """Return the section of one run: without figures where nothing may be said of chance."""
    title = "Could it be luck?"
    if judged.silence:
        return Section(name="significance", title=title, paragraphs=(judged.silence,))
    return Section(
        name="significance",
        title=title,
        paragraphs=(CAVEAT,),
        headings=("Figure", *SERIES.values()),
        rows=(*_rows(found), *_difference_rows(found), *_equal_exposure_rows(found)),
        notes=judged.notes,
    )


def _rows(found: Significance) -> list[tuple[str, ...]]:
    figures = found.intervals["strategy"]
    return [
        (
            FIGURES[figure].label,
            *(_interval(figure, found.intervals[name][figure]) for name in SERIES),
        )
        for figure in figures
    ]


def _difference_rows(found: Significance) -> list[tuple[str, ...]]:
    figures = found.intervals["strategy"]
    return [
        (
            _difference_label(figure),
            written.UNDEFINED,
            *(
                _interval(figure, found.differences[name][figure], is_difference=True)
                for name in list(SERIES)[1:]
            ),
        )
        for figure in figures
    ]


def _equal_exposure_rows(found: Significance) -> list[tuple[str, ...]]:
    """Return the rule minus the control at equal exposure, in the control's column."""
    absent = [written.UNDEFINED] * (len(SERIES) - 1)
    return [
        (
            _difference_label(figure, " at equal exposure"),
            *absent,
            _interval(figure, interval, is_difference=True),
        )
        for figure, interval in found.differences[EQUAL_EXPOSURE].items()
        if figure != "max_drawdown"
    ]


def _difference_label(figure: str, more: str = "") -> str:
    return f"{FIGURES[figure].label}, difference{more}"


def _interval(figure: str, interval: Interval, *, is_difference: bool = False) -> str:
    if isnan(interval.estimate):
        return written.UNDEFINED
    write = FIGURES[figure].text
    if is_difference and write is written.percent:
        write = written.points
    bounds = f"({write(interval.low)} to {write(interval.high)})"
    # a narrow column breaks between the two and nowhere else
    return f"{_unbroken(write(interval.estimate))} {_unbroken(bounds)}"


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")
