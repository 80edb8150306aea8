"""The panel of the index: record highs, breakouts, and each support level with its fate."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.filter_effects import CLOSED, OPEN, UNKNOWN, GateRecord, gate_records
from backtests.analysis.run_figures import Summary
from backtests.engines.backtest import Run
from backtests.report.charts.equity_and_drawdown import time_span
from backtests.report.charts.figure_dicts import (
    LIGHT,
    Spec,
    UndrawableError,
    line,
    markers,
    milliseconds,
    plain,
    stamp,
    time_layout,
)
from backtests.report.charts.hover_text import LevelSpan, level_spans, runs, session_states
from backtests.report.words import notation as written

ENDINGS: Final = {
    "Support lost": (("lost",), "bad", "x"),
    "Test failed": (("failed",), "bad", "triangle-down-open"),
    "Lapsed or replaced": (("lapsed", "replaced"), "muted", "circle-open"),
}
# of own signals, one after another: told apart without colour too
OWN_MARKS: Final = (
    ("first_members", "star"), ("idle", "square"), ("control", "cross"), ("hold", "hexagon"),
)  # fmt: skip


def run_levels(result: Run) -> list[LevelSpan]:
    """Return the support levels that were followed during the run."""
    first = result.market.traded_sessions.start
    last = result.market.traded_sessions.stop
    closes = result.market.index.frame["close"].to_numpy()
    spans = level_spans(result.market.signals, close=closes, settings=result.config.signal)
    return [span for span in spans if span.stop >= first and span.start < last]


def index_panel(result: Run, summary: Summary) -> Spec:
    """Draw the index's close over the run's sessions with every signal on it."""
    del summary
    label = result.market.index.instrument.label
    title = {"text": plain(f"{label}, price index")}
    spans = run_levels(result)
    return {
        "data": [
            *_lines(result, spans),
            *_highs(result),
            *_fates(spans, result),
            *_own_signals(result),
        ],
        "layout": time_layout(
            time_span(result), height=330, yaxis={"title": title, "tickformat": ","}
        ),
    }


def _lines(result: Run, spans: list[LevelSpan]) -> list[Spec]:
    sessions = result.market.traded_sessions
    frame = result.market.index.frame.iloc[sessions]
    signals = result.market.signals
    x = {"x": milliseconds(pd.DatetimeIndex(frame.index))}
    testing, held = _level_lines(spans, sessions)
    states = runs(session_states(signals, spans)[sessions])
    close: Spec = {"meta": {"runs": states}, "hovertemplate": "%{y:,.5~g}<br>%{text}"}
    unsaid: Spec = {"x": x, "hoverinfo": "skip"}
    steps: Spec = {"line": {"shape": "hv"}}
    dots: Spec = {"line": {"dash": "dot"}}
    label = f"{result.market.index.instrument.label} close"
    prior = signals.prior_high[sessions]
    return [
        line("Prior high", prior, color="line", width=1, **steps, **unsaid),
        line(label, frame["close"], color="ink", width=1.3, x=x, **close),
        line("Level under test", testing, color="mark", width=2, **dots, **unsaid),
        line("Level held as support", held, color="good", width=3, **unsaid),
    ]


def _highs(result: Run) -> list[Spec]:
    sessions = result.market.traded_sessions
    closes = result.market.index.frame["close"].iloc[sessions]
    signals = result.market.signals
    highs = closes[signals.new_high[sessions]]
    breaks = closes[signals.breakout[sessions]]
    dots: Spec = {"symbol": "circle", "size": 4, "edge": 0, "hoverinfo": "skip"}
    diamonds: Spec = {"symbol": "diamond", "size": 10, "hoverinfo": "skip"}
    return [
        markers("Record high", list(highs.index), highs, color="strategy", **dots),
        markers("Breakout", list(breaks.index), breaks, color="mark", **diamonds),
    ]


def _own_signals(result: Run) -> list[Spec]:
    """Return a mark on each session on which an own signal fires, a trace per signal."""
    sessions = result.market.traded_sessions
    closes = result.market.index.frame["close"].iloc[sessions]
    traces = []
    for place, (name, fires) in enumerate(result.market.signals.own.items()):
        color, symbol = OWN_MARKS[place % len(OWN_MARKS)]
        marked = closes[fires[sessions]]
        style: Spec = {"color": color, "symbol": symbol, "size": 12, "hoverinfo": "skip"}
        traces.append(markers(f"Signal {written.words(name)}", list(marked.index), marked, **style))
    return traces


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


def _fates(spans: list[LevelSpan], result: Run) -> list[Spec]:
    held = [_Event(span.held_from, span.level) for span in spans if span.held_from is not None]
    traces = [_mark("Support held", held, result, color="good", symbol="triangle-up")]
    for name, (fates, color, symbol) in ENDINGS.items():
        ended = [_Event(span.stop, span.level) for span in spans if span.fate in fates]
        traces.append(_mark(name, ended, result, color=color, symbol=symbol))
    return traces


def _mark(name: str, events: list[_Event], result: Run, *, color: str, symbol: str) -> Spec:
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
        hoverinfo="skip",
    )


ROW_HEIGHT: Final = 38
# colour and width: told apart without colour too
STYLES: Final = {OPEN: ("good", 16), CLOSED: ("bad", 7), UNKNOWN: ("index", 2)}


def gates_panel(result: Run, summary: Summary) -> Spec:
    """Draw each filter's states as a band over the run."""
    del summary
    records = gate_records(result)
    if not records:
        raise UndrawableError("The config has no filter: every trigger counts.")
    traces = [_band(records, state, color, width) for state, (color, width) in STYLES.items()]
    names = [plain(record.name.replace("_", " ")) for record in records]
    yaxis: Spec = {
        "tickvals": list(range(len(records))),
        "ticktext": names,
        "range": [len(records) - 0.4, -0.6],
        "automargin": True,
        "showgrid": False,
    }
    height = 84 + ROW_HEIGHT * len(records)
    layout = time_layout(time_span(result), height=height, yaxis=yaxis)
    return {"data": traces, "layout": {**layout, "hovermode": "closest"}}


def _band(records: tuple[GateRecord, ...], state: str, color: str, width: int) -> Spec:
    times: list[str | None] = []
    rows: list[int | None] = []
    texts: list[str] = []
    for row, record in enumerate(records):
        for span in record.spans:
            if span.state == state:
                times += [stamp(span.start), stamp(span.stop), None]
                rows += [row, row, None]
                said = f"{state} from {span.start:%Y-%m-%d} to {span.stop:%Y-%m-%d}"
                texts += [f"{plain(record.name.replace('_', ' '))} {said}"] * 2 + [""]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": {OPEN: "Open (thick)", CLOSED: "Closed", UNKNOWN: "Unknown (thin)"}[state],
        "x": times,
        "y": rows,
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
        "line": {"color": LIGHT[color], "width": width},
    }
