"""The charts of a study, each from one of its tables."""

import itertools
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from backtests.claims.runner import AssetStudy
from backtests.config.claims import ClaimSettings
from backtests.report.charts.figure_dicts import (
    LIGHT,
    UNIT,
    Spec,
    UndrawableError,
    band,
    growth_axis,
    intervals,
    layout,
    level,
    line,
    milliseconds,
    pack,
    percent_text,
    plain,
    upright,
)
from feeds.arrays import Floats

RANDOM_BINS: Final = 48
PAIR_HEIGHT: Final = 360
TALL: Final = 420
SHADE: Final = "73"  # opacity of what lies behind, two digits as in a colour
FAINT: Final = "60"
NO_OUTCOME: Final = "No episode has a known outcome."


def path_chart(study: AssetStudy, claim: ClaimSettings) -> Spec:
    """Return the mean path with that of random dates, its band, and every episode behind it."""
    del claim
    path, paths = study.events.path, study.events.paths
    _require_some(path["mean"])
    days = {"x": pack(path.index)}
    low, high = (1 + path[name] for name in ("random_low", "random_high"))
    random = _growth("Random dates, mean", path["random_mean"], "index", days, dash="dot")
    mean = _growth("Mean of the episodes", path["mean"], "strategy", days, width=2.6)
    traces = [*band("Random dates, 90 %", low, high, color=LIGHT["line"] + SHADE, x=days)]
    traces += _episodes(paths, days)
    every = [path["random_low"], path["random_high"], *(paths[name] for name in paths)]
    return {
        "data": [*traces, random, mean],
        "layout": layout(
            height=TALL,
            xaxis={"title": {"text": "Days from the first tradable open"}},
            yaxis=growth_axis(np.concatenate([np.asarray(one, np.float64) for one in every])),
            shapes=[level(1.0), upright(0, color="mark")],
            hovermode="closest",
        ),
    }


def horizon_chart(study: AssetStudy, claim: ClaimSettings) -> Spec:
    """Return the effect against random dates at each horizon, with what could be detected."""
    del claim
    table = study.events.horizons
    _require_some(table["excess"])
    days = [f"{days:.0f}" for days in table["horizon_days"]]
    bounds = [table[name].to_numpy(np.float64) for name in ("excess", "excess_low", "excess_high")]
    effect = intervals("Effect, 90 % interval", days, *(_multiple(one) for one in bounds))
    detectable = table["detectable"].to_numpy(np.float64)
    columns = {
        "type": "bar", "name": "Detectable", "x": days, "y": pack(detectable), "base": 1,
        "marker": {"color": LIGHT["line"]}, "width": 0.7,
        "customdata": [percent_text(each) for each in detectable],
        "hovertemplate": "%{customdata} detectable<extra></extra>",
    }  # fmt: skip
    told = {"text": _horizon_texts(table), "hovertemplate": "%{text}<extra></extra>"}
    return {
        "data": [columns, {**effect, **told}],
        "layout": layout(
            height=TALL,
            xaxis={"type": "category", "title": {"text": "Horizon in days"}, "showgrid": False},
            yaxis=growth_axis(np.concatenate([*bounds, detectable])),
            shapes=[level(1.0)],
            hovermode="closest",
        ),
    }


def placebo_chart(study: AssetStudy, claim: ClaimSettings) -> Spec:
    """Return how often random episodes did how well, and where the real ones stand."""
    if study.drawn.size == 0:
        raise UndrawableError(f"{NO_OUTCOME[:-1]}, or the history is too short for random dates.")
    counts, edges = np.histogram(study.drawn, bins=RANDOM_BINS)
    growth = np.expm1(edges)
    bars = {
        "type": "bar", "name": "Draws", "x": pack((edges[:-1] + edges[1:]) / 2),
        "y": pack(counts), "width": float(edges[1] - edges[0]) * 0.92,
        "text": [f"{percent_text(a)} to {percent_text(b)}" for a, b in itertools.pairwise(growth)],
        "textposition": "none", "hovertemplate": "%{text}: %{y} draws<extra></extra>",
        "marker": {"color": LIGHT["index"] + "99"},
    }  # fmt: skip
    ticks = growth_axis(growth[[0, -1]], is_drawn_in_logs=True)
    title = {"text": f"Mean growth over {claim.horizon_days} days"}
    mark = upright(
        study.actual,
        color="mark",
        name=f"The real episodes: {percent_text(np.expm1(study.actual))}",
    )
    return {
        "data": [bars],
        "layout": layout(
            height=PAIR_HEIGHT,
            xaxis={**ticks, "title": title, "showgrid": False},
            yaxis={"title": {"text": "Draws"}, "tickformat": ",d"},
            shapes=[mark],
            showlegend=True,
            hovermode="closest",
        ),
    }


