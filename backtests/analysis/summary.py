"""All figures of a run side by side, and what they say in one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backtests import format as written
from backtests.analysis import metrics
from backtests.analysis.drawdowns import drawdowns
from backtests.analysis.episodes import episode_starts, episodes_entered
from backtests.analysis.trades import round_trips
from backtests.backtest import Result
from backtests.elapsed import SECONDS_PER_YEAR, SESSIONS_PER_YEAR, bars_per_year, interest
from backtests.engine import Account
from backtests.tape import NANOSECONDS
from feeds.alignment import latest_known
from feeds.sessions import NEW_YORK

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of the strategy and of all it is compared with.

    `figures` maps "strategy", "buy_and_hold", "control" and "index" to figure name ->
    fraction, count or money (NaN where undefined). `drawdowns` holds every spell of the
    strategy and of buy-and-hold, deepest first. `episodes` counts the clusters of triggers
    in the run, `episodes_traded` those in which the strategy bought. `index_periods_per_year`
    are the sessions per year the index's figures are made annual by.
    """

    figures: dict[str, Figures]
    drawdowns: dict[str, pd.DataFrame]
    trades: pd.DataFrame
    index_periods_per_year: float
    episodes: int
    episodes_traded: int
    verdict: str


def summarise(result: Result) -> Summary:
    """Return the figures of a result."""
    accounts = {
        "strategy": result.strategy,
        "buy_and_hold": result.buy_and_hold,
        "control": result.control,
    }
    every = {**accounts, **result.others}
    spells = {name: drawdowns(account.returns) for name, account in every.items()}
    trips = {name: _trades(result, account) for name, account in every.items()}
    figures = {
        name: _account_figures(result, account, spells=spells[name], trades=trips[name])
        for name, account in every.items()
    }
    figures["index"] = _index_figures(result)
    episodes = episode_starts(_trigger_sessions(result))
    trades = trips["strategy"]
    return Summary(
        figures=figures,
        drawdowns={name: spells[name] for name in ("strategy", "buy_and_hold")},
        trades=trades,
        index_periods_per_year=index_periods_per_year(result),
        episodes=len(episodes),
        episodes_traded=episodes_entered(
            result.market.available_at[episodes], trades["entry_time"]
        ),
        verdict=verdict(result.asset, figures["strategy"], figures["buy_and_hold"])
        + basket_verdict(result, figures)
        + idle_verdict(result.config.idle.asset, figures),
    )


def verdict(asset: str, strategy: Figures, held: Figures) -> str:
    """Return one plain sentence: behind or ahead of buy-and-hold, by how much, how deep."""
    gap = strategy["cagr"] - held["cagr"]
    words = "trails" if gap < 0 else "beats" if gap > 0 else "equals"
    by = f" by {abs(gap) * 100:.1f} percentage points a year" if gap else ""
    money = [written.multiple(figures["total_return"]) for figures in (strategy, held)]
    return (
        f"The rule {words} holding {asset}{by} "
        f"({written.percent(strategy['cagr'])} against {written.percent(held['cagr'])} a year; "
        f"{money[0]} against {money[1]} the money); "
        f"worst drawdown {written.percent(strategy['max_drawdown'])} "
        f"instead of {written.percent(held['max_drawdown'])}, "
        f"with {written.percent(strategy['time_in_market'])} of the time in the market."
    )


def basket_verdict(result: Result, figures: Mapping[str, Figures]) -> str:
    """Return what holding a basket means here, or nothing for a single coin."""
    if "rebalanced" not in figures:
        return ""
    bought = ", ".join(
        symbol.removesuffix("-USD") for symbol in result.buy_and_hold.fills["symbol"]
    )
    always = figures["rebalanced"]
    return (
        f" Holding means the coins that qualified on the first day ({bought}), untouched; the "
        f"basket itself, held all the time at its weights, made {written.percent(always['cagr'])} "
        f"a year with a worst drawdown of {written.percent(always['max_drawdown'])}."
    )


