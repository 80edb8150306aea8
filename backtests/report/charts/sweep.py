"""The charts of a sweep, as plotly figures in plain dicts."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from backtests.report.charts.figure_dicts import LIGHT, PERCENT_AXIS, Spec, layout, plain
from backtests.report.words.labels import Notation, names, notation
from backtests.report.words.notation import decimal
from backtests.search.judging.judge import Judgement
from backtests.search.parameter_surface import SettingScale, Surface
from feeds.arrays import Floats, Integers

MOST_LINES: Final = 2_000
MOST_POINTS: Final = 2_000
MOST_TICKS: Final = 8
LABEL_WIDTH: Final = 14
TICK_WIDTH: Final = 18
# from a line that hardly stands out to one that does, on either background
FAINT_TO_STRONG: Final = ((0, LIGHT["line"]), (0.7, LIGHT["strategy"]), (1, LIGHT["hold"]))


def curve(surface: Surface, *, objective: str) -> Spec | None:
    """Return the best and the median objective along the one setting that varies.

    None if several vary, or if no trial has an objective.
    """
    if len(surface.scales) > 1 or surface.ascending.size == 0:
        return None
    (scale,) = surface.scales
    shown = notation(objective)
    sides = zip(("best", "median"), surface.along(0), strict=True)
    traces = [_points(name, values * figure_scale(shown), scale) for name, values in sides]
    # of a grid each place has one trial, and both are the same
    is_same = traces[0]["y"] == traces[1]["y"]
    return {
        "data": traces[1:] if is_same else traces,
        "layout": layout(
            height=400,
            xaxis={"type": "category", "title": {"text": _short(scale)}},
            yaxis={"title": {"text": shown.label}, **figure_axis(shown)},
            showlegend=not is_same,
        ),
    }


def parallel(surface: Surface, *, objective: str) -> Spec | None:
    """Return parallel coordinates of the best trials and an even sample of the others.

    None if no trial has an objective, or if only one setting varies: `curve` shows that.
    """
    if len(surface.scales) < 2 or surface.ascending.size == 0:
        return None
    rows = np.union1d(surface.top(MOST_LINES // 4), even(surface, MOST_LINES))
    shown = notation(objective)
    called = names([scale.key for scale in surface.scales])
    dimensions = [
        {
            "label": _wrap(called[scale.key].short),
            "values": places[rows].tolist(),
            "range": [0, max(len(scale.texts) - 1, 1)],
            **_ticks(scale),
        }
        for scale, places in zip(surface.scales, surface.places, strict=True)
    ]
    values = round_values(surface.objective[rows] * figure_scale(shown))
    own = {"label": _wrap(shown.label), "values": values, **_figure_ticks(values, shown)}
    # everything below the middle of all trials is faint
    ends = surface.ascending[[surface.ascending.size // 2, -1]]
    middle, highest = round_values(surface.objective[ends] * figure_scale(shown))
    ramp = {"colorscale": FAINT_TO_STRONG, "cmin": middle, "cmax": highest}
    trace = {
        "type": "parcoords",
        "line": {"color": values, **ramp},
        "dimensions": [*dimensions, own],
        "labelfont": {"size": 12},
        "tickfont": {"size": 11},
        # the ends of the axes are marked by their ticks
        "rangefont": {"size": 1, "color": LIGHT["paper"]},
    }
    room = {"l": 96, "r": 56, "t": 64, "b": 24}
    return {"data": [trace], "layout": layout(height=460) | {"margin": room}}


def plateau(surface: Surface, *, objective: str, best: Sequence[int] = ()) -> Spec | None:
    """Return each trial's objective against its neighbours' mean; None without any neighbours.

    `best` are the best rows, the best one first: they are marked.
    """
    rows, around = _known_values(
        surface, np.union1d(surface.top(MOST_POINTS // 4), even(surface, MOST_POINTS))
    )
    if rows.size == 0:
        return None
    shown = notation(objective)
    label, scale = shown.label, figure_scale(shown)
    spec = scatter(
        scale * around,
        scale * surface.objective[rows],
        x=f"{label}, mean of its neighbours",
        y=f"{label} of the trial",
        texts=[f"trial {trial}" for trial in rows * surface.every],
    )
    marked, around = _known_values(surface, np.asarray(best, np.int64) // surface.every)
    if marked.size:
        y, x = (round_values(scale * each) for each in (surface.objective[marked], around))
        texts = [f"trial {trial}, row {list(best).index(trial) + 1}" for trial in marked.tolist()]
        spec["data"][0] |= {"name": "trials", "showlegend": True}
        spec["data"].append(_mark(x, y, texts=texts))
        if marked[0] == best[0]:
            spec["layout"]["annotations"] = [_arrow(x[0], y[0], "the best row")]
    for axis in ("xaxis", "yaxis"):
        spec["layout"][axis] |= figure_axis(shown)
    return spec


def in_and_out(judgement: Judgement) -> Spec:
    """Return the chosen trial's Sharpe ratio outside the half of the bars it was chosen in."""
    split, year = judgement.overfitting, np.sqrt(judgement.periods_per_year)
    rows = np.unique(np.linspace(0, split.in_sample.size - 1, MOST_POINTS).astype(int))
    return scatter(
        split.in_sample[rows] * year,
        split.out_of_sample[rows] * year,
        x="Sharpe ratio where it was chosen",
        y="Sharpe ratio in the other half",
    )


