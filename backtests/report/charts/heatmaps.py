"""The heatmaps of a sweep: two settings at a time, all on one range of colours."""

import itertools
from typing import Final

from backtests.report.charts.figure_dicts import Spec, layout, plain
from backtests.report.charts.sweep import figure_axis, figure_scale, round_values
from backtests.report.words.labels import Notation, names, notation
from backtests.search.parameter_surface import SettingScale, Surface
from feeds.arrays import Floats

# light to dark, readable by the colour-blind and in print
COLOURS: Final = "Viridis"
STATISTICS: Final = ("best", "median")
HEIGHT: Final = 380
MOST_LEVEL: Final = 36  # letters of all marks that stand level on a phone
LEVEL_ROOM: Final = 54  # pixels, as the next
LETTER: Final = 7
LONGEST: Final = 22  # letters
FRAME: Final = (("black", 5), ("white", 2))  # colour and width of its lines
MOST_WRITTEN: Final = (12, 12)  # rows and columns up to which a cell has room for its number


def heatmaps(surface: Surface, *, objective: str) -> dict[str, Spec]:
    """Return a heatmap for each pair of settings, in their order, and each of best and median.

    Empty where no trial has an objective. The cell of the best trial is framed.
    """
    if surface.ascending.size == 0:
        return {}
    shown, best = notation(objective), int(surface.top(1)[0])
    called = names([scale.key for scale in surface.scales])
    found = {}
    for first, second in itertools.combinations(range(len(surface.scales)), 2):
        scales = (surface.scales[first], surface.scales[second])
        titles = (called[scales[0].key].short, called[scales[1].key].short)
        cell = (int(surface.places[first][best]), int(surface.places[second][best]))
        for name, values in zip(STATISTICS, surface.heat(first, second), strict=True):
            found[f"{name}|{scales[0].key}|{scales[1].key}"] = _heatmap(
                values, scales, titles=titles, shown=shown, framed=cell
            )
    return _on_one_range(found)


def shows_once(found: dict[str, Spec]) -> bool:
    """Return whether best and median are the same everywhere, as there are no other settings."""
    return all(
        spec["data"][0]["z"] == found[name.replace("best|", "median|", 1)]["data"][0]["z"]
        for name, spec in found.items()
        if name.startswith("best|")
    )


def _heatmap(
    values: Floats,
    scales: tuple[SettingScale, SettingScale],
    *,
    titles: tuple[str, str],
    shown: Notation,
    framed: tuple[int, int],
) -> Spec:
    one, other = scales
    place = f"{plain(one.key)} %{{y}}<br>{plain(other.key)} %{{x}}"
    bar = {"orientation": "h", "y": 1, "yanchor": "bottom", "thickness": 8, "len": 1}
    trace: Spec = {
        "type": "heatmap",
        "x": [plain(text) for text in other.texts],
        "y": [plain(text) for text in one.texts],
        "z": round_values(values * figure_scale(shown)),
        "text": _texts(values, shown),
        "colorscale": COLOURS,
        "colorbar": {**bar, "outlinewidth": 0, "nticks": 6, **_bar_axis(shown)},
        "hovertemplate": f"{place}<br>{shown.label} %{{text}}<extra></extra>",
    }
    if all(size <= most for size, most in zip(values.shape, MOST_WRITTEN, strict=True)):
        trace["texttemplate"] = "%{text}"
    axis: Spec = {"type": "category", "showgrid": False}
    beside = {"text": plain(titles[0]), "standoff": 10}
    room = _room(other)
    spec = layout(
        height=HEIGHT + room,
        shapes=_frame(*framed),
        annotations=[_below(titles[1], room)],
        xaxis={**axis, "automargin": False},
        yaxis={**axis, "automargin": True, "title": beside},
    )
    return {"data": [trace], "layout": spec | {"margin": {**spec["margin"], "b": room}}}


def _bar_axis(shown: Notation) -> Spec:
    """Return how the bar of colours is marked; it is pointed at by nobody."""
    return {key: value for key, value in figure_axis(shown).items() if key != "hoverformat"}


def _texts(values: Floats, shown: Notation) -> list[list[str]]:
    """Return each figure in words; those written alike are one string, as cells are many."""
    known: dict[str, str] = {}
    return [
        [known.setdefault(text, text) for text in map(shown.write, row)] for row in values.tolist()
    ]


def _room(scale: SettingScale) -> int:
    """Return the pixels its marks and title take below: many or long marks stand on end."""
    sizes = [len(text) for text in scale.texts]
    is_level, longest = sum(sizes) <= MOST_LEVEL, max(sizes)
    return LEVEL_ROOM if is_level else LEVEL_ROOM - 12 + LETTER * min(longest, LONGEST)


def _below(title: str, room: int) -> Spec:
    """Return a title at the very bottom: plotly writes that of the axis across its marks."""
    return {
        "text": plain(title), "font": {"size": 14}, "showarrow": False, "xref": "paper", "x": 0.5,
        "yref": "paper", "y": 0, "yanchor": "bottom", "yshift": -room,
    }  # fmt: skip


def _frame(row: int, column: int) -> list[Spec]:
    """Return a frame about a cell, white in black: seen on every colour."""
    box = {
        "type": "rect", "x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5,
    }  # fmt: skip
    return [{**box, "line": {"color": color, "width": width}} for color, width in FRAME]


def _on_one_range(found: dict[str, Spec]) -> dict[str, Spec]:
    """Return the heatmaps with their colours over the lowest to the highest of all of them."""
    cells = [
        cell
        for spec in found.values()
        for row in spec["data"][0]["z"]
        for cell in row
        if cell is not None
    ]
    for spec in found.values():
        spec["data"][0] |= {"zmin": min(cells), "zmax": max(cells)}
    return found
