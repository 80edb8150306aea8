"""The panel of the index: record highs, breakouts, and each support level with its fate."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.summary import Summary
from backtests.backtest import Result
from backtests.report import format as written
from backtests.report.charts import time_span
from backtests.report.levels import FATES, LevelSpan, level_spans
from backtests.report.spec import Spec, line, markers, milliseconds, time_layout

ENDINGS: Final = {
    "Support lost": (("lost",), "bad", "x"),
    "Test failed": (("failed",), "bad", "triangle-down-open"),
    "Lapsed or replaced": (("lapsed", "replaced"), "muted", "circle-open"),
}


def run_levels(result: Result) -> list[LevelSpan]:
    """Return the support levels that were followed during the run."""
    first = result.market.traded_sessions.start
    last = result.market.traded_sessions.stop
    closes = result.market.index.frame["close"].to_numpy()
    spans = level_spans(result.market.signals, close=closes, settings=result.config.signal)
    return [span for span in spans if span.stop >= first and span.start < last]


def index_panel(result: Result, summary: Summary) -> Spec:
    """Draw the index's close over the run's sessions with every signal on it."""
    del summary
    sessions = result.market.traded_sessions
    frame = result.market.index.frame.iloc[sessions]
    signals = result.market.signals
    x = {"x": milliseconds(pd.DatetimeIndex(frame.index))}
    price = {"hovertemplate": "%{y:,.5~g}"}
    prior = signals.prior_high[sessions]
    highs = frame["close"][signals.new_high[sessions]]
    breaks = frame["close"][signals.breakout[sessions]]
    label = result.market.index.instrument.label
    spans = run_levels(result)
    testing, held = _level_lines(spans, sessions)
    return {
        "data": [
            line("Prior high", prior, color="line", x=x, width=1, line={"shape": "hv"}, **price),
            line(f"{label} close", frame["close"], color="ink", x=x, width=1.3, **price),
            line(
                "Level under test",
                testing,
                color="mark",
                x=x,
                width=2,
                line={"dash": "dot"},
                **price,
            ),
            line("Level held as support", held, color="good", x=x, width=3, **price),
            markers(
                "Record high",
                list(highs.index),
                highs,
                color="strategy",
                symbol="circle",
                size=4,
                edge=0,
                hovertemplate="yes",
            ),
            markers(
                "Breakout",
                list(breaks.index),
                breaks,
                color="mark",
                symbol="diamond",
                size=10,
                hovertemplate="a long-standing high is broken",
            ),
            *_fates(spans, result),
        ],
        "layout": time_layout(
            time_span(result),
            height=420,
            yaxis={"title": {"text": f"{label}, price index"}, "tickformat": ","},
        ),
    }


def _level_lines(spans: list[LevelSpan], sessions: slice) -> tuple[np.ndarray, np.ndarray]:
    """Return the level under test and the level held on each traded session, else NaN."""
    testing = np.full(sessions.stop, np.nan)
    held = np.full(sessions.stop, np.nan)
    for span in spans:
        # one session short of a successor, so that two levels are not joined by a line
        stop = span.stop - 1 if span.fate == "replaced" else span.stop + 1
        confirmed = stop if span.held_from is None else span.held_from
        testing[span.start : min(confirmed + 1, stop)] = span.level
        held[confirmed:stop] = span.level
    return testing[sessions], held[sessions]


@dataclass(frozen=True, slots=True)
class _Event:
    """What happened to a level on a session."""

    session: int
    level: float
    text: str


def _fates(spans: list[LevelSpan], result: Result) -> list[Spec]:
    held = [
        _Event(span.held_from, span.level, "confirmed as support")
        for span in spans
        if span.held_from is not None
    ]
    traces = [_marked("Support held", held, result, color="good", symbol="triangle-up")]
    for name, (fates, color, symbol) in ENDINGS.items():
        ended = [
            _Event(span.stop, span.level, FATES[span.fate]) for span in spans if span.fate in fates
        ]
        traces.append(_marked(name, ended, result, color=color, symbol=symbol))
    return traces


def _marked(name: str, events: list[_Event], result: Result, *, color: str, symbol: str) -> Spec:
    sessions = result.market.traded_sessions
    dates = result.market.index.frame.index
    shown = [event for event in events if sessions.start <= event.session < sessions.stop]
    return markers(
        name,
        [dates[event.session] for event in shown],
        [event.level for event in shown],
        color=color,
        symbol=symbol,
        size=10,
        text=[f"{written.price(event.level)} {event.text}" for event in shown],
        hovertemplate="%{text}",
    )
