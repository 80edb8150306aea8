"""The panel of the filters: one band each, saying when it was open, closed or unknown."""

from typing import Final

from backtests.analysis.decisions import CLOSED, OPEN, UNKNOWN, GateRecord, gate_records
from backtests.analysis.summary import Summary
from backtests.backtest import Result
from backtests.report.charts import time_span
from backtests.report.palette import LIGHT
from backtests.report.spec import Spec, UndrawableError, plain, stamp, time_layout

ROW_HEIGHT: Final = 38
# colour and width: told apart without colour too
STYLES: Final = {OPEN: ("good", 16), CLOSED: ("bad", 7), UNKNOWN: ("index", 2)}


def gates_panel(result: Result, summary: Summary) -> Spec:
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