def scatter(across: Floats, up: Floats, *, x: str, y: str, texts: Sequence[str] = ()) -> Spec:
    """Return points, each with a text if any are given, and the line on which both are equal."""
    points: Spec = {
        "type": "scatter",
        "mode": "markers",
        "x": round_values(across),
        "y": round_values(up),
        "marker": {"color": LIGHT["strategy"], "size": 4, "opacity": 0.5},
        "showlegend": False,
    }
    if texts:
        points["text"] = list(texts)
    sides = [[value for value in points[name] if value is not None] for name in ("x", "y")]
    # where both are seen; if they share no value, the way from one to the other
    ends = sorted((max(map(min, sides)), min(map(max, sides))))
    line = {"color": LIGHT["muted"], "dash": "dot", "width": 1}
    equal = {"type": "scatter", "mode": "lines", "x": ends, "y": ends, "line": line}
    return {
        "data": [points, {**equal, "hoverinfo": "skip", "showlegend": False}],
        "layout": layout(height=440, xaxis={"title": {"text": x}}, yaxis={"title": {"text": y}}),
    }


def even(surface: Surface, count: int) -> Integers:
    """Return up to `count` rows with an objective, evenly spread over all of them."""
    known = np.flatnonzero(np.isfinite(surface.objective))
    if known.size == 0:
        return known
    return np.asarray(known[np.unique(np.linspace(0, known.size - 1, count).astype(int))], np.int64)


def figure_scale(shown: Notation) -> float:
    """Return by what a figure's values are multiplied before they are drawn."""
    return 100.0 if shown.is_percent else 1.0


def figure_axis(shown: Notation) -> Spec:
    """Return how the axis of a figure is marked, and how its values are told on hover."""
    unit = {"ticksuffix": PERCENT_AXIS["ticksuffix"]} if shown.is_percent else {}
    return {"tickformat": shown.ticks, "hoverformat": shown.value, **unit}


def round_values(values: Floats) -> list[Any]:
    """Return numbers with five digits, None where undefined: JSON knows no NaN."""
    nested: list[Any] = np.asarray(values, np.float64).tolist()
    return [_digits(value) for value in nested]


def _digits(value: Any) -> Any:
    if isinstance(value, list):
        return [_digits(inner) for inner in value]
    return float(f"{value:.5g}") if np.isfinite(value) else None


def _points(name: str, values: Floats, scale: SettingScale) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [plain(text) for text in scale.texts],
        "y": round_values(values),
        "line": {"color": LIGHT["strategy" if name == "median" else "hold"]},
    }


def _short(scale: SettingScale) -> str:
    return plain(names([scale.key])[scale.key].short)


def _known_values(surface: Surface, rows: Integers) -> tuple[Integers, Floats]:
    """Return those of the rows that have neighbours, and their mean."""
    around = surface.around(rows)
    known = np.isfinite(around)
    return rows[known], around[known]


def _mark(x: list[float], y: list[float], *, texts: list[str]) -> Spec:
    marker = {
        "color": LIGHT["hold"],
        "size": 9,
        "line": {"color": LIGHT["paper"], "width": 1},
    }
    named = {"name": "the best rows", "showlegend": True, "text": texts}
    return {"type": "scatter", "mode": "markers", "x": x, "y": y, "marker": marker, **named}


def _arrow(x: float, y: float, text: str) -> Spec:
    return {
        "x": x, "y": y, "text": text, "ax": -110, "ay": -16, "arrowhead": 0, "arrowwidth": 1,
        "arrowcolor": LIGHT["muted"], "standoff": 6, "bgcolor": LIGHT["paper"],
    }  # fmt: skip


def _ticks(scale: SettingScale) -> Spec:
    """Return the marks of an axis: no more than can be read, both ends among them."""
    places = np.linspace(0, len(scale.texts) - 1, min(len(scale.texts), MOST_TICKS))
    kept = np.unique(places.round().astype(int)).tolist()
    shown = [textwrap.shorten(scale.texts[place], TICK_WIDTH, placeholder="…") for place in kept]
    return {"tickvals": kept, "ticktext": [plain(text) for text in shown]}


def _figure_ticks(values: Sequence[float], shown: Notation) -> Spec:
    """Return marks at round numbers, written as text is: plotly's own here have a hyphen."""
    low, high = min(values), max(values)
    step = _round_step((high - low) / MOST_TICKS)
    marks = [step * place for place in range(math.ceil(low / step), math.floor(high / step) + 1)]
    digits = max(0, -math.floor(math.log10(step)))
    unit = PERCENT_AXIS["ticksuffix"] if shown.is_percent else ""
    return {"tickvals": marks, "ticktext": [decimal(each, digits, unit=unit) for each in marks]}


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20 and so on, or a tenth of them, from `least` on."""
    if not least > 0:
        return 1.0
    decade = 10.0 ** math.floor(math.log10(least))
    return next(step * decade for step in (1, 2, 5, 10) if step * decade >= least)


def _wrap(text: str) -> str:
    return "<br>".join(plain(line) for line in textwrap.wrap(text, LABEL_WIDTH))
