"""Effects with their intervals: all of a page as a forest plot, and those of all readings."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from backtests.analysis.specification_curve import SpecificationCurve
from backtests.claims.answers import evidence
from backtests.claims.runner import Judged
from backtests.report.charts.figure_dicts import (
    LIGHT,
    PERCENT_AXIS,
    Spec,
    UndrawableError,
    growth_axis,
    layout,
    line,
    pack,
    percent_text,
    percents,
    plain,
)
from backtests.report.words.claims import interval, size
from feeds.arrays import Floats, Integers

# more points than this would run together on any screen
MOST_POINTS: Final = 300
EFFECTS_HEIGHT: Final = 320
ROW_HEIGHT: Final = 15
MARGINS: Final = 90
GROUP_GAP: Final = 0.7  # rows
EDGE: Final = 0.015  # of the readings, left free on either side

LABELS: Final[dict[str, Callable[[Any], str]]] = {
    "asset": str,
    "lookback": lambda sessions: "high of all" if sessions == "all" else f"high of {sessions}",
    "base": lambda sessions: "any age" if sessions == 1 else f"age {sessions}",
    "tolerance": lambda share: f"within {share * 100:g} %",
    "confirm": lambda closes: f"{closes} closes",
    "gap_sessions": lambda sessions: f"gap {sessions}",
    "horizon_days": lambda days: f"{days} days",
    "delay_days": lambda days: "at once" if days == 0 else f"{days} d later",
    "start": lambda start: "all years" if start == "all" else f"from {start}",
    "statistic": str,
}
ROW: Final = 26
MARGIN: Final = 110
WIDEST: Final = 4.0  # effects beyond +400 % are drawn at the edge, with their figure in the text
COLORS: Final = {"supported": "good", "ruled_out": "bad", "too_little": "muted"}


class ChoiceRow(NamedTuple):
    """One value of one choice: where its ticks lie and what is written beside them."""

    choice: str
    value: Any
    height: float
    label: str


def curve_chart(curve: SpecificationCurve) -> Spec:
    """Return the sorted effects above, and a row of ticks per value of every choice below.

    The line goes through all readings; points and ticks show at most `MOST_POINTS` of them,
    evenly spaced, and always the question's own.
    """
    table = curve.effects
    if table.empty:
        raise UndrawableError("No reading has as many as three episodes with a known outcome.")
    rows = choice_rows(table)
    drawn = drawn_readings(table["own"].to_numpy(np.bool_))
    ticks_height = ROW_HEIGHT * (rows[0].height - rows[-1].height + 2)
    share = ticks_height / (ticks_height + EFFECTS_HEIGHT)
    return {
        "data": [
            *_effects(table, drawn),
            *(_row_ticks(row, table, drawn) for row in rows),
            _own_ticks(rows, table),
        ],
        "layout": layout(
            height=round(ticks_height + EFFECTS_HEIGHT + MARGINS),
            xaxis={
                "title": {"text": "Readings, sorted by effect"},
                "range": [-EDGE * len(table), (1 + EDGE) * len(table)],
                "anchor": "y2",
                "showgrid": False,
            },
            yaxis={
                **growth_axis(np.expm1(table["effect"])),
                "title": {"text": "Growth beyond other dates"},
                "domain": [share + 0.02, 1],
            },
            yaxis2=_rows_axis(rows, share),
            shapes=[_across(1.0, "ink"), _across(float(np.exp(curve.median)), "hold", "Median")],
            hovermode="closest",
        ),
    }


def choice_rows(table: pd.DataFrame) -> list[ChoiceRow]:
    """Return a row for each value of each choice, from top to bottom; one value is no choice."""
    rows, height = [], 0.0
    for choice in [name for name in LABELS if name in table]:
        values = sorted(table[choice].unique(), key=_smallest_first)
        if len(values) < 2:
            continue
        for value in values:
            rows.append(ChoiceRow(choice, value, height, LABELS[choice](value)))
            height -= 1
        height -= GROUP_GAP
    return rows


def drawn_readings(own: np.ndarray[Any, np.dtype[np.bool_]]) -> Integers:
    """Return the places of the readings that are drawn one by one."""
    spaced = np.linspace(0, own.size - 1, min(own.size, MOST_POINTS)).round().astype(np.int64)
    return np.union1d(spaced, np.flatnonzero(own))


def _effects(table: pd.DataFrame, drawn: Integers) -> list[Spec]:
    effects = np.exp(table["effect"].to_numpy(np.float64))
    every = line(
        "All readings", effects, color="index", x={"x": pack(np.arange(effects.size))}, width=1.2
    )
    points = [_points("Readings", drawn, table, color="strategy", size=4, symbol="circle")]
    own = np.flatnonzero(table["own"])
    if own.size:  # with fewer than three episodes it is no reading
        name = "As the question is put"
        points.append(_points(name, own, table, color="mark", size=12, symbol="diamond"))
    return [{**every, "hoverinfo": "skip"}, *points]


def _points(name: str, at: Integers, table: pd.DataFrame, *, color: str, **marker: Any) -> Spec:
    chosen = table.iloc[at]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": pack(at),
        "y": pack(np.exp(chosen["effect"])),
        "marker": {"color": LIGHT[color], **marker},
        "text": [_choice_text(record) for record in chosen.to_dict("records")],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _choice_text(record: dict[Any, Any]) -> str:
    """Return a reading in words, for whoever points at it."""
    choices = ", ".join(LABELS[name](record[name]) for name in LABELS if name in record)
    effect = percent_text(np.expm1(record["effect"]))
    return plain(f"{effect}, {record['episodes']} episodes: {choices}")


def _row_ticks(row: ChoiceRow, table: pd.DataFrame, drawn: Integers) -> Spec:
    at = drawn[(table[row.choice].iloc[drawn] == row.value).to_numpy(np.bool_)]
    heights = np.full(at.size, row.height)
    return _ticks(row.label, at, heights, color="strategy", size=8, width=1)


def _own_ticks(rows: list[ChoiceRow], table: pd.DataFrame) -> Spec:
    """Return the ticks of the question's own readings, drawn over the others."""
    own = table["own"].to_numpy(np.bool_)
    at = [np.flatnonzero(own & (table[row.choice] == row.value).to_numpy()) for row in rows]
    heights = np.repeat([row.height for row in rows], [each.size for each in at])
    return _ticks("Own", np.concatenate(at), heights, color="mark", size=12, width=2.4)


