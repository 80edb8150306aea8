"""Which coins made the result: their profit over the run, and their weights over time."""

from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.exposure import coin_profits, coin_weights
from backtests.analysis.summary import Summary
from backtests.engines.backtest import Run
from backtests.report.charts.equity import daily, time_span
from backtests.report.charts.palette import COINS, LIGHT
from backtests.report.charts.spec import (
    PERCENT_AXIS,
    Spec,
    UndrawableError,
    every_day,
    layout,
    pack,
    percents,
    plain,
    time_layout,
)
from backtests.report.words import notation as written

ROW_HEIGHT: Final = 21
NOTHING: Final = "The strategy made no trade."


def profit_panel(result: Run, summary: Summary) -> Spec:
    """Draw each coin's profit in money, the best on top."""
    del summary
    profits = coin_profits(result.strategy, result.market.traded).sum()
    profits = profits[profits != 0].sort_values()
    if profits.empty:
        raise UndrawableError(NOTHING)
    bars = {
        "type": "bar",
        "orientation": "h",
        "name": "Profit",
        "x": pack(profits),
        "y": [plain(written.coin(symbol)) for symbol in profits.index],
        "text": [written.money(profit) for profit in profits],
        "textposition": "auto",
        "marker": {"color": [LIGHT["good" if profit > 0 else "bad"] for profit in profits]},
        "hovertemplate": "%{y}: %{x}<extra></extra>",
    }
    return {
        "data": [bars],
        "layout": layout(
            height=90 + ROW_HEIGHT * len(profits),
            hovermode="closest",
            showlegend=False,
            xaxis={
                "tickformat": ",~s",
                "hoverformat": ",.0f",
                "title": {"text": "Profit, in money, costs included"},
            },
            yaxis={"automargin": True, "type": "category"},
        ),
    }


def weights_panel(result: Run, summary: Summary) -> Spec:
    """Draw the weights of the most held coins over time, stacked, the rest as one."""
    del summary
    weights = coin_weights(result.strategy, result.market.traded)
    means = weights.mean()
    order = means[means > 0].sort_values(ascending=False, kind="stable").index
    if not len(order):
        raise UndrawableError(NOTHING)
    shown = order if len(order) <= len(COINS) else order[: len(COINS) - 1]
    stacked = {written.coin(symbol): weights[symbol] for symbol in shown}
    if len(shown) < len(order):
        others = order[len(shown) :]
        stacked[f"{len(others)} others"] = weights[others].sum(axis=1)
    traces = [
        _area(name, daily(values), color)
        for (name, values), color in zip(stacked.items(), COINS, strict=False)
    ]
    yaxis: Spec = {**PERCENT_AXIS, "title": {"text": "Of equity"}, "range": [0, 105]}
    return {
        "data": traces,
        "layout": time_layout(time_span(result), height=300, yaxis=yaxis),
    }


def _area(name: str, weights: pd.Series, color: str) -> Spec:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": plain(name),
        **every_day(weights.index[0]),
        "y": pack(percents(np.nan_to_num(weights))),
        "stackgroup": "coins",
        "line": {"width": 0.6, "color": LIGHT["paper"], "shape": "hv"},
        "fillcolor": color,
        "hovertemplate": "%{y}",
    }
