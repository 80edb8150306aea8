"""The panels of what is traded: its price or level, when it was held, and which coins paid."""

from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.episodes import is_plain, spells
from backtests.analysis.exposure import coin_profits, coin_weights
from backtests.analysis.run_figures import Summary
from backtests.config.config import ALTS
from backtests.engines.backtest import Run
from backtests.report.charts.equity_and_drawdown import daily, daily_states, held_bands, time_span
from backtests.report.charts.figure_dicts import (
    COINS,
    LIGHT,
    PERCENT_AXIS,
    Spec,
    UndrawableError,
    every_day,
    layout,
    line,
    log_ticks,
    markers,
    pack,
    percents,
    plain,
    stamp,
    time_layout,
)
from backtests.report.charts.hover_text import runs
from backtests.report.words import notation as written
from feeds.bars import Span

# The band of sources lies in the lowest part of the panel, the prices begin a little above.
BAND_TOP: Final = 0.035
PRICES_FROM: Final = 0.06
BAND_COLORS: Final = ("muted", "idle", "first_members", "mark")
ROW_HEIGHT: Final = 21
NOTHING: Final = "The strategy made no trade."


def coin_panel(result: Run, summary: Summary) -> Spec:
    """Draw the close, where the signal was on, and every entry and exit.

    A basket is drawn as its level: held all the time at its weights, without costs. Under a
    history joined from several sources a band shows which one serves which time.
    """
    closes = daily(result.market.traded_bars["close"])
    x = every_day(closes.index[0])
    states = runs(daily_states(result, summary.trades))
    hover: Spec = {"meta": {"runs": states}, "hovertemplate": "%{y:,.5~g}<br>%{text}"}
    held = closes.where(_signal_on(result, pd.DatetimeIndex(closes.index)))
    kind = "level" if result.config.asset == ALTS else "close"
    traces = [
        line(f"{result.asset} {kind}", closes, color="index", x=x, width=1.2, **hover),
        line("while the signal is on", held, color="strategy", x=x, width=2, hoverinfo="skip"),
        *_entries_and_exits(result, summary.trades),
    ]
    title = {"text": plain(f"{result.asset}, log scale")}
    yaxis = {"type": "log", "title": title, "tickformat": ",~g", **log_ticks(closes)}
    span, band = time_span(result), source_band(result)
    shapes = [*held_bands(result), *band]
    drawn = time_layout(span, height=310, yaxis=yaxis, shapes=shapes)
    if band:
        drawn["yaxis"]["domain"] = [PRICES_FROM, 1]
        drawn["xaxis"] |= {"anchor": "free", "position": 0}
    return {"data": traces, "layout": drawn}


def source_band(result: Run) -> list[Spec]:
    """Return a strip for each source of a joined history, none where there is one source."""
    first, last = time_span(result)
    spans = [span for span in result.market.coin.spans if span.last >= first]
    if len(spans) < 2:
        return []
    ends = [last, *(span.first for span in spans[:-1])]
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "y0": 0,
            "y1": BAND_TOP,
            "x0": stamp(max(span.first, first)),
            "x1": stamp(end),
            "fillcolor": LIGHT[BAND_COLORS[place % len(BAND_COLORS)]],
            "line": {"width": 0},
            "showlegend": True,
            "name": plain(_source_name(span)),
        }
        for place, (span, end) in enumerate(zip(spans, ends, strict=True))
    ]


def _source_name(span: Span) -> str:
    closes = ", closes only" if span.is_close_only else ""
    return f"bars of {span.label}{closes}"


def _signal_on(result: Run, days: pd.DatetimeIndex) -> pd.Series:
    on = pd.Series(False, index=days)
    for spell in spells(result):
        last = days[-1] if pd.isna(spell.end) else spell.end - pd.Timedelta(1)
        on[spell.start.normalize() : last] = True
    return on


def _entries_and_exits(result: Run, trades: pd.DataFrame) -> list[Spec]:
    """Return markers at the fills' prices; where these are of other coins, at the open."""
    if is_plain(result):
        closed = trades[trades["status"] == "closed"]
        bought = dict(zip(trades["entry_time"], trades["entry_price"], strict=True))
        sold = dict(zip(closed["exit_time"], closed["exit_price"], strict=True))
    else:
        opens = result.market.traded_bars["open"]
        found = spells(result)
        bought = {each.start: opens.loc[each.start] for each in found}
        sold = {each.end: opens.loc[each.end] for each in found if not pd.isna(each.end)}
    style: Spec = {"size": 12, "hoverinfo": "skip"}
    return [
        markers(
            "Entry", list(bought), list(bought.values()),
            color="good", symbol="triangle-up", **style,
        ),
        markers(
            "Exit", list(sold), list(sold.values()), color="bad", symbol="triangle-down", **style
        ),
    ]  # fmt: skip


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