def _ticks(
    name: str, at: Integers, heights: Floats, *, color: str, size: int, width: float
) -> Spec:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": plain(name),
        "x": pack(at),
        "y": pack(heights),
        "yaxis": "y2",
        "marker": {
            "symbol": "line-ns-open",
            "size": size,
            "color": LIGHT[color],
            "line": {"width": width},
        },
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _rows_axis(rows: list[ChoiceRow], share: float) -> Spec:
    return {
        "domain": [0, share - 0.02],
        "range": [rows[-1].height - 1, rows[0].height + 1],
        "tickvals": [row.height for row in rows],
        "ticktext": [plain(row.label) for row in rows],
        "tickfont": {"size": 11},
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
    }


def _across(height: float, color: str, name: str = "") -> Spec:
    """Return a line across the effects; with a name it is in the legend."""
    shape = {
        "type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": height, "y1": height,
        "layer": "below",
        "line": {"color": LIGHT[color], "width": 1.4, "dash": "dash" if name else "solid"},
    }  # fmt: skip
    return {**shape, "name": name, "showlegend": True} if name else shape


def _smallest_first(value: Any) -> tuple[bool, float, str]:
    """Return what sorts numbers by size and text after them, "all" before other text."""
    is_text = isinstance(value, str)
    return is_text and value != "all", 0.0 if is_text else float(value), str(value)


def forest_chart(judged: Sequence[Judged]) -> Spec:
    """Return the effects on growth with their 90 % intervals, the largest on top."""
    rows = [
        one
        for one in judged
        if one.finding.unit == "growth" and np.isfinite([one.finding.low, one.finding.high]).all()
    ]
    if not rows:
        raise UndrawableError("No finding about growth has an interval.")
    rows = sorted(rows, key=lambda one: one.finding.estimate)
    names = [_name(one) for one in rows]
    low, middle, high = (
        np.array([getattr(one.finding, part) for one in rows])
        for part in ("low", "estimate", "high")
    )
    shown = np.minimum(middle, WIDEST)
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": pack(percents(shown)),
                "y": names,
                "text": [plain(_text(one)) for one in rows],
                "hovertemplate": "%{text}<extra></extra>",
                "showlegend": False,
                "marker": {
                    "size": 9,
                    "color": [LIGHT[COLORS[evidence(one.finding)]] for one in rows],
                },
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": pack(percents(np.minimum(high, WIDEST) - shown)),
                    "arrayminus": pack(percents(shown - np.minimum(low, WIDEST))),
                    "color": LIGHT["muted"],
                    "thickness": 1.4,
                    "width": 0,
                },
            }
        ],
        "layout": layout(
            height=MARGIN + ROW * len(rows),
            hovermode="closest",
            xaxis={
                **PERCENT_AXIS,
                "tickformat": "+,.0f",
                "side": "top",
            },
            yaxis={"automargin": True, "showgrid": False, "tickfont": {"size": 12}},
            shapes=[
                {
                    "type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": 0, "x1": 0,
                    "line": {"color": LIGHT["muted"], "width": 1}, "layer": "below",
                }
            ],
        ),
    }  # fmt: skip


def _name(one: Judged) -> str:
    return plain(f"{one.study} ({one.finding.asset})")


def _text(one: Judged) -> str:
    found = one.finding
    return (
        f"{_name(one)}: {size(found.estimate, found.unit)} ({interval(found)}), "
        f"{found.episodes} episodes"
    )
