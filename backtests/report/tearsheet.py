"""The tearsheet: one self-contained HTML document that says what the run found."""

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any, Final

from markupsafe import Markup

from backtests.analysis.summary import Summary
from backtests.backtest import Result
from backtests.config import Config
from backtests.report import charts, distributions, figures, palette, prose, tables
from backtests.report import format as written
from backtests.report.index_panel import index_panel
from backtests.report.pyfolio_sheets import SheetWorker, sheet_request
from backtests.report.spec import Spec, UndrawableError

TEMPLATES: Final = files(__package__).joinpath("templates")
UNSAFE_IN_SCRIPT: Final = str.maketrans(
    {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
)

PANELS: Final[dict[str, Callable[[Result, Summary], Spec]]] = {
    "index": index_panel,
    "coin": charts.coin_panel,
    "equity": charts.equity_panel,
    "underwater": charts.underwater_panel,
    "exposure": charts.exposure_panel,
    "rolling_sharpe": charts.rolling_sharpe_panel,
    "rolling_volatility": charts.rolling_volatility_panel,
    "distribution": distributions.distribution_panel,
    "excursions": distributions.excursion_panel,
}


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart of the page, or the reason there is none."""

    name: str
    spec: Spec | None = None
    reason: str = ""

    @property
    def height(self) -> int:
        """Room the chart needs, in CSS pixels, kept free before it is drawn."""
        return int(self.spec["layout"]["height"]) if self.spec else 0


def tearsheet(result: Result, summary: Summary, *, worker: SheetWorker | None = None) -> str:
    """Return the page as one HTML document without any outside reference.

    Same config and bars, same bytes. A `worker` started before the backtest has pyfolio
    loaded by now; without one it is started here.
    """
    drawing = (worker or SheetWorker()).submit(sheet_request(result))
    panels = {name: _panel(name, draw, result, summary) for name, draw in PANELS.items()}
    context = {**_content(result, summary), "panels": panels, "charts": _charts_json(panels)}
    library = plotly_payload()
    page: str = _template().render(**context, plotly=library, sheets=drawing.result())
    return page


@cache
def plotly_payload() -> Markup:
    """Return plotly's browser library, compressed: plain it would be 4.8 MB of every page."""
    source = files("plotly").joinpath("package_data/plotly.min.js").read_bytes()
    packed = base64.b64encode(gzip.compress(source, compresslevel=6, mtime=0))
    return Markup(packed.decode("ascii"))  # noqa: S704 - base64 holds no markup


def script_json(value: object) -> Markup:
    """Return JSON that cannot end the script element it stands in, whatever text it holds."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(UNSAFE_IN_SCRIPT))  # noqa: S704 - nothing unsafe is left


def shown_config(config: Config) -> str:
    """Return the config as TOML; of an absolute data folder only its name, as pages are mailed."""
    folder = PurePath(config.data.data_dir)
    if not folder.is_absolute():
        return config.to_toml()
    data = config.data.model_copy(update={"data_dir": f".../{folder.name}"})
    return config.model_copy(update={"data": data}).to_toml()


def _panel(
    name: str, draw: Callable[[Result, Summary], Spec], result: Result, summary: Summary
) -> Panel:
    try:
        return Panel(name, draw(result, summary))
    except UndrawableError as error:
        return Panel(name, reason=str(error))


def _charts_json(panels: dict[str, Panel]) -> Markup:
    specs = {name: panel.spec for name, panel in panels.items() if panel.spec}
    return script_json({"figures": specs, "dark": palette.dark_for_light()})


def _content(result: Result, summary: Summary) -> dict[str, Any]:
    bars = result.market.traded_bars.index
    return {
        "result": result,
        "summary": summary,
        "written": written,
        "index": result.market.index.instrument.label,
        "first": written.date(bars[0]),
        "last": written.date(bars[-1]),
        "is_sample": prose.is_sample(result),
        "index_title": prose.index_title(result),
        "rule": prose.rule_in_words(result),
        "sample_size": prose.sample_size(result, summary),
        "columns": figures.COLUMNS,
        "key_figures": tables.key_figures(summary),
        "comparison": tables.comparison(summary),
        "drawdowns": {
            name: tables.drawdown_rows(spells) for name, spells in summary.drawdowns.items()
        },
        "trade_columns": tables.TRADE_COLUMNS,
        "trades": tables.trade_rows(result, summary.trades),
        "trades_csv": _trades_download(summary),
        "grids": {
            "Strategy": tables.return_grid(result.strategy.returns),
            f"Hold {result.asset}": tables.return_grid(result.buy_and_hold.returns),
        },
        "quantiles": tables.quantile_rows(result),
        "provenance": tables.provenance(result),
        "versions": tables.library_versions(),
        "config": shown_config(result.config),
        "light": palette.LIGHT,
        "dark": palette.DARK,
    }


def _trades_download(summary: Summary) -> str:
    text = summary.trades.to_csv(index=False, lineterminator="\n")
    return base64.b64encode(text.encode()).decode("ascii")


@cache
def _template() -> Any:
    import jinja2

    def own(name: str) -> Markup:
        # our own files, not input: the only text that is not escaped
        return Markup(TEMPLATES.joinpath(name).read_text(encoding="utf-8"))  # noqa: S704

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(own=own)
    environment.filters.update(unbroken=prose.unbroken)
    return environment.from_string(TEMPLATES.joinpath("tearsheet.html.j2").read_text("utf-8"))
