"""The panels over time: index, coin, equity, underwater, exposure and rolling figures.

All share one time axis, so that the page can zoom them together. Intraday runs are drawn
with the last value of each day, which keeps the file small; a missing day is a gap.
"""

from typing import Final

import numpy as np
import pandas as pd

from backtests.analysis.metrics import underwater
from backtests.analysis.summary import Summary
from backtests.backtest import Result
from backtests.baselines import index_level
from backtests.engine import Account
from backtests.report import format as written
from backtests.report.palette import LIGHT
from backtests.report.spec import (
    Spec,
    UndrawableError,
    every_day,
    line,
    markers,
    stamp,
    time_layout,
)

PERCENT_AXIS: Final = {"tickformat": ".0%"}
LOG_TICKS: Final = {"dtick": "D2"}  # 1, 2, 5 of each decade: all nine would overlap


def time_span(result: Result) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the days the panels span: from the first bar to the end of the last."""
    bars = result.strategy.bars.index
    return bars[0].normalize(), bars[-1].normalize() + pd.Timedelta(days=1)


def daily(series: pd.Series) -> pd.Series:
    """Return the last value of each day on an unbroken calendar, NaN on missing days."""
    return series.resample("1D").last()


def coin_panel(result: Result, summary: Summary) -> Spec:
    """Draw the coin's close, where it was held, and every entry and exit with its reason."""
    closes = daily(result.market.traded_bars["close"])
    held = _held_days(result)
    x = every_day(closes.index[0])
    price = {"hovertemplate": "%{y:,.5~g}"}
    traces = [
        line("Close, in cash", closes.where(~held), color="index", x=x, width=1.2, **price),
        line("Close, held", closes.where(held), color="strategy", x=x, width=1.8, **price),
        *_entries_and_exits(summary.trades),
    ]
    yaxis = {
        "type": "log",
        "title": {"text": f"{result.asset}, log scale"},
        "tickformat": ",~g",
        **LOG_TICKS,
    }
    return {
        "data": traces,
        "layout": time_layout(
            time_span(result), height=380, yaxis=yaxis, shapes=_held_bands(result, summary.trades)
        ),
    }


def equity_panel(result: Result, summary: Summary) -> Spec:
    """Draw equity of strategy, buy-and-hold, control and index from the same starting cash."""
    held = _held_days(result)
    own = daily(result.strategy.equity)
    x = every_day(own.index[0])
    index = index_level(result.market.traded_lines)
    others = {
        "hold": (f"Hold {result.asset}", result.buy_and_hold.equity, "solid"),
        "control": (f"Control ({result.asset}'s own highs)", result.control.equity, "dash"),
        "index": (
            result.market.index.instrument.label,
            index / index.iloc[0] * result.strategy.initial_cash,
            "dot",
        ),
    }
    hover = {"hovertemplate": "%{y:,.0f}"}
    traces = [line("Strategy", own, color="strategy", x=x, width=2.2, **hover)]
    traces += [
        line(name, daily(series), color=color, x=x, line={"dash": dash}, **hover)
        for color, (name, series, dash) in others.items()
    ]
    yaxis = {
        "type": "log",
        "title": {"text": "Equity, log scale"},
        "tickformat": ",~s",
        **LOG_TICKS,
    }
    return {
        "data": [*traces, *_states(own, held, x)],
        "layout": time_layout(
            time_span(result), height=420, yaxis=yaxis, shapes=_held_bands(result, summary.trades)
        ),
    }


def underwater_panel(result: Result, summary: Summary) -> Spec:
    """Draw how far strategy and buy-and-hold were below their peaks, the worst point marked."""
    span = time_span(result)
    held = daily(_underwater(result.buy_and_hold))
    own = daily(_underwater(result.strategy))
    shared = {"x": every_day(own.index[0]), "hovertemplate": "%{y:.1%}"}
    fill = {"fill": "tozeroy", "fillcolor": _translucent("hold")}
    traces = [
        line(f"Hold {result.asset}", held, color="hold", width=1, **fill, **shared),
        line("Strategy", own, color="strategy", width=2, **shared),
    ]
    keys = {"hold": "buy_and_hold", "strategy": "strategy"}
    notes = [
        _worst(summary.drawdowns[key].iloc[0], color, span)
        for color, key in keys.items()
        if len(summary.drawdowns[key])
    ]
    yaxis = {**PERCENT_AXIS, "title": {"text": "Below the peak"}}
    return {
        "data": traces,
        "layout": time_layout(span, height=300, yaxis=yaxis, annotations=notes),
    }


def exposure_panel(result: Result, summary: Summary) -> Spec:
    """Draw the fraction of equity in the coin at each bar's end."""
    del summary
    bars = result.strategy.bars
    value = bars["units"] * result.market.traded_bars["close"]
    weight = daily(value / bars["equity"].where(bars["equity"] > 0))
    trace = line(
        "Weight",
        weight,
        color="strategy",
        x=every_day(weight.index[0]),
        hovertemplate="%{y:.0%}",
        fill="tozeroy",
        fillcolor=_translucent("strategy"),
    )
    trace["line"]["shape"] = "hv"
    yaxis = {**PERCENT_AXIS, "title": {"text": "Of equity"}, "range": [0, 1.05]}
    return {"data": [trace], "layout": time_layout(time_span(result), height=170, yaxis=yaxis)}


