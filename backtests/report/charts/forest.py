"""All effects of a page with their intervals, sorted: a forest plot."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from backtests.claims.answers import evidence
from backtests.claims.runner import Judged
from backtests.report.charts.palette import LIGHT
from backtests.report.charts.spec import (
    PERCENT_AXIS,
    Spec,
    UndrawableError,
    layout,
    pack,
    percents,
    plain,
)
from backtests.report.words.answers import interval, size

ROW: Final = 26
MARGIN: Final = 110
WIDEST: Final = 4.0  # effects beyond +400 % are drawn at the edge, with their figure in the text
COLORS: Final = {"supported": "good", "ruled_out": "bad", "too_little": "muted"}


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
