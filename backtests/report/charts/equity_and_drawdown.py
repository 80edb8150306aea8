"""The panels over time: equity, underwater, exposure and a year's rolling figures.

All share one time axis, so that the page can zoom them together. Intraday runs are drawn
with the last value of each day, which keeps the file small; a missing day is a gap.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from backtests.analysis.episodes import is_plain, spells
from backtests.analysis.metrics import underwater
from backtests.analysis.periods import (
    INVESTED_SHARE,
    is_enough_invested,
    rolling_beta,
    rolling_ratio,
    rolling_sortino,
)
from backtests.analysis.run_figures import Summary
from backtests.engines.account import Account
from backtests.engines.backtest import Run
from backtests.report.charts.figure_dicts import (
    LIGHT,
    PERCENT_AXIS,
    Spec,
    UndrawableError,
    every_day,
    line,
    log_ticks,
    percents,
    stamp,
    time_layout,
    unpack,
)
from backtests.report.charts.hover_text import day_states, order_states, runs
from backtests.report.words import notation as written
from backtests.report.words.labels import columns_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT: Final = 240
EQUITY_SHARE: Final = 0.68  # of the height
FIGURE_HEIGHT: Final = 620
RATIO_AXIS: Final[Spec] = {"hoverformat": ".2f", "zeroline": True, "zerolinecolor": LIGHT["line"]}
# from returns over cash and the bars of a year to a value per bar
Roll = Callable[[pd.Series, int], pd.Series]


def time_span(result: Run) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the days the panels span: from the first bar to the end of the last."""
    bars = result.strategy.bars.index
    return bars[0].normalize(), bars[-1].normalize() + pd.Timedelta(days=1)


def daily(series: pd.Series) -> pd.Series:
    """Return the last value of each day on an unbroken calendar, NaN on missing days."""
    return series.resample("1D").last()


def equity_panel(result: Run, summary: Summary) -> Spec:
    """Draw equity of the strategy and all it is compared with from the same starting cash."""
    own = daily(result.strategy.equity)
    x = every_day(own.index[0])
    states = runs(daily_states(result, summary.trades))
    hover = "%{y:,.0f}"
    traces = [
        line(
            "Strategy", own, color="strategy", x=x, width=2.2,
            meta={"runs": states}, hovertemplate=f"{hover}<br>%{{text}}",
        )
    ]  # fmt: skip
    traces += [
        line(name, daily(series), color=color, x=x, line={"dash": dash}, hovertemplate=hover)
        for color, name, series, dash in _comparisons(result)
    ]
    reached = np.concatenate([own, *(series for _, _, series, _ in _comparisons(result))])
    title = {"text": "Equity, log scale"}
    yaxis = {"type": "log", "title": title, "tickformat": ",~s", **log_ticks(reached)}
    return {
        "data": traces,
        "layout": time_layout(time_span(result), height=320, yaxis=yaxis, shapes=held_bands(result))
        | {"meta": {"base": result.strategy.initial_cash}},
    }


def _comparisons(result: Run) -> list[tuple[str, str, pd.Series, str]]:
    index = result.market.index_level
    scaled = index / index.iloc[0] * result.strategy.initial_cash
    return [
        ("hold", f"Hold {result.asset}", result.buy_and_hold.equity, "solid"),
        *(
            (name, columns_of(result)[name], account.equity, "longdash")
            for name, account in result.others.items()
        ),
        ("control", f"Control ({result.asset}'s own price)", result.control.equity, "dash"),
        ("index", result.market.index.instrument.label, scaled, "dot"),
    ]


def underwater_panel(result: Run, summary: Summary) -> Spec:
    """Draw how far strategy and buy-and-hold were below their peaks, the worst point marked."""
    span = time_span(result)
    held = daily(_underwater(result.buy_and_hold))
    own = daily(_underwater(result.strategy))
    shared: Spec = {"x": every_day(own.index[0]), "hovertemplate": "%{y}"}
    fill: Spec = {"fill": "tozeroy", "fillcolor": _translucent("hold")}
    traces = [
        line(f"Hold {result.asset}", percents(held), color="hold", width=1, **fill, **shared),
        line("Strategy", percents(own), color="strategy", width=2, **shared),
    ]
    keys = {"hold": "buy_and_hold", "strategy": "strategy"}
    notes = [
        _worst(summary.drawdowns[key].iloc[0], color, span)
        for color, key in keys.items()
        if len(summary.drawdowns[key])
    ]
    yaxis = {**PERCENT_AXIS, "title": {"text": "Below the peak"}, "nticks": 5}
    drawn = time_layout(span, height=160, yaxis=yaxis, annotations=notes)
    # the same lines as in the panel of equity, whose legend stands right above
    return {"data": traces, "layout": drawn | {"showlegend": False}}


def exposure_panel(result: Run, summary: Summary) -> Spec:
    """Draw the fraction of equity in the coin at each bar's end."""
    del summary
    weight = daily(result.strategy.bars["weight"])
    trace = line(
        "Weight",
        percents(weight),
        color="strategy",
        x=every_day(weight.index[0]),
        hovertemplate="%{y}",
        fill="tozeroy",
        fillcolor=_translucent("strategy"),
    )
    trace["line"]["shape"] = "hv"
    yaxis = {**PERCENT_AXIS, "title": {"text": "Of equity"}, "range": [0, 105]}
    return {"data": [trace], "layout": time_layout(time_span(result), height=170, yaxis=yaxis)}


def held_bands(result: Run) -> list[Spec]:
    """Return a shade behind each stretch with the signal on."""
    end = time_span(result)[1]
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "layer": "below",
            "x0": stamp(spell.start),
            "x1": stamp(end if pd.isna(spell.end) else spell.end),
            "fillcolor": LIGHT["band"],
            "line": {"width": 0},
        }
        for spell in spells(result)
    ]


