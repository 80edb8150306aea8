"""The charts of a sweep, as plotly figures in plain dicts."""

import itertools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backtests.report.palette import LIGHT
from backtests.report.spec import Spec, layout
from backtests.sweep.judge import Judgement
from backtests.sweep.surface import Surface

MOST_LINES: Final = 2_000
MOST_POINTS: Final = 2_000
# light to dark, readable by the colour-blind and in print
COLOURS: Final = "Viridis"

Row = NDArray[np.float64]


def heatmaps(surface: Surface, *, objective: str) -> dict[str, Spec]:
    """Return a heatmap for each pair of settings and each of best and median."""
    found = {}
    for first, second in itertools.combinations(range(len(surface.scales)), 2):
        one, other = surface.scales[first], surface.scales[second]
        for name, values in zip(("best", "median"), surface.heat(first, second), strict=True):
            trace = {
                "type": "heatmap",
                "x": list(other.labels),
                "y": list(one.labels),
                "z": _rounded(values),
                "colorscale": COLOURS,
                "colorbar": {"title": {"text": objective}},
                "hovertemplate": f"{one.key} %{{y}}<br>{other.key} %{{x}}<br>%{{z}}<extra></extra>",
            }
            found[f"{name}|{one.key}|{other.key}"] = {
                "data": [trace],
                "layout": layout(
                    height=460,
                    xaxis={"type": "category", "title": {"text": other.key}},
                    yaxis={"type": "category", "title": {"text": one.key}, "automargin": True},
                ),
            }
    return found


def parallel(surface: Surface, *, objective: str) -> Spec:
    """Return parallel coordinates of the best trials and an even sample of the others."""
    rows = np.union1d(surface.top(MOST_LINES // 4), _even(surface, MOST_LINES))
    dimensions: list[Spec] = [
        {
            "label": scale.key,
            "values": surface.places[place][rows].tolist(),
            "tickvals": list(range(len(scale.labels))),
            "ticktext": list(scale.labels),
        }
        for place, scale in enumerate(surface.scales)
    ]
    values = _rounded(surface.objective[rows])
    dimensions.append({"label": objective, "values": values})
    line = {"color": values, "colorscale": COLOURS, "showscale": True}
    trace = {"type": "parcoords", "line": line, "dimensions": dimensions}
    return {"data": [trace], "layout": layout(height=460) | {"margin": {"l": 90, "r": 60, "t": 60}}}


def plateau(surface: Surface, *, objective: str) -> Spec | None:
    """Return each trial's objective against its neighbours' mean; None but for a grid."""
    rows = np.union1d(surface.top(MOST_POINTS // 4), _even(surface, MOST_POINTS))
    around = surface.around(rows)
    rows, around = rows[np.isfinite(around)], around[np.isfinite(around)]
    if rows.size == 0:
        return None
    return scatter(
        around,
        surface.objective[rows],
        x=f"mean {objective} of its neighbours",
        y=f"{objective} of the trial",
        texts=[f"trial {trial}" for trial in rows * surface.every],
    )


def in_and_out(judgement: Judgement, *, periods_per_year: float) -> Spec:
    """Return the chosen trial's Sharpe ratio outside the half of the bars it was chosen in."""
    split, year = judgement.overfitting, np.sqrt(periods_per_year)
    rows = np.unique(np.linspace(0, split.in_sample.size - 1, MOST_POINTS).astype(int))
    return scatter(
        split.in_sample[rows] * year,
        split.out_of_sample[rows] * year,
        x="Sharpe ratio where it was chosen",
        y="Sharpe ratio in the other half",
    )


def scatter(
    across: Row, up: Row, *, x: str, y: str, texts: Sequence[str] = (), size: int = 4
) -> Spec:
    """Return points, each with a text if any are given, and the line on which both are equal."""
    points: Spec = {
        "type": "scatter",
        "mode": "markers",
        "x": _rounded(across),
        "y": _rounded(up),
        "marker": {"color": LIGHT["strategy"], "size": size, "opacity": 0.5},
        "showlegend": False,
    }
    if texts:
        points["text"] = list(texts)
    known = [value for name in ("x", "y") for value in points[name] if value is not None]
    ends = [min(known), max(known)]
    line = {"color": LIGHT["muted"], "dash": "dot", "width": 1}
    equal = {"type": "scatter", "mode": "lines", "x": ends, "y": ends, "line": line}
    return {
        "data": [points, {**equal, "hoverinfo": "skip", "showlegend": False}],
        "layout": layout(height=440, xaxis={"title": {"text": x}}, yaxis={"title": {"text": y}}),
    }


def _even(surface: Surface, count: int) -> NDArray[np.int64]:
    known = np.flatnonzero(np.isfinite(surface.objective))
    return np.asarray(known[np.unique(np.linspace(0, known.size - 1, count).astype(int))], np.int64)


def _rounded(values: Row) -> list[Any]:
    """Return numbers with five digits, None where undefined: JSON knows no NaN."""
    nested: list[Any] = np.asarray(values, np.float64).tolist()
    return [_digits(value) for value in nested]


def _digits(value: Any) -> Any:
    if isinstance(value, list):
        return [_digits(inner) for inner in value]
    return float(f"{value:.5g}") if np.isfinite(value) else None
