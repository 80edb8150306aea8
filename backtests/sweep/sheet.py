"""The sheet of a sweep: one self-contained, interactive HTML page."""

from typing import Any, Final

import numpy as np

from backtests.report import palette
from backtests.report.page import plotly_payload, render, script_json
from backtests.sweep import charts
from backtests.sweep.judgement import UNJUDGED, Judgement
from backtests.sweep.store import Store
from backtests.sweep.surface import Surface, surface
from feeds.sessions import periods_per_year

TOP: Final = 20
SHOWN: Final = ("sharpe_ratio", "cagr", "max_drawdown", "time_in_market", "trades")


def sheet(store: Store, judgement: Judgement | None) -> str:
    """Return the page; the same table gives the same bytes."""
    return render("sweep.html.j2", **_content(store, judgement))


def _content(store: Store, judgement: Judgement | None) -> dict[str, Any]:
    objective = store.plan.settings.objective
    found = surface(store)
    heat = charts.heatmaps(found, objective=objective)
    specs: dict[str, Any] = {"parallel": charts.parallel(found, objective=objective)}
    specs["plateau"] = charts.plateau(found, objective=objective)
    if judgement is not None:
        year = periods_per_year(store.plan.base.data.timeframe)
        specs["splits"] = charts.in_and_out(judgement, periods_per_year=year)
    drawn = {name: spec for name, spec in specs.items() if spec is not None}
    return {
        "plan": store.plan,
        "objective": objective,
        "assets": " or ".join(dict.fromkeys(one.asset for one in store.plan.markets())),
        "failures": store.failures(),
        "verdict": judgement.verdict() if judgement else UNJUDGED,
        "findings": judgement.findings() if judgement else (),
        "pairs": sorted({name.partition("|")[2] for name in heat}),
        "drawn": drawn,
        "charts": script_json({"figures": {**drawn, **heat}, "dark": palette.dark_for_light()}),
        "columns": _columns(store),
        "rows": _rows(store, found),
        "toml": store.plan.to_toml(),
        "plotly": plotly_payload(),
    }


def _columns(store: Store) -> list[str]:
    figures = dict.fromkeys((store.plan.settings.objective, *SHOWN))
    return ["trial", *store.plan.keys, *figures, "robustness"]


def _rows(store: Store, found: Surface) -> list[list[str]]:
    """Return the best rows as text; robustness is the neighbours' mean over the row's own."""
    best = store.best(store.plan.settings.objective, count=TOP)
    near = found.around(best["trial"].to_numpy() // found.every)
    rows = []
    for (_, row), around in zip(best.iterrows(), near.tolist(), strict=True):
        own = row[store.plan.settings.objective]
        robustness = around / own if own > 0 else np.nan
        values = [row[name] for name in _columns(store)[:-1]] + [robustness]
        rows.append([_text(value) for value in values])
    return rows


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "n/a" if np.isnan(value) else f"{value:.4g}"
    return str(value)
