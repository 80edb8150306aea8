"""The panel of what is traded: its price or level, when it was held, entries and exits."""

from typing import Final

import pandas as pd

from backtests.analysis.episodes import is_plain, spells
from backtests.analysis.summary import Summary
from backtests.config.config import ALTS
from backtests.engines.backtest import Run
from backtests.report.charts.equity import daily, daily_states, held_bands, time_span
from backtests.report.charts.palette import LIGHT
from backtests.report.charts.spec import (
    Spec,
    every_day,
    line,
    log_ticks,
    markers,
    plain,
    stamp,
    time_layout,
)
from backtests.report.charts.states import runs
from feeds.bars import Span

# The band of sources lies in the lowest part of the panel, the prices begin a little above.
BAND_TOP: Final = 0.035
PRICES_FROM: Final = 0.06
BAND_COLORS: Final = ("muted", "idle", "first_members", "mark")


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
