"""Plotly figures as plain dicts: importing plotly's own figure classes costs half a second.

Colours go by meaning, for light and dark: Okabe and Ito's set, told apart by the colour-blind.
"""

import base64
import html
import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike

from backtests.report.words import notation as written
from feeds.arrays import Floats

if TYPE_CHECKING:
    import pandas as pd

# for light and dark pages
COLOURS: Final = {
    "strategy": ("#0072b2", "#56b4e9"),
    "hold": ("#d55e00", "#f0913c"),
    "control": ("#00805c", "#2fc79a"),
    "index": ("#6b6f76", "#a3a9b2"),
    "good": ("#0b6aa2", "#63bbee"),
    "bad": ("#b84a00", "#f5a35c"),
    "mark": ("#a3467f", "#e08fc0"),
    "first_members": ("#8c3fb5", "#c49bea"),
    "idle": ("#7d6300", "#d9bf3f"),
    "ink": ("#1b1f24", "#e8eaed"),
    "muted": ("#5b6470", "#a2abb6"),
    "grid": ("#e6e8eb", "#2b3138"),
    "line": ("#d3d7dc", "#3b434c"),
    "paper": ("#ffffff", "#171b20"),
    "band": ("#dcebf5", "#1d3443"),
}
LIGHT: Final = {name: light for name, (light, _) in COLOURS.items()}
DARK: Final = {name: dark for name, (_, dark) in COLOURS.items()}
# Coins of a basket, one after another: areas are read on either background, so these stay.
COINS: Final = (
    "#0072b3", "#e69f00", "#009e73", "#cc79a7", "#56b4ea", "#d55e01", "#c9b800", "#882255",
    "#88ccee", "#999933", "#aa4499", "#8f8f8f",
)  # fmt: skip

Spec = dict[str, Any]
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
MILLISECONDS_PER_DAY: Final = 86_400_000
FEW_DECADES: Final = 0.7
MANY_DECADES: Final = 5
# of an axis of percent: as in text, and plotly writes its numbers with a true minus sign
UNIT: Final = "\N{NO-BREAK SPACE}%"
PERCENT_AXIS: Final[Spec] = {
    "ticksuffix": UNIT, "separatethousands": True, "exponentformat": "none",
    "hoverformat": ",.1f",
}  # fmt: skip
# where an axis of growth may be marked
GROWTH_MARKS: Final = (
    -0.95, -0.9, -0.8, -0.65, -0.5, -0.35, -0.2, -0.1, 0.0,
    0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 9.0, 19.0, 49.0, 99.0,
)  # fmt: skip


def dark_for_light() -> dict[str, str]:
    """Return what each light colour of a chart becomes on a dark page."""
    return dict(COLOURS.values())


class UndrawableError(Exception):
    """A section has nothing to draw; the message says why."""


def plain(text: str) -> str:
    """Return text that plotly shows as it is: it reads some HTML in names and titles."""
    return html.escape(text, quote=False)


def percent_text(fraction: float) -> str:
    """Return a change as whole percent with its sign, unbroken."""
    return written.percent(fraction, decimals=0, plus=True).replace(" %", UNIT)


def percents(fractions: ArrayLike) -> Floats:
    """Return fractions as an axis of percent takes them."""
    return 100 * np.asarray(fractions, np.float64)


def pack(values: ArrayLike, *, dtype: str = "f4") -> Spec:
    """Return numbers in plotly's typed-array form: a third of the bytes of written digits."""
    array = np.ascontiguousarray(np.asarray(values, dtype=np.float64), dtype=f"<{dtype}")
    return {"dtype": dtype, "bdata": base64.b64encode(array.tobytes()).decode("ascii")}


def unpack(values: Spec) -> Floats:
    """Return the numbers that `pack` took."""
    found = np.frombuffer(base64.b64decode(values["bdata"]), dtype=f"<{values['dtype']}")
    return found.astype(np.float64)


def log_ticks(values: ArrayLike) -> Spec:
    """Return how to mark a log axis: 1, 2, 5 of each decade, whole decades when there are many.

    All nine marks of a decade would overlap; below most of a decade plotly's choice is good.
    """
    numbers = np.asarray(values, dtype=np.float64)
    positive = numbers[np.isfinite(numbers) & (numbers > 0)]
    decades = float(np.log10(positive.max() / positive.min())) if positive.size else 0.0
    if decades < FEW_DECADES:
        return {}
    return {"dtick": "D2" if decades <= MANY_DECADES else math.ceil(decades / MANY_DECADES)}


def growth_axis(growth: ArrayLike, *, is_drawn_in_logs: bool = False) -> Spec:
    """Return an axis on which a halving and a doubling lie equally far from no change.

    What is drawn is 1 + growth, or its log; what is written beside the axis is the growth.
    """
    values = np.asarray(growth, dtype=np.float64)
    logs = np.log1p(values[np.isfinite(values) & (values > -1)])
    low, high = (float(logs.min()), float(logs.max())) if logs.size else (0.0, 0.0)
    marks = _apart([mark for mark in GROWTH_MARKS if low <= math.log1p(mark) <= high], high - low)
    return {
        "type": "linear" if is_drawn_in_logs else "log",
        "title": {"text": "Growth"},
        "tickvals": [math.log1p(mark) if is_drawn_in_logs else 1 + mark for mark in marks],
        "ticktext": [percent_text(mark) for mark in marks],
    }


def _apart(marks: list[float], span: float) -> list[float]:
    """Return the marks that lie far enough apart to be read, going out from zero."""
    kept: list[float] = []
    for mark in sorted(marks, key=abs):
        if all(abs(math.log1p(mark) - math.log1p(other)) >= span / 11 for other in kept):
            kept.append(mark)
    return sorted(kept)


