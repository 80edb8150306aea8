"""Runs over one another: equity in log scale and underwater, told apart by colour and dash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from backtests.report.charts.figure_dicts import (
    COINS,
    LIGHT,
    PERCENT_AXIS,
    Spec,
    every_day,
    line,
    log_ticks,
    percents,
    time_layout,
)

if TYPE_CHECKING:
    import pandas as pd

DASHES: Final = ("solid", "dash", "dashdot")
LINE_WIDTH: Final = 1.8
HEIGHTS: Final = {"equity": 440, "underwater": 320}
EQUITY_AXIS: Final[Spec] = {
    "type": "log", "ticksuffix": "x", "title": {"text": "Of starting cash, log scale"},
}  # fmt: skip
UNDERWATER_AXIS: Final[Spec] = {**PERCENT_AXIS, "title": {"text": "Below the peak"}}
EQUITY_HOVER: Final = "%{y:,.2f}x"
HOLD_LINE: Final[Spec] = {"color": LIGHT["muted"], "width": 1, "dash": "dot"}


@dataclass(frozen=True, slots=True)
class NamedCurve:
    """Equity day by day from a starting cash of 1, and what it is called."""

    name: str
    equity: "pd.Series"


def line_styles(count: int) -> list[Spec]:
    """Return a colour and dash for each of `count` runs, no two alike."""
    colors = (LIGHT["strategy"], *COINS[1:])
    return [
        {
            "color": colors[place % len(colors)],
            "dash": DASHES[place % len(DASHES)],
            "width": LINE_WIDTH,
        }
        for place in range(count)
    ]


def equities_panel(runs: Sequence[NamedCurve], held: Mapping[str, NamedCurve]) -> Spec:
    """Return the runs' equities, and dotted what they trade held all the time."""
    traces = [
        _in_style(_curve(run.name, run.equity, hovertemplate=EQUITY_HOVER), style)
        for run, style in zip(runs, line_styles(len(runs)), strict=True)
    ]
    traces += [
        _in_style(_curve(each.name, each.equity, hovertemplate=EQUITY_HOVER), HOLD_LINE)
        for each in held.values()
    ]
    yaxis = {**EQUITY_AXIS, **log_ticks(np.concatenate([run.equity for run in runs]))}
    return {"data": traces, "layout": _layout(_span(runs), "equity", yaxis)}


def underwaters_panel(runs: Sequence[NamedCurve]) -> Spec:
    """Return how far each run's equity lay below its highest value so far."""
    import pandas as pd

    from backtests.analysis.metrics import underwater

    traces = []
    for run, style in zip(runs, line_styles(len(runs)), strict=True):
        equity = run.equity.ffill().to_numpy()
        before = np.concatenate(([1.0], equity[:-1]))
        moved = np.divide(equity, before, out=np.ones_like(equity), where=before > 0)
        below = pd.Series(percents(underwater(moved - 1)), index=run.equity.index)
        traces.append(_in_style(_curve(run.name, below, hovertemplate="%{y}"), style))
    return {"data": traces, "layout": _layout(_span(runs), "underwater", UNDERWATER_AXIS)}


def unfilled_panels() -> dict[str, Spec]:
    """Return both panels without lines, for a page that draws what its reader chose."""
    day = datetime(2000, 1, 1, tzinfo=UTC)
    axes = {"equity": EQUITY_AXIS, "underwater": UNDERWATER_AXIS}
    return {name: {"data": [], "layout": _layout((day, day), name, axes[name])} for name in axes}


def _curve(name: str, values: "pd.Series", *, hovertemplate: str) -> Spec:
    x = every_day(values.index[0])
    return line(name, values, color="ink", x=x, hovertemplate=hovertemplate)


def _in_style(trace: Spec, style: Spec) -> Spec:
    trace["line"] |= style
    return trace


def _layout(span: tuple[datetime, datetime], name: str, yaxis: Spec) -> Spec:
    return time_layout(span, height=HEIGHTS[name], yaxis=yaxis)


def _span(runs: Sequence[NamedCurve]) -> tuple[datetime, datetime]:
    first = min(run.equity.index[0] for run in runs)
    last = max(run.equity.index[-1] for run in runs)
    return first, last + timedelta(days=1)