def rolling_sharpe_panel(result: Result, summary: Summary) -> Spec:
    """Draw the Sharpe ratio of the last year of bars, of strategy and buy-and-hold."""
    del summary
    return _rolling_panel(result, title="Sharpe ratio", form="%{y:.2f}", is_ratio=True)


def rolling_volatility_panel(result: Result, summary: Summary) -> Spec:
    """Draw the annualised volatility of the last year of bars, of both."""
    del summary
    return _rolling_panel(result, title="Volatility", form="%{y:.1%}", is_ratio=False)


def rolling_ratio(excess: pd.Series, *, bars: int) -> tuple[pd.Series, pd.Series]:
    """Return rolling Sharpe ratio and volatility over `bars` bars, annualised by `bars`.

    NaN before `bars` bars exist; the ratio also where returns did not vary.
    """
    window = excess.rolling(bars)
    deviation = window.std(ddof=1)
    varied = window.max() > window.min()
    ratio = (window.mean() / deviation.where(varied)) * np.sqrt(bars)
    return ratio, deviation.where(varied | deviation.isna(), 0.0) * np.sqrt(bars)


def _rolling_panel(result: Result, *, title: str, form: str, is_ratio: bool) -> Spec:
    year = result.periods_per_year
    if len(result.strategy.bars) < year:
        raise UndrawableError(
            f"A rolling year needs {year:,} bars; this run has {len(result.strategy.bars):,}."
        )
    accounts = {
        "hold": (f"Hold {result.asset}", result.buy_and_hold),
        "strategy": ("Strategy", result.strategy),
    }
    traces = []
    for color, (name, account) in accounts.items():
        ratio, volatility = rolling_ratio(account.returns - result.cash_return, bars=year)
        values = daily(ratio if is_ratio else volatility)
        traces.append(
            line(name, values, color=color, x=every_day(values.index[0]), hovertemplate=form)
        )
    yaxis = {
        "title": {"text": title},
        **({} if is_ratio else PERCENT_AXIS),
        "zeroline": is_ratio,
        "zerolinecolor": LIGHT["line"],
    }
    return {"data": traces, "layout": time_layout(time_span(result), height=240, yaxis=yaxis)}


def _held_days(result: Result) -> pd.Series:
    return daily((result.strategy.bars["units"] != 0).astype(np.float64)) > 0


def _states(equity: pd.Series, held: pd.Series, x: Spec) -> list[Spec]:
    """Return unseen lines that put the state of each day into the hover box."""
    unseen = {"showlegend": False, "opacity": 0, "width": 0}
    return [
        line(
            "in the market",
            equity.where(held),
            color="strategy",
            x=x,
            **unseen,
            hovertemplate="<b>in the market</b><extra></extra>",
        ),
        line(
            "in cash",
            equity.where(~held),
            color="index",
            x=x,
            **unseen,
            hovertemplate="<b>in cash</b><extra></extra>",
        ),
    ]


def _held_bands(result: Result, trades: pd.DataFrame) -> list[Spec]:
    end = time_span(result)[1]
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "layer": "below",
            "x0": stamp(trade["entry_time"]),
            "x1": stamp(end if pd.isna(trade["exit_time"]) else trade["exit_time"]),
            "fillcolor": LIGHT["band"],
            "line": {"width": 0},
        }
        for trade in trades.to_dict("records")
    ]


def _entries_and_exits(trades: pd.DataFrame) -> list[Spec]:
    closed = trades[trades["status"] == "closed"]
    entry_text = [
        f"{written.price(price)} ({written.words(reason)})"
        for price, reason in zip(trades["entry_price"], trades["entry_reason"], strict=True)
    ]
    exit_text = [
        f"{written.price(price)} ({written.words(reason)}), {written.percent(gain)}"
        for price, reason, gain in zip(
            closed["exit_price"], closed["exit_reason"], closed["return"], strict=True
        )
    ]
    return [
        markers(
            "Entry",
            list(trades["entry_time"]),
            trades["entry_price"],
            color="good",
            symbol="triangle-up",
            size=12,
            text=entry_text,
            hovertemplate="%{text}",
        ),
        markers(
            "Exit",
            list(closed["exit_time"]),
            closed["exit_price"],
            color="bad",
            symbol="triangle-down",
            size=12,
            text=exit_text,
            hovertemplate="%{text}",
        ),
    ]


def _underwater(account: Account) -> pd.Series:
    return pd.Series(underwater(account.returns.to_numpy()), index=account.bars.index)


def _worst(spell: pd.Series, color: str, span: tuple[pd.Timestamp, pd.Timestamp]) -> Spec:
    is_late = spell["trough"] > span[0] + (span[1] - span[0]) * 0.6
    return {
        "x": stamp(spell["trough"]),
        "y": spell["depth"],
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