def delay_chart(study: AssetStudy, claim: ClaimSettings) -> Spec:
    """Return the effect by entry delay; left of zero an entry knows the future."""
    del claim
    table = study.delays
    _require_some(table["excess"])
    days, effect = (table[name].to_numpy(np.float64) for name in ("delay_days", "excess"))
    future = table["uses_future"].to_numpy(bool)
    low, high = (1 + table[name].to_numpy(np.float64) for name in ("excess_low", "excess_high"))
    x: Spec = {"x": pack(days)}
    sides = [
        _growth("Uses the future", effect[future], "mark", {"x": pack(days[future])}, dash="dash"),
        _growth("Effect", effect[~future], "strategy", {"x": pack(days[~future])}, width=2.2),
    ]
    return {
        "data": [*band("90 % interval", low, high, color=LIGHT["band"], x=x), *sides],
        "layout": layout(
            height=PAIR_HEIGHT,
            xaxis={"title": {"text": "Days after the first tradable open"}},
            yaxis=growth_axis(np.concatenate([low - 1, high - 1, effect])),
            shapes=[level(1.0), upright(0, color="mark")],
            hovermode="closest",
        ),
    }


def lag_chart(study: AssetStudy, claim: ClaimSettings) -> Spec:
    """Return the correlation of index and coin by lag."""
    del claim
    table = study.lead_lag.table
    _require_some(table["correlation"])
    names = ("correlation", "correlation_low", "correlation_high")
    bounds = (table[name].to_numpy(np.float64) for name in names)
    points = intervals("Correlation, 90 % interval", table["lag"].tolist(), *bounds)
    return {
        "data": [{**points, "hovertemplate": "lag %{x}: %{y}<extra></extra>"}],
        "layout": layout(
            height=PAIR_HEIGHT,
            xaxis={"title": {"text": "Coin after the index, in sessions"}},
            yaxis=CORRELATION,
            showlegend=False,
            hovermode="closest",
        ),
    }


def rolling_chart(study: AssetStudy, claim: ClaimSettings) -> Spec:
    """Return the rolling correlation with its interval."""
    del claim
    table = study.rolling
    if table.empty:
        raise UndrawableError("The history has fewer than 252 sessions in common.")
    x = {"x": milliseconds(pd.DatetimeIndex(table.index))}
    low, high = table["correlation_low"], table["correlation_high"]
    own = line("Correlation", table["correlation"], color="strategy", x=x, width=1.8)
    return {
        "data": [
            *band("95 % interval", low, high, color=LIGHT["band"], x=x),
            {**own, "hovertemplate": "%{x|%d %b %Y}: %{y}<extra></extra>"},
        ],
        "layout": layout(
            height=PAIR_HEIGHT,
            xaxis={"type": "date", "title": {"text": "Last session of 252"}},
            yaxis=CORRELATION,
            hovermode="closest",
        ),
    }


CORRELATION: Final[Spec] = {
    "title": {"text": "Correlation"}, "tickformat": "+.2f", "hoverformat": "+.2f", "zeroline": True,
    "zerolinecolor": LIGHT["muted"],
}  # fmt: skip
CHARTS: Final[Mapping[str, Callable[[AssetStudy, ClaimSettings], Spec]]] = {
    "path": path_chart,
    "horizon": horizon_chart,
    "placebo": placebo_chart,
    "delay": delay_chart,
    "lag": lag_chart,
    "rolling": rolling_chart,
}


def _growth(name: str, growth: ArrayLike, color: str, x: Spec, **style: float | str) -> Spec:
    """Return a line of growth, drawn as the multiple it is so that its axis can be a log one."""
    values = np.asarray(growth, np.float64)
    # the unit stands once in the template: there is a text per day of every episode
    texts = [percent_text(each).removesuffix(UNIT) for each in values]
    told = {"customdata": texts, "hovertemplate": f"day %{{x}}: %{{customdata}}{UNIT}"}
    return line(name, _multiple(values), color=color, x=x, line={"width": 1.6, **style}, **told)


def _episodes(paths: pd.DataFrame, days: Spec) -> list[Spec]:
    """Return a thin line per episode, all of them one entry of the legend."""
    color = LIGHT["strategy"] + FAINT
    return [
        {
            **_growth(str(name), paths[name], "strategy", days),
            "line": {"color": color, "width": 1},
            "legendgroup": "episodes",
            "showlegend": False,
        }
        for name in paths
    ]


def _horizon_texts(table: pd.DataFrame) -> list[str]:
    names = ("horizon_days", "excess", "p_value", "episodes")
    return [
        plain(
            f"{days:.0f} days: {percent_text(effect)} beyond random dates, "
            f"p {p:.3f}, {count} episodes"
        )
        for days, effect, p, count in zip(*(table[name].tolist() for name in names), strict=True)
    ]


def _multiple(growth: Floats) -> Floats:
    """Return 1 + growth, undefined where all is lost: a log axis has no place for it."""
    return np.where(growth > -1, 1 + growth, np.nan)


def _require_some(values: ArrayLike) -> None:
    if not np.isfinite(np.asarray(values, np.float64)).any():
        raise UndrawableError(NO_OUTCOME)