def idle_verdict(idle: str, figures: Mapping[str, Figures]) -> str:
    """Return what holding the idle asset alone would have made, or nothing without one."""
    if "idle" not in figures:
        return ""
    alone = figures["idle"]
    return (
        f" Holding {idle} as it does while the signal is off, all the time, made "
        f"{written.percent(alone['cagr'])} a year with a worst drawdown of "
        f"{written.percent(alone['max_drawdown'])}."
    )


def _account_figures(
    result: Result, account: Account, *, spells: pd.DataFrame, trades: pd.DataFrame
) -> Figures:
    returns = account.returns.to_numpy()
    figures = metrics.return_figures(
        returns,
        periods_per_year=result.periods_per_year,
        years=result.years,
        cash_return=result.cash_returns,
        left_out=result.after_hole,
    )
    figures["max_drawdown_days"] = _days_of_deepest(spells)
    figures["time_in_market"] = float(account.invested.mean())
    figures["turnover"] = metrics.turnover(account.fills, equity=account.equity, years=result.years)
    tape = result.market.traded
    opens = pd.DataFrame(tape.matrix("open"), index=tape.times, columns=list(tape.coins))
    figures["costs_paid"] = metrics.costs_paid(account.fills, opens=opens)
    figures["trades"] = len(trades)
    figures["win_rate"] = float((trades["return"] > 0).mean()) if len(trades) else np.nan
    figures["average_trade"] = float(trades["return"].mean()) if len(trades) else np.nan
    figures["final_equity"] = float(account.equity.iloc[-1])
    return figures


def index_periods_per_year(result: Result) -> float:
    """Return the sessions per year in the run: 252, or those there are if they are fewer."""
    sessions = len(_index_returns(result)[0])
    return bars_per_year(sessions, years=result.years, nominal=SESSIONS_PER_YEAR)


def _index_figures(result: Result) -> Figures:
    """Return the index's figures from its sessions; cash earns from one close to the next."""
    returns, known = _index_returns(result)
    years = np.diff(known, prepend=result.market.traded.lines["time"][:1]) / SECONDS_PER_YEAR
    figures = metrics.return_figures(
        returns.to_numpy(),
        periods_per_year=index_periods_per_year(result),
        years=result.years,
        cash_return=interest(years, rate=result.config.costs.cash_rate),
    )
    figures["max_drawdown_days"] = _days_of_deepest(drawdowns(returns))
    return figures


def _days_of_deepest(spells: pd.DataFrame) -> float:
    return float(spells["days"].iloc[0]) if len(spells) else 0.0


def _index_returns(result: Result) -> tuple[pd.Series, NDArray[np.float64]]:
    """Return each session's return in the run, and when (seconds, UTC) its close was known.

    The first session is measured from the level known at the first bar's open; an index without
    one by then begins with its first close.
    """
    market = result.market
    known = market.available_at.as_unit("ns")
    before = int(latest_known(known.asi8, at=market.traded.times[:1].asi8)[0])
    rows = np.arange(max(before, 0), market.traded_sessions.stop)
    sessions = _session_dates(pd.DatetimeIndex(market.index.frame.index))[rows]
    is_last = np.append(sessions[1:] != sessions[:-1], True)
    is_last[0] = True  # the level at the start, even within a session
    rows = rows[is_last]
    closes = market.index.frame["close"].to_numpy()[rows]
    returns = pd.Series(
        np.diff(closes) / closes[:-1], index=sessions[is_last][1:].tz_localize("UTC")
    )
    return returns, known.asi8[rows[1:]] / NANOSECONDS


def _session_dates(times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return times if times.tz is None else times.tz_convert(NEW_YORK).tz_localize(None).normalize()


def _trades(result: Result, account: Account) -> pd.DataFrame:
    tape = result.market.traded
    closes = dict(zip(tape.coins, tape.matrix("close")[-1].tolist(), strict=True))
    return round_trips(account.fills, last_time=tape.times[-1], last_closes=closes)


def _trigger_sessions(result: Result) -> np.ndarray[Any, np.dtype[np.int64]]:
    sessions = result.market.traded.lines["trigger_session"]
    return sessions[sessions >= 0].astype(np.int64)
