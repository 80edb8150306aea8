"""The present episode laid over all earlier ones."""

import numpy as np

from backtests.analysis.forebears import AHEAD_DAYS, Episode, Forebears
from backtests.report.charts.palette import LIGHT
from backtests.report.charts.spec import Spec, UndrawableError, growth_axis, layout, pack, plain

HEIGHT = 380


def episodes_chart(found: Forebears | None) -> Spec:
    """Return the coin's growth since each episode's first tradable open, by day."""
    if found is None or not found.is_running:
        raise UndrawableError("No episode is running.")
    days = found.day + AHEAD_DAYS
    lines = [_line(each, days, is_present=False) for each in found.earlier]
    lines.append(_line(found.present, found.day, is_present=True))
    lines.append(_index_line(found))
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


def _index_line(found: Forebears) -> Spec:
    growth = found.present.index[: found.day]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "the index, now",
        "x0": 0,
        "dx": 1,
        "y": pack(np.concatenate(([1.0], 1 + growth))),
        "line": {"color": LIGHT["index"], "width": 2, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _line(episode: Episode, days: int, *, is_present: bool) -> Spec:
    growth = episode.coin[:days]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": plain(f"{episode.session:%Y-%m-%d}{', now' if is_present else ''}"),
        "x0": 0,
        "dx": 1,
        "y": pack(np.concatenate(([1.0], 1 + growth))),
        "line": {
            "color": LIGHT["strategy" if is_present else "muted"],
            "width": 3 if is_present else 1,
        },
        "opacity": 1.0 if is_present else 0.7,
        "hovertemplate": "%{fullData.name}: day %{x}<extra></extra>",
    }