def milliseconds(times: "pd.DatetimeIndex") -> Spec:
    """Return instants as plotly's date axis counts them."""
    return pack(times.as_unit("ms").asi8, dtype="f8")


def stamp(time: datetime) -> str:
    """Return one instant as plotly reads it."""
    return f"{time:%Y-%m-%d %H:%M}"


def every_day(start: "pd.Timestamp") -> Spec:
    """Return the x of a daily series by its start and step, which spares a date a point."""
    return {"x0": stamp(start), "dx": MILLISECONDS_PER_DAY}


def line(name: str, values: ArrayLike, *, color: str, x: Spec, **more: Any) -> Spec:
    """Return a line of one value a day; `more` goes to the trace as it is."""
    style = {"color": LIGHT[color], "width": more.pop("width", 1.5), **more.pop("line", {})}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": plain(name),
        **x,
        "y": pack(values),
        "line": style,
        **more,
    }


def band(name: str, low: ArrayLike, high: ArrayLike, *, color: str, x: Spec) -> list[Spec]:
    """Return the area between two lines; of points without both bounds it has none."""
    shared = {"legendgroup": name, "hoverinfo": "skip"}
    bounds = [np.asarray(bound, np.float64) for bound in (low, high)]
    known = np.isfinite(bounds).all(axis=0)
    sides = [
        line(name, np.where(known, bound, np.nan), color="line", x=x, width=0, **shared)
        for bound in bounds
    ]
    area = {"fill": "tonexty", "fillcolor": color, "showlegend": True}
    return [{**sides[0], "showlegend": False}, {**sides[1], **area}]


def intervals(name: str, x: Sequence[Any], y: ArrayLike, low: ArrayLike, high: ArrayLike) -> Spec:
    """Return points with an interval each; without whiskers where a bound is undefined."""
    middle, below, above = (np.asarray(values, np.float64) for values in (y, low, high))
    known = np.isfinite(below) & np.isfinite(above)
    whiskers = {
        "type": "data", "symmetric": False, "color": LIGHT["strategy"], "thickness": 1.6,
        "width": 0, "array": pack(np.where(known, above - middle, np.nan)),
        "arrayminus": pack(np.where(known, middle - below, np.nan)),
    }  # fmt: skip
    return {
        "type": "scatter",
        "mode": "markers",
        "name": plain(name),
        "x": list(x),
        "y": pack(middle),
        "marker": {"color": LIGHT["strategy"], "size": 8},
        "error_y": whiskers,
    }


def upright(x: float, *, color: str, name: str = "") -> Spec:
    """Return a line from top to bottom of the panel; with a name it is in the legend."""
    shape = {
        "type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper",
        "line": {"color": LIGHT[color], "width": 1.6},
    }  # fmt: skip
    return {**shape, "name": plain(name), "showlegend": True} if name else shape


def level(y: float) -> Spec:
    """Return a thin line across the panel, behind what is drawn."""
    ends = {"x0": 0, "x1": 1, "xref": "paper", "y0": y, "y1": y}
    return {
        "type": "line", **ends, "layer": "below", "line": {"color": LIGHT["muted"], "width": 1},
    }  # fmt: skip


def markers(
    name: str,
    times: Sequence["pd.Timestamp"],
    values: ArrayLike,
    *,
    color: str,
    symbol: str,
    **more: Any,
) -> Spec:
    """Return marked points, each with its own hover text in `more`."""
    style = {
        "color": LIGHT[color],
        "symbol": symbol,
        "size": more.pop("size", 9),
        "line": {"color": LIGHT["paper"], "width": more.pop("edge", 1)},
    }
    return {
        "type": "scatter",
        "mode": "markers",
        "name": plain(name),
        "x": [stamp(time) for time in times],
        "y": [float(value) for value in np.asarray(values, np.float64)],
        "marker": style,
        **more,
    }


def layout(*, height: int, **more: Any) -> Spec:
    """Return the layout all charts share, with what is given on top."""
    axis = {
        "gridcolor": LIGHT["grid"],
        "linecolor": LIGHT["line"],
        "zeroline": False,
    }
    return {
        "height": height,
        "margin": {"l": 76, "r": 16, "t": 8, "b": 32},
        "paper_bgcolor": LIGHT["paper"],
        "plot_bgcolor": LIGHT["paper"],
        "font": {"family": FONT, "size": 12, "color": LIGHT["ink"]},
        "hoverlabel": {
            "bgcolor": LIGHT["paper"],
            "bordercolor": LIGHT["line"],
            "font": {"family": FONT, "size": 12, "color": LIGHT["ink"]},
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": {**axis, "automargin": True, **more.pop("xaxis", {})},
        "yaxis": {**axis, **more.pop("yaxis", {})},
        **more,
    }


def time_layout(span: tuple[datetime, datetime], *, height: int, yaxis: Spec, **more: Any) -> Spec:
    """Return the layout of a panel whose zoom is linked with all others of its kind."""
    edges = [stamp(span[0]), stamp(span[1])]
    return layout(
        height=height,
        xaxis={
            "type": "date",
            "range": edges,
            "hoverformat": "%a %d %b %Y",
            "showspikes": True,
            "spikemode": "across",
            "spikethickness": 1,
            "spikedash": "dot",
            "spikecolor": LIGHT["muted"],
            "spikesnap": "cursor",
        },
        yaxis=yaxis,
        hovermode="x unified",
        dragmode="zoom",
        **more,
    )
