"""The present episode laid over all earlier ones."""

from typing import Any, Final

import numpy as np

from backtests.analysis.episodes import AHEAD_DAYS, Forebears
from backtests.report.charts.figure_dicts import (
    LIGHT,
    Spec,
    UndrawableError,
    growth_axis,
    layout,
    pack,
    plain,
)
from feeds.arrays import Floats

HEIGHT: Final = 380
MOST_POINTS: Final = 100  # of an earlier line: more cannot be told apart
EARLIER: Final = {"color": LIGHT["muted"], "width": 1}
NOW: Final = {"color": LIGHT["strategy"], "width": 3}
INDEX: Final = {"color": LIGHT["index"], "width": 2, "dash": "dot"}


def episodes_chart(found: Forebears | None) -> Spec:
    """Return the coin's growth since each episode's first tradable open, by day."""
    if found is None or not found.is_running:
        raise UndrawableError("No episode is running.")
    days = found.day + AHEAD_DAYS
    step = 1 + days // MOST_POINTS
    lines = [
        _line(f"{each.session:%Y-%m-%d}", each.coin[:days], step=step, line=EARLIER, opacity=0.7)
        for each in found.earlier
    ]
    own = found.present
    lines.append(_line(f"{own.session:%Y-%m-%d}, now", own.coin[: found.day], line=NOW))
    lines.append(_line("the index, now", own.index[: found.day], line=INDEX, hoverinfo="skip"))
    growth = np.concatenate([each.coin[:days] for each in (*found.earlier, found.present)])
    return {
        "data": lines,
        "layout": layout(
            height=HEIGHT,
            xaxis={"title": {"text": "Days since the first open that could be traded"}},
            yaxis=growth_axis(growth),
            hovermode="closest",
        ),
    }


def _line(name: str, growth: Floats, *, step: int = 1, **style: Any) -> Spec:
    """Return a line of growth by day, from no change on, every `step` days."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": plain(name),
        "x0": 0,
        "dx": step,
        "y": pack(np.concatenate(([1.0], 1 + growth))[::step]),
        "hovertemplate": "%{fullData.name}: day %{x}<extra></extra>",
        **style,
    }
