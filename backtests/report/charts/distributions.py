"""The panels without a time axis: the distribution of returns, and what each trade went through."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from backtests.analysis.periods import yearly_returns
from backtests.analysis.run_figures import Summary
from backtests.analysis.trades import excursions
from backtests.engines.backtest import Run
from backtests.report.charts.figure_dicts import (
    LIGHT,
    PERCENT_AXIS,
    UNIT,
    Spec,
    UndrawableError,
    growth_axis,
    layout,
    log_ticks,
    pack,
    percents,
    plain,
)
from backtests.report.words import notation as written
from feeds.arrays import Floats

BINS: Final = 60
FLATTENING_YEAR: Final = 3.0  # a return beside which a usual year cannot be seen
LOWEST_YEAR: Final = -0.99  # where a log scale ends
TAIL: Final = 0.002  # the outermost bins take all that lies beyond these quantiles


def distribution_panel(result: Run, summary: Summary) -> Spec:
    """Draw the distribution of bar returns: the strategy invested, and the coin held."""
    del summary
    invested = result.strategy.invested.to_numpy()
    own = result.strategy.returns.to_numpy()[invested]
    held = result.buy_and_hold.returns.to_numpy()
    low, high = np.quantile(held, [TAIL, 1 - TAIL])
    if not low < high:
        raise UndrawableError("The coin's price did not vary.")
    edges = np.linspace(low, high, BINS + 1)
    traces = [
        _bars(f"Hold {result.asset}, all {held.size:,} bars", held, edges, "hold"),
        _bars(f"Strategy, {own.size:,} bars invested", own, edges, "strategy"),
    ]
    return {
        "data": [trace for trace in traces if trace is not None],
        "layout": layout(
            height=300,
            barmode="overlay",
            bargap=0.05,
            hovermode="x unified",
            xaxis={**PERCENT_AXIS, "title": {"text": "Return of one bar"}},
            yaxis={**PERCENT_AXIS, "title": {"text": "Share of bars"}},
        ),
    }


def years_panel(result: Run, summary: Summary) -> Spec:
    """Draw each calendar year's return, strategy beside buy-and-hold.

    In logs where one year would flatten all others; the axis says so.
    """
    del summary
    accounts = {"strategy": result.strategy, "hold": result.buy_and_hold}
    names = {"strategy": "Strategy", "hold": f"Hold {result.asset}"}
    years = {color: yearly_returns(account.returns) for color, account in accounts.items()}
    every = np.concatenate([found.to_numpy() for found in years.values()])
    is_in_logs = bool(every.max() > FLATTENING_YEAR)
    traces = [
        {
            "type": "bar",
            "name": plain(names[color]),
            "x": [str(year) for year in found.index],
            "y": pack(_log_growth(found) if is_in_logs else percents(found)),
            "text": [written.percent(value).replace(" %", UNIT) for value in found],
            "textposition": "none",
            "marker": {"color": LIGHT[color]},
            "hovertemplate": "%{text}",
        }
        for color, found in years.items()
    ]
    axis = growth_axis(np.maximum(every, LOWEST_YEAR), is_drawn_in_logs=True)
    title = {"title": {"text": "Return of the year" + (", log scale" if is_in_logs else "")}}
    return {
        "data": traces,
        "layout": layout(
            height=250,
            barmode="group",
            bargap=0.25,
            hovermode="x unified",
            xaxis={"type": "category", "showgrid": False},
            yaxis={
                **(axis if is_in_logs else PERCENT_AXIS),
                **title,
                "zeroline": True,
                "automargin": True,
            },
        ),
    }


def _log_growth(returns: ArrayLike) -> Floats:
    return np.log1p(np.maximum(np.asarray(returns, np.float64), LOWEST_YEAR))


def excursion_panel(result: Run, summary: Summary) -> Spec:
    """Draw the worst and best each trade saw on its way, and where it ended.

    In multiples of the entry price on a log scale, so that halving and doubling weigh alike.
    """
    trades = summary.trades
    if trades.empty:
        raise UndrawableError("The strategy made no trade.")
    worst, best = excursions(trades, tape=result.market.traded)
    final = trades["return"].to_numpy(np.float64)
    yaxis: Spec = {
        "type": "log",
        "ticksuffix": "x",
        "title": {"text": "Of the entry price"},
        **log_ticks(1 + np.concatenate([worst, best, final])),
    }
    return {
        "data": [*_ranges(worst, best), _ends(worst, best, final)],
        "layout": layout(
            height=300,
            hovermode="closest",
            xaxis={"title": {"text": "Trade"}, "dtick": -(-len(trades) // 20), "showgrid": False},
            yaxis=yaxis,
            shapes=[_line_at_one()],
        ),
    }


def _ranges(worst: Floats, best: Floats) -> list[Spec]:
    numbers = np.arange(1, worst.size + 1)
    gap = np.full(worst.size, np.nan)
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "Lowest to highest price on the way",
            "x": pack(np.column_stack([numbers, numbers, gap]).ravel()),
            "y": pack(np.column_stack([1 + worst, 1 + best, gap]).ravel()),
            "line": {"color": f"{LIGHT['index']}66", "width": 9},
            "hoverinfo": "skip",
        }
    ]


def _ends(worst: Floats, best: Floats, final: Floats) -> Spec:
    text = [
        f"Trade {number}: worst {written.percent(low)}, best {written.percent(high)}, "
        f"return {written.percent(end)}"
        for number, (low, high, end) in enumerate(zip(worst, best, final, strict=True), start=1)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Return of the trade",
        "x": list(range(1, final.size + 1)),
        "y": pack(1 + final),
        "text": text,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "symbol": "diamond",
            "size": 11,
            "color": [LIGHT["good" if gain > 0 else "bad"] for gain in final],
        },
    }


def _line_at_one() -> Spec:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 1, "y1": 1, "layer": "below",
        "line": {"color": LIGHT["muted"], "width": 1},
    }  # fmt: skip


def _bars(name: str, returns: Floats, edges: Floats, color: str) -> Spec | None:
    if not returns.size:
        return None
    counts, _ = np.histogram(np.clip(returns, edges[0], edges[-1]), edges)
    return {
        "type": "bar",
        "name": plain(name),
        "x": pack(percents((edges[1:] + edges[:-1]) / 2)),
        "y": pack(percents(counts / returns.size)),
        "marker": {"color": f"{LIGHT[color]}99"},
        "hovertemplate": "%{y}",
    }