def daily_states(result: Run, trades: pd.DataFrame) -> list[str]:
    """Return for each day of the run what the strategy did, or where its money was."""
    held = daily(result.strategy.invested.astype(np.float64)) > 0
    if is_plain(result):
        return day_states(held, trades)
    return order_states(held, result.strategy.fills)


def _underwater(account: Account) -> pd.Series:
    return pd.Series(underwater(account.returns.to_numpy()), index=account.bars.index)


def _worst(spell: pd.Series, color: str, span: tuple[pd.Timestamp, pd.Timestamp]) -> Spec:
    is_late = spell["trough"] > span[0] + (span[1] - span[0]) * 0.6
    return {
        "x": stamp(spell["trough"]),
        "y": 100 * spell["depth"],
        "text": f"{written.percent(spell['depth'])} on {written.date(spell['trough'])}",
        "showarrow": True,
        "arrowhead": 0,
        # beside the point, towards the middle, where there is room
        "ax": -36 if is_late else 36,
        "ay": 0 if color == "hold" else -40,
        "xanchor": "right" if is_late else "left",
        "arrowcolor": LIGHT[color],
        "bgcolor": LIGHT["paper"],
        "font": {"color": LIGHT[color]},
    }


def _translucent(color: str) -> str:
    return f"{LIGHT[color]}22"


def rolling_sharpe_panel(result: Run, summary: Summary) -> Spec:
    """Draw the Sharpe ratio of the last year of bars, of strategy and buy-and-hold."""
    del summary
    return _panel(result, "Sharpe ratio", lambda excess, bars: rolling_ratio(excess, bars=bars)[0])


def rolling_sortino_panel(result: Run, summary: Summary) -> Spec:
    """Draw the Sortino ratio of the last year of bars, of both."""
    del summary
    return _panel(result, "Sortino ratio", lambda excess, bars: rolling_sortino(excess, bars=bars))


def rolling_beta_panel(result: Run, summary: Summary) -> Spec:
    """Draw the strategy's beta to holding over the last year of bars."""
    del summary
    held = _excess(result.buy_and_hold, result)
    return _panel(
        result,
        "Beta to holding",
        lambda excess, bars: rolling_beta(excess, benchmark=held, bars=bars),
        accounts={"strategy": result.strategy},
    )


def rolling_volatility_panel(result: Run, summary: Summary) -> Spec:
    """Draw the annualised volatility of the last year of bars, of both."""
    del summary
    return _panel(
        result,
        "Volatility",
        lambda excess, bars: 100 * rolling_ratio(excess, bars=bars)[1],
        is_ratio=False,
    )


def _panel(
    result: Run,
    title: str,
    roll: Roll,
    *,
    accounts: dict[str, Account] | None = None,
    is_ratio: bool = True,
) -> Spec:
    """Draw one value per bar; a ratio only where the window holds enough invested bars."""
    year = round(result.periods_per_year)
    if len(result.strategy.bars) < year:
        raise UndrawableError(
            f"A rolling year needs {year:,} bars; this run has {len(result.strategy.bars):,}."
        )
    names = {"hold": f"Hold {result.asset}", "strategy": "Strategy"}
    both = {"hold": result.buy_and_hold, "strategy": result.strategy}
    traces, is_empty = [], True
    for color, account in (accounts or both).items():
        values = roll(_excess(account, result), year)
        if is_ratio:
            invested = account.invested[~result.after_hole]
            values = values.where(is_enough_invested(invested, bars=year))
        is_empty = is_empty and not values.notna().any()
        days = daily(values)
        x = every_day(days.index[0])
        traces.append(line(names[color], days, color=color, x=x, hovertemplate="%{y}"))
    if is_empty:
        share = written.percent(INVESTED_SHARE, decimals=0)
        raise UndrawableError(f"No rolling year had {share} of its bars invested.")
    yaxis = {"title": {"text": title}, **(RATIO_AXIS if is_ratio else PERCENT_AXIS)}
    return {"data": traces, "layout": time_layout(time_span(result), height=HEIGHT, yaxis=yaxis)}


def _excess(account: Account, result: Run) -> pd.Series:
    """Return returns over cash, but for those that span a hole."""
    return (account.returns - result.cash_returns)[~result.after_hole]


def run_figure(result: Run, summary: Summary) -> "Figure":
    """Return the panels of equity and of what is below the peaks, on one axis of time."""
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=2,
        shared_xaxes=True,
        vertical_spacing=0.04,
        row_heights=[EQUITY_SHARE, 1 - EQUITY_SHARE],
    )
    above, below = equity_panel(result, summary), underwater_panel(result, summary)
    for row, panel in ((1, above), (2, below)):
        figure.update_yaxes(panel["layout"]["yaxis"], row=row, col=1)
        figure.update_xaxes(panel["layout"]["xaxis"], row=row, col=1)
        for trace in panel["data"]:
            shown = {key: value for key, value in trace.items() if key != "meta"}
            shown["y"] = unpack(trace["y"])
            if row == 1:  # the text of each day's state is put in by the page's own script
                shown["hovertemplate"] = shown["hovertemplate"].partition("<br>")[0]
            named = any(trace["name"] == each["name"] for each in above["data"])
            figure.add_trace(shown | {"showlegend": row == 1 or not named}, row=row, col=1)
    shared = {key: above["layout"][key] for key in ("font", "hoverlabel", "legend", "plot_bgcolor")}
    figure.update_layout(
        **shared, height=FIGURE_HEIGHT, hovermode="x unified", paper_bgcolor=shared["plot_bgcolor"]
    )
    return figure
