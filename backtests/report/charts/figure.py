"""One figure to look at in a notebook: equity in log scale, and below it the drawdowns."""

from typing import TYPE_CHECKING, Final

from backtests.analysis.summary import Summary
from backtests.engines.backtest import Run
from backtests.report.charts.equity import equity_panel, underwater_panel
from backtests.report.charts.spec import unpack

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

EQUITY_SHARE: Final = 0.68  # of the height
HEIGHT: Final = 620


def run_figure(result: Run, summary: Summary) -> "Figure":
    """Return the panels of equity and of what is below the peaks, on one axis of time."""
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=2,
        shared_xaxes=True,
        vertical_spacing=0.04,
        row_heights=[EQUITY_SHARE, 1 - EQUITY_SHARE],
    )
    above, below = equity_panel(result, summary), underwater_panel(result, summary)
    for row, panel in ((1, above), (2, below)):
        for trace in panel["data"]:
            shown = {key: value for key, value in trace.items() if key != "meta"}
            shown["y"] = unpack(trace["y"])
            if row == 1:  # the text of each day's state is put in by the page's own script
                shown["hovertemplate"] = shown["hovertemplate"].partition("<br>")[0]
            named = any(trace["name"] == each["name"] for each in above["data"])
            figure.add_trace(shown | {"showlegend": row == 1 or not named}, row=row, col=1)
    shared = {key: above["layout"][key] for key in ("font", "hoverlabel", "legend", "plot_bgcolor")}
    figure.update_layout(
        **shared, height=HEIGHT, hovermode="x unified", paper_bgcolor=shared["plot_bgcolor"]
    )
    for row, panel in ((1, above), (2, below)):
        figure.update_yaxes(panel["layout"]["yaxis"], row=row, col=1)
        figure.update_xaxes(panel["layout"]["xaxis"], row=row, col=1)
    return figure
